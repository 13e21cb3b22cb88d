//! How long a worker that failed is left alone.

use crate::time::{Duration, Instant};

/// A worker whose last run failed rests for a while before it is tried again with one task. Each trial begins another rest:
/// an eighth of the time for which the worker has failed by then.
///
/// So a worker that is whole again is found out after an eighth more than it was out of order, and one that never comes
/// back is tried ever less often. A trial begins the rest, not its failure: where tasks are swallowed that comes with the
/// submitter's time-out, and a worker that answers again after a trial was swallowed would be left alone until then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    /// `None` while its last run succeeded.
    until: Option<Instant>,
    /// When the first run began that failed.
    since: Instant,
}

/// How long rests may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestBounds {
    /// The first rest takes so long, for which the failure is held against the worker.
    pub(super) least: Duration,
    pub(super) most: Duration,
}

impl Rest {
    /// A run failed that began then.
    pub(super) fn handle_failed(&mut self, now: Instant, began: Instant, bounds: RestBounds) {
        if self.until.is_none() {
            *self = Self { until: Some(now + bounds.least), since: began };
        } else {
            // Before the rest is over it is one more of those that the worker held when it began to fail, or the trial.
            self.handle_tried(now, bounds);
        }
    }

    /// The worker was given a task, which is a trial where the rest is over.
    pub(super) fn handle_tried(&mut self, now: Instant, bounds: RestBounds) {
        if self.is_over(now) {
            let share = Duration::from_nanos((now - self.since).as_nanos() / OUTAGE_PER_REST);
            self.until = Some(now + share.min(bounds.most).max(bounds.least));
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

/// A rest is the time since the worker began to fail over this.
const OUTAGE_PER_REST: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: RestBounds =
        RestBounds { least: Duration::from_millis(50), most: Duration::from_millis(1_000) };

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// Whether the rest ends at this millisecond and not before.
    fn ends(resting: Rest, millis: u64) -> bool {
        !resting.is_over(at(millis) - Duration::from_nanos(1)) && resting.is_over(at(millis))
    }

    #[test]
    fn the_first_rest_is_short_and_what_failed_together_counts_once() {
        let mut resting = Rest::default();
        assert!(!resting.is_over(at(10_000)), "nothing has failed");
        (2_000..2_008).for_each(|late| resting.handle_failed(at(late), at(0), BOUNDS));
        assert!(ends(resting, 2_050));
    }

    #[test]
    fn an_unanswered_trial_holds_up_the_next_for_an_eighth_of_the_outage() {
        let mut resting = Rest::default();
        resting.handle_failed(at(2_000), at(0), BOUNDS);
        resting.handle_tried(at(2_400), BOUNDS);
        resting.handle_tried(at(2_410), BOUNDS);
        assert!(ends(resting, 2_700), "a task that was no trial changed that");
        resting.handle_tried(at(4_000), BOUNDS);
        assert!(ends(resting, 4_500));
        resting.handle_failed(at(4_400), at(2_400), BOUNDS);
        assert!(ends(resting, 4_500), "the end of a trial begins no rest");
    }

    #[test]
    fn rests_stay_within_their_bounds_and_a_success_ends_them() {
        let mut resting = Rest::default();
        resting.handle_failed(at(1), at(0), BOUNDS);
        resting.handle_tried(at(51), BOUNDS);
        assert!(ends(resting, 101));
        resting.handle_tried(at(60_000), BOUNDS);
        assert!(ends(resting, 61_000));
        resting.end();
        assert!(!resting.is_over(at(70_000)));
        resting.handle_failed(at(70_000), at(69_990), BOUNDS);
        assert!(ends(resting, 70_050), "after a success it is a first failure again");
    }
}
