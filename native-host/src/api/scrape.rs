//! `/metrics`.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;

use super::App;
use super::alerts::stopped;
use super::openapi::Refusals;
use super::problem::Problem;
use crate::metrics::{Format, render};

/// The last tick for Prometheus and what reads its formats.
///
/// Text format 0.0.4, or OpenMetrics 1.0.0 where the Accept header prefers it.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "metrics",
    responses(
        (status = 200, description = "Metrics.", content(
            (String = "text/plain; version=0.0.4"),
            (String = "application/openmetrics-text; version=1.0.0"),
        )),
        Refusals,
    )
)]
pub(super) async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let accept: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let format = Format::preferred(&accept.join(","));
    let tick = app.driver.ticks().borrow().clone();
    let answered = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    let standing = app.driver.with(|state, now| state.standing(now)).await.map_err(stopped)?;
    Ok((answered, render(format, &tick, &app.counters, &standing)))
}
