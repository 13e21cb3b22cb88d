//! Accepts connections, and lets go of them in time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::clients::{Client, Connections};
use crate::limits::Limits;
use crate::linger::{Linger, Lingering};
use crate::stall::NoStall;
use crate::stopping::Stopping;
use crate::tls::Encryption;

/// What is listened to.
pub struct Listening {
    /// Where connections come from.
    pub listener: TcpListener,
    /// What makes them private; none for plain HTTP.
    pub encryption: Option<Encryption>,
}

/// Serves `router` until the host stops, then waits as long as the limits say for connections to end.
///
/// axum's own loop bounds neither the number of connections nor the time for a request's head.
pub async fn serve(listening: Listening, router: Router, limits: &Limits, mut stopping: Stopping) {
    let Listening { listener, encryption } = listening;
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    let by_client = Connections::new(limits.connections_per_client);
    let mut failing = false;
    loop {
        // A place before a connection: further clients wait in the system's queue.
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stopping.wait() => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // The client has gone before its turn came.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    // Out of file descriptors, most likely: others end in a moment. Told once, not ten times a second.
                    if !failing {
                        tracing::warn!("connections can't be accepted, it is tried again: {error}");
                    }
                    failing = true;
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stopping.wait() => break,
        };
        if failing {
            tracing::info!("connections are accepted again");
            failing = false;
        }
        while connections.try_join_next().is_some() {}
        let client = Client::from(peer.ip());
        let Some(counted) = by_client.take(client) else {
            tracing::debug!("a client has as many connections as it may, one more is closed");
            continue;
        };
        let connection = connection(
            (stream, client),
            encryption.clone(),
            router.clone(),
            limits.clone(),
            stopping.clone(),
        );
        connections.spawn(async move {
            connection.await;
            drop((place, counted));
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    timeout(limits.shutdown_timeout, ended).await.ok();
}

async fn connection(
    (stream, client): (TcpStream, Client),
    encryption: Option<Encryption>,
    router: Router,
    limits: Limits,
    mut stopping: Stopping,
) {
    // Ticks and acknowledgements are small and wanted now.
    stream.set_nodelay(true).ok();
    let Some(encryption) = encryption else {
        return talk(NoStall::new(stream, limits.stall_timeout), client, router, &limits, stopping).await;
    };
    let greeting = async {
        if !speaks_tls(&stream).await {
            return refuse_plain(stream).await;
        }
        encryption.accept(NoStall::new(stream, limits.stall_timeout)).await
    };
    let greeted = tokio::select! {
        greeted = timeout(limits.handshake_timeout, greeting) => greeted,
        () = stopping.wait() => return,
    };
    match greeted {
        Ok(Ok(stream)) => talk(stream, client, router, &limits, stopping).await,
        Ok(Err(error)) => tracing::debug!("a client did not agree on TLS: {error}"),
        Err(_) => tracing::debug!("a client took too long to agree on TLS"),
    }
}

/// Whether the first byte begins a TLS record of a handshake.
async fn speaks_tls(stream: &TcpStream) -> bool {
    const HANDSHAKE: u8 = 22;
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first[0] == HANDSHAKE
}

/// Who speaks plain HTTP would otherwise see a connection that breaks.
async fn refuse_plain<T>(mut stream: TcpStream) -> io::Result<T> {
    const ANSWER: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 42\r\n\
                          Connection: close\r\n\r\nthis host speaks HTTPS only; use https://\n";
    stream.write_all(ANSWER.as_bytes()).await?;
    stream.shutdown().await?;
    // What the client has sent is read before the end, else the answer would be lost with it.
    let mut rest = [0; 1_024];
    for _ in 0..MOST_READ {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "it speaks plain HTTP"))
}

/// Reads of a client's plain request.
const MOST_READ: usize = 64;

/// Speaks HTTP until either side ends it.
async fn talk<S>(stream: S, client: Client, router: Router, limits: &Limits, mut stopping: Stopping)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let linger = Linger { bytes: limits.linger_bytes, time: limits.linger_timeout };
    let router = router.map_request(move |request: Request<Incoming>| {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(client);
        let body = Body::new(Lingering::new(body, &parts.headers, linger));
        Request::from_parts(parts, body)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    let result: Result<(), hyper::Error> = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!("a connection ended: {error}");
    }
}
