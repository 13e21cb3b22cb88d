//! A level that is entered high, left low, and neither at once.

use crate::time::{Duration, Instant};

/// Whether a value counts as over. It does from `enter` on until it is below `leave`, each for a dwell time without a break.
///
/// Not the pool's levels of health and pressure, which get worse at once and better by themselves with time: here a burst is
/// nothing yet, and only a value that was seen to stay past a level changes anything.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hysteresis {
    is_over: bool,
    /// Since when the value has been past the level that would change it.
    since: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    pub(super) enter: f64,
    pub(super) leave: f64,
    pub(super) dwell: Duration,
}

impl Hysteresis {
    pub(super) fn update(&mut self, now: Instant, value: f64, levels: Levels) -> bool {
        let wants_change = if self.is_over { value < levels.leave } else { value >= levels.enter };
        if !wants_change {
            self.since = None;
        } else if now - *self.since.get_or_insert(now) >= levels.dwell {
            self.is_over = !self.is_over;
            self.since = None;
        }
        self.is_over
    }

    /// When it changes if the value stays as it is.
    pub(super) fn changes_at(&self, dwell: Duration) -> Option<Instant> {
        self.since.map(|since| since + dwell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: Levels = Levels { enter: 0.9, leave: 0.7, dwell: Duration::from_secs(1) };

    fn states(values: &[(u64, f64)]) -> alloc::vec::Vec<bool> {
        let mut hysteresis = Hysteresis::default();
        let update =
            |&(millis, value): &(u64, f64)| hysteresis.update(Instant::from_millis(millis), value, LEVELS);
        values.iter().map(update).collect()
    }

    #[test]
    fn it_enters_after_the_dwell_time_and_leaves_below_the_lower_level() {
        let values =
            [(0, 0.95), (500, 0.95), (1_000, 0.95), (2_000, 0.8), (9_000, 0.71), (9_500, 0.6), (10_500, 0.6)];
        assert_eq!(states(&values), [false, false, true, true, true, true, false]);
    }

    #[test]
    fn a_value_that_swings_about_a_level_changes_nothing() {
        let swinging: alloc::vec::Vec<(u64, f64)> =
            (0..100).map(|step| (step * 400, if step % 2 == 0 { 0.95 } else { 0.85 })).collect();
        assert!(states(&swinging).iter().all(|&is_over| !is_over));
    }

    #[test]
    fn a_clock_that_steps_back_waits_and_does_not_jump() {
        assert_eq!(
            states(&[(5_000, 0.95), (10, 0.95), (5_999, 0.95), (6_000, 0.95)]),
            [false, false, false, true]
        );
    }
}
