//! Answers that a client has already are not sent again.

use std::fmt::Write as _;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::Body as _;
use sha2::{Digest, Sha256};

/// Answers longer than this get no tag of their content.
const LONGEST: u64 = 4 << 20;

/// Adds an entity tag to what may be kept, and answers 304 to a client that shows it (RFC 9110 section 13.1.2).
///
/// An endpoint that knows its version tags its answer itself, with [`tag`], and best before it makes it. Others are tagged
/// with the hash of their content, unless they forbid to keep it. Tags are weak: the same content may go out compressed.
pub(crate) async fn conditional(request: Request, next: Next) -> Response {
    // A HEAD's answer has no content any more to make a tag of.
    let (is_get, is_head) = (request.method() == Method::GET, request.method() == Method::HEAD);
    let held = request.headers().get_all(header::IF_NONE_MATCH).iter().cloned().collect::<Vec<_>>();
    let response = next.run(request).await;
    if !(is_get || is_head) || response.status() != StatusCode::OK {
        return response;
    }
    let is_tagged = response.headers().contains_key(header::ETAG);
    let response = if is_get && !is_tagged { tagged(response).await } else { response };
    match response.headers().get(header::ETAG) {
        Some(tag) if held.iter().any(|held| names(held, tag)) => not_modified(response.headers()),
        _ => response,
    }
}

/// The tag of a version.
pub(crate) fn tag(version: impl std::fmt::Display) -> HeaderValue {
    HeaderValue::from_str(&format!("W/\"{version}\"")).expect("versions are visible ASCII")
}

async fn tagged(response: Response) -> Response {
    let is_json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    let forbids = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("no-store"));
    let headers = response.headers();
    let is_kept = headers.get(header::CONTENT_TYPE).is_some_and(is_json)
        && !headers.get(header::CACHE_CONTROL).is_some_and(forbids)
        && response.body().size_hint().exact().is_some_and(|length| length <= LONGEST);
    if !is_kept {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let length = usize::try_from(LONGEST).unwrap_or(usize::MAX);
    match axum::body::to_bytes(body, length).await {
        Ok(bytes) => {
            let mut hash = String::new();
            for byte in &Sha256::digest(&bytes)[..16] {
                write!(hash, "{byte:02x}").expect("writing to a string can't fail");
            }
            parts.headers.insert(header::ETAG, tag(hash));
            parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(_) => unreachable!("a body of known length is in memory"),
    }
}

/// Whether an `If-None-Match` names the tag. Weak comparison: only what stands between the quotes counts.
fn names(held: &HeaderValue, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let (Ok(held), Ok(tag)) = (held.to_str(), tag.to_str()) else { return false };
    let tag = opaque(tag);
    held.trim() == "*" || held.split(',').any(|held| opaque(held) == tag)
}

/// The headers that a 304 carries are those that an update of what is kept needs.
fn not_modified(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    for name in [header::ETAG, header::CACHE_CONTROL, header::VARY] {
        for value in headers.get_all(&name) {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_by_what_stands_between_their_quotes() {
        let tag = tag("a-1");
        for (held, is_held) in [
            ("W/\"a-1\"", true),
            ("\"a-1\"", true),
            ("\"b\", W/\"a-1\"", true),
            ("*", true),
            ("W/\"a-10\"", false),
            ("a-1", false),
            ("", false),
        ] {
            assert_eq!(names(&HeaderValue::from_static(held), &tag), is_held, "{held}");
        }
    }
}
