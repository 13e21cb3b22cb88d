//! Tasks that are submitted in one go are decided about as if they had come one by one.

use proptest::prelude::*;
use quillwork_core::ids::{Generation, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{
    ElasticConfig, Input, Load, Offer, Output, Overflow, PerMille, PoolConfig, Priority, Scheduler,
    TaskOutcome, TaskSpec, WorkerList,
};
use quillwork_core::time::{Duration, Instant};

use crate::rig::{GPU, NET, NONE};

#[derive(Clone, Copy, Debug)]
enum Step {
    Burst { tasks: u64, spec: TaskSpec },
    Happens(Happening),
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Pass { micros: u64 },
    Ends { pick: usize, outcome: TaskOutcome },
    Returned { pick: usize },
    Ready { worker: u32, gpu: bool, capacity: u32 },
    Lost { worker: u32 },
    Recycle { worker: u32 },
    Abort { pick: u64 },
    Pause,
    Resume,
    Resources { memory: u32, cpu: u32 },
}

fn spec() -> impl Strategy<Value = TaskSpec> {
    let plain = prop_oneof![4 => Just(5_u8), 1 => 0_u8..=10].prop_flat_map(|level| {
        (0_u32..3, prop_oneof![4 => Just(NONE), 1 => Just(GPU)], any::<bool>()).prop_map(
            move |(task_type, required, redeliverable)| TaskSpec {
                priority: Priority::new(level).expect("up to 10"),
                task_type: TaskType::new(task_type),
                required,
                redeliverable,
                ..TaskSpec::default()
            },
        )
    });
    (plain, 0_u8..24).prop_map(|(plain, special)| match special {
        0 => TaskSpec { complexity: Load::new(2), ..plain },
        1 => TaskSpec { queue_ttl: Some(Duration::from_millis(4)), ..plain },
        2 => TaskSpec { timeout: Some(Duration::from_millis(3)), ..plain },
        3 => TaskSpec { type_limit: 1, task_type: TaskType::new(9), ..plain },
        4 => TaskSpec { affinity: WorkerList::new(&[WorkerId::new(1)]).expect("one"), ..plain },
        5 => TaskSpec { anti_affinity: WorkerList::new(&[WorkerId::new(0)]).expect("one"), ..plain },
        6 => TaskSpec { max_attempts: 3, ..plain },
        7 => TaskSpec { required: NET, ..plain },
        _ => plain,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![5 => Just(TaskOutcome::Completed), 1 => Just(TaskOutcome::Failed)];
    let happening = prop_oneof![
        4 => (0_u64..3_000).prop_map(|micros| Happening::Pass { micros }),
        12 => (0_usize..4, outcome).prop_map(|(pick, outcome)| Happening::Ends { pick, outcome }),
        1 => (0_usize..8).prop_map(|pick| Happening::Returned { pick }),
        3 => (0_u32..3, any::<bool>(), 1_u32..3)
            .prop_map(|(worker, gpu, capacity)| Happening::Ready { worker, gpu, capacity }),
        1 => (0_u32..3).prop_map(|worker| Happening::Lost { worker }),
        1 => (0_u32..3).prop_map(|worker| Happening::Recycle { worker }),
        1 => (0_u64..40).prop_map(|pick| Happening::Abort { pick }),
        1 => Just(Happening::Pause),
        2 => Just(Happening::Resume),
        1 => (0_u32..1_200, 0_u32..1_200).prop_map(|(memory, cpu)| Happening::Resources { memory, cpu }),
    ];
    prop_oneof![
        1 => (1_u64..24, spec()).prop_map(|(tasks, spec)| Step::Burst { tasks, spec }),
        3 => happening.prop_map(Step::Happens),
    ]
}

fn config() -> impl Strategy<Value = PoolConfig> {
    let overflow = prop_oneof![
        3 => Just(Overflow::Reject),
        1 => Just(Overflow::DropOldest),
        1 => Just(Overflow::DropLowestPriority),
        1 => Just(Overflow::Wait { max_waiting: 10 }),
    ];
    (overflow, prop_oneof![1 => 0_u32..40, 2 => Just(100_000)], any::<bool>(), any::<bool>(), 0_u8..6)
        .prop_map(|(overflow, max_queued, elastic, prefetches, threshold)| PoolConfig {
            workers: 3,
            elastic: if elastic { ElasticConfig::from_min(1) } else { ElasticConfig::default() },
            prefetch: Duration::from_millis(u64::from(prefetches)),
            threshold: threshold == 0,
            overflow,
            max_queued,
            ..PoolConfig::default()
        })
}

/// A pool and what it was given, in the order in which it was.
struct Pool {
    scheduler: Scheduler,
    outputs: Vec<Output>,
}

impl Pool {
    fn drain(&mut self) {
        self.outputs.extend(std::iter::from_fn(|| self.scheduler.poll_output()));
    }

    fn handle(&mut self, now: Instant, input: Input) {
        self.scheduler.handle_input(now, input).expect("ids are counted up");
        self.drain();
    }

    /// As a shell does: what can only wait in one go, the next by itself.
    fn handle_burst(&mut self, now: Instant, tasks: std::ops::Range<u64>, spec: TaskSpec) -> usize {
        let (mut next, mut at_once) = (tasks.start, 0);
        while next < tasks.end {
            let taken = self.scheduler.handle_burst(now, (next..tasks.end).map(TaskId::new), &spec);
            self.drain();
            at_once += taken;
            next += taken as u64;
            if next < tasks.end {
                self.handle(now, Input::Submit { task: TaskId::new(next), spec });
                next += 1;
            }
        }
        at_once
    }

    /// Dispatches that were not answered, the first first.
    fn given(&self, ended: &[TaskId]) -> Vec<(TaskId, WorkerId, Generation)> {
        let given = self.outputs.iter().filter_map(|output| match *output {
            Output::Dispatch { task, worker, generation, .. } => Some((task, worker, generation)),
            _ => None,
        });
        given.filter(|(task, ..)| !ended.contains(task)).collect()
    }

    fn generation(&self, now: Instant, worker: u32) -> Generation {
        let place = self.scheduler.worker_stats(now, WorkerId::new(worker));
        place.expect("three workers").generation
    }

    fn input(&self, now: Instant, happening: Happening, ended: &mut Vec<TaskId>) -> Option<Input> {
        let worker_and_generation = |worker| (WorkerId::new(worker), self.generation(now, worker));
        Some(match happening {
            Happening::Pass { .. } => Input::Deadline,
            Happening::Ends { pick, outcome } => {
                let given = self.given(ended);
                let &(task, worker, generation) = given.get(pick)?;
                ended.push(task);
                Input::TaskDone { worker, generation, task, outcome }
            }
            Happening::Returned { pick } => {
                let given = self.given(ended);
                let &(task, worker, generation) = given.get(pick)?;
                Input::TaskReturned { worker, generation, task }
            }
            Happening::Ready { worker, gpu, capacity } => {
                let (worker, generation) = worker_and_generation(worker);
                let capabilities = if gpu { GPU } else { NONE };
                let offer = Offer { capabilities, capacity: Load::new(capacity), ..Offer::PLAIN };
                Input::WorkerReady { worker, generation, offer }
            }
            Happening::Lost { worker } => {
                let (worker, generation) = worker_and_generation(worker);
                Input::WorkerLost { worker, generation }
            }
            Happening::Recycle { worker } => {
                let (worker, generation) = worker_and_generation(worker);
                Input::Recycle { worker, generation }
            }
            Happening::Abort { pick } => Input::Abort { task: TaskId::new(pick) },
            Happening::Pause => Input::Pause,
            Happening::Resume => Input::Resume,
            Happening::Resources { memory, cpu } => {
                Input::Resources { memory: Some(PerMille::new(memory)), cpu: Some(PerMille::new(cpu)) }
            }
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 4) })]

    #[test]
    fn a_burst_is_decided_about_as_its_tasks_one_by_one(config in config(), steps in prop::collection::vec(step(), 1..80)) {
        let mut now = Instant::from_secs(1_000);
        let [mut at_once, mut one_by_one] = [(); 2].map(|()| Pool {
            scheduler: Scheduler::new(config, now).expect("the settings are sound"),
            outputs: Vec::new(),
        });
        at_once.drain();
        one_by_one.drain();
        let (mut next, mut ended) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Burst { tasks, spec } => {
                    at_once.handle_burst(now, next..next + tasks, spec);
                    for task in (next..next + tasks).map(TaskId::new) {
                        one_by_one.handle(now, Input::Submit { task, spec });
                    }
                    next += tasks;
                }
                Step::Happens(happening) => {
                    if let Happening::Pass { micros } = happening {
                        now += Duration::from_micros(micros);
                    }
                    let Some(input) = one_by_one.input(now, happening, &mut ended) else { continue };
                    at_once.handle(now, input);
                    one_by_one.handle(now, input);
                }
            }
            prop_assert_eq!(&at_once.outputs, &one_by_one.outputs);
            let [this, other] = [&mut at_once.scheduler, &mut one_by_one.scheduler];
            prop_assert_eq!(this.next_deadline(), other.next_deadline());
            prop_assert_eq!(this.stats(now), other.stats(now));
            prop_assert_eq!(this.load(now), other.load(now));
        }
    }
}

#[test]
fn what_can_only_wait_is_taken_in_at_once_and_what_cannot_is_left() {
    let now = Instant::from_secs(1_000);
    let config = PoolConfig { workers: 1, max_queued: 50, ..PoolConfig::default() };
    let scheduler = Scheduler::new(config, now).expect("the settings are sound");
    let mut pool = Pool { scheduler, outputs: Vec::new() };
    let ready =
        Input::WorkerReady { worker: WorkerId::new(0), generation: Generation::FIRST, offer: Offer::PLAIN };
    pool.handle(now, ready);
    let spec = TaskSpec::default();
    let burst = |pool: &mut Pool, tasks: std::ops::Range<u64>| {
        pool.scheduler.handle_burst(now, tasks.map(TaskId::new), &spec)
    };
    assert_eq!(burst(&mut pool, 0..100), 0, "the worker is free");
    pool.handle(now, Input::Submit { task: TaskId::new(0), spec });
    assert_eq!(burst(&mut pool, 1..11), 10);
    assert_eq!(burst(&mut pool, 10..20), 0, "the first has the id of an unsettled one");
    assert_eq!(burst(&mut pool, 11..100), 39, "the next one fills the queue");
    let urgent = TaskSpec { priority: Priority::HIGHEST, ..spec };
    pool.handle(now, Input::Submit { task: TaskId::new(100), spec: urgent });
    assert!(pool.outputs.contains(&Output::Saturated { queued: 50 }));
}
