//! Accepts connections, and lets go of them in time.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use crate::limits::Limits;
use crate::linger::{Linger, Lingering};
use crate::stall::NoStall;
use crate::stopping::Stopping;

/// Serves `router` until the host stops, then waits as long as the limits say for connections to end.
///
/// axum's own loop bounds neither the number of connections nor the time for a request's head.
pub async fn serve(listener: TcpListener, router: Router, limits: &Limits, mut stopping: Stopping) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        // A place before a connection: further clients wait in the system's queue.
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = stopping.wait() => break,
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: others end in a moment.
                    tracing::warn!("a connection could not be accepted: {error}");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stopping.wait() => break,
        };
        while connections.try_join_next().is_some() {}
        let connection = connection(stream, router.clone(), limits.clone(), stopping.clone());
        connections.spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    timeout(limits.shutdown_timeout, ended).await.ok();
}

async fn connection(stream: TcpStream, router: Router, limits: Limits, mut stopping: Stopping) {
    // Ticks and acknowledgements are small and wanted now.
    stream.set_nodelay(true).ok();
    let linger = Linger { bytes: limits.linger_bytes, time: limits.linger_timeout };
    let router = router.map_request(move |request: Request<Incoming>| {
        let (parts, body) = request.into_parts();
        let body = Body::new(Lingering::new(body, &parts.headers, linger));
        Request::from_parts(parts, body)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes)
        .serve_connection(
            TokioIo::new(NoStall::new(stream, limits.stall_timeout)),
            TowerToHyperService::new(router),
        )
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
