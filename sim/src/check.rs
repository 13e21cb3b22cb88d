//! What must hold between two inputs.

use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{Capabilities, Input, Scheduler};

use crate::Broken;
use crate::ledger::{Ledger, PlaceState, Task, TaskState};

impl Ledger {
    /// To be called when all outputs of an input are drained.
    pub(crate) fn after_step(&mut self, scheduler: &Scheduler) {
        if let Some(task) = self.must_settle.take()
            && self.tasks.contains_key(&task)
        {
            self.broken(Broken::NeverSettled(task));
        }
        if let Some((worker, generation)) = self.must_end.take() {
            let place = &self.places[worker.index()];
            if place.generation == generation && !matches!(place.state, PlaceState::Empty { .. }) {
                self.broken(Broken::GivenUpTooLate(worker));
            }
        }
        if self.waiting() > self.config.max_queued as usize + self.places.len() {
            self.broken(Broken::QueueTooLong);
        }
        if let Some(task) = self.left_waiting() {
            self.broken(Broken::LeftWaiting(task));
        }
        if let Some(task) = self.waits_in_vain() {
            self.broken(Broken::WaitsInVain(task));
        }
        if self.closing && self.tasks.is_empty() && !self.closed {
            self.broken(Broken::NotClosed);
        }
        if !self.agrees_with(scheduler) {
            self.broken(Broken::CountsDisagree);
        }
        if self.last_input == Some(Input::Deadline) {
            self.check_limits(scheduler);
        }
    }

    /// The task that this worker should rather have been given, among those that it can run: of a higher effective
    /// priority, or as high and older.
    pub(crate) fn check_overtaking(&mut self, id: TaskId, task: &Task, capabilities: Capabilities) {
        let (now, ageing) = (self.now, self.config.ageing);
        let priority = task.effective_priority(now, ageing);
        let overtaken = self.tasks.iter().find(|&(&other_id, other)| {
            let other_priority = other.effective_priority(now, ageing);
            other.is_waiting()
                && capabilities.contains(other.spec.required)
                && (other_priority > priority || (other_priority == priority && other_id < id))
        });
        if let Some((&overtaken, _)) = overtaken {
            self.broken(Broken::Overtaken(overtaken));
        }
    }

    fn left_waiting(&self) -> Option<TaskId> {
        self.places.iter().filter_map(|place| place.up()).filter(|up| up.work.is_none()).find_map(|free| {
            let waiting = self.tasks.iter().filter(|(_, task)| task.is_waiting());
            let (&task, _) =
                waiting.into_iter().find(|(_, task)| free.capabilities.contains(task.spec.required))?;
            Some(task)
        })
    }

    fn waits_in_vain(&self) -> Option<TaskId> {
        let mut waiting = self.tasks.iter().filter(|(_, task)| task.is_waiting());
        let hopeless = |task: &Task| {
            self.places
                .iter()
                .all(|place| place.up().is_some_and(|up| !up.capabilities.contains(task.spec.required)))
        };
        waiting.find(|(_, task)| hopeless(task)).map(|(&id, _)| id)
    }

    fn agrees_with(&self, scheduler: &Scheduler) -> bool {
        let stats = scheduler.stats(self.now);
        let waiting = self.waiting();
        let up = self.places.iter().filter_map(|place| place.up());
        let busy = up.clone().filter(|up| up.work.is_some()).count();
        stats.counters.submitted == self.submitted
            && stats.counters.settled() == self.submitted - self.tasks.len() as u64
            && stats.queued as usize == waiting
            && stats.running as usize == self.tasks.len() - waiting
            && stats.workers_up as usize == up.count()
            && stats.workers_busy as usize == busy
            && stats.busy_time <= stats.available_time
    }

    /// After a deadline was handled, nothing that was due may be left.
    fn check_limits(&mut self, scheduler: &Scheduler) {
        let (now, config) = (self.now, self.config);
        if scheduler.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.broken(Broken::DeadlineNotHandled);
        }
        let missed = self.tasks.iter().find(|(_, task)| match task.state {
            TaskState::Waiting { since } => task.spec.queue_ttl.is_some_and(|ttl| since + ttl <= now),
            TaskState::Running { since } => task.spec.timeout.is_some_and(|timeout| since + timeout <= now),
        });
        if let Some((&task, _)) = missed {
            self.broken(Broken::LimitMissed(task));
        }
        let late = self.places.iter().position(|place| match &place.state {
            PlaceState::Empty { since } => !self.closed && *since + config.max_restart_delay <= now,
            PlaceState::Booting { since } => *since + config.boot_timeout <= now,
            PlaceState::Up(up) => {
                let overdue = up.abort_sent.is_some_and(|sent| sent + config.abort_grace <= now);
                let silent = config.lease.is_some_and(|lease| match up.probed {
                    Some(probed) => probed + lease <= now,
                    None => up.last_seen + lease <= now,
                });
                overdue || silent
            }
        });
        if let Some(place) = late {
            self.broken(Broken::GivenUpTooLate(WorkerId::new(
                u32::try_from(place).expect("a pool is small"),
            )));
        }
    }
}
