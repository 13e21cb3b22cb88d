//! Round robin, smooth weighted where the workers differ.

use alloc::vec::Vec;

use crate::balance::{Eligible, Fleet, Slot, Strategy, Task};
use crate::ids::WorkerId;
use crate::rng::Rng;
use crate::time::Instant;

use super::turns::Turns;

/// Workers in turn, each as often as its weight says and never in bursts.
///
/// Equal workers simply take turns: the one whose last turn is longest ago is next. One that wasn't eligible keeps its
/// place in the line, so its neighbours don't get its turns.
///
/// Where weights differ this is nginx's smooth weighted round robin (Sysoev, 2012): at each pick every eligible worker gains
/// its weight in credit, the one with the most credit is picked and pays what all gained together. Weights 5, 1, 1 give
/// a a b a c a a. Equal credit goes to the one whose last turn is longest ago.
///
/// * Credit belongs to a worker and not to a place: it stays its own when others join and leave.
/// * All credit adds up to zero, always. What a worker takes along when it leaves is shared out among the others.
/// * When weights change, everybody's credit is scaled with their sum, so that each remains as many turns ahead or behind as
///   it was (the lag of Stoica and Abdel-Wahab's EEVDF, 1995): nobody is starved or flooded by a change.
/// * A worker that isn't eligible neither gains nor pays: it comes back to its turn and not to a backlog of turns.
#[derive(Clone, Debug, Default)]
pub struct RoundRobin {
    turns: Turns,
    /// By slot.
    credits: Vec<i64>,
    weights: Vec<u64>,
    /// Of the weights that the credits go by.
    total: u64,
    version: u64,
}

impl RoundRobin {
    /// Without workers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn choose_weighted(&mut self, eligible: &Eligible<'_>) -> Slot {
        let mut total = 0;
        let mut best: Option<(i64, Slot)> = None;
        eligible.for_each(|slot| {
            let index = slot.index();
            let weight = signed(self.weights[index]);
            let credit = self.credits[index] + weight;
            self.credits[index] = credit;
            total += weight;
            let wins = best.is_none_or(|(most, holder)| {
                credit > most || credit == most && self.turns.last(index) < self.turns.last(holder.index())
            });
            best = if wins { Some((credit, slot)) } else { best };
        });
        let (_, slot) = best.expect("a strategy is asked only where somebody is eligible");
        self.credits[slot.index()] -= total;
        slot
    }

    /// Follows changed weights.
    fn sync(&mut self, fleet: &Fleet) {
        if self.version != fleet.weights_version() {
            self.follow(fleet);
        }
    }

    fn follow(&mut self, fleet: &Fleet) {
        self.version = fleet.weights_version();
        // A strategy that is new to a fleet hears of its workers one by one.
        for (known, &weight) in self.weights.iter_mut().zip(fleet.weights()) {
            *known = weight;
        }
        self.settle();
    }

    /// Everybody remains as many turns ahead or behind, of which each costs what all weigh together.
    fn settle(&mut self) {
        let total: u64 = self.weights.iter().sum();
        let before = core::mem::replace(&mut self.total, total).max(1);
        for credit in &mut self.credits {
            *credit = scaled(*credit, total, before);
        }
        self.level();
    }

    /// Shares out what is missing to a sum of zero, or too much, in proportion to the weights.
    fn level(&mut self) {
        let mut over: i64 = self.credits.iter().sum();
        let mut weight_left = self.total;
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
        let slot = if fleet.has_equal_weights() {
            self.turns
                .first(|slot| eligible.contains(slot))
                .expect("a strategy is asked only where somebody is eligible")
        } else {
            self.choose_weighted(eligible)
        };
        self.turns.take(slot.index());
        slot
    }

    /// 1 for the one whose turn it is; the others less, by how far their credit is behind or how recent their last turn is.
    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let fleet = eligible.fleet();
        if fleet.has_equal_weights() {
            let age = |slot: Slot| self.turns.age(slot.index()) as f64;
            let oldest = eligible.iter().map(age).fold(1.0, f64::max);
            out.extend(eligible.iter().map(|slot| age(slot) / oldest));
            return;
        }
        let next = |slot: Slot| (self.credits[slot.index()] + signed(fleet.weight(slot))) as f64;
        let total: f64 = eligible.iter().map(|slot| fleet.weight(slot) as f64).sum();
        let most = eligible.iter().map(next).fold(f64::NEG_INFINITY, f64::max);
        // Credits of eligible workers differ by less than twice what all weigh together.
        out.extend(eligible.iter().map(|slot| (1.0 - (most - next(slot)) / (2.0 * total)).clamp(0.0, 1.0)));
    }

    fn handle_joined(&mut self, fleet: &Fleet, slot: Slot) {
        self.turns.insert(slot.index());
        self.credits.insert(slot.index(), 0);
        self.weights.insert(slot.index(), fleet.weight(slot));
        self.follow(fleet);
    }

    fn handle_left(&mut self, fleet: &Fleet, slot: Slot, _: WorkerId) {
        self.turns.remove(slot.index());
        self.credits.remove(slot.index());
        self.weights.remove(slot.index());
        self.follow(fleet);
    }
}

fn signed(weight: u64) -> i64 {
    i64::try_from(weight).unwrap_or(i64::MAX)
}

/// `amount * numerator / denominator`, toward zero.
fn scaled(amount: i64, numerator: u64, denominator: u64) -> i64 {
    // Division of 128 bits is slow, and hardly ever needed.
    match (amount.checked_mul(signed(numerator)), i64::try_from(denominator)) {
        (Some(product), Ok(denominator)) => product / denominator,
        _ => {
            let scaled = i128::from(amount) * i128::from(numerator) / i128::from(denominator);
            i64::try_from(scaled).unwrap_or(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::balance::{BalanceConfig, Load, WorkerSpec};
    use crate::ids::TaskId;

    fn fleet(capacities: &[u32]) -> (Fleet, RoundRobin) {
        let mut fleet = Fleet::new(&BalanceConfig::default());
        let mut strategy = RoundRobin::new();
        for (id, &capacity) in (0..).zip(capacities) {
            join(&mut fleet, &mut strategy, id, capacity);
        }
        (fleet, strategy)
    }

    fn join(fleet: &mut Fleet, strategy: &mut RoundRobin, id: u32, capacity: u32) {
        let spec = WorkerSpec { capacity: Load::new(capacity), ..WorkerSpec::new(WorkerId::new(id)) };
        let (slot, is_new) = fleet.join(Instant::ZERO, spec);
        if is_new {
            strategy.handle_joined(fleet, slot);
        }
    }

    fn leave(fleet: &mut Fleet, strategy: &mut RoundRobin, id: u32) {
        if let Some(slot) = fleet.leave(Instant::ZERO, WorkerId::new(id)) {
            strategy.handle_left(fleet, slot, WorkerId::new(id));
        }
    }

    fn pick(fleet: &Fleet, strategy: &mut RoundRobin, banned: &[WorkerId]) -> Option<u32> {
        let task = Task { anti_affinity: banned, ..Task::new(TaskId::new(0)) };
        let mut scratch = Vec::new();
        let eligible = Eligible::filter(fleet, &task, &mut scratch);
        let choice = (!eligible.is_empty())
            .then(|| strategy.choose(Instant::ZERO, &task, &eligible, &mut Rng::from_seed(0)));
        choice.map(|slot| fleet.worker(slot).get())
    }

    fn picks(fleet: &Fleet, strategy: &mut RoundRobin, count: usize) -> Vec<u32> {
        (0..count).filter_map(|_| pick(fleet, strategy, &[])).collect()
    }

    #[test]
    fn five_one_one_is_nginx_sequence() {
        let (fleet, mut strategy) = fleet(&[5, 1, 1]);
        for _ in 0..3 {
            assert_eq!(picks(&fleet, &mut strategy, 7), [0, 0, 1, 0, 2, 0, 0]);
        }
    }

    #[test]
    fn a_worker_that_is_skipped_keeps_its_turn_and_gives_none_to_its_neighbour() {
        let (fleet, mut strategy) = fleet(&[8, 8, 8, 8]);
        let banned = [WorkerId::new(1)];
        // Every other task can't go to worker 1; the turn that it misses isn't its neighbour's alone.
        let mut counts = [0_u32; 4];
        for round in 0..400 {
            let ban: &[WorkerId] = if round % 2 == 0 { &banned } else { &[] };
            let picked = pick(&fleet, &mut strategy, ban).unwrap();
            counts[picked as usize] += 1;
        }
        assert_eq!(counts, [100; 4]);
    }

    #[test]
    fn a_joiner_and_a_leaver_disturb_nobody_elses_turn() {
        let (mut fleet, mut strategy) = fleet(&[8, 8, 8]);
        assert_eq!(picks(&fleet, &mut strategy, 2), [0, 1]);
        leave(&mut fleet, &mut strategy, 0);
        assert_eq!(picks(&fleet, &mut strategy, 3), [2, 1, 2]);
        join(&mut fleet, &mut strategy, 0, 8);
        assert_eq!(picks(&fleet, &mut strategy, 6), [1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn scores_put_the_next_one_first() {
        for capacities in [[8, 8, 8], [5, 1, 1]] {
            let (fleet, mut strategy) = fleet(&capacities);
            for _ in 0..10 {
                let task = Task::new(TaskId::new(0));
                let (mut scratch, mut scores) = (Vec::new(), Vec::new());
                let eligible = Eligible::filter(&fleet, &task, &mut scratch);
                strategy.scores(Instant::ZERO, &task, &eligible, &mut scores);
                let next = strategy.clone().choose(Instant::ZERO, &task, &eligible, &mut Rng::from_seed(0));
                assert!((scores[next.index()] - 1.0).abs() < 1e-12, "{scores:?}");
                pick(&fleet, &mut strategy, &[]);
            }
        }
    }

    #[test]
    fn who_was_picked_at_a_low_weight_is_not_starved_when_it_rises() {
        let (mut fleet, mut strategy) = fleet(&[1, 100, 101, 99]);
        while pick(&fleet, &mut strategy, &[]) != Some(0) {}
        join(&mut fleet, &mut strategy, 0, 100);
        let picked = picks(&fleet, &mut strategy, 8);
        assert!(picked.contains(&0), "{picked:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// However workers come, go and change weight: credit adds up to zero, nobody's credit is beyond what all weigh
        /// together, and within a cycle without changes everyone is picked exactly as often as its weight says.
        #[test]
        fn credit_is_conserved(steps in prop::collection::vec((0_u32..6, 0_u32..5, 0_usize..9), 1..40)) {
            let (mut fleet, mut strategy) = fleet(&[3, 1]);
            for (id, capacity, count) in steps {
                if capacity == 0 { leave(&mut fleet, &mut strategy, id) } else { join(&mut fleet, &mut strategy, id, capacity) }
                picks(&fleet, &mut strategy, count);
                prop_assert_eq!(strategy.credits.iter().sum::<i64>(), 0);
                let total = signed(strategy.total);
                prop_assert!(strategy.credits.iter().all(|credit| credit.abs() <= 2 * total), "{:?}", strategy);
            }
            // One cycle to work off what the changes left, and one to count.
            let weights: Vec<u64> = fleet.weights().iter().map(|weight| weight / 1_000).collect();
            let cycle = usize::try_from(weights.iter().sum::<u64>()).unwrap();
            let picked = picks(&fleet, &mut strategy, cycle * 40);
            for (slot, &weight) in fleet.slots().zip(&weights) {
                let id = fleet.worker(slot).get();
                let count = picked.iter().filter(|&&picked| picked == id).count();
                prop_assert!(count.abs_diff(usize::try_from(weight).unwrap() * 40) <= 3, "{id}: {count} of {weights:?}");
            }
        }
    }
}
