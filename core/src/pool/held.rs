//! What a worker has been given and has not reported on.

use alloc::collections::VecDeque;

use crate::ids::{Generation, TaskId, WorkerId};
use crate::time::{Duration, Instant};

use super::Load;

/// One task at a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) task: TaskId,
    /// Its slot in the table of tasks, which it keeps until the worker lets go of it.
    pub(super) slot: u32,
    pub(super) load: Load,
    /// How long it is expected to run; `None` where nobody knows.
    pub(super) expected: Option<Duration>,
    pub(super) stage: Stage,
    /// Its promise is settled: the worker was asked to stop it and has not said that it did.
    pub(super) settled: bool,
    /// Its worker was asked to give it back, and may still do so.
    pub(super) asked_back: bool,
    /// Who stays idle for it to be given back.
    pub(super) thief: Option<(WorkerId, Generation)>,
}

/// How far a task has come at its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It was given ahead of its time, and starts once there is room for it.
    Waiting,
    /// It runs since then, and its load counts.
    Started(Instant),
}

impl Held {
    pub(super) fn runs(&self) -> bool {
        matches!(self.stage, Stage::Started(_)) && !self.settled
    }

    /// Whether it has not started and is not settled.
    pub(super) fn waits(&self) -> bool {
        self.stage == Stage::Waiting && !self.settled
    }

    /// Whether it could be asked back.
    pub(super) fn is_stealable(&self) -> bool {
        self.waits() && !self.asked_back
    }
}

/// The tasks of a worker in the order in which they were given, which is the order in which they start: those that have
/// started, then those that wait. The sums are kept as tasks come and go, so that none of them is looked at twice.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldTasks {
    tasks: VecDeque<Held>,
    /// What those that have started add up to.
    load: Load,
    /// How many of them wait.
    waiting: u32,
    /// How many could be asked back, and how long they are expected to run one after the other.
    stealable: u32,
    ahead: Duration,
}

impl HeldTasks {
    pub(super) fn with_capacity(tasks: usize) -> Self {
        Self { tasks: VecDeque::with_capacity(tasks), ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// What those that have started add up to.
    pub(super) fn load(&self) -> Load {
        self.load
    }

    /// How many have been given ahead of their time and wait.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// How many could be asked back.
    pub(super) fn stealable(&self) -> u32 {
        self.stealable
    }

    /// How long those that could be asked back are expected to run, one after the other.
    pub(super) fn ahead(&self) -> Duration {
        self.ahead
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Held> + ExactSizeIterator {
        self.tasks.iter()
    }

    #[inline]
    pub(super) fn started(&self) -> impl Iterator<Item = &Held> {
        self.tasks.iter().take(self.tasks.len() - self.waiting as usize)
    }

    pub(super) fn at(&self, position: usize) -> &Held {
        &self.tasks[position]
    }

    /// Where the first of this id stands.
    #[inline]
    pub(super) fn position_of(&self, task: TaskId) -> Option<usize> {
        self.tasks.iter().position(|held| held.task == task)
    }

    /// Where the task in this slot stands.
    pub(super) fn position_of_slot(&self, slot: u32) -> usize {
        self.tasks.iter().position(|held| held.slot == slot).expect("a held task is at its worker")
    }

    #[inline]
    pub(super) fn push(&mut self, held: Held) {
        self.add(held);
        self.tasks.push_back(held);
    }

    #[inline]
    pub(super) fn remove(&mut self, position: usize) -> Held {
        let held = self.tasks.remove(position).expect("the position was just found");
        self.subtract(held);
        held
    }

    pub(super) fn change(&mut self, position: usize, change: impl FnOnce(&mut Held)) -> Held {
        self.subtract(self.tasks[position]);
        change(&mut self.tasks[position]);
        let changed = self.tasks[position];
        self.add(changed);
        changed
    }

    /// The position of the task that starts next, where one waits.
    pub(super) fn next_to_start(&self) -> Option<usize> {
        (self.waiting > 0).then(|| self.tasks.len() - self.waiting as usize)
    }

    /// Puts them into another order, for when none of them will start any more.
    pub(super) fn sort_by_key<K: Ord>(&mut self, key: impl FnMut(&Held) -> K) {
        self.tasks.make_contiguous().sort_unstable_by_key(key);
    }

    pub(super) fn pop_first(&mut self) -> Option<Held> {
        (!self.is_empty()).then(|| self.remove(0))
    }

    #[inline]
    fn add(&mut self, held: Held) {
        match held.stage {
            Stage::Started(_) => self.load += held.load,
            Stage::Waiting => self.waiting += 1,
        }
        if held.is_stealable() {
            self.stealable += 1;
            self.ahead += held.expected.unwrap_or_default();
        }
    }

    #[inline]
    fn subtract(&mut self, held: Held) {
        match held.stage {
            Stage::Started(_) => self.load -= held.load,
            Stage::Waiting => self.waiting -= 1,
        }
        if held.is_stealable() {
            self.stealable -= 1;
            self.ahead = self.ahead - held.expected.unwrap_or_default();
        }
    }
}
