//! Which free worker gets a task.

use alloc::vec;
use alloc::vec::Vec;

use crate::ids::WorkerId;

use super::Capabilities;

/// The workers that may be chosen, in one compact array that is scanned whole.
///
/// Scanning all beats sampling two at the sizes of a page's pool (2 to 64 workers), in cost and in quality: with exact
/// knowledge nothing is gained by looking at less of it.
///
/// [`Candidates::pick`] chooses among the open workers that have what the task needs, in this order:
/// 1. the least loaded;
/// 2. the one whose capabilities are easiest to spare: common work doesn't occupy the only worker with a GPU while a plain
///    one is free. A capability counts the more, the fewer workers have it;
/// 3. the one that was picked longest ago, so that no place in the array is favoured.
///
/// ```
/// use quillwork_core::ids::WorkerId;
/// use quillwork_core::pool::{Candidates, Capabilities};
///
/// let gpu = Capabilities::from_bits(1);
/// let mut candidates = Candidates::new(2);
/// candidates.open(WorkerId::new(0), gpu);
/// candidates.open(WorkerId::new(1), Capabilities::NONE);
///
/// let plain = candidates.pick(Capabilities::NONE).expect("both are free");
/// assert_eq!(plain, WorkerId::new(1));
/// candidates.begin(plain);
/// assert_eq!(candidates.pick(gpu), Some(WorkerId::new(0)));
/// ```
#[derive(Clone, Debug)]
pub struct Candidates {
    /// What is scanned, by worker.
    costs: Vec<Cost>,
    workers: Vec<Candidate>,
    /// Workers that can be picked: nothing is scanned where there is none.
    free: u32,
    /// Stamped on a worker when it is picked.
    next_stamp: u32,
}

/// The three criteria in one number, the first in its highest bits, so that comparing is one instruction.
#[derive(Clone, Copy, Debug)]
struct Cost {
    capabilities: Capabilities,
    /// Unlike any other worker's, because of the stamp; [`TAKEN`] where the worker can't be picked.
    cost: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Candidate {
    open: bool,
    load: u8,
    scarcity: u32,
    stamp: u32,
}

impl Candidate {
    const fn cost(self) -> u64 {
        if !self.open || self.load >= CAPACITY {
            return TAKEN;
        }
        (self.load as u64) << 56 | (self.scarcity as u64) << 32 | self.stamp as u64
    }
}

impl Candidates {
    /// So many workers, all of them closed and of no known capability.
    #[must_use]
    pub fn new(workers: u32) -> Self {
        Self {
            costs: vec![Cost { capabilities: Capabilities::NONE, cost: TAKEN }; workers as usize],
            workers: (0..workers).map(|stamp| Candidate { stamp, ..Candidate::default() }).collect(),
            free: 0,
            next_stamp: workers,
        }
    }

    /// Chooses a free worker that has what is required.
    #[must_use]
    pub fn pick(&self, required: Capabilities) -> Option<WorkerId> {
        if self.free == 0 {
            return None;
        }
        let mut least = TAKEN;
        let mut best = 0;
        for (index, worker) in self.costs.iter().enumerate() {
            // Both by selection and not by branches, which could not be predicted.
            let cost = if worker.capabilities.contains(required) { worker.cost } else { TAKEN };
            best = if cost < least { index } else { best };
            least = least.min(cost);
        }
        (least != TAKEN).then(|| worker_id(best))
    }

    /// Lets the worker be picked, with these capabilities and no load.
    pub fn open(&mut self, worker: WorkerId, capabilities: Capabilities) {
        self.change(worker, |candidate| {
            candidate.open = true;
            candidate.load = 0;
        });
        self.set_capabilities(worker, capabilities);
    }

    /// Takes the worker out of the choice. Its capabilities still count for how scarce they are: it is expected back.
    pub fn close(&mut self, worker: WorkerId) {
        self.change(worker, |candidate| candidate.open = false);
    }

    /// Says what the worker can do from now on.
    pub fn set_capabilities(&mut self, worker: WorkerId, capabilities: Capabilities) {
        let known = &mut self.costs[worker.index()].capabilities;
        if *known != capabilities {
            *known = capabilities;
            self.weigh_scarcity();
        }
    }

    /// The worker was given a task.
    pub fn begin(&mut self, worker: WorkerId) {
        if self.next_stamp == u32::MAX {
            self.renumber_stamps();
        }
        let stamp = self.next_stamp;
        self.next_stamp += 1;
        self.change(worker, |candidate| {
            candidate.load += 1;
            candidate.stamp = stamp;
        });
    }

    /// The worker is done with a task.
    pub fn end(&mut self, worker: WorkerId) {
        self.change(worker, |candidate| candidate.load = candidate.load.saturating_sub(1));
    }

    fn change(&mut self, worker: WorkerId, change: impl FnOnce(&mut Candidate)) {
        let candidate = &mut self.workers[worker.index()];
        change(candidate);
        let cost = candidate.cost();
        let before = core::mem::replace(&mut self.costs[worker.index()].cost, cost);
        match (before == TAKEN, cost == TAKEN) {
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

/// How many tasks a worker holds at a time. More than one is prefetch: worth it for tiny tasks only.
const CAPACITY: u8 = 1;
/// What a capability costs that a single worker has.
const SOLE_HOLDER: u32 = 1 << 18;
/// Scarcity has 24 bits of the cost.
const MOST_SCARCE: u32 = (1 << 24) - 1;
/// The cost of a worker that can't be picked.
const TAKEN: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    const GPU: Capabilities = Capabilities::from_bits(1);
    const NET: Capabilities = Capabilities::from_bits(2);

    fn opened(capabilities: &[Capabilities]) -> Candidates {
        let mut candidates = Candidates::new(u32::try_from(capabilities.len()).unwrap());
        for (index, &of_worker) in capabilities.iter().enumerate() {
            candidates.open(worker_id(index), of_worker);
        }
        candidates
    }

    #[test]
    fn equal_workers_take_turns() {
        let mut candidates = opened(&[Capabilities::NONE; 5]);
        let mut picked = [0_u32; 5];
        for _ in 0..100 {
            let worker = candidates.pick(Capabilities::NONE).unwrap();
            candidates.begin(worker);
            candidates.end(worker);
            picked[worker.index()] += 1;
        }
        assert_eq!(picked, [20; 5]);
    }

    #[test]
    fn the_rarer_capability_is_spared_though_the_other_worker_has_as_many() {
        // Three can reach the network, one has the GPU.
        let candidates = opened(&[GPU, NET, NET, NET]);
        assert_eq!(candidates.pick(Capabilities::NONE), Some(worker_id(1)));
        assert_eq!(candidates.pick(GPU), Some(worker_id(0)));
    }

    #[test]
    fn a_specialist_takes_common_work_when_nobody_else_is_free() {
        let mut candidates = opened(&[GPU, Capabilities::NONE]);
        candidates.begin(worker_id(1));
        assert_eq!(candidates.pick(Capabilities::NONE), Some(worker_id(0)));
        candidates.begin(worker_id(0));
        assert_eq!(candidates.pick(Capabilities::NONE), None);
    }

    #[test]
    fn turns_go_on_when_the_stamps_are_used_up() {
        let mut candidates = opened(&[Capabilities::NONE; 3]);
        candidates.next_stamp = u32::MAX - 1;
        let turns: Vec<usize> = (0..9)
            .map(|_| {
                let worker = candidates.pick(Capabilities::NONE).unwrap();
                candidates.begin(worker);
                candidates.end(worker);
                worker.index()
            })
            .collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn closed_workers_are_not_picked_and_reopen_without_load() {
        let mut candidates = opened(&[Capabilities::NONE]);
        candidates.begin(worker_id(0));
        candidates.close(worker_id(0));
        assert_eq!(candidates.pick(Capabilities::NONE), None);
        candidates.open(worker_id(0), Capabilities::NONE);
        assert_eq!(candidates.pick(Capabilities::NONE), Some(worker_id(0)));
    }
}
