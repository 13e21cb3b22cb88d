//! An executor beside a model that keeps everything in lists, and tries every nanosecond to find the next start.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use proptest::prelude::*;
use quillwork_core::flow::executor::{
    CoolDown, Executor, ExecutorConfig, ExecutorOutput, ExecutorRefusal, ExecutorSettlement, Overflow,
    Submission, Submitted,
};
use quillwork_core::flow::rate_limit::{Quota, Rate};
use quillwork_core::ids::TaskId;
use quillwork_core::pool::{Priority, TaskOutcome};
use quillwork_core::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit {
        priority: u8,
        weight: u32,
        ttl: Option<u64>,
        submitter: u64,
    },
    /// One of the tasks so far.
    Abort(usize),
    Done(usize),
    Pass(u64),
    SetBack(u64),
    Deadline,
    Pause,
    Resume,
    MaxConcurrent(NonZeroU32),
    Close,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    task: u64,
    rank: u64,
    sequence: u64,
    weight: u32,
    expires: Option<u64>,
    submitter: u64,
    outside: bool,
}

struct Model {
    config: ExecutorConfig,
    now: u64,
    waiting: Vec<Waiting>,
    /// Whether they are settled.
    running: BTreeMap<u64, bool>,
    starts: Vec<(u64, u32)>,
    /// When the last task of each submitter came, as far as its rank goes.
    came: BTreeMap<u64, u64>,
    paused: bool,
    closed: bool,
    outputs: Vec<ExecutorOutput>,
}

impl Model {
    fn settle(&mut self, task: u64, settlement: ExecutorSettlement) {
        self.outputs.push(ExecutorOutput::Settle { task: TaskId::new(task), settlement });
    }

    fn take(&mut self, task: u64) -> Waiting {
        let index = self.waiting.iter().position(|waiting| waiting.task == task).expect("it waits");
        let taken = self.waiting.remove(index);
        if !self.waiting.iter().any(|waiting| waiting.submitter == taken.submitter) {
            self.came.remove(&taken.submitter);
        }
        taken
    }

    fn first(&self, outside: bool) -> Option<Waiting> {
        let of_these = self.waiting.iter().filter(|waiting| waiting.outside == outside);
        of_these.min_by_key(|waiting| (waiting.rank, waiting.sequence)).copied()
    }

    fn queued(&self) -> usize {
        self.waiting.iter().filter(|waiting| !waiting.outside).count()
    }

    fn may_start_at(&self, at: u64, weight: u32) -> bool {
        self.cooled_down_at() <= at && (weight == 0 || self.rate_holds(at, weight))
    }

    fn cooled_down_at(&self) -> u64 {
        let Some(CoolDown { burst, pause }) = self.config.cool_down else { return 0 };
        let pause = pause.as_nanos();
        let (mut run, mut last, mut until) = (0, 0, 0);
        for &(start, _) in &self.starts {
            run = if start - last >= pause { 1 } else { run + 1 };
            last = start;
            if run == burst {
                (run, until) = (0, start + pause);
            }
        }
        until
    }

    fn rate_holds(&self, at: u64, weight: u32) -> bool {
        let mut starts: Vec<_> = self.starts.iter().copied().filter(|start| start.1 > 0).collect();
        starts.push((at, weight));
        match self.config.rate {
            None => true,
            Some(Rate::Strict(quota)) => holds_strictly(quota, &starts),
            Some(Rate::Steady(quota)) => (0..starts.len()).all(|first| {
                let weight: u64 = starts[first..].iter().map(|start| u64::from(start.1)).sum();
                let interval = quota.emission_interval().as_nanos();
                weight <= u64::from(quota.burst()) + (at - starts[first].0) / interval
            }),
        }
    }

    fn next_start(&self) -> Option<u64> {
        let running = u32::try_from(self.running.len()).expect("few");
        if self.paused || running >= self.config.max_concurrent.get() {
            return None;
        }
        let head = self.first(false)?;
        (self.now..).find(|&at| self.may_start_at(at, head.weight))
    }

    fn start_ready(&mut self) {
        loop {
            while self.next_start() == Some(self.now) {
                let head = self.first(false).expect("it starts");
                self.take(head.task);
                self.running.insert(head.task, false);
                self.starts.push((self.now, head.weight));
                self.outputs.push(ExecutorOutput::Start { task: TaskId::new(head.task) });
            }
            if self.queued() >= self.config.max_queued as usize {
                return;
            }
            let Some(Waiting { task, .. }) = self.first(true) else { return };
            self.waiting.iter_mut().find(|waiting| waiting.task == task).expect("it waits").outside = false;
            self.outputs.push(ExecutorOutput::Admitted { task: TaskId::new(task) });
        }
    }

    fn expire(&mut self) {
        let mut expired: Vec<_> = self.waiting.clone();
        expired.retain(|waiting| waiting.expires.is_some_and(|expires| expires <= self.now));
        expired.sort_by_key(|waiting| (waiting.expires, waiting.sequence));
        for Waiting { task, .. } in expired {
            self.take(task);
            self.settle(task, ExecutorSettlement::Expired);
        }
    }

    fn submit(&mut self, task: u64, submission: Submission) -> Result<Submitted, ExecutorRefusal> {
        self.start_ready();
        if self.closed {
            return Err(ExecutorRefusal::Closed);
        }
        let came_before = self.came.clone();
        let spacing = self.config.fair_spacing.as_nanos();
        let came = self.came.get(&submission.submitter).map_or(self.now, |came| self.now.max(came + spacing));
        self.came.insert(submission.submitter, came);
        let rank = came + u64::from(10 - submission.priority.level()) * self.config.ageing.as_nanos();
        self.waiting.push(Waiting {
            task,
            rank,
            sequence: task,
            weight: submission.weight,
            expires: submission.queue_ttl.map(|ttl| self.now + ttl.as_nanos()),
            submitter: submission.submitter,
            outside: false,
        });
        self.start_ready();
        let max_queued = self.config.max_queued;
        if self.queued() <= max_queued as usize {
            return Ok(Submitted::Queued);
        }
        let mut queued: Vec<_> = self.waiting.iter().filter(|waiting| !waiting.outside).collect();
        let refused = match self.config.overflow {
            Overflow::Wait { max_waiting } if self.waiting.len() - queued.len() < max_waiting as usize => {
                self.waiting.iter_mut().find(|waiting| waiting.task == task).expect("it waits").outside =
                    true;
                return Ok(Submitted::Waiting);
            }
            Overflow::Wait { max_waiting } => ExecutorRefusal::TooManyWaiting { limit: max_waiting },
            Overflow::Reject => ExecutorRefusal::QueueFull { limit: max_queued },
            Overflow::DropOldest | Overflow::DropLowestPriority => {
                if self.config.overflow == Overflow::DropOldest {
                    queued.sort_by_key(|waiting| waiting.sequence);
                } else {
                    queued.sort_by_key(|waiting| std::cmp::Reverse((waiting.rank, waiting.sequence)));
                }
                let victim = queued[0].task;
                if victim != task {
                    self.take(victim);
                    self.settle(victim, ExecutorSettlement::Dropped);
                    return Ok(Submitted::Queued);
                }
                ExecutorRefusal::QueueFull { limit: max_queued }
            }
        };
        self.take(task);
        self.came = came_before;
        Err(refused)
    }
}

fn holds_strictly(quota: Quota, starts: &[(u64, u32)]) -> bool {
    let period = quota.period().as_nanos();
    starts.iter().all(|&(from, _)| {
        let window = starts.iter().filter(|(start, _)| (from..from + period).contains(start));
        window.map(|start| u64::from(start.1)).sum::<u64>() <= u64::from(quota.weight())
    })
}

struct Run {
    executor: Executor,
    model: Model,
    clock: u64,
    submitted: u64,
    settled: BTreeMap<u64, u32>,
    accepted: u64,
}

impl Run {
    fn new(config: ExecutorConfig) -> Self {
        let model = Model {
            config,
            now: 1_000,
            waiting: Vec::new(),
            running: BTreeMap::new(),
            starts: Vec::new(),
            came: BTreeMap::new(),
            paused: false,
            closed: false,
            outputs: Vec::new(),
        };
        let executor = Executor::new(config, Instant::from_nanos(1_000)).expect("the settings are sound");
        Self { executor, model, clock: 1_000, submitted: 0, settled: BTreeMap::new(), accepted: 0 }
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let now = Instant::from_nanos(self.clock);
        let Self { executor, model, .. } = self;
        match step {
            Step::Pass(nanos) => {
                self.clock += nanos;
                return Ok(());
            }
            Step::SetBack(nanos) => {
                self.clock -= nanos.min(self.clock);
                return Ok(());
            }
            _ => {}
        }
        model.now = model.now.max(self.clock);
        model.expire();
        match step {
            Step::Submit { priority, weight, ttl, submitter } => {
                let submission = Submission {
                    priority: Priority::new(priority).expect("at most 10"),
                    weight,
                    queue_ttl: ttl.map(Duration::from_nanos),
                    submitter,
                };
                let answer = executor.handle_submit(now, TaskId::new(self.submitted), submission);
                let expected = model.submit(self.submitted, submission);
                prop_assert_eq!(answer, expected);
                self.submitted += 1;
                self.accepted += u64::from(answer.is_ok());
            }
            Step::Abort(which) => {
                let task = which as u64 % self.submitted.max(1);
                executor.handle_abort(now, TaskId::new(task));
                if model.waiting.iter().any(|waiting| waiting.task == task) {
                    model.take(task);
                    model.settle(task, ExecutorSettlement::Aborted);
                } else if model.running.get(&task) == Some(&false) {
                    model.running.insert(task, true);
                    model.outputs.push(ExecutorOutput::Cancel { task: TaskId::new(task) });
                    model.settle(task, ExecutorSettlement::Aborted);
                }
            }
            Step::Done(which) => {
                let running = model.running.len().max(1);
                let task = model.running.keys().nth(which % running).copied().unwrap_or(which as u64);
                let (outcome, settlement) = if which % 2 == 0 {
                    (TaskOutcome::Completed, ExecutorSettlement::Completed)
                } else {
                    (TaskOutcome::Failed, ExecutorSettlement::Failed)
                };
                executor.handle_done(now, TaskId::new(task), outcome);
                if model.running.remove(&task) == Some(false) {
                    model.settle(task, settlement);
                }
            }
            Step::Pause => {
                executor.handle_pause(now);
                model.paused = true;
            }
            Step::Resume => {
                executor.handle_resume(now);
                model.paused = false;
            }
            Step::MaxConcurrent(limit) => {
                executor.set_max_concurrent(now, limit);
                model.config.max_concurrent = limit;
            }
            Step::Close => {
                executor.handle_close(now);
                model.closed = true;
                while let Some(first) = model.first(false).or(model.first(true)) {
                    model.take(first.task);
                    model.settle(first.task, ExecutorSettlement::Closed);
                }
            }
            Step::Deadline | Step::Pass(_) | Step::SetBack(_) => executor.handle_deadline(now),
        }
        let active = model.running.len();
        model.start_ready();
        let limit = model.config.max_concurrent.get() as usize;
        prop_assert!(
            model.running.len() <= limit.max(active),
            "a lower limit stops no task, and starts none"
        );
        self.compare(step)
    }

    fn compare(&mut self, step: Step) -> Result<(), TestCaseError> {
        let outputs: Vec<_> = std::iter::from_fn(|| self.executor.poll_output()).collect();
        prop_assert_eq!(&outputs, &self.model.outputs, "{:?}", step);
        self.model.outputs.clear();
        for output in outputs {
            if let ExecutorOutput::Settle { task, .. } = output {
                *self.settled.entry(task.get()).or_default() += 1;
            }
        }
        let expiry = self.model.waiting.iter().filter_map(|waiting| waiting.expires).min();
        let deadline = expiry.into_iter().chain(self.model.next_start()).min();
        prop_assert_eq!(self.executor.next_deadline(), deadline.map(Instant::from_nanos), "{:?}", step);
        let metrics = self.executor.metrics(Instant::from_nanos(self.clock));
        prop_assert_eq!(metrics.active as usize, self.model.running.len());
        prop_assert_eq!(metrics.queued as usize, self.model.queued());
        prop_assert_eq!((metrics.queued + metrics.waiting) as usize, self.model.waiting.len());
        prop_assert!(metrics.queued <= self.model.config.max_queued);
        prop_assert_eq!(metrics.totals.started, self.model.starts.len() as u64);
        Ok(())
    }

    /// Everything runs to its end.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        self.clock = self.clock.max(self.model.now);
        self.step(Step::Resume)?;
        for _ in 0..10_000 {
            if self.executor.is_idle() {
                break;
            }
            match self.executor.next_deadline() {
                Some(deadline) if self.model.running.is_empty() => {
                    self.clock = self.clock.max(deadline.as_nanos());
                    self.step(Step::Deadline)?;
                }
                _ => self.step(Step::Done(0))?,
            }
        }
        prop_assert!(self.executor.is_idle(), "nothing hangs");
        prop_assert_eq!(self.settled.len() as u64, self.accepted, "all that was accepted settles");
        prop_assert!(self.settled.values().all(|&times| times == 1), "once");
        let totals = self.executor.metrics(Instant::from_nanos(self.clock)).totals;
        let ended = totals.completed + totals.failed + totals.aborted + totals.expired;
        prop_assert_eq!(ended + totals.dropped + totals.closed, totals.accepted);
        prop_assert_eq!(totals.accepted + totals.refused, self.submitted);
        Ok(())
    }
}

fn config() -> impl Strategy<Value = ExecutorConfig> {
    let rate = (0_u8..3, 3_u32..8, 8_u64..60, 3_u32..8).prop_map(|(kind, weight, period, burst)| {
        let quota =
            Quota::new(weight, Duration::from_nanos(period)).and_then(|quota| quota.with_burst(burst));
        let quota = quota.expect("a sound quota");
        [None, Some(Rate::Steady(quota)), Some(Rate::Strict(quota))][usize::from(kind)]
    });
    let cool_down = proptest::option::of((1_u32..6, 1_u64..50));
    let overflow = prop_oneof![
        Just(Overflow::Reject),
        Just(Overflow::DropOldest),
        Just(Overflow::DropLowestPriority),
        (0_u32..4).prop_map(|max_waiting| Overflow::Wait { max_waiting }),
    ];
    (1_u32..5, rate, cool_down, 0_u32..8, overflow, 0_u64..20, prop_oneof![Just(0_u64), 1_u64..30]).prop_map(
        |(max_concurrent, rate, cool_down, max_queued, overflow, ageing, fair_spacing)| ExecutorConfig {
            max_concurrent: NonZeroU32::new(max_concurrent).expect("not zero"),
            rate,
            cool_down: cool_down.map(|(burst, pause)| CoolDown { burst, pause: Duration::from_nanos(pause) }),
            max_queued: if matches!(overflow, Overflow::Wait { .. }) {
                max_queued.max(1)
            } else {
                max_queued
            },
            overflow,
            ageing: Duration::from_nanos(ageing),
            fair_spacing: Duration::from_nanos(fair_spacing),
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let submit =
        (0_u8..=10, prop_oneof![4 => Just(1_u32), 1 => 0_u32..=3], proptest::option::of(0_u64..60), 0_u64..3);
    let step = prop_oneof![
        20 => submit.prop_map(|(priority, weight, ttl, submitter)| Step::Submit { priority, weight, ttl, submitter }),
        5 => any::<usize>().prop_map(Step::Abort),
        12 => any::<usize>().prop_map(Step::Done),
        12 => (0_u64..30).prop_map(Step::Pass),
        1 => (1_u64..30).prop_map(Step::SetBack),
        8 => Just(Step::Deadline),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => (1_u32..5).prop_map(|limit| Step::MaxConcurrent(NonZeroU32::new(limit).expect("not zero"))),
    ];
    (prop::collection::vec(step, 1..100), prop::bool::weighted(0.2)).prop_map(|(mut steps, close)| {
        if close {
            steps.insert(steps.len() * 2 / 3, Step::Close);
        }
        steps
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 3 / 2) })]

    #[test]
    fn it_does_what_the_model_does(config in config(), steps in steps()) {
        let mut run = Run::new(config);
        for step in steps {
            run.step(step)?;
        }
        run.finish()?;
        if let Some(Rate::Strict(quota)) = config.rate {
            prop_assert!(holds_strictly(quota, &run.model.starts), "in every rolling window");
        }
    }
}
