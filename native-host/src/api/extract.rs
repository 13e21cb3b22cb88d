//! Bodies and queries, refused with problems instead of plain text.

use std::collections::BTreeSet;
use std::io::Read;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;

use super::App;
use super::problem::{Kind, Problem};

/// A JSON body. Beacons send theirs as `text/plain`, since another type would need a preflight that a closing page
/// can't wait for.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let media_type = media_type(request.headers());
        if !["application/json", "text/plain"]
            .iter()
            .any(|accepted| media_type.eq_ignore_ascii_case(accepted))
        {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                format!(
                    "the body's type is {media_type:?}; send JSON as application/json, or as text/plain from a beacon"
                ),
            ));
        }
        let bytes = body(request, app).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Problem::new(Kind::MalformedBody, format!("the body isn't what is expected: {error}"))
        })
    }
}

/// The type of a body, without its parameters; empty where none is told.
pub(super) fn media_type(headers: &HeaderMap) -> &str {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(|value| value.split(';').next()).unwrap_or("").trim()
}

/// A whole body, decompressed and within bounds.
pub(super) async fn body(request: Request, app: &App) -> Result<Bytes, Problem> {
    let is_gzip = match request.headers().get(header::CONTENT_ENCODING) {
        None => false,
        Some(encoding) if encoding.as_bytes().eq_ignore_ascii_case(b"gzip") => true,
        Some(_) => {
            let detail = "bodies are compressed by gzip, or not at all; send it without Content-Encoding";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
    };
    // A body that is announced as too large is refused before it is sent.
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| length > app.limits.body_bytes)
    {
        return Err(too_large(app));
    }
    let bytes = Bytes::from_request(request, app).await.map_err(|rejection| unread(app, &rejection))?;
    if is_gzip { Ok(inflate(app, &bytes)?.into()) } else { Ok(bytes) }
}

/// A bound on what a body is inflated to keeps a small one from becoming a huge one.
fn inflate(app: &App, bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let most = app.limits.body_bytes;
    let mut inflated = Vec::new();
    let mut reader = GzDecoder::new(bytes).take(most as u64 + 1);
    reader
        .read_to_end(&mut inflated)
        .map_err(|error| Problem::new(Kind::MalformedBody, format!("the body isn't gzip: {error}")))?;
    if inflated.len() > most { Err(too_large(app)) } else { Ok(inflated) }
}

fn unread(app: &App, rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large(app);
    }
    Problem::new(Kind::MalformedBody, format!("the body broke off: {}", rejection.body_text()))
}

fn too_large(app: &App) -> Problem {
    let most = app.limits.body_bytes;
    Problem::new(Kind::BodyTooLarge, format!("the body is larger than {most} bytes; send it in parts"))
}

/// The query's parameters in order. Those that are lists may repeat, the others stand once.
pub(super) struct Parameters(pub(super) Vec<(String, String)>);

impl FromRequestParts<App> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let bad = |detail| Problem::new(Kind::BadQuery, detail);
        let query = Query::from_request_parts(parts, app).await;
        let Query(pairs): Query<Vec<(String, String)>> =
            query.map_err(|rejection| bad(rejection.body_text()))?;
        let mut known = BTreeSet::new();
        let again =
            pairs.iter().map(|(name, _)| name.as_str()).find(|name| !known.insert(*name) && !is_list(name));
        if let Some(name) = again {
            return Err(bad(format!("`{name}` is given twice")));
        }
        Ok(Self(pairs))
    }
}

/// Whether a parameter of this name is a list, of whichever endpoint.
fn is_list(name: &str) -> bool {
    matches!(name, "name" | "series" | "tag" | "topic")
}
