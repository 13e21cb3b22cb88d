//! Tasks given ahead of their time.
//!
//! A tiny task costs more to hand over than to run: between its predecessor's end and its own start lies a way to the page
//! and back. So a worker that is full may be given further tasks, which start as soon as it has room, in the order in which
//! they came. They are bound early, which is only right as long as little can go wrong with it:
//!
//! * together they make at most [`PoolConfig::prefetch`](super::PoolConfig::prefetch) of measured run time, by the moving
//!   average of each task's type. Of a type that was never measured nobody knows that it is short;
//! * none waits behind a task that runs for longer than that, or that nobody knows, or that is being stopped;
//! * only tasks that can be taken back: one whose input moves with it, or that must not run twice, stays in the queue;
//! * none that a lost worker had, and none behind such a task. A worker may answer for several tasks at once, so that what
//!   seemed to run when it fell silent or crashed may have ended long before, and what seemed to wait may be what hangs. By
//!   itself each shows what it is, and the others lose no further execution to it;
//! * none of a type with a limit, which counts those that are at workers, and none while the pool is paused;
//! * in the order of the queue: where the next task may not be given ahead, none behind it is.
//!
//! A worker that has as many as it may have is given further ones when half of them are left: a message for each would cost more than
//! the tasks.

use crate::ids::TaskType;
use crate::time::{Duration, Instant};

use super::candidates::worker_id;
use super::held::{Held, Stage};
use super::offer::Needs;
use super::queue::Head;
use super::{Scheduler, Settlement, TaskSpec};

impl Scheduler {
    /// How long tasks of this type run, as measured; `None` where none was, or where nothing is measured because
    /// [`PoolConfig::prefetch`](super::PoolConfig::prefetch) is off.
    #[must_use]
    pub fn expected_run_time(&self, task_type: TaskType) -> Option<Duration> {
        self.run_times.expected(task_type)
    }

    /// Gives a worker whose circumstances have changed further tasks ahead of their time, where half of [`MOST_AHEAD`] are left.
    pub(super) fn prefetch_again(&mut self, now: Instant, index: usize) {
        if self.workers[index].held.waiting() <= MOST_AHEAD / 2 {
            self.prefetch(now, index);
        }
    }

    /// Gives a full worker tasks ahead of their time.
    fn prefetch(&mut self, now: Instant, index: usize) {
        while let Some(head) = self.next_ahead(now, index) {
            let slot = self.queue.take(head);
            if self.is_expired(now, slot) {
                self.deadlines.cancel(self.task_timer(slot));
                self.settle(slot, Settlement::Expired);
            } else {
                self.hand_over(now, slot, index, Stage::Waiting);
                self.prefetched += 1;
                self.weigh_candidate(index);
            }
        }
    }

    /// Lets the worker that would start it first take a task ahead that was just queued.
    pub(super) fn prefetch_somewhere(&mut self, now: Instant, slot: u32) {
        let Some(expected) = self.expected_run(slot) else { return };
        let task = self.tasks.task(slot);
        let needs = task.needs();
        if !task.spec().redeliverable || needs.gate.is_some() {
            return;
        }
        // Equals take turns: the search starts at another worker for each task.
        let workers = self.workers.len();
        let first =
            usize::try_from(self.next_sequence % workers as u64).expect("less than the number of workers");
        let able = (first..workers)
            .chain(0..first)
            .filter(|&index| self.may_take_ahead(now, index, expected, needs));
        let best = able.min_by_key(|&index| self.workers[index].held.ahead());
        if let Some(index) = best {
            self.prefetch(now, index);
        }
    }

    /// Whether some worker might take such a new task ahead, were it queued.
    pub(super) fn may_give_ahead(&self, now: Instant, spec: &TaskSpec, needs: &Needs) -> bool {
        spec.redeliverable
            && needs.gate.is_none()
            && self.expected_run_of(spec.task_type).is_some_and(|expected| {
                (0..self.workers.len()).any(|index| self.may_take_ahead(now, index, expected, needs))
            })
    }

    #[inline]
    fn may_take_ahead(&self, now: Instant, index: usize, expected: Duration, needs: &Needs) -> bool {
        self.has_time_for(now, index, expected)
            && !self.workers[index].rests()
            && self.workers[index].offer.is_some_and(|offer| needs.met_by(worker_id(index), &offer))
    }

    /// How long the task in this slot is expected to run; `None` where nothing is given ahead for its sake.
    #[inline]
    pub(super) fn expected_run(&self, slot: u32) -> Option<Duration> {
        let task = self.tasks.task(slot);
        if task.suspect { None } else { self.expected_run_of(task.spec().task_type) }
    }

    #[inline]
    fn expected_run_of(&self, task_type: TaskType) -> Option<Duration> {
        if self.config.prefetch.is_zero() { None } else { self.run_times.expected(task_type) }
    }

    /// A task was completed after this time.
    #[inline]
    pub(super) fn measure(&mut self, slot: u32, took: Duration) {
        if !self.config.prefetch.is_zero() {
            self.run_times.record(self.tasks.task(slot).spec().task_type, took);
        }
    }

    #[inline]
    fn next_ahead(&self, now: Instant, index: usize) -> Option<Head> {
        if self.queue.len() == 0
            || self.workers[index].rests()
            || !self.has_time_for(now, index, Duration::ZERO)
        {
            return None;
        }
        let offer = self.workers[index].offer?;
        let takes = |needs: &Needs, _, _| self.gates.admits(needs);
        let head = self.queue.heads_for(worker_id(index), &offer, offer.capacity, takes).fitting?;
        let place = &self.workers[index];
        if place.held.waiting() == 0 && self.tasks.task(head.entry.slot).needs().complexity <= place.room() {
            // It has just got the room, and starts the task itself when it looks at the queue.
            return None;
        }
        let expected = self.expected_run(head.entry.slot)?;
        let task = self.tasks.task(head.entry.slot);
        let may = task.spec().redeliverable
            && task.needs().gate.is_none()
            && self.has_time_for(now, index, expected);
        may.then_some(head)
    }

    /// Whether a worker may be given so much ahead.
    #[inline]
    fn has_time_for(&self, now: Instant, index: usize, expected: Duration) -> bool {
        let (place, horizon) = (&self.workers[index], self.config.prefetch);
        let short = |held: &Held| match held.stage {
            Stage::Started(at) => {
                !held.settled && held.expected.is_some_and(|run| run <= horizon) && now - at <= horizon
            }
            Stage::Waiting => true,
        };
        !horizon.is_zero()
            && self.pressure.may_prefetch()
            // One that runs nothing though tasks wait is held back.
            && place.is_busy()
            && place.reserved_for.is_none()
            && !place.is_leaving
            && place.held.waiting() < MOST_AHEAD
            && place.held.ahead() + expected <= horizon
            && place.held.started().all(short)
    }
}

/// However short they are: more tasks than this in one message save nothing more.
const MOST_AHEAD: u32 = 512;
