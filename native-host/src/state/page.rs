//! One page load, as the host knows it.

use quillwork_core::telemetry::{RollingRatio, RollingSketch, Sketch};
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::page::{PageSample, PageSource, Pool};
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};
use quillwork_protocol::source::{Source, SourceKind};

use super::dedup::Dedup;
use super::skew::Skew;
use crate::clock::Now;

/// After this much silence a page counts as lost.
///
/// A hidden page whose socket is open is not silent, whatever it sends: browsers let its timers run once a second and
/// later once a minute. Its socket tells that it is there, since the browser answers pings without the page; a socket
/// that is gone without a word is noticed by them.
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
    /// Number of its newest connection; zero before the first.
    connection: u64,
    /// Whether that one is open.
    is_connected: bool,
    closed: bool,
    last_heard: Now,
    /// Silence counts from here.
    alive_at: Instant,
    pub(crate) dedup: Dedup,
    pub(crate) skew: Skew,
    /// Its newest sample, and when that ended. The instant is compared, since wall clocks are set.
    sample: Option<(Instant, PageSample)>,
    responses: RollingSketch,
    errors: RollingRatio,
    dropped_samples: u64,
    uncaught: u64,
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

impl LastMinute {
    /// From how many events the value of this series was made; a value that isn't made from events counts as many.
    pub(crate) fn count_of(&self, series: &str) -> u64 {
        match series {
            "page.response_p95" | "page.error_ratio" => self.tasks,
            _ => u64::MAX,
        }
    }
}

impl Page {
    /// A page that has just been heard of.
    pub(crate) fn new(now: Now, source: PageSource) -> Self {
        const WINDOW: &str = "slot and number of slots are not zero";
        Self {
            source,
            connection: 0,
            is_connected: false,
            closed: false,
            last_heard: now,
            alive_at: now.monotonic,
            dedup: Dedup::default(),
            skew: Skew::default(),
            sample: None,
            responses: RollingSketch::new(SLOT, SLOTS).expect(WINDOW),
            errors: RollingRatio::new(SLOT, SLOTS).expect(WINDOW),
            dropped_samples: 0,
            uncaught: 0,
        }
    }

    /// It said something: it lives, whatever was thought of it.
    pub(crate) fn heard(&mut self, now: Now, source: &PageSource) {
        self.closed = false;
        self.last_heard = now;
        self.alive_at = now.monotonic;
        if self.source != *source {
            self.source.clone_from(source);
        }
    }

    /// It connected; a page that connects again may do so before its old connection is seen to be dead.
    pub(crate) fn connected(&mut self, connection: u64) {
        self.connection = connection;
        self.is_connected = true;
    }

    /// A connection ended; with `goodbye` it said that it goes away. Whether it is closed by that: not where it has
    /// connected again since.
    pub(crate) fn disconnected(&mut self, now: Now, connection: u64, goodbye: bool) -> bool {
        if connection != self.connection {
            return false;
        }
        if self.is_excused() {
            self.alive_at = now.monotonic;
        }
        self.is_connected = false;
        self.closed |= goodbye;
        goodbye
    }

    /// Whether it has ever been let in by a socket.
    pub(crate) fn has_connected(&self) -> bool {
        self.connection > 0
    }

    /// Whether its silence says nothing.
    fn is_excused(&self) -> bool {
        self.is_connected && self.sample.as_ref().is_some_and(|(_, sample)| !sample.visible)
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
        if let Some(uncaught) = &sample.errors {
            let both = u64::from(uncaught.errors) + u64::from(uncaught.rejections);
            self.uncaught = self.uncaught.saturating_add(both);
        }
        if self.sample.as_ref().is_none_or(|(newest, _)| *newest <= at) {
            self.sample = Some((at, sample.clone()));
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

    /// How long there has been no sign of it.
    pub(crate) fn silence(&self, now: Now) -> Duration {
        if self.is_excused() { Duration::ZERO } else { now.monotonic.duration_since(self.alive_at) }
    }

    /// When it becomes lost if nothing is heard of it; never where it said goodbye or its silence says nothing.
    pub(crate) fn lost_at(&self) -> Option<Instant> {
        (!self.closed && !self.is_excused()).then(|| self.alive_at + SILENCE)
    }

    /// Who it is, for who asks who reports.
    pub(crate) fn source(&self, now: Now) -> Source {
        Source {
            id: self.source.id.clone(),
            name: self.source.name.clone(),
            kind: SourceKind::Page,
            link: Some(self.link(now)),
            last_heard_unix_millis: Some(self.last_heard.unix_millis),
            clock_offset_millis: self.skew.offset_millis(),
        }
    }

    /// What dashboards are told.
    pub(crate) fn snapshot(&self, now: Now) -> PageSnapshot {
        let last_minute = self.last_minute(now.monotonic);
        PageSnapshot {
            source: self.source.clone(),
            link: self.link(now),
            last_heard_unix_millis: self.last_heard.unix_millis,
            sample: self.sample.as_ref().map(|(_, sample)| sample.clone()),
            response_p95_millis: last_minute.response_p95_millis,
            error_ratio: last_minute.error_ratio,
            dropped_samples: self.dropped_samples,
            errors: self.uncaught,
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
