//! The dashboard and the story app, as files.

use std::io;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use tower_http::services::ServeDir;

use crate::api::problem::{Kind, Problem};
use crate::guard::content_security_policy;

/// One built web app in a directory.
///
/// Files beside which a `.br` or `.gz` stands are sent compressed to browsers that take it.
#[derive(Clone, Debug)]
pub struct Site {
    name: &'static str,
    flag: &'static str,
    directory: Option<PathBuf>,
}

impl Site {
    /// The dashboard: `--dashboard-dir`, else `dashboard` beside the executable.
    ///
    /// # Errors
    ///
    /// If a directory is given and holds no `index.html`.
    pub fn dashboard(given: Option<PathBuf>) -> Result<Self, NotASite> {
        Self::find("dashboard", "--dashboard-dir", given)
    }

    /// The story app: `--story-dir`, else `story` beside the executable.
    ///
    /// # Errors
    ///
    /// If a directory is given and holds no `index.html`.
    pub fn story(given: Option<PathBuf>) -> Result<Self, NotASite> {
        Self::find("story", "--story-dir", given)
    }

    /// Whether there is something to serve.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.directory.is_some()
    }

    fn find(name: &'static str, flag: &'static str, given: Option<PathBuf>) -> Result<Self, NotASite> {
        let directory = match given {
            Some(directory) if is_site(&directory) => Some(directory),
            Some(directory) => return Err(NotASite { flag, directory }),
            None => beside_executable(name).filter(|directory| is_site(directory)),
        };
        Ok(Self { name, flag, directory })
    }

    /// Answers a request for `path`, which is relative to the site and starts with a slash.
    pub(crate) async fn serve(&self, path: &str, request: Request) -> Response {
        let Some(directory) = &self.directory else {
            return if path == "/" { self.not_built().into_response() } else { nothing_at(request.uri()) };
        };
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        if is_read && matches!(path, "/" | "/index.html") {
            return match index(directory).await {
                Ok(page) => page,
                Err(error) => Problem::new(
                    Kind::Internal,
                    format!("index.html of the {} can't be read: {error}; build it again", self.name),
                )
                .into_response(),
            };
        }
        file(directory, path, request).await
    }

    fn not_built(&self) -> impl IntoResponse {
        let (name, flag) = (self.name, self.flag);
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Quillwork</title>\
             <h1>The {name} is not built</h1>\
             <p>This host runs and its API answers, but it found no built {name}.</p>\
             <p>In the repository, <code>cargo xtask run</code> builds everything and starts the host with it. \
             A {name} built elsewhere is served with <code>quillwork serve {flag} DIR</code>.</p>\
             <p>What works without it: <a href=\"/api/v1/snapshot\">snapshot</a>, \
             <a href=\"/api/v1/series\">series</a>, <a href=\"/metrics\">metrics</a>, \
             <a href=\"/api/v1/openapi.json\">API description</a>.</p></html>"
        );
        (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], Html(page))
    }
}

fn is_site(directory: &Path) -> bool {
    directory.join("index.html").is_file()
}

fn beside_executable(name: &str) -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.join(name))
}

/// The page itself: never from a cache without asking, and with the hashes of its inline scripts in the policy.
async fn index(directory: &Path) -> io::Result<Response> {
    let html = tokio::fs::read_to_string(directory.join("index.html")).await?;
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, content_security_policy(&inline_script_hashes(&html))),
    ];
    Ok((headers, Html(html)).into_response())
}

async fn file(directory: &Path, path: &str, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let asked = parts.uri.clone();
    let Ok(uri) = path.parse::<Uri>() else { return nothing_at(&asked) };
    // No file system has such names; asking it for them is an error rather than an answer.
    if path.len() > LONGEST_PATH || path.split('/').any(|name| name.len() > LONGEST_NAME) {
        return nothing_at(&asked);
    }
    parts.uri = uri;
    let files = ServeDir::new(directory)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    let Ok(response) = files.oneshot(Request::from_parts(parts, Body::empty())).await;
    if response.status() == StatusCode::NOT_FOUND {
        return nothing_at(&asked);
    }
    let mut response = response.map(Body::new);
    let caching = if is_hashed(path) { "public, max-age=31536000, immutable" } else { "no-cache" };
    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    }
    response
}

/// Bytes of a path and of a name in it.
const LONGEST_PATH: usize = 2_048;
const LONGEST_NAME: usize = 255;

fn nothing_at(uri: &Uri) -> Response {
    let detail =
        format!("there is nothing at {}; the dashboard is at /, the story app at /story/", uri.path());
    Problem::new(Kind::NotFound, detail).into_response()
}

/// Whether the name holds a hash of the content, so that it never changes: Trunk appends 16 hexadecimal digits, Vite
/// puts files with 8 characters of base64url into `assets/`.
///
/// One hash of Vite in thirty looks like a word and is asked for again each time. The other way round a file would be
/// wrong for a year.
fn is_hashed(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some((stem, _extension)) = name.rsplit_once('.') else { return false };
    let stem = stem.strip_suffix("_bg").unwrap_or(stem);
    let is_trunk = stem
        .rsplit_once('-')
        .is_some_and(|(_, hash)| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // The hash itself may hold a hyphen.
    let is_vite = directory.ends_with("/assets")
        && stem.len().checked_sub(VITE_HASH).and_then(|at| stem.split_at_checked(at)).is_some_and(
            |(before, hash)| {
                before.len() > 1 && before.ends_with('-') && is_base64url(hash) && !is_words(hash)
            },
        );
    is_trunk || is_vite
}

/// Characters of Vite's hashes.
const VITE_HASH: usize = 8;

fn is_base64url(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether a person could have written it: words in lower case, in camel case or all in capitals, with numbers after
/// them.
fn is_words(text: &str) -> bool {
    let is_capitals = text.bytes().all(|byte| byte.is_ascii_uppercase());
    is_capitals || text.split(['-', '_']).all(is_camel_case)
}

/// Whether it is words that each may begin with a capital, and a number after the last.
fn is_camel_case(text: &str) -> bool {
    let letters = text.trim_end_matches(|character: char| character.is_ascii_digit()).as_bytes();
    let lone_capital = letters.windows(2).any(|pair| pair.iter().all(u8::is_ascii_uppercase))
        || letters.last().is_some_and(u8::is_ascii_uppercase);
    letters.iter().all(u8::is_ascii_alphabetic) && !lone_capital
}

/// Hashes of the inline scripts, as a content security policy names them. Trunk starts its module from one.
fn inline_script_hashes(html: &str) -> Vec<String> {
    let mut hashes = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("<script") {
        let Some((attributes, after)) = after.split_once('>') else { break };
        let Some((content, after)) = after.split_once("</script") else { break };
        if !attributes.contains("src=") && !content.is_empty() {
            hashes.push(format!("sha256-{}", STANDARD.encode(Sha256::digest(content))));
        }
        rest = after;
    }
    hashes
}

/// A directory that was named on the command line and can't be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flag} {}: there is no index.html in it; name the directory of a built app", directory.display())]
pub struct NotASite {
    flag: &'static str,
    directory: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_cached_for_good() {
        for hashed in [
            "/web-3f1d6a8c9b0e4d2f.js",
            "/web-3f1d6a8c9b0e4d2f_bg.wasm",
            "/uPlot.iife.min-5064edaecd06f7ff.js",
            "/uPlot.min-5e0d12c918aed906.css",
            "/assets/index-BibNEyrR.js",
            "/assets/index-BH-Hkpr9.js",
            "/assets/index-DALs3hc4.css",
            "/assets/compute-yAWBk5lr.wasm",
            "/assets/runtime-Bk-YwLnU.wasm",
            "/assets/tasks-D_4x-9Qa.js",
            "/assets/chunk.vendor-BlxKSajY.js",
        ] {
            assert!(is_hashed(hashed), "{hashed}");
        }
        for plain in [
            "/index.html",
            "/story.js",
            "/my-document.js",
            "/web-3f1d6a8c9b0e4d2f",
            "/web-3f1d6a8c9b0e4d2f.js/other.js",
            "/a/index-BibNEyrR.js",
            "/assets/my-document.js",
            "/assets/my-Document.js",
            "/assets/my-version1.js",
            "/assets/my-MyModule.js",
            "/assets/my-LICENSES.txt",
            "/assets/my-20240131.js",
            "/assets/my-doc-v100.js",
            "/assets/story-graphics.js",
            "/assets/-BibNEyrR.js",
            "/assets/BibNEyrR.js",
            "/assets/index-Bib+EyrR.js",
            "/assets/index-ÄbNEyrR.js",
            "/assets/a.js",
        ] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }

    #[test]
    fn inline_scripts_are_named_by_their_hash() {
        let html = "<script src=\"a.js\"></script><script type=\"module\">alert(1)</script >";
        // `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`
        assert_eq!(inline_script_hashes(html), ["sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI="]);
        assert!(inline_script_hashes("<script").is_empty());
    }

    #[test]
    fn a_named_directory_must_hold_a_page() {
        let empty = std::env::temp_dir().join("quillwork-no-such-site");
        let error = Site::dashboard(Some(empty)).unwrap_err().to_string();
        assert!(error.starts_with("--dashboard-dir ") && error.contains("index.html"), "{error}");
    }
}
