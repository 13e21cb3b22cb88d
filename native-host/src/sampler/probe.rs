//! Readings that may hang, each on a thread of its own; and how each reading fares.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use quillwork_protocol::host::Collector;

use super::fault::Fault;
use super::rate::Moment;

/// A reading that repeats on its own thread, so that a hung mount or driver hangs that thread alone.
///
/// There is never a second thread for the same reading: one that is stuck in the kernel can't be ended, and a new one
/// would get stuck beside it. While it is stuck its values are absent; when it comes back so do they.
#[derive(Debug)]
pub(crate) struct Probe<T> {
    name: &'static str,
    patience: Duration,
    shared: Arc<Mutex<Shared<T>>>,
    stuck: bool,
    /// The thread ends when this is dropped. It is not joined: it may be stuck.
    _stop: SyncSender<()>,
}

#[derive(Debug)]
struct Shared<T> {
    /// When the thread last showed that it lives.
    heard_at: Instant,
    latest: Option<(Instant, T)>,
    took: Option<Duration>,
    fault: Option<Fault>,
}

impl<T: Clone + Send + 'static> Probe<T> {
    /// Calls `read` at once and then each `period`. Without an answer for the period and `patience` it counts as stuck.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    pub(crate) fn spawn(
        name: &'static str,
        period: Duration,
        patience: Duration,
        mut read: impl FnMut(Moment) -> Result<T, Fault> + Send + 'static,
    ) -> io::Result<Self> {
        let start = Shared { heard_at: Instant::now(), latest: None, took: None, fault: None };
        let shared = Arc::new(Mutex::new(start));
        let (stop, stopped) = sync_channel::<()>(0);
        let publish = Arc::clone(&shared);
        let run = move || {
            loop {
                let begun = Moment::now();
                let result = read(begun);
                let now = Instant::now();
                let mut shared = publish.lock().unwrap_or_else(PoisonError::into_inner);
                shared.heard_at = now;
                shared.took = Some(now.duration_since(begun.monotonic));
                match result {
                    Ok(value) => {
                        shared.latest = Some((now, value));
                        shared.fault = None;
                    }
                    Err(fault) => {
                        shared.latest = None;
                        shared.fault = Some(fault);
                    }
                }
                drop(shared);
                if stopped.recv_timeout(period) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        // What a reading needs of the stack is little, and there are several threads of them.
        thread::Builder::new().name(format!("probe-{name}")).stack_size(STACK_BYTES).spawn(run)?;
        Ok(Self { name, patience: period + patience, shared, stuck: false, _stop: stop })
    }

    /// The newest value, if it is fresh. Says once in the log when the reading gets stuck, and once when it is back.
    pub(crate) fn latest(&mut self, now: Instant) -> Option<T> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck = now.saturating_duration_since(shared.heard_at) > self.patience;
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
        if stuck { None } else { shared.latest.as_ref().map(|(_, value)| value.clone()) }
    }

    /// Whether the first reading has come to an end.
    pub(crate) fn has_answered(&self) -> bool {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).took.is_some()
    }

    /// How the reading fares, as of the last call of [`latest`](Self::latest).
    pub(crate) fn status(&self, now: Instant) -> Collector {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = now.saturating_duration_since(shared.heard_at).as_secs();
        let error = if self.stuck {
            Some(format!("it has not answered for {silent} s: a driver or a mount that it reads hangs"))
        } else {
            shared.fault.as_ref().map(Fault::to_string)
        };
        Collector {
            name: self.name.to_owned(),
            succeeded: error.is_none() && shared.latest.is_some(),
            is_stuck: self.stuck,
            duration_millis: shared.took.map(millis),
            age_millis: shared.latest.as_ref().map(|(at, _)| millis(now.saturating_duration_since(*at))),
            error,
        }
    }
}

/// A reading that hangs nowhere, taken on the sampler's own thread.
#[derive(Debug)]
pub(crate) struct Direct {
    name: &'static str,
    read_at: Option<Instant>,
    took: Option<Duration>,
    fault: Option<Fault>,
}

impl Direct {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, read_at: None, took: None, fault: None }
    }

    /// Reads. Says once in the log when it begins to fail, and once when it is back.
    pub(crate) fn read<T>(&mut self, read: impl FnOnce() -> Result<T, Fault>) -> Option<T> {
        let begun = Instant::now();
        let result = read();
        let now = Instant::now();
        self.took = Some(now.duration_since(begun));
        let fault = result.as_ref().err().cloned();
        match (&self.fault, &fault) {
            (None, Some(fault)) => tracing::warn!("reading {} fails: {fault}", self.name),
            (Some(_), None) => tracing::info!("reading {} succeeds again", self.name),
            _ => {}
        }
        self.fault = fault;
        if self.fault.is_none() {
            self.read_at = Some(now);
        }
        result.ok()
    }

    /// How the reading fares.
    pub(crate) fn status(&self, now: Instant) -> Collector {
        Collector {
            name: self.name.to_owned(),
            succeeded: self.fault.is_none() && self.read_at.is_some(),
            is_stuck: false,
            duration_millis: self.took.map(millis),
            age_millis: self.read_at.map(|at| millis(now.saturating_duration_since(at))),
            error: self.fault.as_ref().map(Fault::to_string),
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Stack of a reading's thread.
pub(crate) const STACK_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_reading_that_hangs_is_absent_says_so_and_holds_nobody_up() {
        let (release, released) = channel::<()>();
        let mut probe = Probe::spawn("a hung mount", Duration::ZERO, Duration::from_secs(5), move |_| {
            released.recv().ok();
            Ok(7)
        })
        .unwrap();
        let now = Instant::now();
        assert_eq!(probe.latest(now), None, "it has not answered yet");
        assert!(!probe.status(now).is_stuck);
        let later = now + Duration::from_secs(6);
        assert_eq!(probe.latest(later), None);
        let status = probe.status(later);
        assert!(status.is_stuck && !status.succeeded && status.error.unwrap().contains("hangs"));

        release.send(()).unwrap();
        while probe.shared.lock().unwrap().latest.is_none() {
            thread::yield_now();
        }
        assert_eq!(probe.latest(Instant::now()), Some(7));
        assert!(probe.status(Instant::now()).succeeded);
    }

    #[test]
    fn a_reading_that_fails_gives_nothing_and_the_reason() {
        let mut probe: Probe<u32> =
            Probe::spawn("x", LONG, LONG, |_| Err(Fault("no such bus".to_owned()))).unwrap();
        while probe.shared.lock().unwrap().took.is_none() {
            thread::yield_now();
        }
        assert_eq!(probe.latest(Instant::now()), None);
        let status = probe.status(Instant::now());
        assert_eq!((status.succeeded, status.is_stuck, status.age_millis), (false, false, None));
        assert_eq!(status.error.as_deref(), Some("no such bus"));
        assert!(status.duration_millis.is_some());
    }

    #[test]
    fn a_direct_reading_keeps_its_age_over_a_failure() {
        let mut direct = Direct::new("cpu");
        assert_eq!(direct.read(|| Ok(1)), Some(1));
        assert_eq!(direct.read(|| Err::<u32, _>(Fault("gone".to_owned()))), None);
        let status = direct.status(Instant::now() + LONG);
        assert!(!status.succeeded && status.age_millis.unwrap() >= 3_600_000.0);
        assert_eq!(status.error.as_deref(), Some("gone"));
    }
}
