//! Requests that the host makes itself: to webhooks and to where metrics are sent on.
//!
//! One connection per request, over HTTP/1.1, with TLS by certificates that the system's authorities vouch for, or one's own. Redirects are not followed: where a
//! request goes is the operator's word alone. Addresses by which clouds give their secrets away (link-local ones) are refused
//! after the name was looked up, unless they are allowed, and the connection goes to the very address that was checked.
//! What is answered is read up to a bound.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::authorities::{self, Authorities};

/// A request to make.
#[derive(Clone, Debug)]
pub struct Call {
    /// POST or PUT, as a rule.
    pub method: Method,
    /// Where to.
    pub target: Target,
    /// Besides Host, User-Agent and Content-Length.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What is sent.
    pub body: Bytes,
    /// For all of it, from looking the name up to the answer's end.
    pub time: Duration,
}

/// Where a request goes: an address that was found sound.
#[derive(Clone, Debug)]
pub struct Target {
    uri: Uri,
    host: String,
    port: u16,
    is_tls: bool,
    allows_link_local: bool,
    authorities: Option<Authorities>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; redirects are among them.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to the bound.
    pub body: Vec<u8>,
}

/// Bytes of an answer that are read.
const MOST_BODY: usize = 64 << 10;

impl Target {
    /// From an address such as `https://example.org/hook`. Addresses of the local link, `169.254.169.254` among them, are
    /// refused when it is used, unless `allows_link_local`.
    ///
    /// # Errors
    ///
    /// If it isn't an address of http or https with a host, or holds a password.
    pub fn parse(address: &str, allows_link_local: bool) -> Result<Self, BadTarget> {
        let uri: Uri = address.trim().parse().map_err(|_| BadTarget::Unreadable)?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(BadTarget::Unreadable),
        };
        let authority = uri.authority().ok_or(BadTarget::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(BadTarget::Password);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(BadTarget::Unreadable);
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self { host, port, is_tls, allows_link_local, uri, authorities: None })
    }

    /// Trusts authorities besides the system's.
    #[must_use]
    pub fn trusting(self, authorities: Option<Authorities>) -> Self {
        Self { authorities, ..self }
    }

    /// Scheme, host and port: what may be shown, where path and query may hold secrets.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    async fn connect(&self) -> Result<TcpStream, CallError> {
        let unknown = |source| CallError::Unknown { host: self.host.clone(), source };
        let addresses: Vec<SocketAddr> =
            lookup_host((self.host.as_str(), self.port)).await.map_err(unknown)?.collect();
        let mut refused = None;
        for address in addresses {
            if !self.allows_link_local && is_link_local(address.ip()) {
                refused = Some(CallError::LinkLocal { host: self.host.clone() });
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true).ok();
                    return Ok(stream);
                }
                Err(source) => refused = Some(CallError::Refused { origin: self.origin(), source }),
            }
        }
        Err(refused.unwrap_or(CallError::NoAddress { host: self.host.clone() }))
    }
}

/// Addresses of the local link, under which clouds answer with credentials, and those that mean no machine at all.
fn is_link_local(address: IpAddr) -> bool {
    let four =
        |address: Ipv4Addr| address.is_link_local() || address.is_unspecified() || address.is_broadcast();
    match address {
        IpAddr::V4(address) => four(address),
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address.is_unspecified()
                || address.is_multicast()
                // The metadata service of EC2.
                || address.segments()[..3] == [0xfd00, 0x0ec2, 0]
                || address.to_ipv4().is_some_and(four)
        }
    }
}

/// Makes a request.
///
/// # Errors
///
/// If nobody answers in time, or the address may not be used. An error status is an answer.
pub async fn call(call: Call) -> Result<Answer, CallError> {
    call_up_to(call, MOST_BODY).await
}

/// As [`call`], reading so many bytes of the body instead of 64 KiB.
///
/// # Errors
///
/// As [`call`].
pub async fn call_up_to(call: Call, most_body: usize) -> Result<Answer, CallError> {
    let (time, origin) = (call.time, call.target.origin());
    match timeout(time, exchange(call, most_body)).await {
        Ok(answered) => answered,
        Err(_) => Err(CallError::TooSlow { origin, time }),
    }
}

async fn exchange(call: Call, most_body: usize) -> Result<Answer, CallError> {
    let stream = call.target.connect().await?;
    if !call.target.is_tls {
        return send(stream, call, most_body).await;
    }
    let origin = call.target.origin();
    let name = ServerName::try_from(call.target.host.clone()).map_err(|_| CallError::Untrusted {
        origin: origin.clone(),
        reason: "its name can't be checked".into(),
    })?;
    let trust = call.target.authorities.as_ref().map_or_else(trust, |own| Ok(own.trust()))?;
    let encrypted = TlsConnector::from(trust).connect(name, stream).await;
    let encrypted = encrypted.map_err(|error| CallError::Untrusted { origin, reason: error.to_string() })?;
    send(encrypted, call, most_body).await
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    call: Call,
    most_body: usize,
) -> Result<Answer, CallError> {
    let origin = call.target.origin();
    let broken =
        |error: hyper::Error| CallError::Broken { origin: origin.clone(), reason: error.to_string() };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let connection = tokio::spawn(connection);
    let path = call.target.uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = call.target.uri.authority().map_or("", |authority| authority.as_str());
    let mut request = Request::builder().method(call.method).uri(path).header(header::HOST, authority);
    request = request.header(header::USER_AGENT, concat!("quillwork/", env!("CARGO_PKG_VERSION")));
    request = request.header(header::CONNECTION, "close");
    for (name, value) in call.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(axum::body::Body::from(call.body))
        .map_err(|error| CallError::Broken { origin: origin.clone(), reason: error.to_string() })?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let (parts, body) = response.into_parts();
    let body = read(body, most_body).await.map_err(broken)?;
    // The answer is there, whatever the other side still wants to say.
    connection.abort();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}

async fn read(mut body: Incoming, most: usize) -> Result<Vec<u8>, hyper::Error> {
    let mut bytes = Vec::new();
    while bytes.len() < most {
        let frame = std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)).await;
        let Some(frame) = frame else { break };
        if let Ok(data) = frame?.into_data() {
            let left = most - bytes.len();
            bytes.extend_from_slice(&data[..data.len().min(left)]);
        }
    }
    Ok(bytes)
}

/// What the system trusts, read once.
fn trust() -> Result<Arc<ClientConfig>, CallError> {
    static TRUST: OnceLock<Option<Arc<ClientConfig>>> = OnceLock::new();
    TRUST.get_or_init(|| authorities::trusting(authorities::system())).clone().ok_or(CallError::NoTrust)
}

/// An address that no request can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTarget {
    /// It isn't one.
    #[error("write an address such as https://example.org, with http:// or https:// before the name")]
    Unreadable,
    /// It holds a password.
    #[error("leave name and password out of the address; give them in a file")]
    Password,
}

/// A request that was not answered. No text holds the path or the query: they may be secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The name can't be looked up.
    #[error("{host} is not known: {source}")]
    Unknown {
        /// The name.
        host: String,
        /// Why.
        source: std::io::Error,
    },
    /// The name stands for no address.
    #[error("{host} has no address")]
    NoAddress {
        /// The name.
        host: String,
    },
    /// The address is one of the local link.
    #[error("{host} is an address of the local link, where clouds keep credentials; allow it if it is meant")]
    LinkLocal {
        /// The name.
        host: String,
    },
    /// Nobody listens.
    #[error("{origin} can't be reached: {source}")]
    Refused {
        /// Where.
        origin: String,
        /// Why.
        source: std::io::Error,
    },
    /// It can't show who it is.
    #[error("{origin} can't be trusted: {reason}")]
    Untrusted {
        /// Where.
        origin: String,
        /// Why.
        reason: String,
    },
    /// The system has no certificates to trust.
    #[error("this system has no certificates of authorities: install ca-certificates, or set SSL_CERT_FILE")]
    NoTrust,
    /// It doesn't speak HTTP, or broke off.
    #[error("{origin} broke off: {reason}")]
    Broken {
        /// Where.
        origin: String,
        /// Why.
        reason: String,
    },
    /// It took too long.
    #[error("{origin} did not answer within {} s", time.as_secs_f64())]
    TooSlow {
        /// Where.
        origin: String,
        /// How long.
        time: Duration,
    },
}

impl CallError {
    /// Whether another try may go better.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        !matches!(self, Self::LinkLocal { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_taken() {
        for wrong in ["", "example.org", "ftp://example.org", "file:///etc/passwd", "http://"] {
            assert_eq!(Target::parse(wrong, false).err(), Some(BadTarget::Unreadable), "{wrong}");
        }
        assert_eq!(Target::parse("https://me:secret@example.org", false).err(), Some(BadTarget::Password));
        let target = Target::parse("https://[::1]:8443/hook?token=secret", false).unwrap();
        assert_eq!(target.origin(), "https://::1:8443");
    }

    #[test]
    fn addresses_of_the_local_link_are_known_in_every_form() {
        for address in
            ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "::"]
        {
            assert!(is_link_local(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "2001:db8::1"] {
            assert!(!is_link_local(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_link_local_address_is_refused_before_anything_is_sent() {
        let target = Target::parse("http://169.254.169.254/latest/meta-data", false).unwrap();
        let (method, headers, body) = (Method::POST, Vec::new(), Bytes::new());
        let time = Duration::from_secs(5);
        let error = call(Call { method, target, headers, body, time }).await.unwrap_err();
        assert!(matches!(error, CallError::LinkLocal { .. }) && !error.may_pass(), "{error}");
    }
}
