//! Consistent hashing with bounded loads.

use alloc::vec::Vec;

use crate::balance::{ConfigError, Eligible, Fleet, Slot, Strategy, Task};
use crate::ids::WorkerId;
use crate::rng::{Rng, mix};
use crate::time::Instant;

/// Tasks of the same [`key`](Task::key) to the same worker, as long as that worker isn't loaded far beyond the others.
///
/// It is for caches on the workers. Each worker and key have a hash in common, and the key goes to the worker of the
/// highest (rendezvous hashing, Thaler and Ravishankar, 1998), weighted by capacity (`-capacity / ln(hash)`). A worker that
/// leaves takes only its own keys along, and one that joins takes only the keys that are its own from then on. There is no
/// ring to rebuild.
///
/// A popular key can't drown its worker: one is passed over while its load, with the task, would be more than
/// `ceil((1 + slack) * mean share * capacity)`, where the mean counts the task too (Mirrokni, Thorup and Zadimoghaddam,
/// *Consistent Hashing with Bounded Loads*, 2018). The next highest gets the task. An idle worker is never passed over.
#[derive(Clone, Debug)]
pub struct ConsistentHash {
    slack: f64,
    /// By slot.
    seeds: Vec<u64>,
}

impl ConsistentHash {
    /// With this slack above the mean load, more than 0 and at most 10. Less spreads more evenly, more keeps keys in place.
    /// The default is 0.25.
    ///
    /// # Errors
    ///
    /// Where it is out of its range.
    pub fn new(slack: f64) -> Result<Self, ConfigError> {
        if slack > 0.0 && slack <= MOST_SLACK {
            Ok(Self { slack, seeds: Vec::new() })
        } else {
            Err(ConfigError::OutOfRange { setting: "slack", least: f64::MIN_POSITIVE, most: MOST_SLACK })
        }
    }

    fn highest(&self, task: &Task<'_>, eligible: &Eligible<'_>, pass: impl Fn(Slot) -> bool) -> Option<Slot> {
        let mut best: Option<Candidate> = None;
        for slot in eligible.iter().filter(|&slot| pass(slot)) {
            let candidate = self.candidate(task, eligible.fleet(), slot);
            best = match best {
                Some(best) if best.beats(&candidate) => Some(best),
                _ => Some(candidate),
            };
        }
        best.map(|candidate| candidate.slot)
    }

    fn candidate(&self, task: &Task<'_>, fleet: &Fleet, slot: Slot) -> Candidate {
        let hash = mix(self.seeds[slot.index()] ^ task.key);
        Candidate { slot, hash, capacity: fleet.spec(slot).capacity.get().max(1) }
    }

    fn is_within_bound(&self, task: &Task<'_>, fleet: &Fleet, slot: Slot) -> bool {
        let load = fleet.load(slot);
        if load.get() == 0 {
            return true;
        }
        let share = (fleet.open_load() as f64 + f64::from(task.complexity.get()))
            / fleet.open_capacity().max(1) as f64;
        let bound = (1.0 + self.slack) * share * f64::from(fleet.spec(slot).capacity.get());
        // A whole number that came out a few bits too high is not one more.
        let bound = libm::ceil(bound * (1.0 - 1e-12));
        f64::from((load + task.complexity).get()) <= bound
    }
}

impl Default for ConsistentHash {
    fn default() -> Self {
        Self { slack: 0.25, seeds: Vec::new() }
    }
}

impl Strategy for ConsistentHash {
    fn name(&self) -> &'static str {
        "consistent-hash"
    }

    fn choose(&mut self, _: Instant, task: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        let fleet = eligible.fleet();
        let within = self.highest(task, eligible, |slot| self.is_within_bound(task, fleet, slot));
        let any = || self.highest(task, eligible, |_| true);
        within.or_else(any).expect("a strategy is asked only where somebody is eligible")
    }

    /// By the worker's place in the key's order; those past their bound come after all others.
    fn scores(&self, _: Instant, task: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let fleet = eligible.fleet();
        out.extend(eligible.iter().map(|slot| {
            let candidate = self.candidate(task, fleet, slot);
            // The hash to the power of 1 / capacity has the same order as the hash weighted by capacity.
            let rank = libm::exp(-candidate.cost()).clamp(0.0, 1.0);
            if self.is_within_bound(task, fleet, slot) { 0.5 + 0.5 * rank } else { 0.5 * rank }
        }));
    }

    fn handle_joined(&mut self, fleet: &Fleet, slot: Slot) {
        let id = u64::from(fleet.worker(slot).get());
        self.seeds.insert(slot.index(), mix(id.wrapping_add(SEED)));
    }

    fn handle_left(&mut self, _: &Fleet, slot: Slot, _: WorkerId) {
        self.seeds.remove(slot.index());
    }
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    slot: Slot,
    hash: u64,
    capacity: u32,
}

impl Candidate {
    /// `-ln(hash) / capacity`: the lower, the better.
    fn cost(&self) -> f64 {
        -libm::log(((self.hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64) / f64::from(self.capacity)
    }

    fn beats(&self, other: &Self) -> bool {
        // The logarithm is needed only where hash and capacity disagree.
        match (self.hash >= other.hash, self.capacity >= other.capacity) {
            (true, true) => true,
            (false, false) => false,
            (false, true) if self.capacity == other.capacity => false,
            (true, false) | (false, true) => self.cost() <= other.cost(),
        }
    }
}

/// Keeps worker ids, which are small numbers, apart from keys, which may be the same numbers.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const MOST_SLACK: f64 = 10.0;
