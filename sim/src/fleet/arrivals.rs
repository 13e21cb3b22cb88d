//! When tasks come.

use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

/// An open loop: tasks come whether or not the fleet keeps up. (A closed loop, in which callers wait for answers, hides
/// the tail: it stops asking when the fleet is slow.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// At equal distances.
    Deterministic,
    /// At random.
    Poisson,
    /// Poisson whose rate switches at random between a high and a low one (an MMPP of two states).
    Bursts {
        /// How many times the mean rate a burst has, at least 1.
        factor: f64,
        /// Share of the time that is burst; `factor * ratio` is at most 1.
        ratio: f64,
        /// Mean time from the start of one burst to the next.
        period: Duration,
    },
}

/// Draws arrival times one after the other.
#[derive(Clone, Debug)]
pub(super) struct Clockwork {
    arrivals: Arrivals,
    mean_gap: Duration,
    now: Instant,
    in_burst: bool,
    phase_ends: Instant,
}

impl Clockwork {
    pub(super) fn new(arrivals: Arrivals, mean_gap: Duration, start: Instant) -> Self {
        Self { arrivals, mean_gap, now: start, in_burst: true, phase_ends: start }
    }

    pub(super) fn next(&mut self, rng: &mut Rng) -> Instant {
        self.now = match self.arrivals {
            Arrivals::Deterministic => self.now + self.mean_gap,
            Arrivals::Poisson => self.now + exponential(rng, self.mean_gap, 1.0),
            Arrivals::Bursts { factor, ratio, period } => self.next_in_bursts(rng, factor, ratio, period),
        };
        self.now
    }

    /// The phases are memoryless, so a gap that crosses the end of one is simply drawn again from there.
    fn next_in_bursts(&mut self, rng: &mut Rng, factor: f64, ratio: f64, period: Duration) -> Instant {
        let low = (1.0 - factor * ratio) / (1.0 - ratio);
        loop {
            let rate = if self.in_burst { factor } else { low };
            let next = if rate > 0.0 {
                self.now + exponential(rng, self.mean_gap, 1.0 / rate)
            } else {
                Instant::NEVER
            };
            if next <= self.phase_ends {
                return next;
            }
            self.now = self.phase_ends;
            self.in_burst = !self.in_burst;
            let share = if self.in_burst { ratio } else { 1.0 - ratio };
            self.phase_ends = self.now + exponential(rng, period, share);
        }
    }
}

pub(super) fn exponential(rng: &mut Rng, mean: Duration, factor: f64) -> Duration {
    Duration::from_millis_f64(rng.exponential(mean.as_millis_f64() * factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_keeps_its_mean_rate() {
        let bursts = Arrivals::Bursts { factor: 3.0, ratio: 0.2, period: Duration::from_secs(1) };
        for arrivals in [Arrivals::Deterministic, Arrivals::Poisson, bursts] {
            let mut clockwork = Clockwork::new(arrivals, Duration::from_millis(2), Instant::ZERO);
            let mut rng = Rng::from_seed(3);
            let last = (0..500_000).map(|_| clockwork.next(&mut rng)).last().expect("there are some");
            let mean = last.as_millis_f64() / 500_000.0;
            assert!((mean - 2.0).abs() < 0.1, "{arrivals:?}: {mean} ms");
        }
    }
}
