//! Waits that grow where they proved too short.

use crate::time::{Duration, Instant};

/// How long to wait before giving something back, doubled each time that giving back was regretted: the remedy against
/// flapping that routers use (route flap damping, RFC 2439), in its simplest form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HoldOff {
    first: Duration,
    longest: Duration,
    current: Duration,
    given_back_at: Option<Instant>,
}

impl HoldOff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, current: first, given_back_at: None }
    }

    pub(super) const fn current(&self) -> Duration {
        self.current
    }

    pub(super) const fn on_given_back(&mut self, now: Instant) {
        self.given_back_at = Some(now);
    }

    /// What was given back is needed again. That was too early where the longest wait would have spared it, and else as it
    /// should be.
    pub(super) fn on_needed(&mut self, now: Instant) {
        let Some(at) = self.given_back_at.take() else { return };
        self.current =
            if now - at < self.longest { (self.current * 2).min(self.longest) } else { self.first };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regret_doubles_and_a_right_guess_starts_over() {
        let secs = Duration::from_secs;
        let at = Instant::from_secs;
        let mut wait = HoldOff::new(secs(10), secs(35));
        wait.on_needed(at(5));
        assert_eq!(wait.current(), secs(10), "nothing was given back before");
        for (given_back, needed, then) in [(20, 25, 20), (60, 94, 35), (95, 96, 35), (100, 135, 10)] {
            wait.on_given_back(at(given_back));
            wait.on_needed(at(needed));
            assert_eq!(wait.current(), secs(then));
        }
    }
}
