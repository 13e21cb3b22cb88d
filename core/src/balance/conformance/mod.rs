//! What every strategy must keep to, whatever it chooses: random events on a balancer, checked against a naive model.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::{Just, ProptestConfig, any, prop};
use proptest::strategy::Strategy as Generator;
use proptest::test_runner::{TestCaseError, TestRunner};
use proptest::{prop_assert, prop_assert_eq, prop_oneof};

use super::strategies::*;
use super::{
    BalanceConfig, Eligible, Load, LoadBalancer, ScoreWeights, Slot, Strategy, Task, WorkerReport,
    WorkerSpec, WorkerStatus,
};
use crate::ids::{RegionId, TaskId, TaskType, WorkerId};
use crate::pool::Capabilities;
use crate::rng::Rng;
use crate::time::{Duration, Instant};
use model::{Model, ModelWorker};

mod model;

/// The whole suite, for one strategy.
pub(crate) fn conforms(make: fn() -> Box<dyn Strategy>) {
    survives_everything(make);
    is_fair_to_equals(make, &[8; 5]);
    is_fair_to_equals(make, &[1; 12]);
    returns_everything(make);
    prefers_by_its_scores_without_changing(make);
}

/// A balancer on which the strategy decides.
fn balancer(make: fn() -> Box<dyn Strategy>, seed: u64) -> LoadBalancer {
    let mut balancer = LoadBalancer::new(BalanceConfig::default(), seed).unwrap();
    let strategy = make();
    let name = strategy.name();
    if !balancer.strategy_names().any(|known| known == name) {
        balancer.register_strategy(strategy).unwrap();
    }
    balancer.set_strategy(name).unwrap();
    balancer
}

#[derive(Clone, Debug)]
enum Operation {
    Join { worker: u32, capacity: u32, capabilities: u64, region: Option<u32>, latency_millis: u64 },
    Leave(u32),
    Status(u32, WorkerStatus),
    Report { worker: u32, capacity: Option<u32>, capabilities: Option<u64>, foreign: Option<u32> },
    Eject { worker: u32, millis: u64 },
    Panic(bool),
    WeightFactor(u32, f64),
    Assign(Wanted),
    Start(prop::sample::Index),
    Finish { task: prop::sample::Index, success: bool },
    Cancel(prop::sample::Index),
    Wait(u64),
    StepBack(u64),
}

#[derive(Clone, Debug)]
struct Wanted {
    required: u64,
    complexity: u32,
    task_type: u32,
    affinity: Vec<WorkerId>,
    banned: Vec<WorkerId>,
    region: Option<u32>,
    key: u64,
}

fn operations() -> impl Generator<Value = Vec<Operation>> {
    let worker = 0_u32..7;
    let capabilities = prop_oneof![3 => Just(0_u64), 2 => 0_u64..8];
    let region = prop::option::of(0_u32..3);
    let join = (worker.clone(), 0_u32..9, capabilities.clone(), region.clone(), 0_u64..9).prop_map(
        |(worker, capacity, capabilities, region, latency_millis)| Operation::Join {
            worker,
            capacity,
            capabilities,
            region,
            latency_millis,
        },
    );
    let status = prop_oneof![
        1 => Just(WorkerStatus::Booting),
        1 => Just(WorkerStatus::Draining),
        1 => Just(WorkerStatus::Offline),
        1 => Just(WorkerStatus::Busy),
        3 => Just(WorkerStatus::Ready),
    ];
    let report = (
        worker.clone(),
        prop::option::of(0_u32..9),
        prop::option::of(capabilities.clone()),
        prop::option::of(0_u32..4),
    )
        .prop_map(|(worker, capacity, capabilities, foreign)| Operation::Report {
            worker,
            capacity,
            capabilities,
            foreign,
        });
    let some = || prop::collection::vec((0_u32..8).prop_map(WorkerId::new), 0..3);
    let complexity = prop_oneof![4 => Just(1_u32), 1 => Just(0), 2 => 2_u32..9];
    let wanted = (capabilities, complexity, 0_u32..3, some(), some(), region, any::<u64>()).prop_map(
        |(required, complexity, task_type, affinity, banned, region, key)| Wanted {
            required,
            complexity,
            task_type,
            affinity,
            banned,
            region,
            key,
        },
    );
    let index = any::<prop::sample::Index>;
    let operation = prop_oneof![
        8 => join,
        1 => worker.clone().prop_map(Operation::Leave),
        2 => (worker.clone(), status).prop_map(|(worker, status)| Operation::Status(worker, status)),
        2 => report,
        2 => (worker.clone(), 0_u64..900).prop_map(|(worker, millis)| Operation::Eject { worker, millis }),
        1 => any::<bool>().prop_map(Operation::Panic),
        1 => (worker, -0.5_f64..1.5).prop_map(|(worker, factor)| Operation::WeightFactor(worker, factor)),
        30 => wanted.prop_map(Operation::Assign),
        6 => index().prop_map(Operation::Start),
        14 => (index(), any::<bool>()).prop_map(|(task, success)| Operation::Finish { task, success }),
        3 => index().prop_map(Operation::Cancel),
        8 => (0_u64..2_000).prop_map(Operation::Wait),
        1 => (0_u64..500).prop_map(Operation::StepBack),
    ];
    prop::collection::vec(operation, 1..120)
}

/// Only eligible workers are chosen, refusals are exact, loads are right after each step, scores are numbers in 0..=1, and
/// a second run with the same seed decides the same.
fn survives_everything(make: fn() -> Box<dyn Strategy>) {
    // `PROPTEST_CASES` asks for more.
    let cases = ProptestConfig::default().cases / 10;
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&operations(), |operations| {
            let mut runs = [World::new(make), World::new(make)];
            for operation in &operations {
                for world in &mut runs {
                    world.step(operation)?;
                }
            }
            prop_assert_eq!(&runs[0].chosen, &runs[1].chosen);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{}: {failure}", make().name()));
}

struct World {
    balancer: LoadBalancer,
    strategy: Box<dyn Strategy>,
    model: Model,
    now: Instant,
    next_task: u64,
    chosen: Vec<Option<WorkerId>>,
}

impl World {
    fn new(make: fn() -> Box<dyn Strategy>) -> Self {
        let (balancer, strategy) = (balancer(make, 7), make());
        Self {
            balancer,
            strategy,
            model: Model::default(),
            now: Instant::ZERO,
            next_task: 0,
            chosen: Vec::new(),
        }
    }

    fn step(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        let now = self.now;
        match operation {
            &Operation::Join { worker, capacity, capabilities, region, latency_millis } => {
                let spec = WorkerSpec {
                    id: WorkerId::new(worker),
                    capabilities: Capabilities::from_bits(capabilities),
                    capacity: Load::new(capacity),
                    concurrency: capacity / 3,
                    region: region.map(RegionId::new),
                    latency: Duration::from_millis(latency_millis),
                };
                self.balancer.handle_joined(now, spec);
                let known = self.model.workers.entry(spec.id);
                known.and_modify(|known| known.spec = spec).or_insert(ModelWorker {
                    spec,
                    status: WorkerStatus::Ready,
                    foreign: 0,
                    ejected_until: Instant::ZERO,
                });
            }
            &Operation::Leave(worker) => {
                let worker = WorkerId::new(worker);
                let mut orphans = self.balancer.handle_left(now, worker).to_vec();
                orphans.sort_unstable();
                let expected: Vec<TaskId> = self
                    .model
                    .tasks
                    .iter()
                    .filter(|(_, (on, _))| *on == worker)
                    .map(|(&task, _)| task)
                    .collect();
                prop_assert_eq!(orphans, expected);
                self.model.tasks.retain(|_, (on, _)| *on != worker);
                self.model.workers.remove(&worker);
            }
            &Operation::Status(worker, status) => {
                self.balancer.handle_status(now, WorkerId::new(worker), status);
                self.model.workers.entry(WorkerId::new(worker)).and_modify(|known| known.status = status);
            }
            &Operation::Report { worker, capacity, capabilities, foreign } => {
                let report = WorkerReport {
                    capabilities: capabilities.map(Capabilities::from_bits),
                    capacity: capacity.map(Load::new),
                    latency: None,
                    foreign_load: foreign.map(Load::new),
                };
                self.balancer.handle_report(now, WorkerId::new(worker), report);
                self.model.workers.entry(WorkerId::new(worker)).and_modify(|known| {
                    known.spec.capacity = report.capacity.unwrap_or(known.spec.capacity);
                    known.spec.capabilities = report.capabilities.unwrap_or(known.spec.capabilities);
                    known.foreign = foreign.unwrap_or(known.foreign);
                });
            }
            &Operation::Eject { worker, millis } => {
                let until = now + Duration::from_millis(millis);
                self.balancer.set_ejected_until(now, WorkerId::new(worker), Some(until));
                self.model
                    .workers
                    .entry(WorkerId::new(worker))
                    .and_modify(|known| known.ejected_until = until);
            }
            &Operation::Panic(panic) => {
                self.balancer.set_ignores_ejections(now, panic);
                self.model.panic = panic;
            }
            &Operation::WeightFactor(worker, factor) => {
                self.balancer.set_weight_factor(WorkerId::new(worker), factor);
            }
            Operation::Assign(wanted) => self.assign(wanted)?,
            Operation::Start(index) => {
                if let Some(task) = self.some_task(index) {
                    self.balancer.handle_started(now, task);
                }
            }
            Operation::Finish { task, success } => {
                if let Some(task) = self.some_task(task) {
                    let ended = self.balancer.handle_finished(now, task, *success);
                    let expected = self.model.tasks.remove(&task);
                    prop_assert_eq!(ended.map(|entry| (entry.worker, entry.complexity.get())), expected);
                    prop_assert_eq!(self.balancer.handle_finished(now, task, *success), None);
                }
            }
            Operation::Cancel(index) => {
                if let Some(task) = self.some_task(index) {
                    prop_assert!(self.balancer.handle_cancelled(now, task).is_some());
                    self.model.tasks.remove(&task);
                }
            }
            &Operation::Wait(millis) => self.now += Duration::from_millis(millis),
            // An ejection that has ended doesn't begin anew; everything else must bear a clock that steps back.
            &Operation::StepBack(millis) => {
                let back = self.now - Duration::from_millis(millis);
                if self.model.workers.values().all(|known| known.ejected_until <= back) {
                    self.now = back;
                }
            }
        }
        self.agrees()
    }

    fn assign(&mut self, wanted: &Wanted) -> Result<(), TestCaseError> {
        let task = Task {
            task_type: TaskType::new(wanted.task_type),
            required: Capabilities::from_bits(wanted.required),
            complexity: Load::new(wanted.complexity),
            affinity: &wanted.affinity,
            anti_affinity: &wanted.banned,
            region: wanted.region.map(RegionId::new),
            key: wanted.key,
            ..Task::new(TaskId::new(self.next_task))
        };
        self.next_task += 1;
        let eligible = self.model.eligible(self.now, &task);
        let mut candidates = Vec::new();
        let refused = self.balancer.candidates(self.now, &task, &mut candidates).err();
        prop_assert_eq!(&candidates, &eligible);
        self.scores_are_sound(&task)?;
        let answer = self.balancer.assign(self.now, &task);
        match answer {
            Ok(worker) => {
                prop_assert!(eligible.contains(&worker), "{worker} isn't one of {eligible:?}");
                self.model.tasks.insert(task.id, (worker, wanted.complexity));
            }
            Err(refusal) => {
                prop_assert!(eligible.is_empty());
                prop_assert_eq!(refusal, self.model.refusal(self.now, &task));
                prop_assert_eq!(Some(refusal), refused);
            }
        }
        self.chosen.push(answer.ok());
        Ok(())
    }

    fn scores_are_sound(&mut self, task: &Task<'_>) -> Result<(), TestCaseError> {
        let mut breakdown = Vec::new();
        self.balancer.score_workers(self.now, task, &mut breakdown);
        for score in breakdown {
            for term in [score.capacity, score.performance, score.affinity, score.reliability, score.total] {
                prop_assert!((0.0..=1.0).contains(&term), "{score:?}");
            }
            prop_assert_eq!(score.eligible, self.model.is_eligible(self.now, task, score.worker));
        }
        let mut words = Vec::new();
        let eligible = Eligible::filter(self.balancer.fleet(), task, &mut words);
        if eligible.is_empty() {
            return Ok(());
        }
        let mut scores = Vec::new();
        let current = &self.balancer.strategies[self.balancer.current];
        current.scores(self.now, task, &eligible, &mut scores);
        prop_assert_eq!(scores.len(), eligible.len());
        prop_assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
        prop_assert_eq!(current.name(), self.strategy.name());
        Ok(())
    }

    fn agrees(&self) -> Result<(), TestCaseError> {
        let fleet = self.balancer.fleet();
        prop_assert_eq!(self.balancer.invalid_choices(), 0);
        prop_assert_eq!(self.balancer.in_flight(), self.model.tasks.len());
        let ids: Vec<WorkerId> = fleet.slots().map(|slot| fleet.worker(slot)).collect();
        prop_assert_eq!(&ids, &self.model.workers.keys().copied().collect::<Vec<_>>());
        for slot in fleet.slots() {
            let worker = fleet.worker(slot);
            prop_assert_eq!(fleet.load(slot).get(), self.model.load(worker));
            let held = self.model.tasks.values().filter(|(on, _)| *on == worker).count();
            prop_assert_eq!(fleet.in_flight(slot) as usize, held);
            prop_assert_eq!(self.balancer.tasks_on(worker).count(), held);
        }
        Ok(())
    }

    fn some_task(&self, index: &prop::sample::Index) -> Option<TaskId> {
        let tasks: Vec<TaskId> = self.model.tasks.keys().copied().collect();
        (!tasks.is_empty()).then(|| tasks[index.index(tasks.len())])
    }
}

/// Equal workers that do equally well get equal shares, the first and the last no more than the others.
fn is_fair_to_equals(make: fn() -> Box<dyn Strategy>, capacities: &[u32]) {
    let mut balancer = balancer(make, 11);
    let mut keys = Rng::from_seed(5);
    for (id, &capacity) in (0..).zip(capacities) {
        let spec = WorkerSpec { capacity: Load::new(capacity), ..WorkerSpec::new(WorkerId::new(id)) };
        balancer.handle_joined(Instant::ZERO, spec);
    }
    let each = 400;
    let mut counts = vec![0_u32; capacities.len()];
    for number in 0..each * capacities.len() as u64 {
        let now = Instant::from_millis(number * 10);
        let task = Task { key: keys.next_u64(), ..Task::new(TaskId::new(number)) };
        counts[balancer.assign(now, &task).unwrap().index()] += 1;
        balancer.handle_finished(now + Duration::from_millis(5), task.id, true);
    }
    // Six standard deviations of a binomial count with this mean are 120.
    assert!(counts.iter().all(|&count| count.abs_diff(400) < 120), "{}: {counts:?}", make().name());
}

/// A fleet is filled to the brim and emptied, many times, with workers failing and leaving in between: no capacity is ever
/// exceeded, none is lost.
fn returns_everything(make: fn() -> Box<dyn Strategy>) {
    let mut balancer = balancer(make, 3);
    let mut rng = Rng::from_seed(9);
    let mut now = Instant::ZERO;
    let mut number = 0;
    for round in 0..20_u32 {
        for id in 0..6 {
            let capacity = Load::new(1 + (id + round) % 4);
            balancer.handle_joined(now, WorkerSpec { capacity, ..WorkerSpec::new(WorkerId::new(id)) });
        }
        let room: u64 =
            balancer.fleet().slots().map(|slot| u64::from(balancer.fleet().free(slot).get())).sum();
        let mut placed = Vec::new();
        while balancer.assign(now, &Task { key: rng.next_u64(), ..Task::new(TaskId::new(number)) }).is_ok() {
            placed.push(TaskId::new(number));
            number += 1;
        }
        assert_eq!(placed.len() as u64, room, "{}: all room is used, and no more", make().name());
        balancer.handle_left(now, WorkerId::new(round % 6));
        rng.shuffle(&mut placed);
        for task in placed {
            now += Duration::from_millis(3);
            balancer.handle_finished(now, task, rng.chance(0.8));
        }
        let fleet = balancer.fleet();
        assert!(fleet.slots().all(|slot| fleet.load(slot) == Load::ZERO && fleet.in_flight(slot) == 0));
        assert_eq!((balancer.in_flight(), fleet.open_load()), (0, 0));
    }
}

/// Asking for scores changes no choice.
fn prefers_by_its_scores_without_changing(make: fn() -> Box<dyn Strategy>) {
    let mut asked = balancer(make, 21);
    let mut left_alone = balancer(make, 21);
    let mut scores = Vec::new();
    for number in 0..300 {
        let now = Instant::from_millis(number * 7);
        let task = Task { key: number * 77, ..Task::new(TaskId::new(number)) };
        if number < 8 {
            let id = u32::try_from(number).unwrap();
            let spec = WorkerSpec { capacity: Load::new(2 + id % 3), ..WorkerSpec::new(WorkerId::new(id)) };
            asked.handle_joined(now, spec);
            left_alone.handle_joined(now, spec);
        }
        for hour in 0..3 {
            asked.score_workers(now + Duration::from_secs(3_600 * hour), &task, &mut Vec::new());
        }
        let mut words = Vec::new();
        let eligible = Eligible::filter(&asked.fleet, &task, &mut words);
        scores.clear();
        asked.strategies[asked.current].scores(now, &task, &eligible, &mut scores);
        assert_eq!(asked.assign(now, &task), left_alone.assign(now, &task));
        if let Some(old) = number.checked_sub(9) {
            for balancer in [&mut asked, &mut left_alone] {
                balancer.handle_finished(now, TaskId::new(old), old % 5 != 0);
            }
        }
    }
}

/// A strategy of somebody else's, which looks at nothing but the way to the worker.
#[derive(Debug)]
struct Nearest;

impl Strategy for Nearest {
    fn name(&self) -> &'static str {
        "nearest"
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        eligible.lowest(|slot| eligible.fleet().spec(slot).latency.as_millis_f64())
    }

    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let fleet = eligible.fleet();
        out.extend(eligible.iter().map(|slot| 1.0 / (1.0 + fleet.spec(slot).latency.as_millis_f64())));
    }
}

macro_rules! conforming {
    ($($test:ident: $make:expr;)*) => {
        $(
            #[test]
            fn $test() {
                conforms(|| Box::new($make));
            }
        )*
    };
}

conforming! {
    round_robin: RoundRobin::new();
    least_loaded: LeastLoaded;
    capability_based: CapabilityBased;
    performance_based: PerformanceBased::default();
    best_score: BestScore::new(ScoreWeights::DEFAULT);
    random: Random;
    power_of_two: PowerOfTwo;
    peak_ewma: PeakEwma;
    shortest_expected_delay: ShortestExpectedDelay::default();
    consistent_hash: ConsistentHash::default();
    a_users_own: Nearest;
}
