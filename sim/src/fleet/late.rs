//! Late binding: core's own pool.

use alloc::vec::Vec;

use quillwork_core::flow::retry::Backoff;
use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::recording::Recorder;
use quillwork_core::pool::{
    Input, Offer, Output, PoolConfig, Scheduler, Settlement, TaskOutcome, TaskSpec, TerminateReason,
    WorkerList,
};
use quillwork_core::time::Instant;

use super::job::START;
use super::world::{Binder, World, index};

/// Drives a [`Scheduler`] as a shell does.
pub(super) struct LateBinding {
    scheduler: Scheduler,
    generations: Vec<Generation>,
    /// Workers that were asked for while they could not be there.
    awaited: Vec<bool>,
    recorder: Option<Recorder>,
}

impl LateBinding {
    /// As many workers as the scenario has, and no wait before a failed task is tried again; nothing else of the settings is
    /// changed.
    pub(super) fn new(config: PoolConfig, workers: usize) -> Self {
        let config = PoolConfig { workers: index(workers), retry_backoff: Backoff::NONE, ..config };
        let scheduler =
            Scheduler::new(config, START).expect("the pool's settings were checked by the caller");
        let generations = alloc::vec![Generation::FIRST; workers];
        Self { scheduler, generations, awaited: alloc::vec![false; workers], recorder: None }
    }

    /// Keeps what the pool is told from here on.
    pub(super) fn record(&mut self, seed: u64) {
        self.recorder = Some(Recorder::new(self.scheduler.config(), START, seed));
    }

    pub(super) fn into_recording(self) -> Vec<u8> {
        self.recorder.map(Recorder::finish).unwrap_or_default()
    }

    fn hand_in(&mut self, world: &mut World<'_>, input: Input) {
        if let Some(recorder) = &mut self.recorder {
            recorder.record(world.now, &input);
        }
        self.scheduler.handle_input(world.now, input).expect("attempts are counted up");
        self.drain(world);
    }

    fn drain(&mut self, world: &mut World<'_>) {
        while let Some(output) = self.scheduler.poll_output() {
            match output {
                Output::Spawn { worker, generation } => {
                    self.generations[worker.index()] = generation;
                    if world.servers[worker.index()].up {
                        world.boot(worker.index(), generation.get());
                    } else {
                        self.awaited[worker.index()] = true;
                    }
                }
                Output::Terminate { worker, reason, .. } => {
                    if reason != TerminateReason::Lost {
                        world.terminate(worker.index());
                    }
                }
                Output::Dispatch { task, worker, .. } => {
                    world.dispatch(self, attempt_of(task), worker.index())
                }
                Output::Settle { task, settlement } => {
                    let succeeded = settlement == Settlement::Completed;
                    if let Some(next) = world.conclude(attempt_of(task), succeeded) {
                        world.submit_soon(next);
                    }
                }
                Output::Retry { task, .. } => world.repeat(attempt_of(task)),
                Output::Probe { .. }
                | Output::TakeBack { .. }
                | Output::AbortRunning { .. }
                | Output::Parked { .. }
                | Output::Admitted { .. }
                | Output::Saturated { .. }
                | Output::Drained { .. }
                | Output::AskStrategy { .. }
                | Output::Resize { .. }
                | Output::Pressure { .. }
                | Output::Closed => {}
            }
        }
    }

    fn who(&self, server: usize) -> (WorkerId, Generation) {
        (WorkerId::new(index(server)), self.generations[server])
    }
}

impl Binder for LateBinding {
    fn begin(&mut self, world: &mut World<'_>) {
        self.drain(world);
    }

    fn submitted(&mut self, world: &mut World<'_>, attempt: u32) {
        let job = world.job(attempt);
        let spec = TaskSpec {
            task_type: job.task_type,
            priority: job.priority,
            required: job.required,
            timeout: Some(world.scenario.client.timeout),
            max_attempts: world.attempts_left(attempt),
            region: job.region,
            avoid: failed_on(world, attempt),
            ..TaskSpec::default()
        };
        self.hand_in(world, Input::Submit { task: task_of(attempt), spec });
    }

    fn answered(&mut self, world: &mut World<'_>, attempt: u32, succeeded: bool) {
        let Some(server) = world.attempts[attempt as usize].server else { return };
        let (worker, generation) = self.who(server as usize);
        let outcome = if succeeded { TaskOutcome::Completed } else { TaskOutcome::Failed };
        self.hand_in(world, Input::TaskDone { worker, generation, task: task_of(attempt), outcome });
    }

    fn crashed(&mut self, world: &mut World<'_>, server: usize, _held: Vec<u32>) {
        let (worker, generation) = self.who(server);
        self.hand_in(world, Input::WorkerLost { worker, generation });
    }

    fn restarted(&mut self, world: &mut World<'_>, server: usize) {
        if core::mem::take(&mut self.awaited[server]) {
            world.boot(server, self.generations[server].get());
        }
    }

    fn booted(&mut self, world: &mut World<'_>, server: usize, generation: u32) {
        let worker = WorkerId::new(index(server));
        let model = &world.servers[server].model;
        let offer = Offer { region: model.region, ..model.capabilities.into() };
        let generation = Generation::new(generation);
        if world.servers[server].up {
            self.hand_in(world, Input::WorkerReady { worker, generation, offer });
        } else if generation == self.generations[server] {
            self.awaited[server] = true;
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.scheduler.next_deadline()
    }

    fn deadline(&mut self, world: &mut World<'_>) {
        self.hand_in(world, Input::Deadline);
    }
}

/// The workers that the task's last attempts failed on.
fn failed_on(world: &World<'_>, attempt: u32) -> WorkerList {
    let mut workers: Vec<WorkerId> = Vec::new();
    for server in world.failed_on(attempt) {
        let worker = WorkerId::new(server);
        if workers.len() < WorkerList::MOST && !workers.contains(&worker) {
            workers.insert(0, worker);
        }
    }
    WorkerList::new(&workers).expect("it is short, and of the pool's workers")
}

fn task_of(attempt: u32) -> TaskId {
    TaskId::new(u64::from(attempt))
}

fn attempt_of(task: TaskId) -> u32 {
    u32::try_from(task.get()).expect("tasks are numbered by attempts")
}
