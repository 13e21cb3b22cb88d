//! The central queue: priority with ageing, first in first out inside a level, and no head-of-line blocking.
//!
//! Ageing is linear and the same for all, so the order of two waiting tasks never changes: a task of priority `p` that came
//! at time `t` stands where a task of the highest priority would that came at `t + (10 - p) * ageing`. That sum is its
//! *rank*, computed once; the smallest goes first. No re-sorting, and no task waits behind more than those whose rank is
//! smaller, of which only finitely many can still come.
//!
//! Tasks with the same needs share a *lane*. A worker takes the first of the heads of the lanes that it
//! can serve, so a task that nobody can run now holds up nobody, and keeps its own turn. What a worker costs is one look
//! at each lane in use and at most one step down a heap, however many tasks wait.

use alloc::vec::Vec;

use crate::ids::WorkerId;
use crate::indexed_heap::{Entry, Places};
use crate::time::{Duration, Instant};

use super::offer::Needs;
use super::scheduler::small;
use super::turns::Turns;
use super::{Load, Offer, Priority};

/// The rank of a task that comes now.
pub(super) fn rank(now: Instant, priority: Priority, ageing: Duration) -> u64 {
    let levels_below = u64::from(Priority::HIGHEST.level() - priority.level());
    (now + ageing * levels_below).as_nanos()
}

#[derive(Clone, Debug, Default)]
pub(super) struct TaskQueue {
    /// Each lane begins with room for so many tasks.
    capacity: usize,
    /// How many lanes are kept for their memory once they are empty.
    kept: usize,
    lanes: Vec<Lane>,
    /// For lanes to come.
    spare: Vec<Turns>,
    places: Places,
    counts: Counts,
}

/// How many tasks wait.
#[derive(Clone, Debug, Default)]
struct Counts {
    all: u32,
    /// How many of them may have to wait for room: see [`Needs::is_large`].
    large: u32,
    /// How many of them no limit of workers holds back.
    urgent: u32,
    /// How many of them would rather wait than have anybody: see [`Needs::is_choosy`].
    choosy: u32,
    /// How many of them are of a type with a limit.
    gated: u32,
}

#[derive(Clone, Debug)]
struct Lane {
    needs: Needs,
    turns: Turns,
}

/// The first task of a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) entry: Entry,
    lane: usize,
}

/// The next tasks for a worker.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heads {
    /// The first that it has room for.
    pub(super) fitting: Option<Head>,
    /// The first that it could run, but has no room for now.
    pub(super) blocked: Option<Head>,
    /// The first that it has room for and may take from another's line. The others are its own or nobody's.
    pub(super) stolen: Option<Head>,
}

impl TaskQueue {
    /// With room for so many tasks, and for lines of so many workers.
    pub(super) fn with_capacity(tasks: usize, lines: usize) -> Self {
        let kept = LANES_KEPT + LANES_OF_LINE * lines;
        let (lanes, places) = (Vec::with_capacity(kept), Places::with_capacity(tasks));
        let spare = (0..LANES_OF_LINE * lines).map(|_| Turns::with_capacity(tasks)).collect();
        Self { capacity: tasks, kept, lanes, spare, places, ..Self::default() }
    }

    pub(super) fn len(&self) -> u32 {
        self.counts.all
    }

    /// Whether a task waits that may need more room than a worker has that has some.
    pub(super) fn has_large(&self) -> bool {
        self.counts.large > 0
    }

    /// How many tasks wait that no limit of workers holds back.
    pub(super) fn urgent(&self) -> u32 {
        self.counts.urgent
    }

    /// How many tasks wait that would rather do so than have anybody.
    pub(super) fn choosy(&self) -> u32 {
        self.counts.choosy
    }

    /// How many tasks wait of types with a limit.
    pub(super) fn gated(&self) -> u32 {
        self.counts.gated
    }

    /// How many tasks wait whose needs are such.
    pub(super) fn count_where(&self, matches: impl Fn(&Needs) -> bool) -> u32 {
        self.sum_where(matches, |_, waiting| waiting)
    }

    /// What the lanes of such needs come to, each by what waits in it.
    pub(super) fn sum_where(
        &self,
        matches: impl Fn(&Needs) -> bool,
        of_lane: impl Fn(&Needs, u32) -> u32,
    ) -> u32 {
        let lanes = self.lanes.iter().filter(|lane| !lane.turns.is_empty() && matches(&lane.needs));
        lanes.map(|lane| of_lane(&lane.needs, small(lane.turns.len()))).sum()
    }

    /// Of the first tasks of the lanes of such needs, the first that goes behind this one.
    pub(super) fn first_behind(
        &self,
        last: Option<Entry>,
        matches: impl Fn(&Needs) -> bool,
    ) -> Option<Entry> {
        let lanes = self.lanes.iter().filter(|lane| matches(&lane.needs));
        let heads = lanes.filter_map(|lane| lane.turns.peek());
        heads.filter(|&entry| last.is_none_or(|last| entry > last)).min()
    }

    #[inline]
    pub(super) fn push(&mut self, needs: &Needs, entry: Entry) {
        let lane = self.lane_for(needs);
        self.push_into(lane, entry);
    }

    /// As [`TaskQueue::push`], of the needs of this lane, which was in use since it was found or was just found.
    #[inline]
    pub(super) fn push_into(&mut self, lane: usize, entry: Entry) {
        let Lane { needs, turns } = &mut self.lanes[lane];
        turns.push(&mut self.places, entry);
        self.counts.change(needs, 1);
    }

    /// Takes the task out, wherever it stands.
    pub(super) fn remove(&mut self, needs: &Needs, slot: u32) {
        let lane = self.lanes.iter_mut().find(|lane| lane.needs == *needs);
        let lane = lane.expect("a queued task is in the lane of its needs");
        lane.turns.remove(&mut self.places, slot);
        self.counts.change(needs, -1);
    }

    /// Takes the head of a lane, which nothing was done to the queue since it was found.
    #[inline]
    pub(super) fn take(&mut self, head: Head) -> u32 {
        let Lane { needs, turns } = &mut self.lanes[head.lane];
        let entry = turns.pop(&mut self.places).expect("the lane had a head");
        debug_assert_eq!(entry, head.entry, "the queue has not changed");
        self.counts.change(needs, -1);
        entry.slot
    }

    /// The next tasks for a worker with so much room, of the lanes of which it takes some now; it is told their needs, their
    /// first task, and how many there are.
    #[inline]
    pub(super) fn heads_for(
        &self,
        worker: WorkerId,
        offer: &Offer,
        room: Load,
        mut takes: impl FnMut(&Needs, Entry, u32) -> bool,
    ) -> Heads {
        let mut heads = Heads::default();
        for (index, lane) in self.lanes.iter().enumerate() {
            let Some(entry) = lane.turns.peek() else { continue };
            if !lane.needs.met_by(worker, offer) || !takes(&lane.needs, entry, small(lane.turns.len())) {
                continue;
            }
            let fits = lane.needs.complexity <= room;
            let is_own = lane.needs.line.is_none_or(|line| line.of == worker);
            let first = match (fits, is_own) {
                (true, true) => &mut heads.fitting,
                (false, true) => &mut heads.blocked,
                (true, false) => &mut heads.stolen,
                (false, false) => continue,
            };
            if first.is_none_or(|best| entry < best.entry) {
                *first = Some(Head { entry, lane: index });
            }
        }
        heads
    }

    /// Takes the next task of the first lane for which this holds: how lanes that can't be served any more are emptied.
    pub(super) fn pop_where(&mut self, mut unservable: impl FnMut(&Needs) -> bool) -> Option<u32> {
        let lane = self.lanes.iter().position(|lane| !lane.turns.is_empty() && unservable(&lane.needs))?;
        let entry = self.lanes[lane].turns.peek()?;
        Some(self.take(Head { entry, lane }))
    }

    /// Takes the next task, whoever could run it.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let heads = self.lanes.iter().enumerate();
        let heads = heads.filter_map(|(lane, of)| of.turns.peek().map(|entry| Head { entry, lane }));
        let first = heads.min_by_key(|head| head.entry)?;
        Some(self.take(first))
    }

    /// The lane of such needs.
    pub(super) fn lane_for(&mut self, needs: &Needs) -> usize {
        if let Some(lane) = self.lanes.iter().position(|lane| lane.needs == *needs) {
            return lane;
        }
        // An empty lane is kept for its memory. Once there are many, the next new needs take one over.
        if self.lanes.len() >= self.kept.max(LANES_KEPT)
            && let Some(empty) = self.lanes.iter().position(|lane| lane.turns.is_empty())
        {
            self.lanes[empty].needs = *needs;
            return empty;
        }
        let turns = self.spare.pop().unwrap_or_else(|| Turns::with_capacity(self.capacity));
        self.lanes.push(Lane { needs: *needs, turns });
        self.lanes.len() - 1
    }
}

impl Counts {
    #[inline]
    fn change(&mut self, needs: &Needs, by: i32) {
        self.all = self.all.saturating_add_signed(by);
        if needs.is_large() {
            self.large = self.large.saturating_add_signed(by);
        }
        if needs.urgent {
            self.urgent = self.urgent.saturating_add_signed(by);
        }
        if needs.is_choosy() {
            self.choosy = self.choosy.saturating_add_signed(by);
        }
        if needs.gate.is_some() {
            self.gated = self.gated.saturating_add_signed(by);
        }
    }
}

/// Apps use a handful of different needs; scanning so many lanes costs nothing.
const LANES_KEPT: usize = 16;
/// What stands in a worker's line has a lane for each of its needs, and another once it is open to all.
const LANES_OF_LINE: usize = 8;

#[cfg(test)]
mod tests {
    use crate::rng::Rng;

    use super::super::{Capabilities, PoolConfig, TaskSpec};
    use super::*;

    fn steps(queue: &TaskQueue) -> u64 {
        queue.lanes.iter().map(|lane| lane.turns.steps()).sum()
    }

    /// The most steps that one of many operations took on a queue of about so many tasks in three lanes.
    fn dearest_operation(tasks: u32) -> u64 {
        let mut rng = Rng::from_seed(tasks.into());
        let needs_of = |slot: u32| Needs {
            required: Capabilities::from_bits(u64::from(slot % 3)),
            ..Needs::of(&TaskSpec::default(), &PoolConfig::default())
        };
        let mut queue = TaskQueue::default();
        let random =
            |rng: &mut Rng, slot: u32| Entry { key: 1 + rng.below(1 << 40), sequence: slot.into(), slot };
        for slot in 0..tasks {
            queue.push(&needs_of(slot), random(&mut rng, slot));
        }
        let mut dearest = 0;
        let mut measure = |queue: &mut TaskQueue, operation: &mut dyn FnMut(&mut TaskQueue)| {
            let before = steps(queue);
            operation(queue);
            dearest = dearest.max(steps(queue) - before);
        };
        let all = Offer::from(Capabilities::from_bits(3));
        for round in 0..500 {
            measure(&mut queue, &mut |queue| {
                let heads = queue.heads_for(WorkerId::new(0), &all, Load::ONE, |_, _, _| true);
                let slot = queue.take(heads.fitting.expect("it is far from empty"));
                // The same slot comes back: as the first of all, whose way up is the longest, or anywhere.
                let entry = random(&mut rng, slot);
                let key = if round % 2 == 0 { 0 } else { entry.key };
                queue.push(&needs_of(slot), Entry { key, ..entry });
            });
            let slot = u32::try_from(rng.below(tasks.into())).expect("it was one");
            measure(&mut queue, &mut |queue| queue.remove(&needs_of(slot), slot));
            let entry = random(&mut rng, slot);
            measure(&mut queue, &mut |queue| queue.push(&needs_of(slot), entry));
        }
        assert_eq!(queue.len(), tasks);
        dearest
    }

    #[test]
    fn a_queue_of_a_million_tasks_takes_a_logarithmic_number_of_steps() {
        for tasks in [1_000_u32, 10_000, 100_000, 1_000_000] {
            let levels = u64::from(tasks.ilog2()) + 1;
            // Down: two comparisons and a move for each level. Up again, in the pair of a take and a push: one of each.
            let most = 5 * levels + 5;
            let dearest = dearest_operation(tasks);
            assert!(dearest <= most, "{dearest} steps with {tasks} tasks, at most {most}");
            assert!(dearest > levels, "it was to look at every level: {dearest}");
        }
    }
}
