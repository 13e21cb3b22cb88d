//! A scheduler and a clock, and short ways to say what happens.

use std::collections::BTreeMap;

use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{
    Capabilities, CloseMode, Load, Offer, Output, PoolConfig, Priority, Refusal, Scheduler, Settlement,
    TaskOutcome, TaskSpec, TerminateReason, WorkerState,
};
use quillwork_core::time::{Duration, Instant};

pub(crate) const NONE: Capabilities = Capabilities::NONE;
pub(crate) const GPU: Capabilities = Capabilities::from_bits(0b01);
pub(crate) const NET: Capabilities = Capabilities::from_bits(0b10);

pub(crate) struct Rig {
    pub(crate) pool: Scheduler,
    pub(crate) now: Instant,
    /// Where each task went last.
    holders: BTreeMap<u64, (u32, u32)>,
}

impl Rig {
    /// A pool whose workers have been asked for and are not ready.
    pub(crate) fn booting(config: PoolConfig) -> Self {
        let now = Instant::from_secs(1_000);
        let mut rig = Self {
            pool: Scheduler::new(config, now).expect("the settings are sound"),
            now,
            holders: BTreeMap::new(),
        };
        assert_eq!(rig.drain().len(), config.workers as usize, "every worker is asked for at once");
        rig
    }

    /// A pool whose size follows its work, and whose fewest workers have been asked for.
    pub(crate) fn elastic(config: PoolConfig) -> Self {
        let now = Instant::from_secs(1_000);
        let pool = Scheduler::new(config, now).expect("the settings are sound");
        let mut rig = Self { pool, now, holders: BTreeMap::new() };
        assert_eq!(rig.drain().len(), config.elastic.least(config.workers) as usize);
        rig
    }

    pub(crate) fn state(&self, worker: u32) -> WorkerState {
        self.pool.worker_stats(self.now, WorkerId::new(worker)).expect("the pool has the place").state
    }

    /// A pool of ready workers that offer this.
    pub(crate) fn ready_with<O: Into<Offer> + Copy>(offers: &[O], config: PoolConfig) -> Self {
        let workers = u32::try_from(offers.len()).expect("a few");
        let mut rig = Self::booting(PoolConfig { workers, ..config });
        for (worker, &of_worker) in (0..).zip(offers) {
            assert_eq!(rig.ready(worker, 1, of_worker), []);
        }
        rig
    }

    /// A pool of so many ready, plain workers.
    pub(crate) fn ready_pool(workers: usize) -> Self {
        Self::ready_with(&vec![NONE; workers], quiet())
    }

    pub(crate) fn pass_millis(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    pub(crate) fn drain(&mut self) -> Vec<Output> {
        let outputs: Vec<Output> = std::iter::from_fn(|| self.pool.poll_output()).collect();
        for output in &outputs {
            if let Output::Dispatch { task, worker, generation, .. } = *output {
                self.holders.insert(task.get(), (worker.get(), generation.get()));
            }
        }
        outputs
    }

    /// The worker that the task was given to last, and its generation.
    pub(crate) fn holder_of(&self, task: u64) -> (u32, u32) {
        self.holders[&task]
    }

    pub(crate) fn submit(&mut self, task: u64, spec: TaskSpec) -> Vec<Output> {
        self.pool.handle_submit(self.now, TaskId::new(task), spec).expect("tests count ids up");
        self.drain()
    }

    pub(crate) fn ready(&mut self, worker: u32, generation: u32, offer: impl Into<Offer>) -> Vec<Output> {
        let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
        self.pool.handle_worker_ready(self.now, worker, generation, offer);
        self.drain()
    }

    pub(crate) fn alive(&mut self, worker: u32, generation: u32) {
        self.pool.handle_worker_alive(self.now, WorkerId::new(worker), Generation::new(generation));
        assert_eq!(self.drain(), []);
    }

    pub(crate) fn lost(&mut self, worker: u32, generation: u32) -> Vec<Output> {
        self.pool.handle_worker_lost(self.now, WorkerId::new(worker), Generation::new(generation));
        self.drain()
    }

    pub(crate) fn returned(&mut self, worker: u32, generation: u32, task: u64) -> Vec<Output> {
        let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
        self.pool.handle_task_returned(self.now, worker, generation, TaskId::new(task));
        self.drain()
    }

    /// The worker in place 0 is lost, and time passes until the next is spawned.
    pub(crate) fn lost_and_replaced(&mut self, generation: u32) {
        if !self.lost(0, generation).contains(&spawn(0, generation + 1)) {
            self.now = self.pool.next_deadline().expect("a replacement is planned");
            assert_eq!(self.wait_millis(0), [spawn(0, generation + 1)]);
        }
    }

    pub(crate) fn done(&mut self, worker: u32, generation: u32, task: u64) -> Vec<Output> {
        self.ended(worker, generation, task, TaskOutcome::Completed)
    }

    pub(crate) fn ended(
        &mut self,
        worker: u32,
        generation: u32,
        task: u64,
        outcome: TaskOutcome,
    ) -> Vec<Output> {
        let (worker, generation) = (WorkerId::new(worker), Generation::new(generation));
        self.pool.handle_task_done(self.now, worker, generation, TaskId::new(task), outcome);
        self.drain()
    }

    pub(crate) fn abort(&mut self, task: u64) -> Vec<Output> {
        self.pool.handle_abort(self.now, TaskId::new(task));
        self.drain()
    }

    pub(crate) fn close(&mut self, mode: CloseMode) -> Vec<Output> {
        self.pool.handle_close(self.now, mode);
        self.drain()
    }

    /// Lets time pass and does what is due, each at its time.
    pub(crate) fn wait_millis(&mut self, millis: u64) -> Vec<Output> {
        let until = self.now + Duration::from_millis(millis);
        let mut outputs = Vec::new();
        for _ in 0..1_000 {
            let Some(due) = self.pool.next_deadline().filter(|&due| due <= until) else {
                self.now = until;
                return outputs;
            };
            self.now = due.max(self.now);
            self.pool.handle_deadline(self.now);
            outputs.append(&mut self.drain());
        }
        panic!("deadlines without end: {outputs:?}");
    }
}

/// Defaults without a lease, for tests that are about something else.
pub(crate) fn quiet() -> PoolConfig {
    PoolConfig { lease: None, ..PoolConfig::default() }
}

pub(crate) fn plain() -> TaskSpec {
    TaskSpec::default()
}

pub(crate) fn needs(required: Capabilities) -> TaskSpec {
    TaskSpec { required, ..plain() }
}

pub(crate) fn heavy(complexity: u32) -> TaskSpec {
    TaskSpec { complexity: Load::new(complexity), ..plain() }
}

/// A plain worker that carries so much.
pub(crate) fn wide(capacity: u32) -> Offer {
    Offer { capacity: Load::new(capacity), ..Offer::PLAIN }
}

pub(crate) fn urgent(level: u8) -> TaskSpec {
    TaskSpec { priority: Priority::new(level).expect("0 to 10"), ..plain() }
}

pub(crate) fn dispatch(task: u64, worker: u32, generation: u32, attempt: u32) -> Output {
    Output::Dispatch {
        task: TaskId::new(task),
        worker: WorkerId::new(worker),
        generation: Generation::new(generation),
        attempt,
    }
}

pub(crate) fn settle(task: u64, settlement: Settlement) -> Output {
    Output::Settle { task: TaskId::new(task), settlement }
}

pub(crate) fn refused(task: u64, refusal: Refusal) -> Output {
    settle(task, Settlement::Refused(refusal))
}

pub(crate) fn spawn(worker: u32, generation: u32) -> Output {
    Output::Spawn { worker: WorkerId::new(worker), generation: Generation::new(generation) }
}

pub(crate) fn terminate(worker: u32, generation: u32, reason: TerminateReason) -> Output {
    Output::Terminate { worker: WorkerId::new(worker), generation: Generation::new(generation), reason }
}

pub(crate) fn abort_running(task: u64, worker: u32, generation: u32) -> Output {
    Output::AbortRunning {
        task: TaskId::new(task),
        worker: WorkerId::new(worker),
        generation: Generation::new(generation),
    }
}

pub(crate) fn probe(worker: u32, generation: u32) -> Output {
    Output::Probe { worker: WorkerId::new(worker), generation: Generation::new(generation) }
}
