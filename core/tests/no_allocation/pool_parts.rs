//! What a pool measures and decides beside its tasks.

use quillwork_core::ids::{Generation, TaskId, TaskType, WorkerId};
use quillwork_core::pool::recording::Recorder;
use quillwork_core::pool::registry::{Assignment, Query, Registration, Registry, RegistryConfig};
use quillwork_core::pool::{
    Demand, ElasticConfig, HealthConfig, HealthTracker, Input, Load, PerMille, PoolConfig, Pressure,
    ResourceBudgets, Resources, SizeLimits, Sizer, Statistics, TaskOutcome, TaskSpec,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

#[test]
fn statistics_of_times_in_a_known_range() {
    let mut statistics = Statistics::new(4, Instant::ZERO);
    let mut rng = Rng::from_seed(1);
    let mut now = Instant::ZERO;
    let mut work = |rounds: u32| {
        for round in 0..rounds {
            now += Duration::from_millis(1);
            let millis = Duration::from_millis(rng.below(50));
            let task_type = TaskType::new(round % 40);
            statistics.on_queue_depth(now, round % 9);
            statistics.on_started(now, task_type, millis);
            statistics.on_ended(now, task_type, WorkerId::new(round % 4), millis, true);
            statistics.on_response(now, millis, true);
            if statistics.wants_use(now) {
                statistics.on_use(now, [(millis, millis); 4].into_iter());
            }
        }
    };
    work(200_000);
    assert_eq!(allocations_of(|| work(50_000)), 0);
}

#[test]
fn size_pressure_and_health() {
    let mut sizer = Sizer::new(ElasticConfig::from_min(1), 64, Instant::ZERO);
    let mut pressure = Pressure::new(ResourceBudgets::default(), 64);
    let mut health = HealthTracker::new(HealthConfig::default());
    let mut rng = Rng::from_seed(2);
    let mut now = Instant::ZERO;
    let mut alive = 1;
    let mut work = |rounds: u32| {
        for _ in 0..rounds {
            now += Duration::from_millis(rng.below(200));
            let ratio = PerMille::new(rng.next_u32() % 1_100);
            pressure.handle_resources(now, Resources { memory: Some(ratio), cpu: Some(ratio) }, alive);
            while pressure.poll_output().is_some() {}
            let queued = u32::try_from(rng.below(100)).expect("below a hundred");
            let demand = Demand { alive, occupied: alive, queued, helpful: 64 - alive, ..Demand::default() };
            let resize = sizer.handle_demand(now, &demand, SizeLimits::NONE);
            if let Some(resize) = resize {
                alive = resize.to;
                sizer.on_resized(now, resize, alive);
            }
            health.record(now, rng.chance(0.8), Duration::from_millis(5), Some(Duration::from_millis(3)));
            std::hint::black_box(health.health(now));
        }
    };
    work(10_000);
    assert_eq!(allocations_of(|| work(10_000)), 0);
}

#[test]
fn a_recording_whose_blocks_are_taken() {
    let mut recorder = Recorder::new(&PoolConfig::default(), Instant::ZERO, 0);
    let mut now = Instant::ZERO;
    let mut taken = 0;
    let mut work = |tasks: u64| {
        for task in (0..tasks).map(TaskId::new) {
            now += Duration::from_micros(40);
            let (worker, generation, outcome) = (WorkerId::new(1), Generation::FIRST, TaskOutcome::Completed);
            recorder.record(now, &Input::Submit { task, spec: TaskSpec::default() });
            recorder.record(now, &Input::TaskDone { worker, generation, task, outcome });
            recorder.take_blocks(|blocks| taken += blocks.len());
        }
    };
    work(10_000);
    assert_eq!(allocations_of(|| work(100_000)), 0);
    assert!(taken > 1_000_000);
}

#[test]
fn a_registry_in_steady_state() {
    let mut registry = Registry::new(RegistryConfig::default()).expect("the settings are sound");
    let registration = Registration { capacity: Load::new(4), ..Registration::default() };
    let mut rng = Rng::from_seed(3);
    let mut now = Instant::ZERO;
    for worker in (0..64).map(WorkerId::new) {
        registry.handle_register(now, worker, registration).expect("there is room");
    }
    let mut next_task = 0;
    let mut work = |rounds: u32| {
        for round in 0..rounds {
            now += Duration::from_micros(rng.below(2_000));
            let worker = WorkerId::new(round % 64);
            next_task += 1;
            let task = TaskId::new(next_task);
            let generation = registry.handle_assign(now, worker, Assignment::of(task)).expect("it has room");
            std::hint::black_box(registry.query(now, Query::usable()).count());
            let took = registry.handle_complete(now, worker, generation, task, rng.chance(0.9), None);
            took.expect("it has the task");
            registry.handle_deadline(now);
            while registry.poll_output().is_some() {}
        }
    };
    work(20_000);
    assert_eq!(allocations_of(|| work(20_000)), 0);
}
