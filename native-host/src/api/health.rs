//! Whether the host lives, and whether it has something to say.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use quillwork_protocol::replication::Role;

use super::App;
use super::openapi::Refusals;
use super::problem::{Kind, Problem};
use crate::standby::gate::words;

/// Whether the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"), Refusals)
)]
pub(super) async fn alive() -> impl IntoResponse {
    plain("alive\n".to_owned())
}

/// Whether the host does its work: a primary has measured the machine once, a standby has all that the primary has. One from which another took over
/// does none.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"), Refusals)
)]
pub(super) async fn ready(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let view = app.driver.view();
    match (view.role, view.applied_at) {
        (Role::Fenced, _) => Err(Problem::new(
            Kind::NotPrimary,
            format!("{}; start this host with --standby to have it follow", words(&view)),
        )),
        (Role::Standby, None) => {
            Err(Problem::new(Kind::Busy, "this standby hasn't all yet that the primary has; ask again later"))
        }
        (Role::Standby, Some(at)) => {
            let behind = app.driver.now().monotonic.duration_since(at).as_millis();
            Ok(plain(format!("ready: a standby, {}.{:03} s behind\n", behind / 1_000, behind % 1_000)))
        }
        // A tick may come without the machine: where its first reading is late.
        (Role::Primary, _) if app.driver.ticks().borrow().snapshot.host.is_some() => {
            Ok(plain("ready\n".to_owned()))
        }
        (Role::Primary, _) => {
            Err(Problem::new(Kind::Busy, "nothing has been measured yet; ask again in a second"))
        }
    }
}

fn plain(text: String) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], text)
}
