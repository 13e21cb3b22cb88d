//! From ever-growing counters to rates.

use std::time::{Duration, Instant};

/// A longer distance of two readings is a gap: the machine slept, or the sampler was held up. What happened in it is
/// not known, and an average over it would look like a measurement.
pub(crate) const GAP: Duration = Duration::from_secs(5);

/// The rate of one counter.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    last: Option<(Instant, u64)>,
}

impl Rate {
    /// Units a second since the last reading. `None` on the first one, over a gap, and where the counter went back
    /// (the interface was created anew, or the counter wrapped).
    pub(crate) fn per_second(&mut self, now: Instant, total: u64) -> Option<f64> {
        let (then, before) = self.last.replace((now, total))?;
        let elapsed = now.duration_since(then);
        if elapsed.is_zero() || elapsed > GAP {
            return None;
        }
        let difference = total.checked_sub(before)?;
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
        Some(difference as f64 / elapsed.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_two_readings_without_a_gap() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(start, 100), None);
        assert_eq!(rate.per_second(after(2), 300), Some(100.0));
        assert_eq!(rate.per_second(after(3), 40), None, "the counter was reset");
        assert_eq!(rate.per_second(after(4), 50), Some(10.0));
        assert_eq!(rate.per_second(after(3_600), 9_000), None, "the machine slept");
        assert_eq!(rate.per_second(after(3_601), 9_007), Some(7.0));
    }
}
