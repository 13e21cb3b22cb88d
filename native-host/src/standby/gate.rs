//! What a host that isn't the primary answers: reads, with a header that says so, and nothing else.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use quillwork_protocol::replication::Role;

use crate::api::problem::{Kind, Problem};
use crate::driver::Driver;
use crate::state::View;

/// Says in every answer of a host that isn't the primary what it is, as an item of RFC 9651: `standby;behind=1.500;primary="https://a.example.org:9470"`.
pub(crate) const ROLE: HeaderName = HeaderName::from_static("quillwork-role");

/// Refuses what changes something, but for what hosts say to each other.
pub(crate) async fn gate(State(driver): State<Driver>, request: Request, next: Next) -> Response {
    let view = driver.view();
    if view.role == Role::Primary {
        return next.run(request).await;
    }
    let looks = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let mut response = if looks || request.uri().path().starts_with("/api/v1/replication/") {
        next.run(request).await
    } else {
        refusal(&view).into_response()
    };
    if let Some(role) = role(&driver, &view) {
        response.headers_mut().insert(ROLE, role);
    }
    response
}

/// Why a host that isn't the primary takes nothing, and who does.
pub(crate) fn refusal(view: &View) -> Problem {
    Problem::new(Kind::NotPrimary, words(view))
}

/// The same in a sentence.
pub(crate) fn words(view: &View) -> String {
    match (view.role, &view.primary) {
        (Role::Fenced, Some(primary)) => {
            format!("{primary} took over from this host with epoch {}; send it there", view.epoch)
        }
        (Role::Fenced, None) => {
            format!("another host took over from this one with epoch {}; send it there", view.epoch)
        }
        (_, Some(primary)) => format!("this host is a standby of {primary}; send it there"),
        (_, None) => "this host is a standby; send it to the primary".to_owned(),
    }
}

fn role(driver: &Driver, view: &View) -> Option<HeaderValue> {
    let mut text = match view.role {
        Role::Primary => return None,
        Role::Standby => "standby".to_owned(),
        Role::Fenced => "fenced".to_owned(),
    };
    if let Some(at) = view.applied_at {
        let millis = driver.now().monotonic.duration_since(at).as_millis();
        text.push_str(&format!(";behind={}.{:03}", millis / 1_000, millis % 1_000));
    }
    if let Some(primary) = &view.primary {
        text.push_str(&format!(";primary=\"{primary}\""));
    }
    HeaderValue::try_from(text).ok()
}
