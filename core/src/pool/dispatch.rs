//! From the queue to the workers.
//!
//! Between inputs this holds: **no queued task could be run by a free worker**, free meaning that it has room for the task
//! and doesn't keep it for one that goes before (see [`super::reserve`]). So an arriving task is compared with the free
//! workers only, a freed worker with the queue only, and nothing else is ever searched.

use crate::ids::{TaskId, WorkerId};
use crate::time::Instant;

use super::candidates::worker_id;
use super::held::{Held, Stage};
use super::offer::Needs;
use super::queue::rank;
use super::scheduler::Closing;
use super::tasks::{Standing, Task, Turn};
use super::{Output, Refusal, Scheduler, Settlement, TaskSpec};

impl Scheduler {
    /// A new task: dispatched, queued or refused.
    pub(super) fn admit(&mut self, now: Instant, id: TaskId, spec: &TaskSpec) {
        if self.closing != Closing::Open {
            return self.emit_settlement(id, Settlement::Refused(Refusal::Closing));
        }
        if let Some(refusal) = self.sheds(spec.priority) {
            return self.emit_settlement(id, Settlement::Refused(refusal));
        }
        let turn = Turn { rank: rank(now, spec.priority, self.config.ageing), sequence: self.next_sequence };
        self.next_sequence += 1;
        let needs = Needs::of(spec, &self.config);
        let slot = self.tasks.insert(Task::new(id, turn, now, spec.avoid), spec, &needs);
        self.choose_lane(now, slot);
        if self.place_with_free_worker(now, slot) {
            return;
        }
        if let Some(refusal) = self.unservable(self.tasks.task(slot).needs()) {
            self.settle(slot, Settlement::Refused(refusal));
        } else {
            self.enqueue_new(now, slot);
            if self.tasks.get(slot).is_some_and(|task| task.standing == Standing::Queued) {
                self.prefetch_somewhere(now, slot);
            }
        }
    }

    /// Puts a task that was admitted before back to its turn in the queue. It is refused where nobody can run it any more.
    pub(super) fn queue_again(&mut self, now: Instant, slot: u32) {
        if let Some(refusal) = self.unservable(self.tasks.task(slot).needs()) {
            return self.settle(slot, Settlement::Refused(refusal));
        }
        self.choose_lane(now, slot);
        self.enqueue(now, slot);
    }

    /// Lets workers that have room for a queued task look at the queue until one takes it, or what goes before it has used
    /// up their room.
    pub(super) fn offer_queued(&mut self, now: Instant, slot: u32) {
        let waits = |this: &Self| {
            let task = this.tasks.get(slot);
            task.is_some_and(|task| {
                matches!(task.standing, Standing::Queued | Standing::Reserved { .. })
                    && this.gates.admits(task.needs())
            })
        };
        // Under a limit all workers look at the queue at the end of this input, in its order.
        if self.pressure.worker_limit().is_some() || !waits(self) {
            return;
        }
        while waits(self)
            && let Some(worker) = self.pick_free(slot)
        {
            let reservations = self.reservations;
            let takes_some = self.feed(now, worker.index());
            if !takes_some && self.reservations == reservations && self.left_until.is_some() {
                // It leaves to others what waits.
                break;
            }
        }
        for index in 0..self.workers.len() {
            if waits(self) && self.may_go_before_reservation(index, slot) {
                self.feed(now, index);
            }
        }
    }

    /// Gives a task that is in no queue to a free worker; `false` where there is none for it.
    fn place_with_free_worker(&mut self, now: Instant, slot: u32) -> bool {
        let needs = self.tasks.task(slot).needs();
        if needs.asked || !self.gates.admits(needs) {
            return false;
        }
        if self.pressure.worker_limit().is_some() {
            return self.place_under_limit(now, slot);
        }
        if self.queue.has_large() || self.reservations > 0 || self.left_until.is_some() {
            return self.place_in_turn(now, slot);
        }
        let Some(worker) = self.pick_free(slot) else { return false };
        if let Some(until) = self.leaves(now, worker.index(), slot, 1) {
            self.left_until = Some(until);
            return false;
        }
        self.dispatch(now, slot, worker.index());
        true
    }

    /// The free worker that suits the task best.
    #[inline]
    pub(super) fn pick_free(&self, slot: u32) -> Option<WorkerId> {
        let task = self.tasks.task(slot);
        if task.is_particular() {
            return self.pick_preferred(slot);
        }
        let needs = task.needs();
        match self.speeds.classes(task.spec().task_type) {
            None => self.candidates.pick(needs.required, needs.complexity),
            Some(classes) => {
                self.candidates.pick_fastest(needs.required, needs.complexity, |worker| classes.of(worker))
            }
        }
    }

    /// Gives a worker that may have become free the next tasks that it can run; `false` where it takes none.
    pub(super) fn feed(&mut self, now: Instant, index: usize) -> bool {
        // Under a limit that is a matter of all workers together: see [`Scheduler::feed_all`].
        if self.pressure.worker_limit().is_some() {
            return false;
        }
        let takes_some = self.feed_one(now, index);
        while takes_some && self.feed_one(now, index) {}
        self.prefetch_again(now, index);
        takes_some
    }

    /// Gives a worker the next task that it can run; `false` where it takes none.
    pub(super) fn feed_one(&mut self, now: Instant, index: usize) -> bool {
        let Some(slot) = self.next_for(now, index) else { return false };
        if self.is_expired(now, slot) {
            self.deadlines.cancel(self.task_timer(slot));
            self.settle(slot, Settlement::Expired);
        } else {
            self.dispatch(now, slot, index);
        }
        true
    }

    /// Whether a task has waited for too long that its timer has not ended yet. One that has only just come has not waited.
    #[inline]
    pub(super) fn is_expired(&self, now: Instant, slot: u32) -> bool {
        let expires_at = self.deadlines.at(self.task_timer(slot));
        expires_at.is_some_and(|at| at <= now) && self.tasks.task(slot).queued_at < now
    }

    /// Gives a task to a worker that has room for it: it starts at once.
    fn dispatch(&mut self, now: Instant, slot: u32, index: usize) {
        self.counters.stolen += u64::from(self.is_theft(slot, index));
        self.hand_over(now, slot, index, Stage::Started(now));
        self.candidates.begin(worker_id(index), self.tasks.task(slot).needs().complexity);
        self.on_started(now, slot);
    }

    /// Gives a task to a worker, to be started now or once it has room.
    pub(super) fn hand_over(&mut self, now: Instant, slot: u32, index: usize, stage: Stage) {
        self.let_in(slot);
        self.enter_gate(slot);
        let worker = worker_id(index);
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_given(now, self.tasks.task(slot), worker);
        }
        self.tasks.task_mut(slot).standing = Standing::Held { worker: worker.get() };
        let entry = self.tasks.task(slot);
        let (task, attempt, load) = (entry.id, entry.attempts + 1, entry.needs().complexity);
        let expected = self.expected_run(slot);
        let place = &mut self.workers[index];
        let generation = place.generation;
        place.hold(Held {
            task,
            slot,
            load,
            expected,
            stage,
            settled: false,
            asked_back: false,
            thief: None,
        });
        self.outputs.push_back(Output::Dispatch { task, worker, generation, attempt });
    }

    /// An execution starts.
    #[inline]
    pub(super) fn on_started(&mut self, now: Instant, slot: u32) {
        self.end_patience(slot);
        let task = self.tasks.task_mut(slot);
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_started(now, task.id);
        }
        task.attempts += 1;
        let task = self.tasks.task(slot);
        if task.attempts == 1 {
            self.statistics.on_started(now, task.spec().task_type, now - task.submitted_at);
        }
        let (timeout, timer) = (task.spec().timeout, self.task_timer(slot));
        // Also where it has none: that of the queue is over.
        self.deadlines.set(timer, timeout.map_or(Instant::NEVER, |timeout| now + timeout));
    }

    pub(super) fn enqueue(&mut self, now: Instant, slot: u32) {
        let task = self.tasks.task_mut(slot);
        task.standing = Standing::Queued;
        task.queued_at = now;
        let task = self.tasks.task(slot);
        let ttl = task.spec().queue_ttl;
        self.queue.push(task.needs(), task.turn.entry(slot));
        self.begin_patience(now, slot);
        self.note_waiting(slot);
        if let Some(ttl) = ttl {
            let timer = self.task_timer(slot);
            self.deadlines.set(timer, now + ttl);
        }
    }

    /// Takes a task out of the queue, or out of its delay, for good.
    pub(super) fn unqueue(&mut self, slot: u32) {
        let task = self.tasks.task(slot);
        match task.standing {
            Standing::Queued => self.queue.remove(task.needs(), slot),
            Standing::Reserved { worker } => self.cancel_reservation(worker as usize),
            Standing::Delayed => self.delayed -= 1,
            Standing::Held { .. } => unreachable!("a held task is in no queue"),
        }
        self.excess.remove(slot);
        self.end_patience(slot);
        let timer = self.task_timer(slot);
        self.deadlines.cancel(timer);
    }

    /// Tasks that wait.
    pub(super) fn queued(&self) -> u32 {
        self.queue.len() + self.reservations
    }
}
