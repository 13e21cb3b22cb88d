//! How long a worker that failed is left alone.

use crate::time::{Duration, Instant};

/// A worker whose last run failed rests for a while before it is tried again with one task, and for twice as long after
/// each trial that fails as well, up to sixteen times.
///
/// A trial is one task on an empty worker. So one that never answers is tried no more often than a time-out passes, and one
/// that fails at once costs its fleet a moment now and then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    /// `None` while its last run succeeded.
    until: Option<Instant>,
    /// Trials in a row that failed.
    trials: u32,
}

impl Rest {
    /// A run failed. `rest` is for how long a first failure is held against the worker.
    pub(super) fn begin(&mut self, now: Instant, rest: Duration) {
        // Before that it is one more of those that the worker held when it began to fail.
        if self.until.is_none_or(|until| now >= until) {
            self.until = Some(now + rest.saturating_mul(1 << self.trials));
            self.trials = (self.trials + 1).min(MOST_TRIALS);
        }
    }

    /// A run succeeded.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// Whether it failed last and has rested since.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now >= until)
    }
}

/// No rest is longer than the first times two to the power of this.
const MOST_TRIALS: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_with_failed_trials_and_not_with_what_failed_together() {
        let at = Instant::from_millis;
        let rest = Duration::from_millis(50);
        let mut resting = Rest::default();
        assert!(!resting.is_over(at(1_000)), "nothing has failed");
        (0..8).for_each(|late| resting.begin(at(late), rest));
        assert!(!resting.is_over(at(49)) && resting.is_over(at(50)));
        let mut now = at(50);
        for factor in [2, 4, 8, 16, 16] {
            resting.begin(now, rest);
            let next = now + rest.saturating_mul(factor);
            assert!(!resting.is_over(next - Duration::from_nanos(1)) && resting.is_over(next));
            now = next;
        }
        resting.end();
        resting.begin(now, rest);
        assert!(resting.is_over(now + rest), "after a success it is a first failure again");
    }
}
