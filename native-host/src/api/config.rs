//! `/api/v1/config`: the configuration that counts.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;

use super::App;
use super::openapi::Refusals;
use crate::config::{Effective, options};

/// All options with their values and where each is from.
///
/// Secrets are no part of it: they lie in files, and options name those.
#[utoipa::path(
    get,
    path = "/api/v1/config",
    tag = "host",
    responses(
        (status = 200, description = "All options, section by section.", body = Vec<Effective>),
        Refusals,
    )
)]
pub(super) async fn config(State(app): State<App>) -> impl IntoResponse {
    let all: Vec<Effective> = options(&app.config.borrow()).collect();
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(all))
}
