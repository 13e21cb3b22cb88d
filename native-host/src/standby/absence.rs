//! When a primary has been away for long enough to take over without being told to.

use quillwork_core::time::{Duration, Instant};

/// How long nobody has answered.
///
/// It counts by attempts on the monotonic clock, each for no more than [`MOST`]: a standby that was stopped itself, or whose machine slept, doesn't wake up
/// and find the primary gone. Any answer, an error too, is a sign of life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absence {
    away: Duration,
    failures: u32,
    asked_at: Option<Instant>,
}

/// What one attempt counts for at most.
pub const MOST: Duration = Duration::from_secs(15);

/// So often nobody must have answered.
const ATTEMPTS: u32 = 3;

impl Absence {
    /// Somebody answered.
    pub fn heard(&mut self, now: Instant) {
        *self = Self { asked_at: Some(now), ..Self::default() };
    }

    /// Nobody did.
    pub fn failed(&mut self, now: Instant) {
        if let Some(before) = self.asked_at {
            self.away += now.duration_since(before).min(MOST);
        }
        self.failures = self.failures.saturating_add(1);
        self.asked_at = Some(now);
    }

    /// Whether that has been so for `limit`.
    #[must_use]
    pub fn is_over(&self, limit: Duration) -> bool {
        self.failures >= ATTEMPTS && self.away >= limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_secs(7_200 + seconds)
    }

    const LIMIT: Duration = Duration::from_secs(60);

    #[test]
    fn a_primary_that_stays_away_is_gone_after_the_limit() {
        let mut absence = Absence::default();
        absence.heard(at(0));
        for second in (2..60).step_by(2) {
            absence.failed(at(second));
            assert!(!absence.is_over(LIMIT), "{second}");
        }
        absence.failed(at(60));
        assert!(absence.is_over(LIMIT));
    }

    #[test]
    fn a_flapping_link_never_adds_up() {
        let mut absence = Absence::default();
        for round in 0..100 {
            absence.heard(at(round * 60));
            for second in (2..58).step_by(2) {
                absence.failed(at(round * 60 + second));
                assert!(!absence.is_over(LIMIT));
            }
        }
    }

    #[test]
    fn a_leap_of_the_clock_counts_as_one_attempt() {
        let mut absence = Absence::default();
        absence.heard(at(0));
        absence.failed(at(86_400));
        assert!(!absence.is_over(LIMIT), "it slept for a day");
        absence.failed(at(86_402));
        absence.failed(at(86_404));
        assert!(!absence.is_over(LIMIT));
        absence.heard(at(86_406));
        assert_eq!(absence, Absence { asked_at: Some(at(86_406)), ..Absence::default() });
    }

    #[test]
    fn a_primary_that_never_answered_is_waited_for_just_as_long() {
        let mut absence = Absence::default();
        for second in 0..60 {
            absence.failed(at(second));
            assert!(!absence.is_over(LIMIT), "{second}");
        }
        absence.failed(at(60));
        assert!(absence.is_over(LIMIT));
    }

    #[test]
    fn few_attempts_are_not_enough_however_long_each_takes() {
        let mut absence = Absence::default();
        absence.heard(at(0));
        absence.failed(at(15));
        absence.failed(at(30));
        assert!(!absence.is_over(Duration::from_secs(20)));
        absence.failed(at(45));
        assert!(absence.is_over(Duration::from_secs(20)));
    }
}
