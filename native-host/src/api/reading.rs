//! Reading much of the history: a few at a time, in bounded time, and no longer than somebody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::App;
use super::problem::{Kind, Problem};

/// A place among those who read, and the time that is left. When it is dropped, since it is over or the client is gone, what still
/// reads ends before its next file, and the place is free then.
#[derive(Debug)]
pub(super) struct Reading {
    place: Arc<OwnedSemaphorePermit>,
    is_cancelled: Arc<AtomicBool>,
    deadline: Instant,
    limit: Duration,
}

impl Reading {
    /// Waits for a place, which counts against the time.
    pub(super) async fn begin(app: &App) -> Result<Self, Problem> {
        let limit = app.limits.query_timeout;
        let deadline = Instant::now() + limit;
        let place = match timeout_at(deadline, Arc::clone(&app.reading_places).acquire_owned()).await {
            Ok(Ok(place)) => Arc::new(place),
            Ok(Err(_)) => return Err(Problem::new(Kind::Busy, "the host is stopping")),
            Err(_) => {
                let (all, seconds) = (app.limits.readings, limit.as_secs_f64());
                return Err(Problem::new(
                    Kind::Busy,
                    format!(
                        "{all} questions about the history are being answered, and none was done within {seconds} s; ask later, or raise limits.readings"
                    ),
                ));
            }
        };
        Ok(Self { place, is_cancelled: Arc::default(), deadline, limit })
    }

    /// What a reader is to be cancelled by.
    pub(super) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_cancelled)
    }

    /// What holds the place until it is dropped.
    pub(super) fn place(&self) -> Arc<OwnedSemaphorePermit> {
        Arc::clone(&self.place)
    }

    /// Reads on another thread.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = self.place();
        // A thread can't be stopped from outside: it keeps the place until it has noticed.
        let work = spawn_blocking(move || {
            let outcome = read();
            drop(place);
            outcome
        });
        match timeout_at(self.deadline, work).await {
            Ok(outcome) => outcome.map_err(|_| {
                Problem::new(
                    Kind::Internal,
                    "reading the history failed; what went wrong is in the host's log",
                )
            }),
            Err(_) => {
                let seconds = self.limit.as_secs_f64();
                Err(Problem::new(
                    Kind::QueryTimeout,
                    format!(
                        "the answer was not ready after {seconds} s; ask for a shorter time, a longer step or fewer series, or raise limits.query_timeout"
                    ),
                ))
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn who_no_longer_waits_ends_the_reading_and_frees_the_place() {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).try_acquire_owned().unwrap();
        let limit = Duration::from_secs(3_600);
        let reading = Reading {
            place: Arc::new(place),
            is_cancelled: Arc::default(),
            deadline: Instant::now() + limit,
            limit,
        };
        let flag = reading.flag();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let client = tokio::spawn(async move {
            let read = move || {
                begun.send(()).ok();
                while !flag.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
            };
            reading.read(read).await.unwrap();
        });
        has_begun.await.unwrap();
        assert!(places.try_acquire().is_err(), "it reads");
        client.abort();
        let _free = places.acquire().await.unwrap();
    }
}
