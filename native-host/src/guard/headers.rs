//! Headers that tell the browser how to protect the pages served here.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Adds the security headers to every answer, errors included.
///
/// COOP and COEP together make pages cross-origin isolated, which `SharedArrayBuffer` and precise timers need.
pub(crate) async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // A page with inline scripts brings a policy with their hashes.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| content_security_policy(&[]));
    response
}

const ALWAYS: [(&str, &str); 6] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
];

/// The policy for a page whose inline scripts have these hashes (`sha256-…`).
///
/// WebAssembly may be compiled, JavaScript from strings may not. Style attributes are let through, since charts and
/// editors position with them, style elements are not. Story files may hold pictures as `data:` and `blob:` URLs.
pub(crate) fn content_security_policy(script_hashes: &[String]) -> HeaderValue {
    let hashes: String = script_hashes.iter().map(|hash| format!(" '{hash}'")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; worker-src 'self' blob:; \
         style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; \
         connect-src 'self' data: blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("the policy and base64 hashes are visible ASCII")
}
