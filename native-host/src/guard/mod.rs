//! Who may ask: the Host header, the Origin header, the token.

mod headers;
mod host;
mod origin;
mod token;
mod tokens;
mod wrong;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

pub(crate) use self::headers::{content_security_policy, security_headers};
use self::host::AllowedHosts;
pub use self::host::{HostName, InvalidHostName};
pub use self::origin::{InvalidOrigin, Origin};
pub use self::token::{Token, TokenFileError};
use self::tokens::Granted;
pub use self::tokens::Tokens;
use self::wrong::WrongTokens;
use crate::api::problem::{Kind, Problem};
use crate::clients::Client;
use crate::config::Scope;

/// The rules that every request and every WebSocket upgrade must pass.
///
/// A page on any site can send requests to a loopback address, and a name under its control can be made to point
/// there (DNS rebinding). Cross-origin rules of browsers don't apply to WebSockets at all. So both headers are checked
/// here, whatever is asked.
#[derive(Debug)]
pub struct Guard {
    address: SocketAddr,
    encrypted: bool,
    rules: watch::Sender<Arc<Rules>>,
    wrong: WrongTokens,
}

/// What an operator says about who may ask; it may change while the host runs.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Pages of these may ask besides the host's own. Their hosts are names of this host, too.
    pub origins: Vec<Origin>,
    /// Further names of this host.
    pub names: Vec<HostName>,
    /// Who may do what.
    pub tokens: Tokens,
}

impl Guard {
    /// Rules for a host that listens on `address`, by TLS or without.
    #[must_use]
    pub fn new(address: SocketAddr, encrypted: bool, rules: Rules) -> Self {
        Self { address, encrypted, rules: watch::Sender::new(Arc::new(rules)), wrong: WrongTokens::new() }
    }

    /// Puts other rules in the place of those there were. They count for every request from now on, and for the
    /// WebSockets that are open.
    pub fn replace(&self, rules: Rules) {
        self.rules.send_replace(Arc::new(rules));
    }

    /// Where the host listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.borrow())
    }

    fn hosts<'a>(&self, rules: &'a Rules) -> AllowedHosts<'a> {
        AllowedHosts { address: self.address, encrypted: self.encrypted, rules }
    }

    /// Whether the Host header names this host, and the authority of the request's URI where there is one.
    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let rules = self.rules();
        let accepted = self.hosts(&rules);
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
            return Err(Problem::new(
                Kind::ForeignHost,
                format!("the Host header is missing, unreadable or there twice; send {accepted} once"),
            ));
        };
        let named = uri.authority().map(Authority::as_str).into_iter().chain([host]);
        match named.into_iter().find(|authority| !accepted.accepts(authority)) {
            None => Ok(()),
            Some(foreign) => Err(Problem::new(
                Kind::ForeignHost,
                format!(
                    "Host {foreign:?} isn't a name of this host; use {accepted}. To serve it under another name, \
                     set server.names, or start it with --allow-origin http://<name>:<port>"
                ),
            )),
        }
    }

    /// The accepted foreign origin that the request comes from; none if it is of this host's own pages or of no page.
    fn check_origin(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Problem> {
        let rules = self.rules();
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
        let own = if self.encrypted { "https://" } else { "http://" };
        let mut accepted = None;
        for value in headers.get_all(header::ORIGIN) {
            let text = value.to_str().unwrap_or("");
            // The Host header has been checked already: an origin equal to it is this host's own.
            if text.strip_prefix(own).is_some_and(|authority| authority.eq_ignore_ascii_case(host)) {
                continue;
            }
            if !rules.origins.iter().any(|origin| origin.matches(text)) {
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

    /// Whether who shows `token` may do what `scope` names; gives the token's name, if one is asked for.
    ///
    /// # Errors
    ///
    /// What to show instead.
    pub(crate) fn check_token(&self, token: Option<&str>, scope: Scope) -> Result<Option<String>, Problem> {
        match self.rules().tokens.grants(token, scope) {
            Granted::Yes(name) => Ok(name),
            Granted::OutOfScope { name } => {
                let scope = scope.word();
                let detail = format!(
                    "the token {name:?} isn't good for this; it needs the scope {scope:?} (auth.tokens.{name}.scopes)"
                );
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                let challenge = HeaderValue::try_from(challenge).expect("scopes are words");
                Err(Problem::new(Kind::OutOfScope, detail).with_header(header::WWW_AUTHENTICATE, challenge))
            }
            Granted::No => {
                let detail = match token {
                    Some(_) => {
                        "the token is wrong; it must be the content of the host's --token-file, or of a file in auth.tokens"
                    }
                    None => {
                        "send `Authorization: Bearer <token>` with the content of the host's --token-file, or of a file in auth.tokens"
                    }
                };
                Err(Problem::new(Kind::Unauthorized, detail))
            }
        }
    }

    /// Whether the request carries a token for this scope, where one is asked for.
    pub(crate) fn check_request(&self, request: &Request, scope: Scope) -> Result<Option<String>, Problem> {
        let token = bearer(request.headers());
        let checked = self.check_token(token, scope);
        if token.is_some() && checked.is_err() {
            self.note_wrong(request.extensions().get().copied());
        }
        checked
    }

    /// Tells the log who showed a token that isn't good for what was asked. A client that tries tokens is seen so.
    pub(crate) fn note_wrong(&self, client: Option<Client>) {
        if let (Some(client), Some(times)) = (client, self.wrong.count()) {
            tracing::warn!(%client, times, "a token that isn't good for what was asked");
        }
    }

    /// As [`watch`](Self::watch), for an answer without end.
    pub(crate) fn watch_bearer(self: &Arc<Self>, headers: &HeaderMap, scope: Scope) -> Standing {
        self.watch(bearer(headers).map(str::to_owned), scope)
    }

    /// Tells when what `token` was good for is over.
    pub(crate) fn watch(self: &Arc<Self>, token: Option<String>, scope: Scope) -> Standing {
        Standing { guard: Arc::clone(self), changes: self.rules.subscribe(), token, scope }
    }
}

/// The token that the request carries.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The right by which a connection lasts.
#[derive(Debug)]
pub(crate) struct Standing {
    guard: Arc<Guard>,
    changes: watch::Receiver<Arc<Rules>>,
    token: Option<String>,
    scope: Scope,
}

impl Standing {
    /// Waits until the right is withdrawn, for ever where it never is. Safe to cancel.
    pub(crate) async fn withdrawn(&mut self) {
        while self.changes.changed().await.is_ok() {
            if self.guard.check_token(self.token.as_deref(), self.scope).is_err() {
                return;
            }
        }
        std::future::pending().await
    }
}

/// Refuses a token in the address: it would stay in histories, in logs and in Referer headers.
fn check_address(uri: &Uri) -> Result<(), Problem> {
    let names = uri.query().into_iter().flat_map(|query| query.split('&'));
    let name = names.filter_map(|pair| pair.split('=').next()).find(|name| {
        ["token", "access_token", "auth_token", "bearer", "api_key", "apikey"]
            .iter()
            .any(|secret| name.eq_ignore_ascii_case(secret))
    });
    match name {
        None => Ok(()),
        Some(name) => Err(Problem::new(
            Kind::TokenInAddress,
            format!(
                "a token in the address ({name}=…) stays in histories and logs; send `Authorization: Bearer <token>`, \
                 over a WebSocket `token` in the hello, and replace this token if it was a real one"
            ),
        )),
    }
}

/// Checks Host and Origin of each request, and answers cross-origin questions for the accepted origins.
pub(crate) async fn guarded(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let checked = guard
        .check_host(request.uri(), request.headers())
        .and_then(|()| check_address(request.uri()))
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
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    response
}

/// Headers of an answer that pages of accepted origins may read, besides those that all may.
const EXPOSED: &str =
    "etag, link, location, quillwork-role, ratelimit, ratelimit-policy, retry-after, x-request-id";

fn preflight() -> Response {
    let headers = [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"),
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "authorization, content-encoding, content-type, idempotency-key, if-match, if-none-match, \
                 last-event-id, x-request-id",
            ),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Checks that the bearer token, where the host asks for one, is good for following.
pub(crate) async fn replicates(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.check_request(&request, Scope::Replicate) {
        Ok(_) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Checks the bearer token, where the host asks for one: who only looks needs the scope `read`, all else `admin`.
pub(crate) async fn authorized(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let scope = if looks { Scope::Read } else { Scope::Admin };
    match guard.check_request(&request, scope) {
        Ok(name) => {
            if scope == Scope::Admin {
                let (method, path) = (request.method(), request.uri().path());
                tracing::info!("{method} {path} by {}", name.as_deref().unwrap_or("anybody on this machine"));
            }
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}
