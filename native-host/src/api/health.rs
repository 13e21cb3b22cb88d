//! Whether the host lives, and whether it has something to say.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::App;
use super::openapi::Refusals;
use super::problem::{Kind, Problem};

/// Whether the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"), Refusals)
)]
pub(super) async fn alive() -> impl IntoResponse {
    plain("alive\n")
}

/// Whether the host has something to say: the machine has been measured once.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses((status = 200, description = "It has.", body = String, content_type = "text/plain"), Refusals)
)]
pub(super) async fn ready(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    if app.driver.ticks().borrow().sequence > 0 {
        Ok(plain("ready\n"))
    } else {
        Err(Problem::new(Kind::Busy, "nothing has been measured yet; ask again in a second"))
    }
}

fn plain(text: &'static str) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], text)
}
