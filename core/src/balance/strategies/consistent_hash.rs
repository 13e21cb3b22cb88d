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

    /// The highest of those within the bound.
    fn highest(&self, task: &Task<'_>, eligible: &Eligible<'_>, bound: &Bound<'_>) -> Option<Slot> {
        let capacities = eligible.fleet().capacities();
        let equal = eligible.fleet().has_equal_capacities();
        let (mut least, mut best) = (f64::INFINITY, None);
        eligible.for_each(|slot| {
            let point = self.point(task, slot);
            let capacity = f64::from(capacities[slot.index()].max(1));
            // -ln(x) is at least 1 - x: most workers lose by that already, and neither their logarithm nor their load is
            // needed.
            if 1.0 - point < least * capacity {
                // Among equals the order of the points is that of their logarithms.
                let cost = if equal { (1.0 - point) / capacity } else { cost(point, capacity) };
                if cost < least && bound.holds(slot) {
                    (least, best) = (cost, Some(slot));
                }
            }
        });
        best
    }

    /// Where key and worker meet, in 0..1.
    fn point(&self, task: &Task<'_>, slot: Slot) -> f64 {
        let hash = mix(self.seeds[slot.index()] ^ task.key);
        ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

/// The lower, the better.
fn cost(point: f64, capacity: f64) -> f64 {
    -libm::log(point) / capacity
}

/// How much load is too much.
struct Bound<'a> {
    fleet: &'a Fleet,
    /// Load units for each unit of capacity.
    share: f64,
    complexity: f64,
}

impl<'a> Bound<'a> {
    fn new(slack: f64, fleet: &'a Fleet, task: &Task<'_>) -> Self {
        let complexity = f64::from(task.complexity.get());
        let mean = (fleet.open_load() as f64 + complexity) / fleet.open_capacity().max(1) as f64;
        // A whole number that comes out a few bits too high is not one more.
        Self { fleet, share: (1.0 + slack) * mean * (1.0 - 1e-12), complexity }
    }

    fn holds(&self, slot: Slot) -> bool {
        let load = f64::from(self.fleet.load(slot).get());
        let bound = self.share * f64::from(self.fleet.capacities()[slot.index()]);
        // For a whole number, being at most the ceiling is being less than one more.
        load <= 0.0 || load + self.complexity < bound + 1.0
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
        let within = self.highest(task, eligible, &Bound::new(self.slack, fleet, task));
        let any = || self.highest(task, eligible, &Bound { fleet, share: f64::INFINITY, complexity: 0.0 });
        within.or_else(any).expect("a strategy is asked only where somebody is eligible")
    }

    /// By the worker's place in the key's order; those past their bound come after all others.
    fn scores(&self, _: Instant, task: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let fleet = eligible.fleet();
        let bound = Bound::new(self.slack, fleet, task);
        out.extend(eligible.iter().map(|slot| {
            let capacity = f64::from(fleet.capacities()[slot.index()].max(1));
            // The point to the power of 1 / capacity is in the same order.
            let rank = libm::exp(-cost(self.point(task, slot), capacity)).clamp(0.0, 1.0);
            if bound.holds(slot) { 0.5 + 0.5 * rank } else { 0.5 * rank }
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

/// Keeps worker ids, which are small numbers, apart from keys, which may be the same numbers.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
const MOST_SLACK: f64 = 10.0;
