//! Who may ask: the Host header, the Origin header, the token.

mod headers;
mod host;
mod origin;
mod token;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(crate) use self::headers::{content_security_policy, security_headers};
pub use self::host::AllowedHosts;
pub use self::origin::{InvalidOrigin, Origin};
pub use self::token::{Token, TokenFileError};
use crate::api::problem::{Kind, Problem};

/// The rules that every request and every WebSocket upgrade must pass.
///
/// A page on any site can send requests to a loopback address, and a name under its control can be made to point
/// there (DNS rebinding). Cross-origin rules of browsers don't apply to WebSockets at all. So both headers are checked
/// here, whatever is asked.
#[derive(Debug)]
pub struct Guard {
    hosts: AllowedHosts,
    origins: Vec<Origin>,
    token: Option<Token>,
}

impl Guard {
    /// Rules for a host that listens on `address` and accepts pages of `origins` besides its own.
    #[must_use]
    pub fn new(address: SocketAddr, origins: Vec<Origin>, token: Option<Token>) -> Self {
        Self { hosts: AllowedHosts::new(address, &origins), origins, token }
    }

    /// Whether the Host header names this host, and the authority of the request's URI where there is one.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
            return Err(Problem::new(
                Kind::ForeignHost,
                format!("the Host header is missing, unreadable or there twice; send {} once", self.hosts),
            ));
        };
        let named = uri.authority().map(Authority::as_str).into_iter().chain([host]);
        match named.into_iter().find(|authority| !self.hosts.accepts(authority)) {
            None => Ok(()),
            Some(foreign) => Err(Problem::new(
                Kind::ForeignHost,
                format!(
                    "Host {foreign:?} isn't a name of this host; use {}. To serve it under another name, start it \
                     with --allow-origin http://<name>:<port>",
                    self.hosts
                ),
            )),
        }
    }

    /// The accepted foreign origin that the request comes from; none if it is of this host's own pages or of no page.
    fn check_origin(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Problem> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
        let mut accepted = None;
        for value in headers.get_all(header::ORIGIN) {
            let text = value.to_str().unwrap_or("");
            // The Host header has been checked already: an origin equal to it is this host's own.
            if text.strip_prefix("http://").is_some_and(|authority| authority.eq_ignore_ascii_case(host)) {
                continue;
            }
            if !self.origins.iter().any(|origin| origin.matches(text)) {
                return Err(Problem::new(
                    Kind::ForeignOrigin,
                    format!(
                        "pages from {text:?} may not talk to this host; if that is your app, start the host with \
                         --allow-origin <its origin>, for instance --allow-origin http://localhost:5173"
                    ),
                ));
            }
            accepted = Some(value.clone());
        }
        Ok(accepted)
    }

    /// Whether `token` is right, or none is asked for.
    #[must_use]
    pub fn accepts_token(&self, token: Option<&str>) -> bool {
        match (&self.token, token) {
            (None, _) => true,
            (Some(expected), Some(given)) => expected.matches(given),
            (Some(_), None) => false,
        }
    }

    /// Whether the request carries the token, where one is asked for.
    pub(crate) fn check_bearer(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        if self.accepts_token(bearer) {
            return Ok(());
        }
        let detail = match bearer {
            Some(_) => "the token is wrong; it must be the content of the host's --token-file",
            None => "send `Authorization: Bearer <token>` with the content of the host's --token-file",
        };
        Err(Problem::new(Kind::Unauthorized, detail))
    }
}

/// Checks Host and Origin of each request, and answers cross-origin questions for the accepted origins.
pub(crate) async fn guarded(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let checked = guard
        .check_host(request.uri(), request.headers())
        .and_then(|()| guard.check_origin(request.headers()));
    let foreign = match checked {
        Ok(foreign) => foreign,
        Err(problem) => return problem.into_response(),
    };
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &foreign {
        Some(_) if is_preflight => preflight(),
        _ => next.run(request).await,
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = foreign {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, POST")),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-encoding, content-type"),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Checks the bearer token, where the host asks for one.
pub(crate) async fn authorized(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.check_bearer(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
