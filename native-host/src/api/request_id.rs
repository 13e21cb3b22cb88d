//! A name for each request, by which its answer is found in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::Instrument as _;

/// Header of the request, where a client names it, and of each answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of a name that a client gives.
const LONGEST: usize = 128;

/// Names for requests that bring none: the run of the host, and a number.
#[derive(Debug)]
pub(crate) struct RequestIds {
    instance: Arc<str>,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(instance: Arc<str>) -> Self {
        Self { instance, next: AtomicU64::new(1) }
    }

    /// The client's name where it is one: letters, digits and `-_.` can't forge a line of the log.
    fn name(&self, given: Option<&HeaderValue>) -> HeaderValue {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let fits = |value: &&HeaderValue| {
            (1..=LONGEST).contains(&value.len()) && value.as_bytes().iter().all(is_plain)
        };
        given.filter(fits).cloned().unwrap_or_else(|| {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{number}", self.instance);
            HeaderValue::from_str(&name).expect("the instance's name and a number are visible ASCII")
        })
    }
}

/// Names the request, its answer and all that is logged meanwhile.
pub(crate) async fn named(State(ids): State<Arc<RequestIds>>, request: Request, next: Next) -> Response {
    let name = ids.name(request.headers().get(REQUEST_ID));
    let span = tracing::debug_span!(
        "request",
        id = name.to_str().unwrap_or_default(),
        method = %request.method(),
        path = ?request.uri().path()
    );
    async move {
        let begin = Instant::now();
        let mut response = next.run(request).await;
        tracing::debug!(
            status = response.status().as_u16(),
            millis = begin.elapsed().as_millis(),
            "answered"
        );
        response.headers_mut().insert(REQUEST_ID, name);
        response
    }
    .instrument(span)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_names_its_request_unless_the_name_could_forge_the_log() {
        let ids = RequestIds::new("run".into());
        let name = |given: &[u8]| {
            let given = HeaderValue::from_bytes(given).unwrap();
            ids.name(Some(&given)).to_str().unwrap().to_owned()
        };
        assert_eq!(name(b"4bf92f35-77b3.a_1"), "4bf92f35-77b3.a_1");
        assert_eq!(name(b"a b"), "run-1");
        assert_eq!(name(b""), "run-2");
        assert_eq!(name("ä".as_bytes()), "run-3");
        assert_eq!(name(&[b'a'; 129]), "run-4");
        assert_eq!(ids.name(None), "run-5");
    }
}
