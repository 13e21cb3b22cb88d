//! Batches of pages that can't use a WebSocket: beacons of closing pages.

use axum::extract::State;
use axum::http::StatusCode;
use quillwork_protocol::page::PageBatch;
use quillwork_protocol::problem::Problem as Document;

use super::App;
use super::extract::JsonBody;
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use crate::state::BatchRefusal;

/// Takes a batch of samples from a page.
///
/// Each `batchId` counts once: sending a batch again is safe.
#[utoipa::path(
    post,
    path = "/api/v1/ingest",
    tag = "pages",
    request_body(
        content((PageBatch = "application/json"), (PageBatch = "text/plain")),
        description = "At most 600 samples and 1 MiB. Beacons send it as text/plain."
    ),
    responses(
        (status = 204, description = "Counted, now or before."),
        (status = 400, description = "Not JSON, not a batch, or of another version.", body = Document, content_type = "application/problem+json"),
        (status = 413, description = "Larger than 1 MiB.", body = Document, content_type = "application/problem+json"),
        (status = 415, description = "Neither JSON nor text.", body = Document, content_type = "application/problem+json"),
        (status = 422, description = "A field can't be right; the detail names it.", body = Document, content_type = "application/problem+json"),
        Refusals,
    )
)]
pub(super) async fn ingest(
    State(app): State<App>,
    JsonBody(batch): JsonBody<PageBatch>,
) -> Result<StatusCode, Problem> {
    match app.count(batch).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(refusal) => {
            let kind = match &refusal {
                BatchRefusal::UnsupportedVersion { .. } => Kind::MalformedBody,
                BatchRefusal::Invalid(_) => Kind::InvalidContent,
                BatchRefusal::PagesFull(_) | BatchRefusal::Stopped => Kind::Busy,
            };
            Err(Problem::new(kind, refusal.to_string()))
        }
    }
}
