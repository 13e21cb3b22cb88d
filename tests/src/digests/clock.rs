//! The clock of the scenarios.

use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

/// Goes on by random steps, stands still at times, and now and then steps back, as a page's clock does.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) const fn new() -> Self {
        Self(Instant::from_secs(1_000))
    }

    /// The next moment, this much later in the mean.
    pub(super) fn tick(&mut self, rng: &mut Rng, mean: Duration) -> Instant {
        if rng.chance(0.01) {
            self.0 = self.0 - Duration::from_nanos(rng.in_range(0..=mean.as_nanos() * 3));
        } else if !rng.chance(0.2) {
            self.0 += Duration::from_millis_f64(rng.exponential(mean.as_millis_f64() / 0.8));
        }
        self.0
    }
}
