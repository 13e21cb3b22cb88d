//! Everything as of the last tick.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use quillwork_protocol::snapshot::Snapshot;

use super::App;
use super::openapi::Refusals;

/// Host, pages and alerts as of the last tick.
#[utoipa::path(
    get,
    path = "/api/v1/snapshot",
    tag = "host",
    responses((status = 200, description = "The last tick.", body = Snapshot), Refusals)
)]
pub(super) async fn snapshot(State(app): State<App>) -> impl IntoResponse {
    let tick = app.driver.ticks().borrow().clone();
    ([(header::CACHE_CONTROL, "no-store")], Json(&tick.snapshot).into_response())
}
