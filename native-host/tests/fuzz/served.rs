//! A host that is asked, on a runtime that ends with it.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::harness::{Host, Setup};

/// A host without a port.
pub(crate) struct Served {
    runtime: Runtime,
    pub(crate) host: Host,
}

/// What the host answered.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
}

/// A refusal that is longer than this says too much.
const LONGEST_DETAIL: usize = 2_000;

impl Served {
    pub(crate) fn new() -> Self {
        Self::with(Setup::default)
    }

    pub(crate) fn with(setup: impl FnOnce() -> Setup) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let host = runtime.block_on(async { Host::with(setup()) });
        Self { runtime, host }
    }

    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Asks, and checks what every answer must be: no fault of the host's own, and a problem document where it refuses.
    pub(crate) fn ask(&self, request: Request<Body>) -> Answered {
        let uri = request.uri().to_string();
        let answered = self.run(async {
            let response = tower::ServiceExt::oneshot(self.host.router.clone(), request).await.unwrap();
            let (parts, body) = response.into_parts();
            let media_type =
                parts.headers.get("content-type").map_or("", |value| value.to_str().unwrap()).to_owned();
            // Of a stream without end the head is all that is asked for.
            let body = if media_type == "text/event-stream" { Body::empty() } else { body };
            let body = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
            Answered { status: parts.status, media_type, body }
        });
        let status = answered.status;
        assert!(
            !status.is_server_error() || status == 503,
            "{status} for {uri}: {}",
            String::from_utf8_lossy(&answered.body)
        );
        if answered.media_type == "application/problem+json" {
            let document: Value = serde_json::from_slice(&answered.body).unwrap();
            assert_eq!(document["status"], status.as_u16());
            let detail = document["detail"].as_str().unwrap();
            assert!(
                !detail.is_empty() && detail.len() <= LONGEST_DETAIL,
                "{} bytes of detail: {detail}",
                detail.len()
            );
            assert!(!detail.chars().any(char::is_control), "{detail:?}");
        }
        answered
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let answered = self.ask(crate::harness::request("GET", path));
        assert_eq!(answered.status, 200, "{path}");
        serde_json::from_slice(&answered.body).unwrap()
    }

    /// What a refused request must not change: who reports, and which series there are.
    pub(crate) fn known(&self) -> Vec<String> {
        let sources = self.json("/api/v1/sources");
        let catalogue = self.json("/api/v1/series");
        let ids = sources["sources"].as_array().unwrap().iter().map(|source| source["id"].to_string());
        let series = catalogue["series"].as_array().unwrap().iter();
        ids.chain(series.map(|series| format!("series {}", series["series"].as_str().unwrap()))).collect()
    }
}
