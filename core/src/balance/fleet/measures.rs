//! What is measured of one worker.

use crate::time::{Duration, Instant};

use super::decay::decay;
use super::rest::Rest;

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
/// and it fades while nothing is heard. Peaks of failures count until the next success.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PeakLatency {
    at: Instant,
    /// In nanoseconds; `None` until the first run ended.
    nanos: Option<f64>,
    /// When and what it was before the failures since the last success.
    before_failures: Option<(Instant, f64)>,
}

impl PeakLatency {
    pub(super) fn observe(&mut self, now: Instant, half_life: Duration, success: bool, nanos: f64) {
        let before = self.nanos.unwrap_or(0.0);
        let (at, before) = if success {
            // Its failures were a state that is over.
            self.before_failures.take().unwrap_or((self.at, before))
        } else {
            self.before_failures.get_or_insert((self.at, before));
            (self.at, before)
        };
        let kept = decay(now - at, half_life);
        self.nanos = Some(if nanos > before { nanos } else { before * kept + nanos * (1.0 - kept) });
        self.at = at.max(now);
    }

    pub(super) fn read(&self, now: Instant, half_life: Duration) -> Option<f64> {
        self.nanos.map(|nanos| nanos * decay(now - self.at, half_life))
    }
}

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
    fn a_peak_of_failures_ends_with_a_success() {
        let mut peak = PeakLatency::default();
        let at = Instant::from_secs;
        peak.observe(at(5), HALF_LIFE, true, 100.0);
        peak.observe(at(6), HALF_LIFE, false, 5_000.0);
        peak.observe(at(7), HALF_LIFE, false, 2_000.0);
        assert!(peak.read(at(7), HALF_LIFE).unwrap() > 4_000.0);
        peak.observe(at(15), HALF_LIFE, true, 100.0);
        assert!((peak.read(at(15), HALF_LIFE).unwrap() - 100.0).abs() < 1e-6);
        // A success that took long is no failure.
        peak.observe(at(15), HALF_LIFE, true, 5_000.0);
        peak.observe(at(15), HALF_LIFE, true, 100.0);
        assert!((peak.read(at(15), HALF_LIFE).unwrap() - 5_000.0).abs() < 1e-6);
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
