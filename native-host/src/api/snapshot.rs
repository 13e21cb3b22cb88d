//! Everything as of the last tick.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use quillwork_protocol::snapshot::Snapshot;

use super::App;
use super::conditional::tag;
use super::openapi::Refusals;

/// Host, pages and alerts as of the last tick.
#[utoipa::path(
    get,
    path = "/api/v1/snapshot",
    tag = "host",
    responses(
        (status = 200, description = "The last tick; its ETag changes with each.", body = Snapshot),
        (status = 304, description = "It is the one whose ETag `If-None-Match` names."),
        Refusals,
    )
)]
pub(super) async fn snapshot(State(app): State<App>) -> impl IntoResponse {
    let tick = app.driver.ticks().borrow().clone();
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::ETAG, tag(format_args!("{}-{}", app.instance, tick.sequence))),
    ];
    (headers, Json(&tick.snapshot).into_response())
}
