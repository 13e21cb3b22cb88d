//! Weighted random.

use alloc::vec::Vec;

use crate::balance::{Eligible, Slot, Strategy, Task};
use crate::rng::Rng;
use crate::time::Instant;

/// Each worker with a probability in proportion to its weight.
///
/// It needs no knowledge of the present at all, so nothing can be stale: with loads that are old enough it beats every
/// strategy that trusts them (Mitzenmacher, *How Useful Is Old Information?*, 2000). With exact loads it is the baseline
/// that the others are measured against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Strategy for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, rng: &mut Rng) -> Slot {
        draw(eligible, rng)
    }

    /// The weight relative to the largest.
    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let fleet = eligible.fleet();
        let largest = eligible.iter().map(|slot| fleet.weight(slot)).max().unwrap_or(1);
        out.extend(eligible.iter().map(|slot| fleet.weight(slot) as f64 / largest as f64));
    }
}

/// Draws one of them by weight.
pub(super) fn draw(eligible: &Eligible<'_>, rng: &mut Rng) -> Slot {
    let fleet = eligible.fleet();
    if fleet.has_equal_weights() {
        return eligible.nth(rng.index(eligible.len()));
    }
    // Drawn alike and taken with a chance by weight: no look at everybody while the weights are about the same.
    for _ in 0..REJECTIONS {
        let slot = eligible.nth(rng.index(eligible.len()));
        if rng.below(fleet.largest_weight()) < fleet.weight(slot) {
            return slot;
        }
    }
    let total = eligible.iter().map(|slot| fleet.weight(slot)).fold(0, u64::saturating_add);
    let mut point = rng.below(total);
    for slot in eligible.iter() {
        match point.checked_sub(fleet.weight(slot)) {
            Some(rest) => point = rest,
            None => return slot,
        }
    }
    eligible.nth(0)
}

/// After so many draws that were rejected the weights are added up instead.
const REJECTIONS: usize = 8;
