//! Books of the queue's bound: who is dropped, who waits outside, who is tried again, and what is told of it.

use quillwork_core::flow::retry::Jitter;
use quillwork_core::ids::TaskId;
use quillwork_core::pool::{Input, Output, Overflow};
use quillwork_core::time::Duration;

use crate::Broken;
use crate::entries::{Task, TaskState};
use crate::ledger::Ledger;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bound {
    pub(crate) retries: u64,
    /// The queue was said to be full.
    saturated: bool,
    /// The task that was submitted last.
    newest: Option<TaskId>,
    /// A task that was let in, until the next output tells whether it went straight to a worker.
    let_in: Option<TaskId>,
}

impl Bound {
    pub(crate) fn begin_submission(&mut self, task: TaskId) {
        self.newest = Some(task);
    }
}

impl Ledger {
    /// Tasks that wait outside a full queue.
    pub(crate) fn parked(&self) -> usize {
        self.tasks.values().filter(|task| task.parked).count()
    }

    /// A new task was refused for a full queue; the books know it no more.
    pub(crate) fn may_refuse(&self, id: TaskId, task: &Task, limit: u32) -> bool {
        let right_policy = match self.config.overflow {
            Overflow::Reject => true,
            Overflow::DropOldest => limit == 0,
            Overflow::DropLowestPriority => self.last_but(id).is_none_or(|(other_id, other)| {
                other.goes_before(other_id, (id, task), self.now, self.config.ageing)
            }),
            Overflow::Wait { .. } => false,
        };
        right_policy && limit == self.config.max_queued && self.inside_but(id) >= limit as usize
    }

    /// A new task was refused because too many wait outside.
    pub(crate) fn may_turn_away(&self, limit: u32) -> bool {
        self.config.overflow == Overflow::Wait { max_waiting: limit }
            && self.waiting() >= (self.config.max_queued + limit) as usize
    }

    /// A waiting task was dropped for the newest; the books know it no more.
    pub(crate) fn may_drop(&self, id: TaskId, task: &Task) -> bool {
        let Some(newest) = self.bound.newest else { return false };
        let submitted = matches!(self.last_input, Some(Input::Submit { task, .. }) if task == newest);
        // With the dropped one and without the new one.
        let full = self.inside_but(newest) + 1 >= self.config.max_queued as usize;
        let right_one = match self.config.overflow {
            Overflow::Reject | Overflow::Wait { .. } => false,
            Overflow::DropOldest => {
                let waiting = self.tasks.iter().filter(|(_, task)| task.is_waiting());
                waiting.map(|(&other, _)| other).all(|other| id < other)
            }
            Overflow::DropLowestPriority => {
                let mut waiting = self.tasks.iter().filter(|(_, task)| task.is_waiting());
                waiting.all(|(&other_id, other)| {
                    other.goes_before(other_id, (id, task), self.now, self.config.ageing)
                })
            }
        };
        submitted && id != newest && task.is_waiting() && full && right_one
    }

    pub(crate) fn on_parked(&mut self, id: TaskId) {
        let full = self.inside_but(id) >= self.config.max_queued as usize;
        let submitted = self.bound.newest == Some(id);
        match self.tasks.get_mut(&id) {
            Some(task) if full && submitted && task.is_waiting() && !task.parked => task.parked = true,
            Some(_) | None => self.broken(Broken::AdmittedWrongly(id)),
        }
    }

    pub(crate) fn on_admitted(&mut self, id: TaskId) {
        self.bound.let_in = Some(id);
        match self.tasks.get_mut(&id).filter(|task| task.parked) {
            Some(task) => task.parked = false,
            None => self.broken(Broken::AdmittedWrongly(id)),
        }
    }

    /// A task that was let in goes to a worker at once, or was the first of those outside.
    pub(crate) fn check_admission(&mut self, next: &Output) {
        let Some(id) = self.bound.let_in.take() else { return };
        if matches!(*next, Output::Dispatch { task, .. } if task == id) {
            return;
        }
        let (now, ageing) = (self.now, self.config.ageing);
        let in_turn = self.tasks.get(&id).is_some_and(|task| {
            let mut parked = self.tasks.iter().filter(|(_, other)| other.parked);
            parked.all(|(&other_id, other)| task.goes_before(id, (other_id, other), now, ageing))
        });
        if !in_turn {
            self.broken(Broken::AdmittedWrongly(id));
        }
    }

    pub(crate) fn on_retry(&mut self, id: TaskId, after: Duration) {
        self.bound.retries += 1;
        let allowed = self.must_settle.take() == Some(id)
            && self
                .tasks
                .get(&id)
                .is_some_and(|task| self.is_sound_delay(after, task.failures) && self.may_retry(task));
        if !allowed {
            self.broken(Broken::RetriedWrongly(id));
        }
        let until = self.now + after;
        if let Some(task) = self.tasks.get_mut(&id) {
            task.state = TaskState::Delayed { until };
        }
    }

    fn is_sound_delay(&self, after: Duration, failures: u32) -> bool {
        let backoff = self.config.retry_backoff;
        match backoff.jitter {
            Jitter::None => after == backoff.ceiling(failures),
            Jitter::Full => after <= backoff.ceiling(failures),
            Jitter::Decorrelated => (backoff.base..=backoff.cap).contains(&after),
        }
    }

    /// Whether a task that has just failed is to be tried again.
    pub(crate) fn may_retry(&self, task: &Task) -> bool {
        task.spec.redeliverable
            && !task.failed_for_good
            && task.failures < task.spec.max_attempts
            && self.delayed() < self.config.max_delayed as usize
    }

    /// Delays that are over have ended, at the latest when all that is due is done.
    pub(crate) fn end_delays(&mut self) {
        if self.last_input == Some(Input::Deadline) {
            let now = self.now;
            let step = self.steps();
            self.tasks.values_mut().for_each(|task| task.end_delay(now, step));
        }
    }

    pub(crate) fn on_saturated(&mut self, queued: u32) {
        self.end_delays();
        let full = queued >= self.config.max_queued && queued > 0 && queued as usize == self.inside();
        if core::mem::replace(&mut self.bound.saturated, true) || !full {
            self.broken(Broken::SignalledWrongly);
        }
    }

    pub(crate) fn on_drained(&mut self, queued: u32) {
        self.end_delays();
        let low = queued <= self.config.max_queued / 2 && queued as usize == self.inside();
        if !core::mem::replace(&mut self.bound.saturated, false) || !low {
            self.broken(Broken::SignalledWrongly);
        }
    }

    /// What must hold between two inputs.
    pub(crate) fn check_bound(&mut self) {
        if self.closed {
            return;
        }
        self.check_admission(&Output::Closed);
        let (inside, limit) = (self.inside(), self.config.max_queued as usize);
        let most_outside = self.most_outside() as usize;
        if self.parked() > most_outside || (self.parked() > 0 && inside < limit) {
            self.broken(Broken::LeftOutside);
        }
        let told = if self.bound.saturated { inside > limit / 2 } else { inside < limit || limit == 0 };
        if !told {
            self.broken(Broken::SignalledWrongly);
        }
    }

    /// How many tasks may wait outside.
    pub(crate) const fn most_outside(&self) -> u32 {
        match self.config.overflow {
            Overflow::Wait { max_waiting } => max_waiting,
            Overflow::Reject | Overflow::DropOldest | Overflow::DropLowestPriority => 0,
        }
    }

    /// Tasks that wait in the queue.
    fn inside(&self) -> usize {
        self.waiting() - self.parked()
    }

    fn inside_but(&self, id: TaskId) -> usize {
        let counts = |task: &Task| task.is_waiting() && !task.parked;
        self.tasks.iter().filter(|(other, task)| **other != id && counts(task)).count()
    }

    /// The task that goes after all others that wait.
    fn last_but(&self, id: TaskId) -> Option<(TaskId, &Task)> {
        let (now, ageing) = (self.now, self.config.ageing);
        let newest = self.bound.newest;
        let others = self
            .tasks
            .iter()
            .filter(|(other, task)| **other != id && Some(**other) != newest && task.is_waiting());
        let last = others.reduce(|last, next| {
            if last.1.goes_before(*last.0, (*next.0, next.1), now, ageing) { next } else { last }
        });
        last.map(|(&id, task)| (id, task))
    }
}
