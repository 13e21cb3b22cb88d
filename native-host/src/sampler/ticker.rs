//! Absolute deadlines: a late tick is skipped and counted, never queued.

use std::time::Duration;

/// Deadlines at `start + n * period`.
///
/// A queue of late ticks would make a stalled machine busier; a deadline relative to the end of the last tick would
/// drift by the cost of each tick. This is tokio's `MissedTickBehavior::Skip` for a plain thread.
#[derive(Debug)]
pub(crate) struct Ticker {
    period: Duration,
    next: Duration,
}

impl Ticker {
    /// The first deadline is one `period` after `now`.
    ///
    /// # Panics
    ///
    /// If `period` is zero.
    pub(crate) fn new(now: Duration, period: Duration) -> Self {
        assert!(!period.is_zero(), "a ticker needs a period");
        Self { period, next: now + period }
    }

    /// How long to wait for the next deadline.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        self.next.saturating_sub(now)
    }

    /// Takes the deadline that has come, and gives the number of later ones that have passed as well.
    pub(crate) fn take(&mut self, now: Duration) -> u64 {
        let late = now.saturating_sub(self.next);
        let missed = late.as_nanos() / self.period.as_nanos();
        let steps = u32::try_from(missed + 1).unwrap_or(u32::MAX);
        self.next += self.period * steps;
        u64::try_from(missed).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn ticks_on_time_do_not_drift() {
        let mut ticker = Ticker::new(Duration::ZERO, SECOND);
        for n in 1..=5_u32 {
            let now = SECOND * n + Duration::from_millis(30);
            assert_eq!(ticker.take(now), 0);
            assert_eq!(ticker.wait(now), Duration::from_millis(970));
        }
    }

    #[test]
    fn late_ticks_are_skipped_and_counted() {
        let mut ticker = Ticker::new(Duration::ZERO, SECOND);
        let now = Duration::from_millis(4_200);
        assert_eq!(ticker.wait(now), Duration::ZERO);
        assert_eq!(ticker.take(now), 3, "the ticks of 2, 3 and 4 seconds");
        assert_eq!(ticker.wait(now), Duration::from_millis(800));
    }
}
