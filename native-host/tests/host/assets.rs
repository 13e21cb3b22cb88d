//! Files of the dashboard and the story app.

use std::fs;

use axum::http::{HeaderValue, header};
use quillwork_host::assets::Site;
use tempfile::TempDir;

use crate::harness::{Host, Setup, request};

/// `site` with these files, in a directory that is gone afterwards.
fn site_of(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (file, content) in files {
        let file = directory.path().join("site").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    directory
}

const PAGE: &[u8] = b"<!doctype html><script type=module>start()</script>";

fn host() -> (Host, TempDir, TempDir) {
    let dashboard = site_of(&[
        ("index.html", PAGE),
        ("web-0123456789abcdef_bg.wasm", b"\0asm"),
        ("web-0123456789abcdef.js", b"export {}"),
        ("web-0123456789abcdef.js.br", b"brotli"),
        ("plain.css", b"a{}"),
    ]);
    let story = site_of(&[("index.html", b"<!doctype html>story"), ("assets/index-BibNEyrR.js", b"story()")]);
    let sites = (
        Site::dashboard(Some(dashboard.path().join("site"))).unwrap(),
        Site::story(Some(story.path().join("site"))).unwrap(),
    );
    (Host::with(Setup { sites, ..Setup::default() }), dashboard, story)
}

#[tokio::test]
async fn pages_come_fresh_and_hashed_files_for_good() {
    let (host, _dashboard, _story) = host();
    let page = host.get("/").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), "no-cache");
    assert!(
        page.header("content-security-policy").contains("'wasm-unsafe-eval' 'sha256-"),
        "its inline script may run"
    );

    let wasm = host.get("/web-0123456789abcdef_bg.wasm").await;
    assert_eq!(wasm.header("content-type"), "application/wasm");
    assert_eq!(wasm.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(host.get("/plain.css").await.header("cache-control"), "no-cache");

    assert_eq!(host.get("/story/").await.body, "<!doctype html>story");
    let script = host.get("/story/assets/index-BibNEyrR.js").await;
    assert_eq!((script.body.as_str(), script.header("content-type")), ("story()", "text/javascript"));
    assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");
    let moved = host.get("/story").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (308, "/story/"));
}

#[tokio::test]
async fn a_file_that_was_compressed_beforehand_is_sent_so() {
    let (host, _dashboard, _story) = host();
    let mut request = request("GET", "/web-0123456789abcdef.js");
    request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
    let answer = host.ask(request).await;
    assert_eq!((answer.header("content-encoding"), answer.body.as_str()), ("br", "brotli"));
    assert_eq!(answer.header("content-type"), "text/javascript");
}

#[tokio::test]
async fn nothing_outside_is_served() {
    let (host, dashboard, _story) = host();
    let secret = dashboard.path().join("secret.txt");
    fs::write(&secret, "it is secret").unwrap();
    let name = "secret.txt";
    for path in [
        format!("/../{name}"),
        format!("/%2e%2e/{name}"),
        format!("/story/../{name}"),
        format!("/story/%2e%2e/{name}"),
        format!("/story/..%2f{name}"),
        format!("/story/%252e%252e/{name}"),
        format!("/{}", secret.display()),
    ] {
        let answer = host.get(&path).await;
        assert!(
            answer.status.is_client_error() && !answer.body.contains("it is secret"),
            "{path}: {answer:?}"
        );
    }
    for nothing in ["/%00", "/plain.css%00", "/%", "/%ff%fe", "/plain.css/x", "//plain.css/..", "/a\\..\\b"] {
        host.get(nothing).await.problem(404, "not-found");
    }
    host.get(&format!("/{}", "a".repeat(300))).await.problem(404, "not-found");
    host.get(&format!("/{}", "a/".repeat(3_000))).await.problem(404, "not-found");
    host.get("/assets").await.problem(404, "not-found");
    host.get("/story/assets/").await.problem(404, "not-found");
    host.ask(request("POST", "/plain.css")).await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn a_part_of_a_file_is_sent_and_one_that_is_not_there_is_refused() {
    let (host, _dashboard, _story) = host();
    let range = async |range: &'static str| {
        let mut request = request("GET", "/plain.css");
        request.headers_mut().insert(header::RANGE, HeaderValue::from_static(range));
        host.ask(request).await
    };
    let part = range("bytes=1-18446744073709551615").await;
    assert_eq!((part.status.as_u16(), part.body.as_str()), (206, "{}"));
    for absent in ["bytes=7-9", "bytes=2-1", "bytes=0-0,1-1"] {
        range(absent).await.problem(416, "range-not-satisfiable");
    }
}

#[tokio::test]
async fn without_a_dashboard_the_page_says_how_to_build_it() {
    let host = Host::new();
    for path in ["/", "/story/"] {
        let answer = host.get(path).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(answer.body.contains("cargo xtask run"), "{}", answer.body);
    }
}
