//! Readings that may hang, each on a thread of its own.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A reading that repeats on its own thread, so that a hung mount or driver hangs that thread alone.
///
/// There is never a second thread for the same reading: one that is stuck in the kernel can't be ended, and a new one
/// would get stuck beside it. While it is stuck its values are absent; when it comes back so do they.
#[derive(Debug)]
pub(crate) struct Probe<T> {
    name: &'static str,
    patience: Duration,
    latest: Arc<Mutex<Option<(Instant, T)>>>,
    started: Instant,
    stuck: bool,
    /// The thread ends when this is dropped. It is not joined: it may be stuck.
    _stop: SyncSender<()>,
}

impl<T: Clone + Send + 'static> Probe<T> {
    /// Calls `read` at once and then each `period`. Values older than `patience` are given as absent.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub(crate) fn spawn(
        name: &'static str,
        period: Duration,
        patience: Duration,
        mut read: impl FnMut() -> T + Send + 'static,
    ) -> io::Result<Self> {
        let latest = Arc::new(Mutex::new(None));
        let (stop, stopped) = sync_channel::<()>(0);
        let shared = Arc::clone(&latest);
        thread::Builder::new().name(format!("probe-{name}")).spawn(move || {
            loop {
                let value = read();
                *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), value));
                if stopped.recv_timeout(period) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self { name, patience, latest, started: Instant::now(), stuck: false, _stop: stop })
    }

    /// The newest value, if it is fresh. Says once in the log when the reading gets stuck, and once when it is back.
    pub(crate) fn latest(&mut self, now: Instant) -> Option<T> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let read_at = latest.as_ref().map_or(self.started, |(at, _)| *at);
        let stuck = now.saturating_duration_since(read_at) > self.patience;
        if stuck != self.stuck {
            self.stuck = stuck;
            if stuck {
                tracing::warn!(
                    "reading {} has not answered for {} s; its values are left out until it does",
                    self.name,
                    self.patience.as_secs()
                );
            } else {
                tracing::info!("reading {} answers again", self.name);
            }
        }
        if stuck { None } else { latest.as_ref().map(|(_, value)| value.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_reading_that_hangs_is_absent_and_holds_nobody_up() {
        let (release, released) = channel::<()>();
        let mut probe = Probe::spawn("a hung mount", LONG, Duration::from_secs(5), move || {
            released.recv().ok();
            7
        })
        .unwrap();
        let now = Instant::now();
        assert_eq!(probe.latest(now), None, "it has not answered yet");
        assert_eq!(probe.latest(now + Duration::from_secs(6)), None);
        assert!(probe.stuck);

        release.send(()).unwrap();
        while probe.latest.lock().unwrap().is_none() {
            thread::yield_now();
        }
        assert_eq!(probe.latest(Instant::now()), Some(7));
        assert!(!probe.stuck);
    }
}
