//! What is measured of one worker.

use crate::time::{Duration, Instant};

use super::decay::decay;

/// Everything that is learned about a worker from what it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measures {
    pub(super) peak: PeakLatency,
    pub(super) uptime: Uptime,
    /// What its tasks in flight take typically, in nanoseconds.
    pub(super) backlog: u64,
    /// When a task last ended on it, or when the first came after it had none.
    pub(super) progress: Instant,
    pub(super) rest: Rest,
}

impl Measures {
    pub(super) fn new(now: Instant, up: bool) -> Self {
        Self {
            peak: PeakLatency::default(),
            uptime: Uptime { at: now, up, ratio: 1.0 },
            backlog: 0,
            progress: now,
            rest: Rest::default(),
        }
    }
}

/// The latency of a worker as Finagle's Peak-EWMA sees it: a longer one counts at once, shorter ones move it down slowly,
/// and it fades while nothing is heard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PeakLatency {
    at: Instant,
    /// In nanoseconds; `None` until the first run ended.
    nanos: Option<f64>,
    /// What it was before the failures since the last success.
    before_failures: Option<f64>,
}

impl PeakLatency {
    pub(super) fn observe(&mut self, now: Instant, half_life: Duration, success: bool, nanos: f64) {
        if success {
            // Its failures were a state that is over.
            self.nanos = self.before_failures.take().or(self.nanos);
        } else if self.before_failures.is_none() {
            self.before_failures = Some(self.nanos.unwrap_or(0.0));
        }
        let kept = self.nanos.map_or(0.0, |_| decay(now - self.at, half_life));
        let before = self.nanos.unwrap_or(0.0);
        self.nanos = Some(if nanos > before { nanos } else { before * kept + nanos * (1.0 - kept) });
        self.at = self.at.max(now);
    }

    pub(super) fn read(&self, now: Instant, half_life: Duration) -> Option<f64> {
        self.nanos.map(|nanos| nanos * decay(now - self.at, half_life))
    }
}

/// How long a worker that failed is left alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    /// `None` while its last run succeeded.
    until: Option<Instant>,
    /// Trials in a row that failed.
    trials: u32,
}

impl Rest {
    /// A run of it failed, which cost so many nanoseconds.
    pub(super) fn begin(&mut self, now: Instant, cost: Duration) {
        if self.until.is_some_and(|until| now < until) {
            // One of several that it held.
            return;
        }
        self.until = Some(now + cost.saturating_mul(1 << self.trials));
        self.trials = (self.trials + 1).min(MOST_TRIALS);
    }

    /// When it may be tried again; never where its last run succeeded.
    pub(super) fn until(&self) -> Instant {
        self.until.unwrap_or(Instant::NEVER)
    }

    pub(super) fn end(&mut self) {
        *self = Self::default();
    }
}

const MOST_TRIALS: u32 = 4;

/// The share of the recent past in which a worker was up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uptime {
    at: Instant,
    up: bool,
    ratio: f64,
}

impl Uptime {
    pub(super) fn turn(&mut self, now: Instant, half_life: Duration, up: bool) {
        self.ratio = self.read(now, half_life);
        self.at = self.at.max(now);
        self.up = up;
    }

    pub(super) fn read(&self, now: Instant, half_life: Duration) -> f64 {
        let toward = if self.up { 1.0 } else { 0.0 };
        if self.ratio >= 1.0 && self.up {
            return 1.0;
        }
        let kept = decay(now - self.at, half_life);
        (self.ratio * kept + toward * (1.0 - kept)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_LIFE: Duration = Duration::from_secs(10);

    #[test]
    fn a_peak_counts_at_once_and_fades_slowly() {
        let mut peak = PeakLatency::default();
        let at = Instant::from_secs;
        assert_eq!(peak.read(at(5), HALF_LIFE), None);
        peak.observe(at(5), HALF_LIFE, true, 100.0);
        peak.observe(at(5), HALF_LIFE, true, 900.0);
        peak.observe(at(5), HALF_LIFE, true, 100.0);
        assert!((peak.read(at(5), HALF_LIFE).unwrap() - 900.0).abs() < 1e-6, "no time has passed");
        peak.observe(at(15), HALF_LIFE, true, 100.0);
        assert!((peak.read(at(15), HALF_LIFE).unwrap() - 500.0).abs() < 1e-3, "halfway after a half-life");
        assert!((peak.read(at(25), HALF_LIFE).unwrap() - 250.0).abs() < 1e-3, "and it fades in silence");
        assert!((peak.read(at(25), HALF_LIFE).unwrap() - 250.0).abs() < 1e-3, "reading changes nothing");
    }

    #[test]
    fn uptime_is_the_recent_share() {
        let at = Instant::from_secs;
        let mut uptime = Uptime { at: at(0), up: true, ratio: 1.0 };
        uptime.turn(at(50), HALF_LIFE, false);
        assert!((uptime.read(at(60), HALF_LIFE) - 0.5).abs() < 1e-6);
        uptime.turn(at(60), HALF_LIFE, true);
        assert!((uptime.read(at(70), HALF_LIFE) - 0.75).abs() < 1e-6);
        assert!((uptime.read(at(3), HALF_LIFE) - 0.5).abs() < 1e-6, "a clock that steps back");
    }
}
