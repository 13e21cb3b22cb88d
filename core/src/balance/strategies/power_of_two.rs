//! Power of two choices.

use alloc::vec::Vec;

use crate::balance::{Eligible, Slot, Strategy, Task};
use crate::rng::Rng;
use crate::time::Instant;

/// The less loaded of two workers drawn at random.
///
/// Looking at two instead of one makes the longest queue exponentially shorter (Mitzenmacher, *The Power of Two Choices in
/// Randomized Load Balancing*, 2001), and several balancers that know nothing of each other don't all run to the same
/// worker. It is for large fleets and for loads that are known late. One balancer with exact loads does better with least
/// loaded, which looks at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerOfTwo;

impl Strategy for PowerOfTwo {
    fn name(&self) -> &'static str {
        "power-of-two"
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, rng: &mut Rng) -> Slot {
        let len = eligible.len();
        if len == 1 {
            return eligible.nth(0);
        }
        // Two different ones: the second is drawn from the others.
        let first = rng.index(len);
        let second = rng.index(len - 1);
        let second = if second >= first { second + 1 } else { second };
        let keys = eligible.fleet().load_keys();
        let (first, second) = (eligible.nth(first), eligible.nth(second));
        if keys[first.index()] <= keys[second.index()] { first } else { second }
    }

    /// The free share of the capacity.
    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let fleet = eligible.fleet();
        out.extend(eligible.iter().map(|slot| (1.0 - fleet.load_share(slot)).clamp(0.0, 1.0)));
    }
}
