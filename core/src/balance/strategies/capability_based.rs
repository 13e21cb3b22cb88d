//! Capability based.

use alloc::vec::Vec;

use crate::balance::{Eligible, Slot, Strategy, Task};
use crate::rng::Rng;
use crate::time::Instant;

/// The worker whose capabilities fit best: common work is kept off rare specialists.
///
/// All eligible workers can do the task, so the best match is the one that wastes least: whose further capabilities are the
/// easiest to replace ([`Fleet::scarcity`](crate::balance::Fleet::scarcity)). A match alone would queue everything on
/// plain workers while specialists idle, so free capacity counts too:
///
/// `0.4 * (1 - scarcity) + 0.6 * (1 - load / capacity)`
///
/// So the scarcest specialist gets common work once the plain workers are two thirds full. Of equals the one picked longest
/// ago. Kubernetes spreads pods over nodes by like sums of scores, and keeps common pods off nodes with rare devices.
#[derive(Clone, Copy, Debug, Default)]
pub struct CapabilityBased;

impl Strategy for CapabilityBased {
    fn name(&self) -> &'static str {
        "capability-based"
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        eligible.highest(|slot| score(eligible, slot))
    }

    /// The formula above.
    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        out.extend(eligible.iter().map(|slot| score(eligible, slot)));
    }
}

fn score(eligible: &Eligible<'_>, slot: Slot) -> f64 {
    let fleet = eligible.fleet();
    let free = (1.0 - fleet.load_share(slot)).max(0.0);
    MATCH * (1.0 - fleet.scarcity(slot)) + (1.0 - MATCH) * free
}

/// What the match counts; the rest is free capacity.
const MATCH: f64 = 0.4;
