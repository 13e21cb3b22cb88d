//! Books of who may run a task and who must: bans, workers that it failed on, and workers that it waits for.
//!
//! Where the scheduler has settled for less, because the last worker of the better ones went, it needn't become choosy again
//! when another comes. So there are two questions with a margin between them: whether a worker *must not* be given a task,
//! and whether it *must* take it.

use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{Binding, Input, Offer, Scheduler, WorkerList};
use quillwork_core::time::{Duration, Instant};

use crate::Broken;
use crate::entries::{Place, PlaceState, Task, TaskState, Up};
use crate::ledger::Ledger;

impl Task {
    /// A worker failed it.
    pub(crate) fn note_failure(&mut self, worker: WorkerId) {
        self.failures += 1;
        self.failed_on.retain(|&failed_on| failed_on != worker);
        self.failed_on.push(worker);
        if self.failed_on.len() > WorkerList::MOST {
            self.failed_on.remove(0);
        }
    }

    fn prefers(&self, worker: WorkerId, offer: &Offer) -> bool {
        self.spec.affinity.contains(worker) || self.spec.region.is_some() && offer.region == self.spec.region
    }

    fn waiting_since(&self) -> Option<Instant> {
        match self.state {
            TaskState::Waiting { since } | TaskState::Ahead { since } => Some(since),
            TaskState::Delayed { .. } | TaskState::Running { .. } => None,
        }
    }

    /// Whether it may be waiting for the workers that it prefers.
    fn is_patient(&self) -> bool {
        !self.patience_over && !self.spec.patience.is_zero() && self.has_preference()
    }

    fn has_preference(&self) -> bool {
        !self.spec.affinity.is_empty() || self.spec.region.is_some()
    }

    /// Whether it has failed on this worker and another of these is a better one.
    fn avoids(&self, worker: WorkerId, mut others: impl Iterator<Item = WorkerId> + Clone) -> bool {
        let others_than_last = || Some(worker) == self.failed_on.last().copied();
        self.failed_on.contains(&worker)
            && (others.clone().any(|other| !self.failed_on.contains(&other))
                || others_than_last() && others.any(|other| other != worker))
    }
}

impl Place {
    /// Whether its first worker boots, of which nobody knows what it will offer.
    fn is_unknown(&self) -> bool {
        !self.was_ready && matches!(self.state, PlaceState::Booting { .. })
    }
}

impl Ledger {
    /// A strategy is asked for a task: once each time that it is queued.
    pub(crate) fn on_asked(&mut self, id: TaskId) {
        let (now, step) = (self.now, self.steps());
        let at_deadline = self.last_input == Some(Input::Deadline);
        let asks = matches!(self.config.binding, Binding::Asked { .. });
        if let Some(task) = self.tasks.get_mut(&id).filter(|_| at_deadline) {
            task.end_delay(now, step);
        }
        let sound = self.tasks.get(&id).is_some_and(|task| task.is_waiting() && !self.awaits_answer(task));
        match self.tasks.get_mut(&id).filter(|_| asks && sound) {
            Some(task) => task.asked_at = Some(now),
            None => self.broken(Broken::AskedWrongly(id)),
        }
    }

    /// Whether the task waits for an answer, which may still come.
    fn awaits_answer(&self, task: &Task) -> bool {
        let Binding::Asked { answer_within, .. } = self.config.binding else { return false };
        task.asked_at.is_some_and(|asked_at| self.now < asked_at + answer_within)
    }

    /// A task goes to a worker: not to one that it bans, nor away from better ones that have been there all the time.
    pub(crate) fn check_choice(&mut self, id: TaskId, task: &Task, on: &Up) {
        if self.awaits_answer(task) {
            self.broken(Broken::AnswerNotAwaited(id));
        }
        if task.spec.anti_affinity.contains(on.worker) {
            self.broken(Broken::BanIgnored(id));
        }
        let steady = |up: &&Up| up.offered_in_step < task.queued_in_step && up.could_run(task);
        let others = self.places.iter().filter_map(Place::up).filter(steady);
        let avoids = task.avoids(on.worker, others.clone().map(|up| up.worker));
        let fresh = |up: &&Up| !task.failed_on.contains(&up.worker);
        let waits = self.now < task.submitted_at + task.spec.patience
            && task.has_preference()
            && !task.prefers(on.worker, &on.offer)
            && others.filter(fresh).any(|up| task.prefers(up.worker, &up.offer));
        let stolen_early = self.binds_early()
            && !task.given_back
            && self.now < task.waiting_since().unwrap_or(self.now) + self.steal_after()
            && task.line.flatten().is_some_and(|of| {
                let owner = self.places[of.index()].up().filter(steady);
                // One that has just failed a task may rest from now on.
                let failed = matches!(self.last_input, Some(Input::TaskDone { worker, .. }) if worker == of);
                of != on.worker && owner.is_some() && !self.resting[of.index()] && !failed
            });
        if avoids {
            self.broken(Broken::WentWhereItFailed(id));
        }
        if waits && !self.binds_early() {
            self.broken(Broken::PatienceIgnored(id));
        }
        if stolen_early {
            self.broken(Broken::StolenTooEarly(id));
        }
    }

    /// Whether a worker must prefer this task to such as come later: nothing speaks against it, and it stands in the
    /// worker's own line or in nobody's.
    pub(crate) fn must_go_first(&self, up: &Up, task: &Task) -> bool {
        // One that stands in nobody's line because it is choosy may be bound in this step, when its hopes end.
        let is_choosy = task.is_patient() || !task.failed_on.is_empty();
        let own = |of: Option<WorkerId>| of.map_or(!is_choosy, |of| of == up.worker);
        self.must_take(up, task) && (!self.binds_early() || task.line.is_some_and(own))
    }

    /// Whether it may take the task as far as lines are concerned.
    fn may_take_from_line(&self, up: &Up, task: &Task) -> bool {
        let in_time = task.line_open || self.steal_after().is_zero();
        match task.line {
            _ if !self.binds_early() => true,
            None => false,
            Some(of) => of.is_none_or(|of| of == up.worker) || in_time && !task.is_patient(),
        }
    }

    fn binds_early(&self) -> bool {
        self.config.binding != Binding::Late
    }

    fn steal_after(&self) -> Duration {
        match self.config.binding {
            Binding::Late => Duration::ZERO,
            Binding::Early { steal_after, .. } | Binding::Asked { steal_after, .. } => steal_after,
        }
    }

    /// Looks where tasks stand now.
    pub(crate) fn note_lines(&mut self, scheduler: &Scheduler) {
        if !self.binds_early() {
            return;
        }
        for (&id, task) in &mut self.tasks {
            if matches!(task.state, TaskState::Waiting { .. } | TaskState::Ahead { .. }) {
                task.line = Some(scheduler.bound_to(id));
            }
        }
    }

    /// Whether nothing about the task speaks against this worker, if it has the room.
    pub(crate) fn must_take(&self, up: &Up, task: &Task) -> bool {
        if !up.could_run(task)
            || self.is_kept(task)
            || task.asked_at.is_some()
            || !self.may_take_from_line(up, task)
        {
            return false;
        }
        let might = |(place, worker): &(&Place, WorkerId)| {
            place.up().map_or(place.is_unknown() && !task.spec.anti_affinity.contains(*worker), |up| {
                up.could_run(task)
            })
        };
        let others = self.places.iter().zip((0..).map(WorkerId::new)).filter(might);
        if task.avoids(up.worker, others.clone().map(|(_, worker)| worker)) {
            return false;
        }
        let is_preferred = |(place, worker): (&Place, WorkerId)| match place.up() {
            Some(up) => task.prefers(worker, &up.offer),
            None => task.spec.region.is_some() || task.spec.affinity.contains(worker),
        };
        !task.is_patient() || task.prefers(up.worker, &up.offer) || !others.into_iter().any(is_preferred)
    }

    /// Once the timers have fired, nobody's patience lasts longer than it may.
    pub(crate) fn end_patience(&mut self) {
        if self.last_input != Some(Input::Deadline) {
            return;
        }
        let (now, steal_after) = (self.now, self.steal_after());
        let answer_within = match self.config.binding {
            Binding::Asked { answer_within, .. } => answer_within,
            Binding::Late | Binding::Early { .. } => Duration::ZERO,
        };
        for task in self.tasks.values_mut() {
            task.asked_at = task.asked_at.filter(|&asked_at| now < asked_at + answer_within);
            task.line_open |= task.waiting_since().is_some_and(|since| since + steal_after <= now);
            task.patience_over |= task.submitted_at + task.spec.patience <= now;
        }
    }
}
