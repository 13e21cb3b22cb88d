//! From ever-growing counters to rates.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::clock::unix_millis;

/// Both clocks at one reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) monotonic: Instant,
    pub(crate) unix_millis: u64,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { monotonic: Instant::now(), unix_millis: unix_millis() }
    }
}

/// Measures the time from reading to reading of one collector.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    last: Option<Moment>,
    longest: Duration,
}

/// The time between two readings that may be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lap {
    pub(crate) seconds: f64,
}

impl Stopwatch {
    /// For a collector that reads each `period`. A distance of five periods and more is a gap: the machine slept, or the
    /// collector was held up. What happened in it is not known, and an average over it would look like a measurement.
    pub(crate) fn new(period: Duration) -> Self {
        Self { last: None, longest: period * 5 }
    }

    /// The time since the last reading; `None` on the first one and over a gap. The monotonic clock stands still while a
    /// Linux machine sleeps, the wall clock does not: the longer one counts.
    pub(crate) fn lap(&mut self, now: Moment) -> Option<Lap> {
        let then = self.last.replace(now)?;
        let elapsed = now.monotonic.saturating_duration_since(then.monotonic);
        let by_wall = Duration::from_millis(now.unix_millis.saturating_sub(then.unix_millis));
        if elapsed.is_zero() || elapsed.max(by_wall) > self.longest {
            return None;
        }
        Some(Lap { seconds: elapsed.as_secs_f64() })
    }
}

impl Lap {
    /// Units a second. `None` where the counter went back: what it counts started anew.
    pub(crate) fn per_second(self, before: u64, after: u64) -> Option<f64> {
        Some(float(after.checked_sub(before)?) / self.seconds)
    }
}

/// What a counter of 32 bits grew by. One that went back by more than half of its range has wrapped; by less, it was
/// reset.
pub(crate) fn grown_32(before: u64, after: u64) -> Option<u64> {
    const RANGE: u64 = 1 << 32;
    grown_in(before, after, RANGE)
}

/// What a counter grew by that wraps at `range`, as [`grown_32`].
pub(crate) fn grown_in(before: u64, after: u64, range: u64) -> Option<u64> {
    after.checked_sub(before).or_else(|| {
        let back = before - after;
        (before < range && back > range / 2).then(|| range - back)
    })
}

/// `part` of `total`, 0 to 1; unknown of nothing.
pub(crate) fn share(part: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| (float(part) / float(total)).clamp(0.0, 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
pub(crate) fn float(value: u64) -> f64 {
    value as f64
}

/// The last reading of each device, by name. Devices come and go; one that went and came back starts anew.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    entries: BTreeMap<String, (u64, T)>,
    round: u64,
}

impl<T> Kept<T> {
    pub(crate) fn new() -> Self {
        Self { entries: BTreeMap::new(), round: 0 }
    }

    /// Starts a round of readings, and forgets what was not seen in the last one.
    pub(crate) fn begin(&mut self) {
        let round = self.round;
        self.entries.retain(|_, (seen, _)| *seen == round);
        self.round += 1;
    }

    /// Keeps a device's reading and gives the one before.
    pub(crate) fn replace(&mut self, name: &str, value: T) -> Option<T> {
        let round = self.round;
        if let Some(entry) = self.entries.get_mut(name) {
            return Some(std::mem::replace(entry, (round, value)).1);
        }
        self.entries.insert(name.to_owned(), (round, value));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_two_readings_without_a_gap() {
        let start = Moment::now();
        let after = |seconds: u64, slept: u64| Moment {
            monotonic: start.monotonic + Duration::from_secs(seconds),
            unix_millis: start.unix_millis + (seconds + slept) * 1_000,
        };
        let mut stopwatch = Stopwatch::new(Duration::from_secs(1));
        assert_eq!(stopwatch.lap(start), None);
        let lap = stopwatch.lap(after(2, 0)).unwrap();
        assert_eq!(lap.per_second(100, 300), Some(100.0));
        assert_eq!(lap.per_second(300, 40), None, "the counter was reset");
        assert_eq!(stopwatch.lap(after(10, 0)), None, "the sampler was held up");
        assert_eq!(stopwatch.lap(after(11, 3_600)), None, "the machine slept");
        assert_eq!(stopwatch.lap(after(12, 3_600)).unwrap().per_second(1, 8), Some(7.0));
        assert_eq!(
            stopwatch.lap(after(13, 0)).map(|lap| lap.seconds),
            Some(1.0),
            "the wall clock was set back"
        );
    }

    #[test]
    fn a_wrap_is_not_a_reset() {
        assert_eq!(grown_32(u64::from(u32::MAX) - 9, 10), Some(20));
        assert_eq!(grown_32(1_000, 10), None);
        assert_eq!(grown_32(1 << 40, 10), None, "a counter of 64 bits went back");
        assert_eq!(grown_in(262_143_000_000, 328_000, 262_143_328_850), Some(656_850));
    }

    #[test]
    fn a_device_that_comes_back_starts_anew() {
        let mut kept = Kept::new();
        for expected in [None, Some(7)] {
            kept.begin();
            assert_eq!(kept.replace("eth0", 7), expected);
        }
        kept.begin();
        kept.begin();
        assert_eq!(kept.replace("eth0", 1), None);
    }
}
