//! One connection that requests are made on, one after the other.

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A client that keeps its connection.
pub(crate) struct Client {
    address: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("nobody answers at {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the client; what goes wrong is told to who asks.
        tokio::spawn(connection);
        Ok(Self { address: address.to_owned(), sender })
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Bytes> {
        self.send(Method::GET, path, "application/json", Bytes::new()).await
    }

    pub(crate) async fn post(&mut self, path: &str, kind: &str, body: Bytes) -> Result<Bytes> {
        self.send(Method::POST, path, kind, body).await
    }

    async fn send(&mut self, method: Method, path: &str, kind: &str, body: Bytes) -> Result<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.address)
            .header(header::CONTENT_TYPE, kind)
            .body(Full::new(body))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{path} answers {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}
