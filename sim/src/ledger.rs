//! Books of what the scheduler was told and what it said, kept from outside.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{
    CloseMode, Input, Offer, Output, PoolConfig, Refusal, Resize, Settlement, TaskOutcome, TaskSpec,
    TerminateReason,
};
use quillwork_core::time::{Duration, Instant};

use crate::bound::Bound;
use crate::entries::{Place, PlaceState, Task, TaskState, Up, Work};
use crate::size::Size;
use crate::{Broken, Violation};

pub(crate) struct Ledger {
    pub(crate) config: PoolConfig,
    pub(crate) now: Instant,
    /// Unsettled tasks.
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) places: Vec<Place>,
    /// Which workers rest, as the scheduler says.
    pub(crate) resting: Vec<bool>,
    pub(crate) submitted: u64,
    pub(crate) closing: bool,
    /// Nothing that waits may start.
    pub(crate) paused: bool,
    pub(crate) closed: bool,
    /// What the last input was, once it was handed in.
    pub(crate) last_input: Option<Input>,
    /// A task that the last input must have settled.
    pub(crate) must_settle: Option<TaskId>,
    /// A worker that the last input must have ended.
    pub(crate) must_end: Option<(WorkerId, Generation)>,
    pub(crate) size: Size,
    pub(crate) bound: Bound,
    /// Reports of progress that must have been counted.
    pub(crate) progress: u64,
    /// How many tasks waited after the last step.
    pub(crate) waited: usize,
    steps: u64,
    longest_wait: Duration,
    violations: Vec<Violation>,
}

impl Ledger {
    pub(crate) fn new(config: PoolConfig, now: Instant) -> Self {
        let size = Size::new(&config);
        let place = |index| Place {
            generation: Generation::new(0),
            state: if index < size.alive { PlaceState::Empty { since: now } } else { PlaceState::Retired },
            was_ready: false,
        };
        Self {
            config,
            now,
            tasks: BTreeMap::new(),
            places: (0..config.workers).map(place).collect(),
            resting: (0..config.workers).map(|_| false).collect(),
            submitted: 0,
            closing: false,
            paused: false,
            closed: false,
            last_input: None,
            must_settle: None,
            must_end: None,
            size,
            bound: Bound::default(),
            progress: 0,
            waited: 0,
            steps: 0,
            longest_wait: Duration::ZERO,
            violations: Vec::new(),
        }
    }

    pub(crate) const fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) const fn longest_wait(&self) -> Duration {
        self.longest_wait
    }

    pub(crate) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    pub(crate) fn broken(&mut self, broken: Broken) {
        if self.violations.len() < MOST_VIOLATIONS {
            self.violations.push(Violation { step: self.steps, at: self.now, broken });
        }
    }

    /// What is about to be handed in; `now` as the scheduler must take it.
    pub(crate) fn on_input(&mut self, now: Instant, input: &Input) {
        self.now = now;
        self.steps += 1;
        self.last_input = Some(*input);
        match *input {
            Input::Submit { task, spec } => {
                self.submitted += 1;
                let state = TaskState::Waiting { since: now };
                let passed_by = BTreeSet::new();
                let (attempts, losses, failures, parked) = (0, 0, 0, false);
                let new = Task {
                    spec,
                    submitted_at: now,
                    attempts,
                    losses,
                    failures,
                    failed_for_good: false,
                    suspect: false,
                    parked,
                    state,
                    failed_on: spec.avoid.iter().collect(),
                    queued_in_step: self.steps,
                    patience_over: false,
                    line: None,
                    line_open: false,
                    given_back: false,
                    asked_at: None,
                    passed_by,
                };
                self.tasks.insert(task, new);
                self.bound.begin_submission(task);
            }
            Input::Abort { task } => self.must_settle = self.tasks.contains_key(&task).then_some(task),
            Input::WorkerReady { worker, generation, offer } => {
                self.on_ready(worker, generation, offer);
            }
            Input::WorkerAlive { worker, generation } => {
                self.see(worker, generation);
            }
            Input::WorkerLost { worker, generation } => {
                let place = &self.places[worker.index()];
                let there = place.generation == generation && !place.is_vacant();
                self.must_end = there.then_some((worker, generation));
            }
            Input::TaskDone { worker, generation, task, outcome } => {
                let unsettled = self.tasks.contains_key(&task);
                let position = self
                    .up(worker, generation)
                    .and_then(|up| up.work.iter().position(|work| work.task == task));
                if let Some(position) = position
                    && let Some(up) = self.see(worker, generation)
                {
                    up.work.remove(position);
                    self.must_settle = unsettled.then_some(task);
                    if outcome != TaskOutcome::Completed
                        && let Some(task) = self.tasks.get_mut(&task)
                    {
                        task.note_failure(worker);
                        task.failed_for_good = outcome == TaskOutcome::FailedForGood;
                    }
                    self.start_ahead(worker);
                }
            }
            Input::TaskReturned { worker, generation, task } => {
                let position = self
                    .up(worker, generation)
                    .and_then(|up| up.work.iter().position(|work| work.task == task && work.asked_back));
                let step = self.steps;
                if let Some(position) = position
                    && let Some(up) = self.see(worker, generation)
                {
                    let work = up.work.remove(position);
                    if work.abort_sent.is_none()
                        && let Some(task) = self.tasks.get_mut(&task)
                    {
                        task.attempts -= u32::from(work.started.is_some());
                        task.queue(now, step);
                        task.given_back = true;
                    }
                    self.start_ahead(worker);
                }
            }
            Input::Progress { worker, generation, task } => {
                let work = self.up(worker, generation).and_then(|up| up.work_on(task)).copied();
                if let Some(work) = work {
                    self.see(worker, generation);
                    self.progress += u64::from(work.abort_sent.is_none());
                }
            }
            Input::StrategyAnswer { task, .. } => {
                if let Some(task) = self.tasks.get_mut(&task).filter(|task| task.asked_at.is_some()) {
                    task.asked_at = None;
                    task.line = None;
                }
            }
            Input::Pause => self.paused = !self.closing,
            Input::Resume => self.paused = false,
            Input::Close { mode: CloseMode::Drain | CloseMode::Now } => {
                self.closing = true;
                self.paused = false;
            }
            Input::Resources { .. } | Input::Recycle { .. } | Input::Deadline => {}
        }
    }

    /// What came out.
    pub(crate) fn on_output(&mut self, output: &Output) {
        if self.closed && !matches!(output, Output::Settle { settlement: Settlement::Refused(_), .. }) {
            self.broken(Broken::AliveAfterClose);
        }
        self.check_admission(output);
        match *output {
            Output::Spawn { worker, generation } => self.on_spawn(worker, generation),
            Output::Terminate { worker, generation, reason } => {
                self.on_terminate(worker, generation, reason);
            }
            Output::Dispatch { task, worker, generation, attempt } => {
                self.on_dispatch(task, worker, generation, attempt);
            }
            Output::AbortRunning { task, worker, generation } => {
                let now = self.now;
                match self.up(worker, generation).and_then(|up| up.work_on(task)) {
                    Some(work) if work.abort_sent.is_none() => work.abort_sent = Some(now),
                    _ => self.broken(Broken::AbortMisdirected(task)),
                }
            }
            Output::TakeBack { task, worker, generation } => {
                match self.up(worker, generation).and_then(|up| up.work_on(task)) {
                    Some(work) if work.is_stealable() => work.asked_back = true,
                    _ => self.broken(Broken::TakenBackWrongly(task)),
                }
            }
            Output::AskStrategy { task } => self.on_asked(task),
            Output::Probe { worker, generation } => {
                let now = self.now;
                match self.up(worker, generation) {
                    Some(up) => up.probed = Some(now),
                    None => self.broken(Broken::DispatchedToUnready(worker)),
                }
            }
            Output::Retry { task, after } => self.on_retry(task, after),
            Output::Parked { task } => self.on_parked(task),
            Output::Admitted { task } => self.on_admitted(task),
            Output::Saturated { queued } => self.on_saturated(queued),
            Output::Drained { queued } => self.on_drained(queued),
            Output::Resize { from, to, reason } => self.on_resize(Resize { from, to, reason }),
            Output::Pressure { action, .. } => self.on_action(action),
            Output::Settle { task, settlement } => self.on_settle(task, settlement),
            Output::Closed => {
                self.closed = true;
                if self.places.iter().any(|place| !place.is_vacant()) {
                    self.broken(Broken::AliveAfterClose);
                }
                if let Some(&task) = self.tasks.keys().next() {
                    self.broken(Broken::NeverSettled(task));
                }
            }
        }
    }

    fn on_ready(&mut self, worker: WorkerId, generation: Generation, offer: Offer) {
        let (now, offered_in_step) = (self.now, self.steps);
        let place = &mut self.places[worker.index()];
        if place.generation == generation && matches!(place.state, PlaceState::Booting { .. }) {
            place.was_ready = true;
            let (work, last_seen, probed) = (Vec::new(), now, None);
            place.state = PlaceState::Up(Up { worker, offer, offered_in_step, work, last_seen, probed });
        } else if let Some(up) = self.see(worker, generation) {
            up.offer = offer;
            up.offered_in_step = offered_in_step;
            self.start_ahead(worker);
        }
        self.forget_passing();
    }

    /// The worker starts what it was given ahead, in order, as far as it has room, or has nothing else to do.
    fn start_ahead(&mut self, worker: WorkerId) {
        let now = self.now;
        let PlaceState::Up(up) = &mut self.places[worker.index()].state else { return };
        while let Some(next) = up.work.iter().position(|work| work.started.is_none())
            && (next == 0 || up.load() + up.work[next].load <= up.offer.capacity)
        {
            let work = &mut up.work[next];
            work.started = Some(now);
            if work.abort_sent.is_none()
                && let Some(task) = self.tasks.get_mut(&work.task)
            {
                task.attempts += 1;
                task.state = TaskState::Running { since: now };
            }
        }
    }

    /// The workers have changed: who keeps its room for whom may be another one now.
    fn forget_passing(&mut self) {
        self.tasks.values_mut().for_each(|task| task.passed_by.clear());
    }

    fn on_spawn(&mut self, worker: WorkerId, generation: Generation) {
        let place = &mut self.places[worker.index()];
        let sound = place.is_vacant() && generation > place.generation;
        place.generation = generation;
        let before = core::mem::replace(&mut place.state, PlaceState::Booting { since: self.now });
        if matches!(before, PlaceState::Retired) {
            self.on_filled(worker);
        }
        if !sound {
            self.broken(Broken::SpawnedTwice(worker, generation));
        }
    }

    fn on_terminate(&mut self, worker: WorkerId, generation: Generation, reason: TerminateReason) {
        let retired = reason == TerminateReason::Retired;
        let after = if retired { PlaceState::Retired } else { PlaceState::Empty { since: self.now } };
        let place = &mut self.places[worker.index()];
        let twice = place.generation != generation || place.is_vacant();
        let before = core::mem::replace(&mut place.state, after);
        if twice {
            self.broken(Broken::TerminatedTwice(worker, generation));
        }
        if retired {
            self.on_retired(worker, &before);
        }
        if let PlaceState::Up(Up { work, .. }) = before {
            for Work { task, abort_sent, started, .. } in work {
                if abort_sent.is_none()
                    && let Some(task) = self.tasks.get_mut(&task)
                {
                    task.losses += u32::from(started.is_some() && reason.is_loss());
                    task.suspect = true;
                    task.queue(self.now, self.steps);
                }
            }
        }
        self.forget_passing();
    }

    fn on_dispatch(&mut self, id: TaskId, worker: WorkerId, generation: Generation, attempt: u32) {
        let now = self.now;
        let at_deadline = self.last_input == Some(Input::Deadline);
        if let Some(task) = self.tasks.get_mut(&id).filter(|_| at_deadline) {
            task.end_delay(now, self.steps);
        }
        let Some(task) = self.tasks.get(&id).cloned() else {
            return self.broken(Broken::DispatchedWrongly(id));
        };
        let TaskState::Waiting { since } = task.state else {
            return self.broken(Broken::DispatchedWrongly(id));
        };
        if task.parked {
            self.broken(Broken::AdmittedWrongly(id));
        }
        let Some(before) = self.up(worker, generation).cloned() else {
            return self.broken(Broken::DispatchedToUnready(worker));
        };
        let once_more = task.spec.redeliverable
            && task.losses <= self.config.max_redeliveries
            && task.failures < task.spec.max_attempts.max(1);
        if attempt != task.attempts + 1 || (attempt > 1 && !once_more) {
            self.broken(Broken::DispatchedTooOften(id));
        }
        if !before.offer.capabilities.contains(task.spec.required) {
            self.broken(Broken::CapabilityIgnored(id));
        }
        self.check_choice(id, &task, &before);
        let starts = before.has_room_for(&task);
        if starts && self.is_held_back(&before, &task) {
            self.broken(Broken::LimitIgnored(worker));
        }
        if self.is_kept(&task) {
            self.broken(Broken::GateIgnored(id));
        }
        let behind_suspect =
            before.work.iter().any(|work| self.tasks.get(&work.task).is_some_and(|task| task.suspect));
        let may_wait = !self.config.prefetch.is_zero()
            && task.spec.redeliverable
            && task.spec.type_limit == 0
            && !task.suspect
            && !behind_suspect
            && before.could_run(&task);
        if !starts && !may_wait {
            self.broken(Broken::BeyondCapacity(worker));
        }
        if task.attempts == 0 {
            self.longest_wait = self.longest_wait.max(now - task.submitted_at);
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            task.attempts += u32::from(starts);
            task.state = if starts { TaskState::Running { since: now } } else { TaskState::Ahead { since } };
        }
        if let Some(up) = self.up(worker, generation) {
            up.work.push(Work {
                task: id,
                load: task.complexity(),
                counts_as: (task.spec.type_limit > 0).then_some(task.spec.task_type),
                abort_sent: None,
                started: starts.then_some(now),
                asked_back: false,
                expected: None,
            });
        }
        self.check_overtaking((id, &task), worker, &before, starts);
    }

    fn on_settle(&mut self, id: TaskId, settlement: Settlement) {
        let Some(task) = self.tasks.remove(&id) else { return self.broken(Broken::SettledTwice(id)) };
        match settlement {
            Settlement::Refused(Refusal::QueueFull { limit }) => {
                if !self.may_refuse(id, &task, limit) {
                    self.broken(Broken::RefusedWithRoom(id));
                }
            }
            Settlement::Refused(Refusal::TooManyWaiting { limit }) => {
                if !self.may_turn_away(limit) {
                    self.broken(Broken::RefusedWithRoom(id));
                }
            }
            Settlement::Dropped => {
                if !self.may_drop(id, &task) {
                    self.broken(Broken::DroppedWrongly(id));
                }
            }
            Settlement::Failed { attempts } => {
                if attempts != task.attempts || self.may_retry(&task) {
                    self.broken(Broken::RetriedWrongly(id));
                }
            }
            Settlement::Refused(Refusal::OnlyBannedWorkers { .. }) => {
                if self.places.iter().filter_map(Place::up).any(|up| up.could_run(&task)) {
                    self.broken(Broken::RefusedWithRoom(id));
                }
            }
            Settlement::Refused(Refusal::Shed { below }) => self.on_shed(id, &task, below),
            Settlement::WorkerLost { attempts } => {
                let given_up = !task.spec.redeliverable || task.losses == 1 + self.config.max_redeliveries;
                if attempts != task.attempts || !given_up {
                    self.broken(Broken::DispatchedTooOften(id));
                }
            }
            Settlement::Completed
            | Settlement::Aborted
            | Settlement::TimedOut
            | Settlement::Expired
            | Settlement::Refused(_)
            | Settlement::Closed => {}
        }
    }

    /// Tasks that wait for a worker.
    pub(crate) fn waiting(&self) -> usize {
        self.tasks.values().filter(|task| task.is_waiting()).count()
    }

    pub(crate) fn delayed(&self) -> usize {
        self.tasks.values().filter(|task| matches!(task.state, TaskState::Delayed { .. })).count()
    }

    /// Tasks that were given ahead and have not started.
    pub(crate) fn ahead(&self) -> usize {
        self.tasks.values().filter(|task| matches!(task.state, TaskState::Ahead { .. })).count()
    }

    /// Whether no worker may start it: the pool is paused, or enough of its type are at workers.
    pub(crate) fn is_kept(&self, task: &Task) -> bool {
        let TaskSpec { task_type, type_limit, .. } = task.spec;
        let works = self.places.iter().filter_map(Place::up).flat_map(|up| &up.work);
        let counted = works.filter(|work| work.counts_as == Some(task_type)).count();
        self.paused || type_limit > 0 && counted >= type_limit as usize
    }

    fn up(&mut self, worker: WorkerId, generation: Generation) -> Option<&mut Up> {
        let place = &mut self.places[worker.index()];
        match &mut place.state {
            PlaceState::Up(up) if place.generation == generation => Some(up),
            PlaceState::Up(_)
            | PlaceState::Empty { .. }
            | PlaceState::Retired
            | PlaceState::Booting { .. } => None,
        }
    }

    fn see(&mut self, worker: WorkerId, generation: Generation) -> Option<&mut Up> {
        let now = self.now;
        let up = self.up(worker, generation)?;
        up.last_seen = now;
        up.probed = None;
        Some(up)
    }
}

const MOST_VIOLATIONS: usize = 100;
