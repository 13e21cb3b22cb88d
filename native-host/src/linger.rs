//! What is left of a request's body when it has been answered.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::timeout;

/// How much of a body is read after its request has been answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Linger {
    /// At most this many bytes.
    pub(crate) bytes: usize,
    /// At most this long.
    pub(crate) time: Duration,
}

/// A request's body. Whoever drops it before its end leaves the rest to a task that reads and forgets it.
///
/// A connection that is closed with unread input is reset, and the reset takes the answer along: a client that sends
/// all of a body before it reads would see a broken pipe instead of the reason (RFC 9112 section 9.6, nginx's
/// "lingering close").
pub(crate) struct Lingering {
    body: Option<Incoming>,
    linger: Linger,
    /// The client waits for a word before it sends the body: unless it is read there is no rest.
    awaits_word: bool,
}

impl Lingering {
    /// The body of a request with these headers.
    pub(crate) fn new(body: Incoming, headers: &HeaderMap, linger: Linger) -> Self {
        Self { body: Some(body), linger, awaits_word: headers.contains_key(header::EXPECT) }
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.awaits_word = false;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream() && !self.awaits_word) else {
            return;
        };
        let Linger { bytes, time } = self.linger;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(timeout(time, forget(body, bytes)));
        }
    }
}

/// Reads up to the end, an error or so many bytes.
async fn forget(mut body: Incoming, mut bytes: usize) {
    while let Some(Ok(frame)) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match bytes.checked_sub(length) {
            Some(left) => bytes = left,
            None => return,
        }
    }
}
