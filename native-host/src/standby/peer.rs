//! Another host, as this one asks it.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use quillwork_protocol::problem::Problem;
use serde::de::DeserializeOwned;

use crate::http_client::{BadTarget, Call, Target, call_up_to};

/// Another host and what it is shown.
#[derive(Clone)]
pub struct Peer {
    url: String,
    token: Option<HeaderValue>,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Peer({})", self.url)
    }
}

/// Time for one request.
const TIME: Duration = Duration::from_secs(10);

impl Peer {
    /// A host at an address such as `https://a.example.org:9470`.
    ///
    /// # Errors
    ///
    /// If the address can't be one.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, BadTarget> {
        let url = normal(url)?;
        let token = token.map(|token| HeaderValue::from_str(&format!("Bearer {token}")));
        let mut token = token.transpose().map_err(|_| BadTarget::Unreadable)?;
        token.iter_mut().for_each(|token| token.set_sensitive(true));
        Ok(Self { url, token })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What lies at a path, up to so many bytes.
    pub(crate) async fn get(&self, path: &str, most: usize) -> Result<Vec<u8>, PeerError> {
        self.ask(Method::GET, path, Bytes::new(), most).await
    }

    /// As [`get`](Self::get), of JSON.
    pub(crate) async fn get_json<T: DeserializeOwned>(
        &self,
        path: &str,
        most: usize,
    ) -> Result<T, PeerError> {
        self.parse(&self.get(path, most).await?)
    }

    /// Tells something as JSON and reads the answer.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, PeerError> {
        let body = serde_json::to_vec(body).expect("messages have string keys");
        self.parse(&self.ask(Method::POST, path, body.into(), 64 << 10).await?)
    }

    fn parse<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, PeerError> {
        serde_json::from_slice(bytes).map_err(|_| PeerError::Answered {
            url: self.url.clone(),
            detail: "what it answers can't be understood; both hosts must be of one version".into(),
            is_gone: false,
        })
    }

    async fn ask(&self, method: Method, path: &str, body: Bytes, most: usize) -> Result<Vec<u8>, PeerError> {
        let unreachable = |reason: String| PeerError::Unreachable { reason };
        let target = Target::parse(&format!("{}{path}", self.url), false)
            .map_err(|error| unreachable(format!("{}: {error}", self.url)))?;
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::new();
        if method == Method::POST {
            headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
        }
        headers.extend(self.token.clone().map(|token| (header::AUTHORIZATION, token)));
        let call = Call { method, target, headers, body, time: TIME };
        let answer = call_up_to(call, most + 1).await.map_err(|error| unreachable(error.to_string()))?;
        let answered =
            |detail: String, is_gone| PeerError::Answered { url: self.url.clone(), detail, is_gone };
        if !answer.status.is_success() {
            let problem = serde_json::from_slice::<Problem>(&answer.body);
            let detail = problem.map_or_else(|_| answer.status.to_string(), |problem| problem.detail);
            return Err(answered(detail, answer.status == StatusCode::NOT_FOUND));
        }
        if answer.body.len() > most {
            return Err(answered(format!("it answers with more than {most} bytes"), false));
        }
        Ok(answer.body)
    }
}

/// An address as it is kept and compared: scheme, host and port.
///
/// # Errors
///
/// If it can't be one.
pub fn normal(url: &str) -> Result<String, BadTarget> {
    Target::parse(url, false)?;
    let uri: axum::http::Uri = url.trim().parse().map_err(|_| BadTarget::Unreadable)?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or(BadTarget::Unreadable)?;
    Ok(format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()))
}

/// A host that didn't give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    /// Nobody answered.
    #[error("{reason}")]
    Unreachable {
        /// Why.
        reason: String,
    },
    /// It answered something else: it lives.
    #[error("{url}: {detail}")]
    Answered {
        /// The host.
        url: String,
        /// What it says.
        detail: String,
        /// Whether it has no such thing.
        is_gone: bool,
    },
}
