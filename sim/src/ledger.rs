//! Books of what the scheduler was told and what it said, kept from outside.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{
    Capabilities, CloseMode, Input, Output, PoolConfig, Refusal, Settlement, TaskSpec,
};
use quillwork_core::time::{Duration, Instant};

use crate::{Broken, Violation};

pub(crate) struct Ledger {
    pub(crate) config: PoolConfig,
    pub(crate) now: Instant,
    /// Unsettled tasks.
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) places: Vec<Place>,
    pub(crate) submitted: u64,
    pub(crate) closing: bool,
    pub(crate) closed: bool,
    /// What the last input was, once it was handed in.
    pub(crate) last_input: Option<Input>,
    /// A task that the last input must have settled.
    pub(crate) must_settle: Option<TaskId>,
    /// A worker that the last input must have ended.
    pub(crate) must_end: Option<(WorkerId, Generation)>,
    steps: u64,
    longest_wait: Duration,
    violations: Vec<Violation>,
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) spec: TaskSpec,
    pub(crate) submitted_at: Instant,
    pub(crate) attempts: u32,
    pub(crate) state: TaskState,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum TaskState {
    Waiting { since: Instant },
    Running { since: Instant },
}

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) generation: Generation,
    pub(crate) state: PlaceState,
}

#[derive(Clone, Debug)]
pub(crate) enum PlaceState {
    Empty { since: Instant },
    Booting { since: Instant },
    Up(Up),
}

/// A worker that has reported ready.
#[derive(Clone, Debug)]
pub(crate) struct Up {
    pub(crate) capabilities: Capabilities,
    /// What it was given and has not reported on.
    pub(crate) work: Option<TaskId>,
    pub(crate) abort_sent: Option<Instant>,
    pub(crate) last_seen: Instant,
    pub(crate) probed: Option<Instant>,
}

impl Task {
    /// In nanoseconds of waiting, exact.
    pub(crate) fn effective_priority(&self, now: Instant, ageing: Duration) -> u128 {
        let given = u128::from(self.spec.priority.level()) * u128::from(ageing.as_nanos());
        given + u128::from((now - self.submitted_at).as_nanos())
    }

    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self.state, TaskState::Waiting { .. })
    }
}

impl Place {
    pub(crate) const fn up(&self) -> Option<&Up> {
        match &self.state {
            PlaceState::Up(up) => Some(up),
            PlaceState::Empty { .. } | PlaceState::Booting { .. } => None,
        }
    }
}

impl Ledger {
    pub(crate) fn new(config: PoolConfig, now: Instant) -> Self {
        let empty = Place { generation: Generation::new(0), state: PlaceState::Empty { since: now } };
        Self {
            config,
            now,
            tasks: BTreeMap::new(),
            places: vec![empty; config.workers as usize],
            submitted: 0,
            closing: false,
            closed: false,
            last_input: None,
            must_settle: None,
            must_end: None,
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
                self.tasks.insert(task, Task { spec, submitted_at: now, attempts: 0, state });
            }
            Input::Abort { task } => self.must_settle = self.tasks.contains_key(&task).then_some(task),
            Input::WorkerReady { worker, generation, capabilities } => {
                self.on_ready(worker, generation, capabilities)
            }
            Input::WorkerAlive { worker, generation } => {
                self.see(worker, generation);
            }
            Input::WorkerLost { worker, generation } => {
                let place = &self.places[worker.index()];
                let there =
                    place.generation == generation && !matches!(place.state, PlaceState::Empty { .. });
                self.must_end = there.then_some((worker, generation));
            }
            Input::TaskDone { worker, generation, task, .. } => {
                let running = self.tasks.contains_key(&task);
                let has_it = self.up(worker, generation).is_some_and(|up| up.work == Some(task));
                if has_it && let Some(up) = self.see(worker, generation) {
                    up.work = None;
                    up.abort_sent = None;
                    self.must_settle = running.then_some(task);
                }
            }
            Input::Close { mode: CloseMode::Drain | CloseMode::Now } => self.closing = true,
            Input::Deadline => {}
        }
    }

    /// What came out.
    pub(crate) fn on_output(&mut self, output: &Output) {
        if self.closed && !matches!(output, Output::Settle { settlement: Settlement::Refused(_), .. }) {
            self.broken(Broken::AliveAfterClose);
        }
        match *output {
            Output::Spawn { worker, generation } => self.on_spawn(worker, generation),
            Output::Terminate { worker, generation, .. } => self.on_terminate(worker, generation),
            Output::Dispatch { task, worker, generation, attempt } => {
                self.on_dispatch(task, worker, generation, attempt);
            }
            Output::AbortRunning { task, worker, generation } => {
                let now = self.now;
                match self.up(worker, generation) {
                    Some(up) if up.work == Some(task) && up.abort_sent.is_none() => up.abort_sent = Some(now),
                    _ => self.broken(Broken::AbortMisdirected(task)),
                }
            }
            Output::Probe { worker, generation } => {
                let now = self.now;
                match self.up(worker, generation) {
                    Some(up) => up.probed = Some(now),
                    None => self.broken(Broken::DispatchedToUnready(worker)),
                }
            }
            Output::Settle { task, settlement } => self.on_settle(task, settlement),
            Output::Closed => {
                self.closed = true;
                if self.places.iter().any(|place| !matches!(place.state, PlaceState::Empty { .. })) {
                    self.broken(Broken::AliveAfterClose);
                }
                if let Some(&task) = self.tasks.keys().next() {
                    self.broken(Broken::NeverSettled(task));
                }
            }
        }
    }

    fn on_ready(&mut self, worker: WorkerId, generation: Generation, capabilities: Capabilities) {
        let now = self.now;
        let place = &mut self.places[worker.index()];
        if place.generation == generation && matches!(place.state, PlaceState::Booting { .. }) {
            let up = Up { capabilities, work: None, abort_sent: None, last_seen: now, probed: None };
            place.state = PlaceState::Up(up);
        } else if let Some(up) = self.see(worker, generation) {
            up.capabilities = capabilities;
        }
    }

    fn on_spawn(&mut self, worker: WorkerId, generation: Generation) {
        let place = &mut self.places[worker.index()];
        let sound = matches!(place.state, PlaceState::Empty { .. }) && generation > place.generation;
        *place = Place { generation, state: PlaceState::Booting { since: self.now } };
        if !sound {
            self.broken(Broken::SpawnedTwice(worker, generation));
        }
    }

    fn on_terminate(&mut self, worker: WorkerId, generation: Generation) {
        let place = &mut self.places[worker.index()];
        let before = core::mem::replace(&mut place.state, PlaceState::Empty { since: self.now });
        if place.generation != generation || matches!(before, PlaceState::Empty { .. }) {
            self.broken(Broken::TerminatedTwice(worker, generation));
        }
        if let PlaceState::Up(Up { work: Some(task), .. }) = before
            && let Some(task) = self.tasks.get_mut(&task)
        {
            task.state = TaskState::Waiting { since: self.now };
        }
    }

    fn on_dispatch(&mut self, id: TaskId, worker: WorkerId, generation: Generation, attempt: u32) {
        let now = self.now;
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.is_waiting()) else {
            return self.broken(Broken::DispatchedWrongly(id));
        };
        task.attempts += 1;
        task.state = TaskState::Running { since: now };
        if task.attempts == 1 {
            self.longest_wait = self.longest_wait.max(now - task.submitted_at);
        }
        let task = task.clone();
        let may = if task.spec.redeliverable { 1 + self.config.max_redeliveries } else { 1 };
        if task.attempts != attempt || attempt > may {
            self.broken(Broken::DispatchedTooOften(id));
        }
        let Some(up) = self.up(worker, generation) else {
            return self.broken(Broken::DispatchedToUnready(worker));
        };
        let (capabilities, had_work) = (up.capabilities, up.work.replace(id).is_some());
        if had_work {
            self.broken(Broken::TwoTasksOnWorker(worker));
        }
        if !capabilities.contains(task.spec.required) {
            self.broken(Broken::CapabilityIgnored(id));
        }
        self.check_overtaking(id, &task, capabilities);
    }

    fn on_settle(&mut self, id: TaskId, settlement: Settlement) {
        let Some(task) = self.tasks.remove(&id) else { return self.broken(Broken::SettledTwice(id)) };
        match settlement {
            Settlement::Refused(Refusal::QueueFull { limit }) => {
                if limit != self.config.max_queued || self.waiting() < limit as usize {
                    self.broken(Broken::RefusedWithRoom(id));
                }
            }
            Settlement::WorkerLost { attempts } => {
                let may = if task.spec.redeliverable { 1 + self.config.max_redeliveries } else { 1 };
                if attempts != task.attempts || attempts != may {
                    self.broken(Broken::DispatchedTooOften(id));
                }
            }
            Settlement::Completed
            | Settlement::Failed
            | Settlement::Aborted
            | Settlement::TimedOut
            | Settlement::Expired
            | Settlement::Refused(_)
            | Settlement::Closed => {}
        }
    }

    /// Tasks that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.tasks.values().filter(|task| task.is_waiting()).count()
    }

    fn up(&mut self, worker: WorkerId, generation: Generation) -> Option<&mut Up> {
        let place = &mut self.places[worker.index()];
        match &mut place.state {
            PlaceState::Up(up) if place.generation == generation => Some(up),
            PlaceState::Up(_) | PlaceState::Empty { .. } | PlaceState::Booting { .. } => None,
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
