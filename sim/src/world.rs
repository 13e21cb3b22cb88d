//! Everything around the scheduler: who submits, who works, and what goes wrong.

use alloc::collections::BTreeMap;

use quillwork_core::ids::{Generation, RegionId, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{
    Binding, Capabilities, CloseMode, Input, Load, Offer, Output, PerMille, Priority, TaskOutcome, TaskSpec,
    WorkerList,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::Scenario;
use crate::incarnation::{Incarnation, Message};

pub(crate) struct World<'a> {
    scenario: &'a Scenario,
    submitters: Rng,
    workers: Rng,
    machine: Rng,
    memory: f64,
    cpu: f64,
    incarnations: BTreeMap<Who, Incarnation>,
    /// By time; the number keeps the order of what happens at the same time.
    events: BTreeMap<(Instant, u64), Event>,
    scheduled: u64,
    submitted: u32,
    specs: BTreeMap<TaskId, TaskSpec>,
}

type Who = (WorkerId, Generation);

#[derive(Clone, Copy, Debug)]
enum Event {
    Arrival,
    Abort(TaskId),
    Pause,
    Resume,
    Close(CloseMode),
    Says(Who, Message),
    TakesBack(Who, TaskId),
    DiesUnheard(Who),
    Answers(TaskId, Option<WorkerId>),
    Reading,
}

impl<'a> World<'a> {
    pub(crate) fn new(scenario: &'a Scenario, rng: &mut Rng, start: Instant) -> Self {
        let mut world = Self {
            scenario,
            submitters: rng.fork(),
            workers: rng.fork(),
            machine: rng.fork(),
            memory: 0.6,
            cpu: 0.6,
            incarnations: BTreeMap::new(),
            events: BTreeMap::new(),
            scheduled: 0,
            submitted: 0,
            specs: BTreeMap::new(),
        };
        world.schedule(start, Event::Arrival);
        if world.scenario.machine.is_some() {
            world.schedule(start, Event::Reading);
        }
        world
    }

    /// When the next thing happens.
    pub(crate) fn next_event(&self) -> Option<Instant> {
        self.events.keys().next().map(|&(at, _)| at)
    }

    /// Lets it happen; an input for the scheduler unless nobody hears of it.
    pub(crate) fn step(&mut self) -> Option<Input> {
        let ((now, _), event) = self.events.pop_first()?;
        match event {
            Event::Arrival => self.arrive(now),
            Event::Abort(task) => Some(Input::Abort { task }),
            Event::Pause => Some(Input::Pause),
            Event::Resume => Some(Input::Resume),
            Event::Close(mode) => Some(Input::Close { mode }),
            Event::Says(who, message) => {
                let input = self.incarnations.get_mut(&who)?.say(now, message);
                self.start_waiting(now, who);
                input
            }
            Event::TakesBack(who, task) => {
                if self.incarnations.get_mut(&who)?.give_back(task) {
                    self.say_within(now, 2, who, Message::Returned(task));
                    self.start_waiting(now, who);
                }
                None
            }
            Event::Answers(task, worker) => Some(Input::StrategyAnswer { task, worker }),
            Event::Reading => Some(self.read_machine(now)),
            Event::DiesUnheard(who) => {
                self.incarnations.get_mut(&who)?.die();
                None
            }
        }
    }

    /// Does what the scheduler wants done.
    pub(crate) fn act(&mut self, now: Instant, output: &Output) {
        match *output {
            Output::Spawn { worker, generation } => self.spawn(now, (worker, generation)),
            Output::Dispatch { task, worker, generation, .. } => {
                let who = (worker, generation);
                let load = self.specs[&task].complexity.max(Load::ONE);
                if let Some(incarnation) = self.incarnations.get_mut(&who) {
                    incarnation.take(task, load);
                }
                self.start_waiting(now, who);
            }
            Output::AbortRunning { task, worker, generation } => {
                if !self.workers.chance(self.scenario.faults.ignored_abort) {
                    let obeyed = Message::Done { task, outcome: TaskOutcome::Failed };
                    self.say_within(now, 20, (worker, generation), obeyed);
                }
            }
            Output::TakeBack { task, worker, generation } => {
                let delay = share(Duration::from_millis(2), self.workers.unit_f64());
                self.schedule(now + delay, Event::TakesBack((worker, generation), task));
            }
            Output::Probe { worker, generation } => {
                self.say_within(now, 5, (worker, generation), Message::Alive)
            }
            Output::AskStrategy { task } => self.ask(now, task),
            Output::Terminate { worker, generation, .. } => self.terminate(now, (worker, generation)),
            Output::Retry { .. }
            | Output::Parked { .. }
            | Output::Admitted { .. }
            | Output::Saturated { .. }
            | Output::Drained { .. }
            | Output::Resize { .. }
            | Output::Pressure { .. }
            | Output::Settle { .. }
            | Output::Closed => {}
        }
    }

    /// A strategy that knows nothing, is late at times, and makes mistakes.
    fn ask(&mut self, now: Instant, task: TaskId) {
        let Binding::Asked { answer_within, .. } = self.scenario.pool.binding else { return };
        let rng = &mut self.submitters;
        if rng.chance(0.1) {
            return;
        }
        for _ in 0..if rng.chance(0.1) { 2 } else { 1 } {
            let worker = rng.next_u32() % (self.scenario.pool.workers + 1);
            let chosen = (!rng.chance(0.1)).then(|| WorkerId::new(worker));
            let at = now + share(answer_within, 1.1 * rng.unit_f64());
            self.scheduled += 1;
            self.events.insert((at, self.scheduled), Event::Answers(task, chosen));
        }
    }

    fn arrive(&mut self, now: Instant) -> Option<Input> {
        let workload = &self.scenario.workload;
        let task = TaskId::new(u64::from(self.submitted));
        self.submitted += 1;
        let spec = self.draw_spec();
        if self.submitters.chance(workload.abort_ratio) {
            let after = self.draw(workload.mean_service * 2);
            self.schedule(now + after, Event::Abort(task));
        }
        if self.submitters.chance(workload.pause_ratio) {
            let lasts = self.draw(workload.mean_service * 2);
            self.schedule(now, Event::Pause);
            self.schedule(now + lasts, Event::Resume);
        }
        if self.submitted < workload.tasks {
            let gap = self.draw(workload.mean_gap);
            self.schedule(now + gap, Event::Arrival);
        } else {
            let last = now + workload.mean_gap;
            self.schedule(last, Event::Close(CloseMode::Drain));
            self.schedule(last + self.scenario.drain_limit, Event::Close(CloseMode::Now));
        }
        self.specs.insert(task, spec);
        Some(Input::Submit { task, spec })
    }

    /// Somebody else on the machine takes more and less of it, in steps.
    fn read_machine(&mut self, now: Instant) -> Input {
        let machine = self.scenario.machine.expect("readings come where there is a machine");
        self.schedule(now + machine.every, Event::Reading);
        let rng = &mut self.machine;
        let mut walk = |level: &mut f64| {
            *level = (*level + machine.volatility * (rng.unit_f64() - 0.5)).clamp(0.2, 1.1);
            let known = !rng.chance(machine.unknown);
            PerMille::from_ratio(*level).filter(|_| known)
        };
        let (memory, cpu) = (walk(&mut self.memory), walk(&mut self.cpu));
        Input::Resources { memory, cpu }
    }

    fn draw_spec(&mut self) -> TaskSpec {
        let workload = &self.scenario.workload;
        let limit = workload.mean_service * 4;
        let level = u8::try_from(self.submitters.below(11)).expect("0 to 10");
        let mut spec = TaskSpec {
            priority: Priority::new(level).expect("0 to 10"),
            required: self.draw_required(),
            timeout: self.submitters.chance(workload.timeout_ratio).then(|| self.draw(limit)),
            queue_ttl: self.submitters.chance(workload.queue_ttl_ratio).then(|| self.draw(limit)),
            redeliverable: !self.submitters.chance(workload.once_only_ratio),
            task_type: TaskType::new(u32::try_from(self.submitters.below(TASK_TYPES)).expect("a few")),
            complexity: self.draw_complexity(),
            max_attempts: self.draw_max_attempts(),
            affinity: self.draw_workers(workload.affinity_ratio),
            region: self.submitters.chance(workload.region_ratio).then(|| {
                let region = self.submitters.below(REGIONS);
                RegionId::new(u32::try_from(region).expect("a few"))
            }),
            anti_affinity: self.draw_workers(workload.ban_ratio),
            avoid: self.draw_workers(workload.avoid_ratio),
            patience: Duration::ZERO,
            key: None,
            type_limit: 0,
        };
        let kind = spec.task_type.get() as usize;
        spec.type_limit = workload.type_limits[kind];
        let prefers = !spec.affinity.is_empty() || spec.region.is_some();
        if prefers && self.submitters.chance(0.5) {
            spec.patience = self.draw(workload.mean_service * 2);
        }
        if self.scenario.pool.binding != Binding::Late && self.submitters.chance(0.5) {
            spec.key = Some(self.submitters.below(KEYS));
        }
        spec
    }

    /// One to three, for such a share of the tasks.
    fn draw_workers(&mut self, ratio: f64) -> WorkerList {
        if !self.submitters.chance(ratio) {
            return WorkerList::NONE;
        }
        let mut workers = [WorkerId::new(0); 3];
        for worker in &mut workers {
            *worker = WorkerId::new(self.submitters.next_u32() % self.scenario.pool.workers);
        }
        WorkerList::new(&workers[..1 + self.submitters.index(workers.len())]).expect("three of the pool's")
    }

    fn draw_complexity(&mut self) -> Load {
        if self.submitters.chance(self.scenario.workload.heavy_ratio) {
            Load::new(u32::try_from(1 + self.submitters.below(MOST_COMPLEX)).expect("a few"))
        } else {
            Load::ONE
        }
    }

    fn draw_max_attempts(&mut self) -> u32 {
        if self.submitters.chance(self.scenario.workload.retry_ratio) {
            u32::try_from(2 + self.submitters.below(4)).expect("a few")
        } else {
            1
        }
    }

    fn draw_required(&mut self) -> Capabilities {
        let workload = &self.scenario.workload;
        if self.submitters.chance(workload.impossible_ratio) {
            return NOBODY_HAS;
        }
        if self.submitters.chance(workload.specialist_ratio) {
            let place = self.submitters.below(u64::from(self.scenario.pool.workers));
            return self.scenario.offer_of(usize::try_from(place).expect("a pool is small")).capabilities;
        }
        Capabilities::NONE
    }

    fn draw(&mut self, mean: Duration) -> Duration {
        Duration::from_millis_f64(self.submitters.exponential(mean.as_millis_f64()))
    }

    fn spawn(&mut self, now: Instant, who: Who) {
        let (faults, boot_timeout) = (&self.scenario.faults, self.scenario.pool.boot_timeout);
        let rng = &mut self.workers;
        self.incarnations.insert(who, Incarnation::new(who.0, who.1));
        if rng.chance(faults.no_boot) {
            return;
        }
        let boots_in = if rng.chance(faults.slow_boot) {
            share(boot_timeout, 0.8 + 0.4 * rng.unit_f64())
        } else {
            share(boot_timeout, 0.5 * rng.unit_f64())
        };
        let ready_at = now + boots_in;
        if rng.chance(faults.failed_boot) {
            return self.schedule(ready_at, Event::Says(who, Message::Lost));
        }
        let offer = self.scenario.offer_of(who.0.index());
        let dies_at = rng.chance(faults.early_death).then(|| {
            let mean_life = self.scenario.workload.mean_service * 10;
            ready_at + Duration::from_millis_f64(rng.exponential(mean_life.as_millis_f64()))
        });
        let loses_at =
            rng.chance(faults.lost_capability).then(|| ready_at + share(boot_timeout, rng.unit_f64()));
        let heard = rng.chance(0.5);
        self.schedule(ready_at, Event::Says(who, Message::Ready(offer)));
        if let Some(at) = loses_at {
            let capacity = Load::new(offer.capacity.get().div_ceil(2));
            let left = Offer { capabilities: Capabilities::NONE, capacity, ..offer };
            self.schedule(at, Event::Says(who, Message::Ready(left)));
        }
        if let Some(at) = dies_at {
            self.schedule(at, if heard { Event::Says(who, Message::Lost) } else { Event::DiesUnheard(who) });
        }
    }

    fn start_waiting(&mut self, now: Instant, who: Who) {
        while let Some(task) = self.incarnations.get_mut(&who).and_then(Incarnation::start_next) {
            self.work(now, who, task);
        }
    }

    fn work(&mut self, now: Instant, who: Who, task: TaskId) {
        let faults = &self.scenario.faults;
        let mean = self.scenario.workload.mean_service_of(self.specs[&task].task_type);
        let rng = &mut self.workers;
        let takes = Duration::from_millis_f64(rng.exponential(mean.as_millis_f64()));
        let half_way = now + share(takes, 0.5);
        if rng.chance(faults.hang) {
            return;
        }
        if rng.chance(faults.crash) {
            return self.schedule(half_way, Event::Says(who, Message::Lost));
        }
        if rng.chance(faults.silent_death) {
            return self.schedule(half_way, Event::DiesUnheard(who));
        }
        let told_after =
            rng.chance(self.scenario.workload.progress_ratio).then(|| share(takes, 1.2 * rng.unit_f64()));
        let outcome = if !rng.chance(faults.throw) {
            TaskOutcome::Completed
        } else if rng.chance(self.scenario.workload.for_good_ratio) {
            TaskOutcome::FailedForGood
        } else {
            TaskOutcome::Failed
        };
        let repeated_after = rng.chance(faults.repeated_message).then(|| share(mean, rng.unit_f64()));
        self.schedule(now + takes, Event::Says(who, Message::Done { task, outcome }));
        if let Some(after) = told_after {
            self.schedule(now + after, Event::Says(who, Message::Progress { task }));
        }
        if let Some(after) = repeated_after {
            self.schedule(now + takes + after, Event::Says(who, Message::DoneAgain { task, outcome }));
        }
    }

    fn terminate(&mut self, now: Instant, who: Who) {
        let late = self.workers.chance(self.scenario.faults.late_message);
        let heard_until = if late { now + LATEST_MESSAGE } else { now - Duration::from_nanos(1) };
        if let Some(incarnation) = self.incarnations.get_mut(&who) {
            incarnation.silence(heard_until);
        }
    }

    fn say_within(&mut self, now: Instant, millis: u64, who: Who, message: Message) {
        let delay = share(Duration::from_millis(millis), self.workers.unit_f64());
        self.schedule(now + delay, Event::Says(who, message));
    }

    fn schedule(&mut self, at: Instant, event: Event) {
        self.scheduled += 1;
        self.events.insert((at, self.scheduled), event);
    }
}

fn share(of: Duration, ratio: f64) -> Duration {
    Duration::from_millis_f64(of.as_millis_f64() * ratio)
}

/// Terminated workers were heard for so long in browsers.
const LATEST_MESSAGE: Duration = Duration::from_secs(2);
/// See [`Workload::mean_service_of`](crate::Workload).
const TASK_TYPES: u64 = 3;
const KEYS: u64 = 5;
/// The workers of [`Scenario::from_seed`] are in two; nobody is in the third.
const REGIONS: u64 = 3;
/// As much as the widest workers of [`Scenario::from_seed`] carry.
const MOST_COMPLEX: u64 = 8;
const NOBODY_HAS: Capabilities = Capabilities::from_bits(1 << 63);
