//! Batches of pages that can't use a WebSocket: beacons of closing pages.

use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use quillwork_protocol::page::PageBatch;
use quillwork_protocol::problem::Problem as Document;

use super::App;
use super::extract::JsonBody;
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use crate::config::Scope;
use crate::driver::Proof;
use crate::state::BatchRefusal;

/// Takes a batch of samples from a page.
///
/// Each `batchId` counts once: sending a batch again is safe. A page may send `limits.samples_per_second` (50) in the long run and
/// `limits.sample_burst` (7200) at once; of what is more nothing counts, and `Retry-After` says when to send it again. On `/ws` it is read later instead.
///
/// Beacons can't carry a token. Where the host asks for one, a batch without it counts if its source id, of 22 characters
/// or more, is that of a page that connected to `/ws` with the token since the host started.
#[utoipa::path(
    post,
    path = "/api/v1/ingest",
    tag = "pages",
    request_body(
        content((PageBatch = "application/json"), (PageBatch = "text/plain")),
        description = "At most 600 samples and 1 MiB, which counts after decompression where it is compressed (`Content-Encoding: gzip`). Beacons send it as text/plain."
    ),
    responses(
        (status = 204, description = "Counted, now or before."),
        (status = 400, description = "Not JSON, not a batch, or of another version.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "Larger than 1 MiB.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "Neither JSON nor text, or compressed by something else than gzip.", body = Document, content_type = "application/problem+json"),
        (status = 422, description = "A field can't be right; the detail names it.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn ingest(State(app): State<App>, request: Request) -> Result<StatusCode, Problem> {
    let (batch, proof) = match app.guard.check_request(&request, Scope::Ingest) {
        Ok(_) => (JsonBody::from_request(request, &app).await?.0, Proof::Token),
        Err(refusal) => (beacon(request, &app).await.ok_or(refusal)?, Proof::SourceId),
    };
    app.page_rates.count(&batch).map_err(|wait| {
        let seconds = wait.as_nanos().div_ceil(1_000_000_000).max(1);
        let detail = format!(
            "more samples than a page may send, and none of these counts; send them again in {seconds} s. Where all of this is \
             wanted, raise limits.samples_per_second"
        );
        Problem::new(Kind::TooManyRequests, detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    })?;
    match app.count(batch, proof).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(refusal) => {
            let kind = match &refusal {
                BatchRefusal::Unauthorized => Kind::Unauthorized,
                BatchRefusal::UnsupportedVersion { .. } => Kind::MalformedBody,
                BatchRefusal::Invalid(_) => Kind::InvalidContent,
                BatchRefusal::Elsewhere => Kind::NotPrimary,
                BatchRefusal::PagesFull(_) | BatchRefusal::Stopped => Kind::Busy,
            };
            Err(Problem::new(kind, refusal.to_string()))
        }
    }
}

/// What browsers let all beacons that are under way hold together (Fetch standard, keepalive requests).
const LONGEST_BEACON: u64 = 64 << 10;

/// The batch of a request without a token, if it can be one. Who hasn't shown yet that it belongs here costs no more
/// than a beacon may hold, and is told nothing about what is wrong with it.
async fn beacon(request: Request, app: &App) -> Option<PageBatch> {
    let length = request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
    if request.headers().contains_key(header::AUTHORIZATION) || length > LONGEST_BEACON {
        return None;
    }
    JsonBody::from_request(request, app).await.ok().map(|JsonBody(batch)| batch)
}
