//! What tasks that are alike have in common, kept once for all of them.
//!
//! Thousands of tasks may wait, and nearly all of them were submitted with the same words. With those beside each task the table would
//! be several times as large as it is, and what is looked at once at the start and once at the end of each task would not fit into a
//! processor's cache.

use alloc::vec::Vec;

use super::TaskSpec;
use super::offer::Needs;

/// What a task's submitter said, and who may run the task now.
#[derive(Clone, Debug)]
struct Kind {
    spec: TaskSpec,
    needs: Needs,
    /// How many tasks are of this kind.
    tasks: u32,
}

/// Kinds by number. Tasks that are alike may be of several kinds: only the kinds that came last are compared.
#[derive(Clone, Debug)]
pub(super) struct Kinds {
    kinds: Vec<Kind>,
    free: Vec<u32>,
    /// Those that came last, round and round. They are kept though no task is of them.
    recent: [u32; RECENT],
    next: usize,
}

impl Kinds {
    pub(super) fn with_capacity(tasks: usize) -> Self {
        let (kinds, free) = (Vec::with_capacity(tasks + RECENT), Vec::with_capacity(tasks + RECENT));
        Self { kinds, free, recent: [NONE; RECENT], next: 0 }
    }

    #[inline]
    pub(super) fn spec(&self, kind: u32) -> &TaskSpec {
        &self.kinds[kind as usize].spec
    }

    #[inline]
    pub(super) fn needs(&self, kind: u32) -> &Needs {
        &self.kinds[kind as usize].needs
    }

    /// The kind of one more task.
    pub(super) fn enter(&mut self, spec: &TaskSpec, needs: &Needs) -> u32 {
        for kind in self.recent {
            if let Some(of) = self.kinds.get_mut(kind as usize)
                && of.spec == *spec
                && of.needs == *needs
            {
                of.tasks += 1;
                return kind;
            }
        }
        let fresh = Kind { spec: *spec, needs: *needs, tasks: 1 };
        let kind = match self.free.pop() {
            Some(kind) => {
                self.kinds[kind as usize] = fresh;
                kind
            }
            None => {
                self.kinds.push(fresh);
                // All of them may be free at once; an end of a task is no time to allocate.
                self.free.reserve(self.kinds.capacity());
                u32::try_from(self.kinds.len() - 1).expect("there are hardly more kinds than tasks")
            }
        };
        let forgotten = core::mem::replace(&mut self.recent[self.next], kind);
        self.next = (self.next + 1) % RECENT;
        if self.kinds.get(forgotten as usize).is_some_and(|of| of.tasks == 0) {
            self.free.push(forgotten);
        }
        kind
    }

    /// One more task is of a kind that a task has.
    pub(super) fn enter_again(&mut self, kind: u32) {
        self.kinds[kind as usize].tasks += 1;
    }

    /// A task is of this kind no more.
    pub(super) fn leave(&mut self, kind: u32) {
        let of = &mut self.kinds[kind as usize];
        of.tasks -= 1;
        if of.tasks == 0 && !self.recent.contains(&kind) {
            self.free.push(kind);
        }
    }
}

/// An app has a handful of kinds of tasks, and looking through so many costs less than one more.
const RECENT: usize = 4;
/// No kind.
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::super::PoolConfig;
    use super::*;
    use crate::ids::TaskType;

    fn spec(number: u32) -> TaskSpec {
        TaskSpec { task_type: TaskType::new(number), ..TaskSpec::default() }
    }

    fn enter(kinds: &mut Kinds, spec: &TaskSpec) -> u32 {
        kinds.enter(spec, &Needs::of(spec, &PoolConfig::default()))
    }

    #[test]
    fn tasks_that_are_alike_share_a_kind_also_where_they_alternate() {
        let mut kinds = Kinds::with_capacity(8);
        let of: Vec<u32> = (0..100).map(|task| enter(&mut kinds, &spec(task % 4))).collect();
        assert!((4..100).all(|task| of[task] == of[task - 4]));
        assert_eq!(kinds.kinds.len(), 4);
    }

    #[test]
    fn each_task_keeps_what_was_said_of_it_and_room_is_used_again() {
        let mut kinds = Kinds::with_capacity(8);
        let mut unsettled = alloc::collections::VecDeque::new();
        for task in 0..1_000 {
            let number = task * 7 % 50;
            unsettled.push_back((number, enter(&mut kinds, &spec(number))));
            if unsettled.len() > 10 {
                let (number, kind) = unsettled.pop_front().expect("it is not empty");
                assert_eq!(*kinds.spec(kind), spec(number));
                kinds.leave(kind);
            }
            assert!(unsettled.iter().all(|&(number, kind)| *kinds.spec(kind) == spec(number)));
        }
        assert!(kinds.kinds.len() <= 11 + RECENT, "{} kinds", kinds.kinds.len());
    }
}
