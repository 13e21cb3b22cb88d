//! Which free worker gets a task.

use alloc::vec;
use alloc::vec::Vec;

use crate::ids::WorkerId;

use super::{Capabilities, Load, Offer};

/// The workers that may be chosen, in one compact array that is scanned whole.
///
/// Scanning all beats sampling two at the sizes of a page's pool (2 to 64 workers), in cost and in quality: with exact
/// knowledge nothing is gained by looking at less of it.
///
/// [`Candidates::pick`] chooses among the open workers that have what the task needs and room for it, in this order:
/// 1. the least loaded, relative to its capacity;
/// 2. the one whose capabilities are easiest to spare: common work doesn't occupy the only worker with a GPU while a plain
///    one is free. A capability counts the more, the fewer workers have it;
/// 3. the one that was picked longest ago, so that no place in the array is favoured.
///
/// ```
/// use quillwork_core::ids::WorkerId;
/// use quillwork_core::pool::{Candidates, Capabilities, Load, Offer};
///
/// let gpu = Capabilities::from_bits(1);
/// let mut candidates = Candidates::new(2);
/// candidates.open(WorkerId::new(0), Offer { capacity: Load::new(4), ..gpu.into() });
/// candidates.open(WorkerId::new(1), Offer::PLAIN);
///
/// let plain = candidates.pick(Capabilities::NONE, Load::ONE).expect("both are free");
/// assert_eq!(plain, WorkerId::new(1));
/// candidates.begin(plain, Load::ONE);
/// assert_eq!(candidates.pick(gpu, Load::new(4)), Some(WorkerId::new(0)));
/// assert_eq!(candidates.pick(gpu, Load::new(5)), None);
/// ```
#[derive(Clone, Debug)]
pub struct Candidates {
    /// What is scanned, by worker.
    costs: Vec<Cost>,
    workers: Vec<Candidate>,
    /// Workers with room: nothing is scanned where there is none.
    free: u32,
    /// Stamped on a worker when it is picked.
    next_stamp: u32,
}

#[derive(Clone, Copy, Debug)]
struct Cost {
    capabilities: Capabilities,
    /// The three criteria in one number, the first in its highest bits, so that comparing is one instruction. Unlike any
    /// other worker's, because of the stamp.
    cost: u64,
    /// How much more it can be given; zero where it can't be picked.
    room: Load,
}

#[derive(Clone, Copy, Debug, Default)]
struct Candidate {
    open: bool,
    held_back: bool,
    rests: bool,
    capacity: Load,
    load: Load,
    scarcity: u32,
    stamp: u32,
}

impl Candidate {
    fn room(self) -> Load {
        if self.open && !self.held_back && !self.rests { self.capacity - self.load } else { Load::ZERO }
    }

    fn cost(self) -> u64 {
        let relative_load = match self.load {
            Load::ZERO => 0,
            load if load >= self.capacity => FULLY_LOADED,
            load => u64::from(load.get()) * FULLY_LOADED / u64::from(self.capacity.get()),
        };
        relative_load << 56 | u64::from(self.scarcity) << 32 | u64::from(self.stamp)
    }
}

impl Candidates {
    /// So many workers, all of them closed and of no known capability.
    #[must_use]
    pub fn new(workers: u32) -> Self {
        Self {
            costs: vec![
                Cost { capabilities: Capabilities::NONE, cost: NOBODY, room: Load::ZERO };
                workers as usize
            ],
            workers: (0..workers).map(|stamp| Candidate { stamp, ..Candidate::default() }).collect(),
            free: 0,
            next_stamp: workers,
        }
    }

    /// Chooses a worker that has what is required and room for so much more load, which is at least 1.
    #[must_use]
    pub fn pick(&self, required: Capabilities, load: Load) -> Option<WorkerId> {
        if self.free == 0 {
            return None;
        }
        let mut least = NOBODY;
        let mut best = 0;
        for (index, worker) in self.costs.iter().enumerate() {
            // Both by selection and not by branches, which could not be predicted.
            let eligible = worker.capabilities.contains(required) & (worker.room >= load);
            let cost = if eligible { worker.cost } else { NOBODY };
            best = if cost < least { index } else { best };
            least = least.min(cost);
        }
        (least != NOBODY).then(|| worker_id(best))
    }

    /// As [`Candidates::pick`], where workers differ in speed: of those that are as little loaded and as easily spared, the
    /// one of the lowest class goes before the one that was picked longest ago.
    pub(super) fn pick_fastest(
        &self,
        required: Capabilities,
        load: Load,
        class_of: impl Fn(usize) -> u32,
    ) -> Option<WorkerId> {
        let eligible = self
            .costs
            .iter()
            .enumerate()
            .filter(|(_, worker)| worker.capabilities.contains(required) && worker.room >= load);
        let best = eligible.min_by_key(|&(index, worker)| (worker.cost >> 32, class_of(index), worker.cost));
        best.map(|(index, _)| worker_id(index))
    }

    /// As [`Candidates::pick_fastest`], among the workers that have a tier; those of the lowest go first.
    pub(super) fn pick_ranked(
        &self,
        required: Capabilities,
        load: Load,
        tier_of: impl Fn(usize) -> Option<u8>,
        class_of: impl Fn(usize) -> u32,
    ) -> Option<WorkerId> {
        let free = self.costs.iter().enumerate();
        let able = free.filter(|(_, worker)| worker.capabilities.contains(required) && worker.room >= load);
        let ranked = able.filter_map(|(index, worker)| {
            Some(((tier_of(index)?, worker.cost >> 32, class_of(index), worker.cost), index))
        });
        ranked.min().map(|(_, index)| worker_id(index))
    }

    /// Lets the worker be picked. It has no load.
    pub fn open(&mut self, worker: WorkerId, offer: Offer) {
        self.change(worker, |candidate| {
            candidate.open = true;
            candidate.held_back = false;
            candidate.rests = false;
            candidate.load = Load::ZERO;
        });
        self.set_offer(worker, offer);
    }

    /// Takes the worker out of the choice. Its capabilities still count for how scarce they are: it is expected back.
    pub fn close(&mut self, worker: WorkerId) {
        self.change(worker, |candidate| candidate.open = false);
    }

    /// Says what the worker can do from now on.
    pub fn set_offer(&mut self, worker: WorkerId, offer: Offer) {
        self.change(worker, |candidate| candidate.capacity = offer.capacity);
        let known = &mut self.costs[worker.index()].capabilities;
        if *known != offer.capabilities {
            *known = offer.capabilities;
            self.weigh_scarcity();
        }
    }

    /// Keeps an open worker out of the choice, or lets it back in.
    #[inline]
    pub fn hold_back(&mut self, worker: WorkerId, held_back: bool) {
        if self.workers[worker.index()].held_back != held_back {
            self.change(worker, |candidate| candidate.held_back = held_back);
        }
    }

    /// Lets an open worker rest, or wakes it. It can be picked if it neither rests nor is held back.
    pub(super) fn rest(&mut self, worker: WorkerId, rests: bool) {
        self.change(worker, |candidate| candidate.rests = rests);
    }

    /// The worker was given so much load.
    pub fn begin(&mut self, worker: WorkerId, load: Load) {
        if self.next_stamp == u32::MAX {
            self.renumber_stamps();
        }
        let stamp = self.next_stamp;
        self.next_stamp += 1;
        self.change(worker, |candidate| {
            candidate.load += load;
            candidate.stamp = stamp;
        });
    }

    /// The worker is done with so much load.
    pub fn end(&mut self, worker: WorkerId, load: Load) {
        self.change(worker, |candidate| candidate.load -= load);
    }

    fn change(&mut self, worker: WorkerId, change: impl FnOnce(&mut Candidate)) {
        let candidate = &mut self.workers[worker.index()];
        change(candidate);
        let cost = &mut self.costs[worker.index()];
        cost.cost = candidate.cost();
        let before = core::mem::replace(&mut cost.room, candidate.room());
        match (before == Load::ZERO, cost.room == Load::ZERO) {
            (true, false) => self.free += 1,
            (false, true) => self.free -= 1,
            (false, false) | (true, true) => {}
        }
    }

    fn weigh_scarcity(&mut self) {
        let mut holders = [0_u32; 64];
        for worker in &self.costs {
            worker.capabilities.bit_indices().for_each(|bit| holders[bit] += 1);
        }
        for (worker, cost) in self.workers.iter_mut().zip(&mut self.costs) {
            let scarcity: u32 = cost.capabilities.bit_indices().map(|bit| SOLE_HOLDER / holders[bit]).sum();
            worker.scarcity = scarcity.min(MOST_SCARCE);
            cost.cost = worker.cost();
        }
    }

    /// Every four thousand million picks: the same order in the smallest numbers.
    fn renumber_stamps(&mut self) {
        let mut by_age: Vec<usize> = (0..self.workers.len()).collect();
        by_age.sort_unstable_by_key(|&index| self.workers[index].stamp);
        self.next_stamp = 0;
        for index in by_age {
            self.workers[index].stamp = self.next_stamp;
            self.costs[index].cost = self.workers[index].cost();
            self.next_stamp += 1;
        }
    }
}

pub(super) fn worker_id(index: usize) -> WorkerId {
    WorkerId::new(u32::try_from(index).expect("a pool has at most PoolConfig::MAX_WORKERS workers"))
}

/// The relative load of a worker without room: it has 8 bits of the cost.
const FULLY_LOADED: u64 = 255;
/// What a capability costs that a single worker has.
const SOLE_HOLDER: u32 = 1 << 18;
/// Scarcity has 24 bits of the cost.
const MOST_SCARCE: u32 = (1 << 24) - 1;
/// More than any worker costs.
const NOBODY: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    const GPU: Capabilities = Capabilities::from_bits(1);
    const NET: Capabilities = Capabilities::from_bits(2);

    fn opened(capabilities: &[Capabilities]) -> Candidates {
        let mut candidates = Candidates::new(u32::try_from(capabilities.len()).unwrap());
        for (index, &of_worker) in capabilities.iter().enumerate() {
            candidates.open(worker_id(index), of_worker.into());
        }
        candidates
    }

    #[test]
    fn equal_workers_take_turns() {
        let mut candidates = opened(&[Capabilities::NONE; 5]);
        let mut picked = [0_u32; 5];
        for _ in 0..100 {
            let worker = candidates.pick(Capabilities::NONE, Load::ONE).unwrap();
            candidates.begin(worker, Load::ONE);
            candidates.end(worker, Load::ONE);
            picked[worker.index()] += 1;
        }
        assert_eq!(picked, [20; 5]);
    }

    #[test]
    fn the_rarer_capability_is_spared_though_the_other_worker_has_as_many() {
        // Three can reach the network, one has the GPU.
        let candidates = opened(&[GPU, NET, NET, NET]);
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), Some(worker_id(1)));
        assert_eq!(candidates.pick(GPU, Load::ONE), Some(worker_id(0)));
    }

    #[test]
    fn a_specialist_takes_common_work_when_nobody_else_is_free() {
        let mut candidates = opened(&[GPU, Capabilities::NONE]);
        candidates.begin(worker_id(1), Load::ONE);
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), Some(worker_id(0)));
        candidates.begin(worker_id(0), Load::ONE);
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), None);
    }

    #[test]
    fn turns_go_on_when_the_stamps_are_used_up() {
        let mut candidates = opened(&[Capabilities::NONE; 3]);
        candidates.next_stamp = u32::MAX - 1;
        let turns: Vec<usize> = (0..9)
            .map(|_| {
                let worker = candidates.pick(Capabilities::NONE, Load::ONE).unwrap();
                candidates.begin(worker, Load::ONE);
                candidates.end(worker, Load::ONE);
                worker.index()
            })
            .collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn closed_workers_are_not_picked_and_reopen_without_load() {
        let mut candidates = opened(&[Capabilities::NONE]);
        candidates.begin(worker_id(0), Load::ONE);
        candidates.close(worker_id(0));
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), None);
        candidates.open(worker_id(0), Offer::PLAIN);
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), Some(worker_id(0)));
    }

    #[test]
    fn the_least_loaded_is_the_one_with_the_smallest_share_of_its_capacity_in_use() {
        let mut candidates = Candidates::new(2);
        candidates.open(worker_id(0), Offer { capacity: Load::new(2), ..Offer::PLAIN });
        candidates.open(worker_id(1), Offer { capacity: Load::new(8), ..Offer::PLAIN });
        candidates.begin(worker_id(0), Load::ONE);
        candidates.begin(worker_id(1), Load::new(3));
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), Some(worker_id(1)));
        candidates.end(worker_id(0), Load::ONE);
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), Some(worker_id(0)));
        assert_eq!(candidates.pick(Capabilities::NONE, Load::new(5)), Some(worker_id(1)));
        assert_eq!(candidates.pick(Capabilities::NONE, Load::new(6)), None);
    }

    #[test]
    fn a_worker_that_is_held_back_is_passed_over() {
        let mut candidates = opened(&[Capabilities::NONE; 2]);
        candidates.hold_back(worker_id(0), true);
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), Some(worker_id(1)));
        candidates.hold_back(worker_id(0), false);
        assert_eq!(candidates.pick(Capabilities::NONE, Load::ONE), Some(worker_id(0)));
    }
}
