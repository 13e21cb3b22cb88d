//! Round robin, smooth weighted where the workers differ.

use alloc::vec::Vec;

use crate::balance::{Eligible, Fleet, Slot, Strategy, Task};
use crate::ids::WorkerId;
use crate::rng::Rng;
use crate::time::Instant;

/// Workers in turn, each as often as its weight says and never in bursts.
///
/// This is nginx's smooth weighted round robin (Sysoev, 2012): at each pick every eligible worker gains its weight in
/// credit, the one with the most credit is picked and pays what all gained together. Weights 5, 1, 1 give a a b a c a a.
/// Equal credit goes to the one picked longest ago.
///
/// * Credit belongs to a worker and not to a place: it stays its own when others join and leave.
/// * All credit adds up to zero, always. What a worker takes along when it leaves, or gains or loses when its weight
///   changes, is shared out among the others: nobody is starved or flooded by a change. When a weight changes the credit
///   is scaled with it.
/// * A worker that isn't eligible neither gains nor pays: it comes back to its turn and not to a backlog of turns.
#[derive(Clone, Debug, Default)]
pub struct RoundRobin {
    /// By slot.
    credits: Vec<i64>,
    weights: Vec<u64>,
    version: u64,
}

impl RoundRobin {
    /// Without workers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Follows changed weights.
    fn sync(&mut self, fleet: &Fleet) {
        if self.version == fleet.weights_version() {
            return;
        }
        self.version = fleet.weights_version();
        for ((credit, before), &weight) in self.credits.iter_mut().zip(&mut self.weights).zip(fleet.weights())
        {
            if *before != weight {
                *credit = scaled(*credit, weight, (*before).max(1));
                *before = weight;
            }
        }
        self.level();
    }

    /// Shares out what is missing to a sum of zero, or too much, in proportion to the weights.
    fn level(&mut self) {
        let mut over: i64 = self.credits.iter().sum();
        let mut weight_left: u64 = self.weights.iter().sum();
        for (credit, &weight) in self.credits.iter_mut().zip(&self.weights) {
            let share = scaled(over, weight, weight_left.max(1));
            *credit -= share;
            over -= share;
            weight_left -= weight;
        }
    }
}

impl Strategy for RoundRobin {
    fn name(&self) -> &'static str {
        "round-robin"
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        let fleet = eligible.fleet();
        self.sync(fleet);
        let mut total = 0;
        let mut best: Option<(i64, Slot)> = None;
        for slot in eligible.iter() {
            let weight = signed(fleet.weight(slot));
            let credit = &mut self.credits[slot.index()];
            *credit += weight;
            total += weight;
            let wins = best.is_none_or(|(most, holder)| {
                *credit > most || *credit == most && fleet.last_picked(slot) < fleet.last_picked(holder)
            });
            best = if wins { Some((*credit, slot)) } else { best };
        }
        let (_, slot) = best.expect("a strategy is asked only where somebody is eligible");
        self.credits[slot.index()] -= total;
        slot
    }

    /// 1 for the one whose turn it is, less for the others by how far their credit is behind.
    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let fleet = eligible.fleet();
        let next = |slot: Slot| (self.credits[slot.index()] + signed(fleet.weight(slot))) as f64;
        let total: f64 = eligible.iter().map(|slot| fleet.weight(slot) as f64).sum();
        let most = eligible.iter().map(next).fold(f64::NEG_INFINITY, f64::max);
        // Credits of eligible workers differ by less than twice what all weigh together.
        out.extend(eligible.iter().map(|slot| (1.0 - (most - next(slot)) / (2.0 * total)).clamp(0.0, 1.0)));
    }

    fn handle_joined(&mut self, fleet: &Fleet, slot: Slot) {
        self.credits.insert(slot.index(), 0);
        self.weights.insert(slot.index(), fleet.weight(slot));
        self.sync(fleet);
    }

    fn handle_left(&mut self, fleet: &Fleet, slot: Slot, _: WorkerId) {
        self.credits.remove(slot.index());
        self.weights.remove(slot.index());
        self.sync(fleet);
        self.level();
    }
}

fn signed(weight: u64) -> i64 {
    i64::try_from(weight).unwrap_or(i64::MAX)
}

/// `amount * numerator / denominator`, toward zero.
fn scaled(amount: i64, numerator: u64, denominator: u64) -> i64 {
    let scaled = i128::from(amount) * i128::from(numerator) / i128::from(denominator);
    i64::try_from(scaled).unwrap_or(0)
}
