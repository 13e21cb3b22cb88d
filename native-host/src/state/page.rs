//! One page load, as the host knows it.

use quillwork_core::telemetry::{RollingRatio, RollingSketch, Sketch};
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::page::{PageSample, PageSource, Pool};
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};

use super::dedup::Dedup;
use super::skew::Skew;
use crate::clock::Now;

/// After this much silence a page counts as lost.
pub(crate) const SILENCE: Duration = Duration::from_secs(3);

/// A page that is lost or closed is shown for this long.
pub(crate) const SHOWN: Duration = Duration::from_secs(60);

/// Windows of the last minute: twelve slots of five seconds.
const SLOT: Duration = Duration::from_secs(5);
const SLOTS: usize = 12;

/// What is kept of a page.
#[derive(Debug)]
pub(crate) struct Page {
    source: PageSource,
    /// Number of its newest connection.
    connection: u64,
    closed: bool,
    last_heard: Now,
    pub(crate) dedup: Dedup,
    pub(crate) skew: Skew,
    sample: Option<PageSample>,
    responses: RollingSketch,
    errors: RollingRatio,
    dropped_samples: u64,
}

/// Of the tasks that ended in the last minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LastMinute {
    /// 95th percentile of their response time.
    pub(crate) response_p95_millis: Option<f64>,
    /// Share that ended with an error, a time-out or a crash.
    pub(crate) error_ratio: Option<f64>,
    /// How many there were.
    pub(crate) tasks: u64,
}

impl Page {
    /// A page that has just been heard of.
    pub(crate) fn new(now: Now, source: PageSource) -> Self {
        const WINDOW: &str = "slot and number of slots are not zero";
        Self {
            source,
            connection: 0,
            closed: false,
            last_heard: now,
            dedup: Dedup::default(),
            skew: Skew::default(),
            sample: None,
            responses: RollingSketch::new(SLOT, SLOTS).expect(WINDOW),
            errors: RollingRatio::new(SLOT, SLOTS).expect(WINDOW),
            dropped_samples: 0,
        }
    }

    /// It said something: it lives, whatever was thought of it.
    pub(crate) fn heard(&mut self, now: Now, source: &PageSource) {
        self.closed = false;
        self.last_heard = now;
        if self.source != *source {
            self.source.clone_from(source);
        }
    }

    /// It connected; a page that connects again may do so before its old connection is seen to be dead.
    pub(crate) fn connected(&mut self, connection: u64) {
        self.connection = connection;
    }

    /// It closed a connection and said that it goes away. Whether that was its newest connection.
    pub(crate) fn said_goodbye(&mut self, connection: u64) -> bool {
        let is_newest = connection == self.connection;
        self.closed |= is_newest;
        is_newest
    }

    /// Its last batch.
    pub(crate) fn closed(&mut self) {
        self.closed = true;
    }

    /// Counts samples that it had to drop.
    pub(crate) fn dropped(&mut self, samples: u64) {
        self.dropped_samples = self.dropped_samples.saturating_add(samples);
    }

    /// Takes a sample whose time is on the host's clock already, and gives the last minute as of then.
    pub(crate) fn sampled(
        &mut self,
        at: Instant,
        sample: &PageSample,
        response: Option<&Sketch>,
    ) -> LastMinute {
        if let Some(response) = response {
            self.responses.merge(at, response).expect("batches are checked to have the windows' accuracy");
        }
        let (errors, ended) = outcomes(&sample.pool);
        self.errors.add(at, errors, ended);
        let is_newest =
            self.sample.as_ref().is_none_or(|newest| newest.at_unix_millis <= sample.at_unix_millis);
        if is_newest {
            self.sample = Some(sample.clone());
        }
        self.last_minute(at)
    }

    /// Of the tasks that ended in the minute before `at`.
    pub(crate) fn last_minute(&self, at: Instant) -> LastMinute {
        let counts = self.errors.counts(at);
        LastMinute {
            response_p95_millis: self.responses.quantile(at, 0.95),
            error_ratio: counts.value(1),
            tasks: counts.total,
        }
    }

    /// Whether it reports.
    pub(crate) fn link(&self, now: Now) -> PageLink {
        if self.closed {
            PageLink::Closed
        } else if self.silence(now) >= SILENCE {
            PageLink::Lost
        } else {
            PageLink::Live
        }
    }

    /// How long nothing has been heard of it.
    pub(crate) fn silence(&self, now: Now) -> Duration {
        now.monotonic.duration_since(self.last_heard.monotonic)
    }

    /// When it becomes lost if nothing is heard of it; never where it said goodbye.
    pub(crate) fn lost_at(&self) -> Option<Instant> {
        (!self.closed).then(|| self.last_heard.monotonic + SILENCE)
    }

    /// What a person calls it.
    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// What dashboards are told.
    pub(crate) fn snapshot(&self, now: Now) -> PageSnapshot {
        let last_minute = self.last_minute(now.monotonic);
        PageSnapshot {
            source: self.source.clone(),
            link: self.link(now),
            last_heard_unix_millis: self.last_heard.unix_millis,
            sample: self.sample.clone(),
            response_p95_millis: last_minute.response_p95_millis,
            error_ratio: last_minute.error_ratio,
            dropped_samples: self.dropped_samples,
        }
    }
}

/// Errors, and all tasks that ended. An abort is the caller's wish and a refusal the pool's bound: they ended, and
/// are no errors.
fn outcomes(pool: &Pool) -> (u64, u64) {
    let errors = u64::from(pool.failed) + u64::from(pool.timed_out) + u64::from(pool.crashed);
    let rest = u64::from(pool.completed) + u64::from(pool.aborted) + u64::from(pool.refused);
    (errors, errors + rest)
}
