//! Errors of the API: RFC 9457 problem documents.

use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::printable::{escaped, shortened};

/// Media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A refusal: what kind it is, and what went wrong this time and what to do about it.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Problem {
    /// A problem without a header of its own. A detail may quote what a client sent: control characters are escaped, since it is shown in
    /// terminals and logs, and of a long one the middle is left out.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: shortened(escaped(&detail.into())), header: None }
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.kind.facts().0
    }

    /// What went wrong this time, and what to do about it.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Adds the header that belongs to the status, for instance `Upgrade`.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, slug, title) = self.kind.facts();
        let document = quillwork_protocol::problem::Problem {
            r#type: format!("/problems/{slug}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
        };
        let media_type = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
        let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        let mut response = (status, no_store, media_type, Json(document)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(header) = self.header {
            let (name, value) = *header;
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Kinds of problems. Their names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The body can't be parsed, or speaks another version.
    MalformedBody,
    /// A query parameter is unknown, missing or out of range.
    BadQuery,
    /// The request as a whole makes no sense.
    BadRequest,
    /// A bearer token is needed.
    Unauthorized,
    /// The token isn't good for this.
    OutOfScope,
    /// A token stands in the address.
    TokenInAddress,
    /// The client asks more often than it may.
    TooManyRequests,
    /// The Host header names another site: DNS rebinding.
    ForeignHost,
    /// The page that asks was served from elsewhere.
    ForeignOrigin,
    /// Nothing lives there.
    NotFound,
    /// It lives there but doesn't do that.
    MethodNotAllowed,
    /// The client sent its request too slowly.
    RequestTimeout,
    /// The body is larger than accepted.
    BodyTooLarge,
    /// The body isn't of an accepted type.
    UnsupportedMediaType,
    /// The body is well-formed and says something that can't be.
    InvalidContent,
    /// The file has no such bytes, or isn't sent in several parts.
    RangeNotSatisfiable,
    /// A WebSocket lives there.
    UpgradeRequired,
    /// What is there stands against it.
    Conflict,
    /// Another host is the primary.
    NotPrimary,
    /// A bound has been reached; it may work later.
    Busy,
    /// The answer took longer than a question may.
    QueryTimeout,
    /// A fault of the host.
    Internal,
}

impl Kind {
    #[cfg(test)]
    const ALL: [Self; 21] = [
        Self::MalformedBody,
        Self::BadQuery,
        Self::BadRequest,
        Self::Unauthorized,
        Self::OutOfScope,
        Self::TokenInAddress,
        Self::TooManyRequests,
        Self::ForeignHost,
        Self::ForeignOrigin,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidContent,
        Self::RangeNotSatisfiable,
        Self::UpgradeRequired,
        Self::Conflict,
        Self::NotPrimary,
        Self::Busy,
        Self::Internal,
    ];

    fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::MalformedBody => {
                (StatusCode::BAD_REQUEST, "malformed-body", "The body can't be understood")
            }
            Self::BadQuery => (StatusCode::BAD_REQUEST, "bad-query", "The query can't be answered"),
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request can't be understood"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "A token is needed"),
            Self::OutOfScope => (StatusCode::FORBIDDEN, "out-of-scope", "The token isn't good for this"),
            Self::TokenInAddress => {
                (StatusCode::BAD_REQUEST, "token-in-address", "A token doesn't belong in an address")
            }
            Self::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "More requests than a client may send")
            }
            Self::ForeignHost => (StatusCode::FORBIDDEN, "foreign-host", "Not a name of this host"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "foreign-origin", "Not an accepted origin"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Nothing is here"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The method isn't offered here")
            }
            Self::RequestTimeout => {
                (StatusCode::REQUEST_TIMEOUT, "request-timeout", "The request took too long")
            }
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large"),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body's type isn't accepted",
            ),
            Self::InvalidContent => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid-content", "The content can't be right")
            }
            Self::RangeNotSatisfiable => {
                (StatusCode::RANGE_NOT_SATISFIABLE, "range-not-satisfiable", "The file has no such range")
            }
            Self::UpgradeRequired => {
                (StatusCode::UPGRADE_REQUIRED, "upgrade-required", "Only WebSocket is spoken here")
            }
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "What is there stands against it"),
            Self::NotPrimary => {
                (StatusCode::SERVICE_UNAVAILABLE, "not-primary", "Another host is the primary")
            }
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Not now"),
            Self::QueryTimeout => {
                (StatusCode::SERVICE_UNAVAILABLE, "query-timeout", "The question takes too long")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The host failed"),
        }
    }

    fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::UNPROCESSABLE_ENTITY => Self::InvalidContent,
            StatusCode::RANGE_NOT_SATISFIABLE => Self::RangeNotSatisfiable,
            StatusCode::UPGRADE_REQUIRED => Self::UpgradeRequired,
            StatusCode::SERVICE_UNAVAILABLE => Self::Busy,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}

/// Turns every error that isn't a problem document yet into one: the router's own answers and the rejections of
/// axum's extractors are plain text or empty.
pub(crate) async fn problems_only(request: Request, next: Next) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let (parts, body) = next.run(request).await.into_parts();
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    // The page that tells how to build the dashboard is for people, and an error as well; OTLP's senders read protobuf.
    let explained = |value: &HeaderValue| {
        value == MEDIA_TYPE || value == "application/x-protobuf" || value.as_bytes().starts_with(b"text/html")
    };
    if !is_error || parts.headers.get(header::CONTENT_TYPE).is_some_and(explained) {
        return Response::from_parts(parts, body);
    }
    let kind = Kind::of(parts.status);
    let detail = match kind {
        Kind::NotFound => {
            format!("{asked}: there is nothing here; the API is listed at /api/v1/openapi.json")
        }
        Kind::MethodNotAllowed => format!("{asked} isn't offered; the Allow header lists what is"),
        _ => plain_text(body).await.unwrap_or_else(|| format!("{asked} failed with {}", parts.status)),
    };
    let mut response = Problem::new(kind, detail).into_response();
    *response.status_mut() = parts.status;
    for (name, value) in &parts.headers {
        let describes_old_body =
            [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING].contains(name);
        if !describes_old_body {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}

/// The text of an extractor's rejection.
async fn plain_text(body: Body) -> Option<String> {
    const LONGEST: usize = 2_000;
    let bytes = axum::body::to_bytes(body, LONGEST).await.ok()?;
    String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_the_cause_and_the_cure_of_every_problem_and_of_no_other() {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides/troubleshooting.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let rows = guide.lines().filter_map(|line| line.strip_prefix("| `/problems/"));
        let mut described: Vec<&str> = rows.filter_map(|row| row.split(" | ").next()).collect();
        let named = |kind: Kind| {
            let (status, slug, _) = kind.facts();
            format!("{slug}`, {}", status.as_u16())
        };
        let mut kinds = Kind::ALL.map(named);
        described.sort_unstable();
        kinds.sort();
        assert_eq!(described, kinds);
    }
}
