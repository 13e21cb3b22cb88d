//! What must hold between two inputs.

use alloc::vec::Vec;

use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{Input, Load, Scheduler};
use quillwork_core::time::Duration;

use crate::Broken;
use crate::entries::{PlaceState, Task, TaskState, Up};
use crate::ledger::Ledger;

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
        self.end_delays();
        self.end_patience();
        self.note_lines(scheduler);
        // What is queued again may come on top of a full queue; what is new may not.
        let (waiting, limit) = (self.waiting(), (self.config.max_queued + self.most_outside()) as usize);
        if matches!(self.last_input, Some(Input::Submit { .. })) && waiting > self.waited.max(limit) {
            self.broken(Broken::QueueTooLong);
        }
        self.waited = waiting;
        self.check_rest(scheduler);
        if let Some(task) = self.left_waiting() {
            self.broken(Broken::LeftWaiting(task));
        }
        if let Some(task) = self.waits_in_vain() {
            self.broken(Broken::WaitsInVain(task));
        }
        self.forgive_displacement();
        self.forgive_kept();
        self.check_bound();
        self.check_prefetch(scheduler);
        self.check_size(&scheduler.stats(self.now));
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

    /// What this dispatch says about the tasks that wait behind it: none of them may have been first here, and one that was
    /// passed over for its size must not be passed over by everyone.
    pub(crate) fn check_overtaking(
        &mut self,
        (id, task): (TaskId, &Task),
        worker: WorkerId,
        before: &Up,
        starts: bool,
    ) {
        let (now, ageing) = (self.now, self.config.ageing);
        let ahead = |(other_id, other): &(&TaskId, &Task)| {
            other.is_waiting()
                && other.goes_before(**other_id, (id, task), now, ageing)
                && self.must_go_first(before, other)
        };
        // Under a limit urgent work goes before what is held back.
        let held_back =
            |other: &Task| self.size.limit.is_some() && self.is_urgent(task) && !self.is_urgent(other);
        // Another worker may keep its room for a large one that is overdue.
        let first_here = |other: &Task| {
            if held_back(other) {
                false
            } else if starts {
                before.has_room_for(other)
            } else {
                other.complexity() == Load::ONE || !self.is_overdue(other)
            }
        };
        let overtaken = self.tasks.iter().filter(ahead).find(|(_, other)| first_here(other));
        let overtaken = overtaken.map(|(&id, _)| id);
        // What is held back is passed over by everyone, as it should be.
        let first = self.first_waiting().filter(|_| self.size.limit.is_none());
        let passed = self.tasks.iter().any(|other| ahead(&other) && Some(*other.0) == first);
        if let Some(overtaken) = overtaken {
            self.broken(Broken::Overtaken(overtaken));
        }
        let Some(first) = first else { return };
        if !passed || !self.is_overdue(&self.tasks[&first]) {
            return;
        }
        let mut able = self
            .places
            .iter()
            .zip(0..)
            .filter(|(place, _)| place.up().is_some_and(|up| up.could_run(&self.tasks[&first])));
        let mut passed_by = self.tasks[&first].passed_by.clone();
        passed_by.insert(worker);
        if able.all(|(_, index)| passed_by.contains(&WorkerId::new(index))) {
            self.broken(Broken::Starved(first));
        }
        if let Some(task) = self.tasks.get_mut(&first) {
            task.passed_by = passed_by;
        }
    }

    /// A worker that keeps its room for a task keeps it for a further large one that goes before, instead. Those that passed
    /// the former by meanwhile did right, and one of them is to keep its room for it from now on.
    fn forgive_displacement(&mut self) {
        let first = self.first_of(|task| task.complexity() > Load::ONE);
        for (_, displaced) in self.tasks.iter_mut().filter(|(id, _)| Some(**id) != first) {
            displaced.passed_by.clear();
        }
    }

    /// A worker that kept its room for a task doesn't do so while the task may not start.
    fn forgive_kept(&mut self) {
        let kept: Vec<_> =
            self.tasks.iter().filter(|(_, task)| self.is_kept(task)).map(|(&id, _)| id).collect();
        for id in kept {
            if let Some(task) = self.tasks.get_mut(&id) {
                task.passed_by.clear();
            }
        }
    }

    /// The task that goes before all others that wait.
    fn first_waiting(&self) -> Option<TaskId> {
        self.first_of(|_| true)
    }

    fn first_of(&self, counts: impl Fn(&Task) -> bool) -> Option<TaskId> {
        let (now, ageing) = (self.now, self.config.ageing);
        let waiting = self.tasks.iter().filter(|(_, task)| task.is_waiting() && counts(task));
        let first = waiting.reduce(|first, next| {
            if first.1.goes_before(*first.0, (*next.0, next.1), now, ageing) { first } else { next }
        });
        first.map(|(&id, _)| id)
    }

    /// Whether it may be passed over no more.
    fn is_overdue(&self, task: &Task) -> bool {
        match task.state {
            TaskState::Waiting { since } => {
                since + self.config.max_passed_over <= self.now && !self.is_kept(task)
            }
            TaskState::Delayed { .. } | TaskState::Ahead { .. } | TaskState::Running { .. } => false,
        }
    }

    /// A task that a worker has room for must be there, unless the worker keeps that room for an overdue one that goes
    /// before. Each such task is reason enough for one worker.
    fn left_waiting(&self) -> Option<TaskId> {
        let (now, ageing) = (self.now, self.config.ageing);
        let waiting = || self.tasks.iter().filter(|(_, task)| task.is_waiting());
        let mut keep_room = 0;
        for up in self.awake() {
            let kept_for = |id: TaskId, task: &Task| {
                waiting().any(|(&large_id, large)| {
                    large.goes_before(large_id, (id, task), now, ageing)
                        && up.could_run(large)
                        && !up.has_room_for(large)
                        && self.is_overdue(large)
                })
            };
            let mut left = waiting()
                .filter(|(_, task)| {
                    self.must_take(up, task) && up.has_room_for(task) && !self.is_held_back(up, task)
                })
                .peekable();
            keep_room += usize::from(left.peek().is_some());
            if let Some((&id, _)) = left.find(|(id, task)| !kept_for(**id, task)) {
                return Some(id);
            }
        }
        let mut overdue =
            waiting().filter(|(_, task)| task.complexity() > Load::ONE && self.is_overdue(task));
        if keep_room > overdue.clone().count() {
            return overdue.next().or_else(|| waiting().next()).map(|(&id, _)| id);
        }
        None
    }

    /// Workers that are up and are given tasks.
    fn awake(&self) -> impl Iterator<Item = &Up> {
        let awake = self.places.iter().zip(&self.resting).filter(|(_, rests)| !**rests);
        awake.filter_map(|(place, _)| place.up())
    }

    /// A worker rests no longer than it may, and only where another one that is awake offers as much.
    fn check_rest(&mut self, scheduler: &Scheduler) {
        let rests_until = |index| scheduler.worker_stats(self.now, WorkerId::new(index))?.rests_until;
        let until: Vec<_> = (0..self.config.workers).map(rests_until).collect();
        self.resting = until.iter().map(Option::is_some).collect();
        for (index, until) in (0..).zip(&until) {
            let Some(until) = until else { continue };
            let own = self.places[index as usize].up().map(|up| up.offer);
            let is_covered = own.is_some_and(|own| {
                self.awake().any(|up| {
                    up.offer.capabilities.contains(own.capabilities) && up.offer.capacity >= own.capacity
                })
            });
            let overslept = self.last_input == Some(Input::Deadline) && *until <= self.now;
            if !is_covered || overslept || *until > self.now + self.config.rest.longest {
                self.broken(Broken::RestsWrongly(WorkerId::new(index)));
            }
        }
    }

    fn waits_in_vain(&self) -> Option<TaskId> {
        let mut waiting = self.tasks.iter().filter(|(_, task)| task.is_waiting());
        let hopeless =
            |task: &Task| self.places.iter().all(|place| place.up().is_some_and(|up| !up.could_run(task)));
        waiting.find(|(_, task)| hopeless(task)).map(|(&id, _)| id)
    }

    /// No worker has more than the horizon ahead, and none is idle beside what it could have.
    fn check_prefetch(&mut self, scheduler: &Scheduler) {
        let horizon = self.config.prefetch;
        let mut broken = None;
        for (place, index) in self.places.iter_mut().zip(0..) {
            let PlaceState::Up(up) = &mut place.state else { continue };
            let mut ahead = Duration::ZERO;
            for work in up.work.iter_mut().filter(|work| work.is_stealable()) {
                let expected = work
                    .expected
                    .or_else(|| scheduler.expected_run_time(self.tasks.get(&work.task)?.spec.task_type));
                work.expected = expected;
                ahead += expected.unwrap_or(Duration::MAX);
            }
            if ahead > horizon {
                broken = Some(Broken::PrefetchedTooMuch(WorkerId::new(index)));
            }
        }
        let ups = || self.places.iter().filter_map(|place| place.up());
        let works = || ups().flat_map(|up| &up.work);
        let asked = works().any(|work| work.asked_back && work.started.is_none());
        // A worker may keep its room for an overdue task instead.
        let kept = self.tasks.values().any(|task| task.complexity() > Load::ONE && self.is_overdue(task));
        if !asked && !kept && self.size.limit.is_none() {
            let left = works().filter(|work| work.is_stealable()).find(|work| {
                let task = self.tasks.get(&work.task);
                task.is_some_and(|task| {
                    self.awake().any(|up| self.must_take(up, task) && up.has_room_for(task))
                })
            });
            broken = broken.or(left.map(|work| Broken::NotTakenBack(work.task)));
        }
        if let Some(broken) = broken {
            self.broken(broken);
        }
    }

    fn agrees_with(&self, scheduler: &Scheduler) -> bool {
        let stats = scheduler.stats(self.now);
        let waiting = self.waiting();
        let up = self.places.iter().filter_map(|place| place.up());
        let busy = up.clone().filter(|up| up.work.iter().any(|work| work.started.is_some())).count();
        stats.counters.submitted == self.submitted
            && stats.counters.settled() == self.submitted - self.tasks.len() as u64
            && stats.queued as usize == waiting
            && stats.parked as usize == self.parked()
            && (if self.paused { stats.held_back == stats.queued } else { stats.held_back <= stats.queued })
            && stats.delayed as usize == self.delayed()
            && stats.running as usize == self.tasks.len() - waiting - self.delayed() - self.ahead()
            && stats.prefetched as usize == self.ahead()
            && stats.counters.retried == self.bound.retries
            && stats.counters.progress == self.progress
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
            TaskState::Waiting { since } | TaskState::Ahead { since } => {
                task.spec.queue_ttl.is_some_and(|ttl| since + ttl <= now)
            }
            TaskState::Delayed { until } => until <= now,
            TaskState::Running { since } => task.spec.timeout.is_some_and(|timeout| since + timeout <= now),
        });
        if let Some((&task, _)) = missed {
            self.broken(Broken::LimitMissed(task));
        }
        let late = self.places.iter().position(|place| match &place.state {
            PlaceState::Empty { since } => !self.closed && *since + config.max_restart_delay <= now,
            PlaceState::Retired => false,
            PlaceState::Booting { since } => *since + config.boot_timeout <= now,
            PlaceState::Up(up) => {
                let overdue = up
                    .work
                    .iter()
                    .any(|work| work.stopping_since().is_some_and(|since| since + config.abort_grace <= now));
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
