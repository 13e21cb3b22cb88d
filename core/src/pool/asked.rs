//! Choices that are made outside: the application's own strategy.
//!
//! A strategy that is not part of this crate can't be called in the middle of a decision. So it is asked as everything else is
//! asked: [`Output::AskStrategy`] says for which task, [`Scheduler::candidates_for`] whom it may choose from, and its answer is
//! an input like any other, recorded and replayed. Until then the task stands where nobody may take it, for
//! [`Binding::Asked::answer_within`] at most. What is late, stale or makes no sense changes nothing but a counter, and a
//! built-in strategy chooses instead.

use crate::ids::{Generation, TaskId, WorkerId};
use crate::time::{Duration, Instant};

use super::binding::Line;
use super::candidates::worker_id;
use super::offer::Needs;
use super::tasks::Standing;
use super::{Binding, Load, Offer, Scheduler};

/// A worker that a task may be given to, for whoever chooses outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrategyCandidate {
    /// The place.
    pub worker: WorkerId,
    /// Which of its workers: another one knows nothing of what the last one had in its caches.
    pub generation: Generation,
    /// What it offers.
    pub offer: Offer,
    /// What the tasks that it runs add up to.
    pub running: Load,
    /// The same with those that stand in its line.
    pub assigned: Load,
    /// The share of its runs that succeeded, recent ones counting most, in 0..=1; 1 for a new worker.
    pub success_ratio: f64,
    /// What a task of this type is expected to take on it.
    pub expected_run: Duration,
    /// What its tasks, running and in its line, typically take one after the other.
    pub backlog: Duration,
}

impl Scheduler {
    /// Whom a task may be given to that a strategy was asked for ([`Output::AskStrategy`](super::Output::AskStrategy)), in the
    /// order of their ids: workers that are up, neither rest nor are to be replaced, can run it, and that it neither bans nor keeps off. Nobody where
    /// the task waits for no answer. Allocates nothing.
    pub fn candidates_for(&self, now: Instant, task: TaskId) -> impl Iterator<Item = StrategyCandidate> {
        let slot = self.asked_slot(task);
        let (asked, needs) =
            (slot.map(|slot| self.tasks.task(slot)), slot.map(|slot| self.lasting_needs(slot)));
        let able = (0..self.workers.len())
            .filter(move |&index| needs.as_ref().is_some_and(|needs| self.is_candidate(index, needs)));
        able.filter_map(move |index| {
            let (place, task, worker) = (&self.workers[index], asked?, worker_id(index));
            let figures = self.binder.as_ref()?.figures(now, worker, task.spec().task_type)?;
            Some(StrategyCandidate {
                worker,
                generation: place.generation,
                offer: place.offer?,
                running: place.held.load(),
                assigned: figures.assigned,
                success_ratio: figures.success_ratio,
                expected_run: figures.expected_run,
                backlog: figures.backlog,
            })
        })
    }

    /// The strategy that was asked has answered: with a worker, or with `None` to leave the choice to the built-in one. An
    /// answer for a task that doesn't wait for one is counted as stale. A worker that is none of
    /// [`Scheduler::candidates_for`] is counted as invalid, and the built-in strategy chooses.
    pub fn handle_strategy_answer(&mut self, now: Instant, task: TaskId, worker: Option<WorkerId>) {
        let now = self.advance(now);
        let Some(slot) = self.asked_slot(task) else {
            self.counters.answers_stale += 1;
            return;
        };
        let needs = self.lasting_needs(slot);
        let valid =
            worker.filter(|of| of.index() < self.workers.len() && self.is_candidate(of.index(), &needs));
        self.counters.answers_invalid += u64::from(worker.is_some() && valid.is_none());
        self.end_wait_for_answer(now, slot, valid);
        self.conclude(now);
    }

    /// Whether a strategy outside is to choose for a task with these needs, which is about to be queued: where there is anybody
    /// to choose from, and a place in the queue to wait in.
    pub(super) fn asks_for(&self, needs: &Needs) -> bool {
        self.binder.as_ref().is_some()
            && matches!(self.config.binding, Binding::Asked { .. })
            && self.queued() < self.config.max_queued
            && (0..self.workers.len()).any(|index| self.is_candidate(index, needs))
    }

    /// No answer came in time.
    pub(super) fn on_answer_due(&mut self, now: Instant, slot: u32) {
        self.counters.answers_missing += 1;
        self.end_wait_for_answer(now, slot, None);
    }

    fn end_wait_for_answer(&mut self, now: Instant, slot: u32, chosen: Option<WorkerId>) {
        self.end_patience(slot);
        let asked = self.tasks.task(slot).needs();
        self.queue.remove(asked, slot);
        // The workers may be others than when it was asked for.
        let mut needs = self.lasting_needs(slot);
        match chosen {
            Some(of) => needs.line = Some(self.enter_line(now, slot, of)),
            None => needs = self.bound_needs(now, slot, needs),
        }
        self.queue_softened(slot, needs);
        self.begin_patience(now, slot);
    }

    fn enter_line(&mut self, now: Instant, slot: u32, of: WorkerId) -> Line {
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_given(now, self.tasks.task(slot), of);
        }
        Line { of, is_open: self.opens_at(slot, of) <= now }
    }

    /// The slot of a task that waits for an answer.
    fn asked_slot(&self, task: TaskId) -> Option<u32> {
        let slot = self.tasks.slot_of(task)?;
        let task = self.tasks.task(slot);
        (task.needs().asked && task.standing == Standing::Queued).then_some(slot)
    }

    fn is_candidate(&self, index: usize, needs: &Needs) -> bool {
        let (worker, place) = (worker_id(index), &self.workers[index]);
        place.stays() && !place.rests() && place.offer.is_some_and(|offer| needs.met_by(worker, &offer))
    }
}
