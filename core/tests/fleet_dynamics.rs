//! A fleet in virtual time: workers with queues of their own, and what looking after them is worth.

use std::collections::{BTreeMap, VecDeque};

use quillwork_core::balance::{
    BalanceConfig, EjectionConfig, HealthConfig, Load, LoadBalancer, Refusal, SlowStartConfig, Task,
    WorkerSpec, WorkerStatus,
};
use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

/// First in, first out on each worker, one task at a time.
struct World {
    balancer: LoadBalancer,
    queues: BTreeMap<WorkerId, VecDeque<(TaskId, Instant)>>,
    /// When the worker is through with its first.
    busy_until: BTreeMap<WorkerId, Instant>,
    service: fn(u32) -> Option<Duration>,
    fails: fn(u32, Instant) -> bool,
    waits: Vec<Duration>,
    failures: u32,
    moves: u32,
    migrates: bool,
}

impl World {
    fn new(config: BalanceConfig, workers: u32) -> Self {
        let mut balancer = LoadBalancer::new(config, 7).expect("the settings are sound");
        for id in (0..workers).map(WorkerId::new) {
            balancer.handle_joined(
                Instant::ZERO,
                WorkerSpec { capacity: Load::new(1_000), ..WorkerSpec::new(id) },
            );
        }
        Self {
            balancer,
            queues: (0..workers).map(|id| (WorkerId::new(id), VecDeque::new())).collect(),
            busy_until: BTreeMap::new(),
            service: |_| Some(Duration::from_millis(10)),
            fails: |_, _| false,
            waits: Vec::new(),
            failures: 0,
            moves: 0,
            migrates: false,
        }
    }

    /// Open loop: a task each `gap` on average, for so many tasks; then everything that still runs is waited for.
    fn run(&mut self, gap: Duration, tasks: u64) {
        let mut rng = Rng::from_seed(11);
        let mut arrives = Instant::ZERO;
        let mut looks = if self.migrates { Instant::ZERO } else { Instant::NEVER };
        let mut number = 0;
        for _ in 0..tasks * 40 {
            let ends = self.busy_until.iter().map(|(&worker, &until)| (until, worker)).min();
            let next = ends.map_or(Instant::NEVER, |(until, _)| until);
            if number < tasks && arrives <= next.min(looks) {
                let task = TaskId::new(number);
                let worker = self.balancer.assign(arrives, &Task::new(task)).expect("there is room");
                self.queues.get_mut(&worker).expect("it is known").push_back((task, arrives));
                self.start(arrives, worker);
                number += 1;
                arrives += Duration::from_nanos(rng.below(2 * gap.as_nanos()));
            } else if looks <= next {
                self.migrate(looks);
                looks = if self.balancer.in_flight() > 0 || number < tasks {
                    looks + Duration::from_millis(50)
                } else {
                    Instant::NEVER
                };
            } else if let Some((until, worker)) = ends {
                self.finish(until, worker);
            } else {
                break;
            }
        }
        self.waits.sort_unstable();
    }

    fn start(&mut self, now: Instant, worker: WorkerId) {
        if self.busy_until.contains_key(&worker) {
            return;
        }
        if let Some(&(task, _)) = self.queues[&worker].front() {
            self.balancer.handle_started(now, task);
            if let Some(service) = (self.service)(worker.get()) {
                self.busy_until.insert(worker, now + service);
            } else {
                self.busy_until.insert(worker, Instant::from_secs(1_000_000));
            }
        }
    }

    fn finish(&mut self, now: Instant, worker: WorkerId) {
        self.busy_until.remove(&worker);
        let (task, submitted) =
            self.queues.get_mut(&worker).and_then(VecDeque::pop_front).expect("it runs one");
        let success = !(self.fails)(worker.get(), now);
        assert!(self.balancer.handle_finished(now, task, success).is_some());
        self.failures += u32::from(!success);
        self.waits.push(now - submitted);
        self.start(now, worker);
    }

    fn migrate(&mut self, now: Instant) {
        let mut migrations = Vec::new();
        self.balancer.suggest_migration(now, &mut migrations);
        for migration in migrations {
            let queue = self.queues.get_mut(&migration.from).expect("it is known");
            let place = queue.iter().position(|&(task, _)| task == migration.task).expect("it waits there");
            assert!(place > 0, "what runs is not moved");
            let moved = queue.remove(place).expect("it was just found");
            assert!(self.balancer.handle_assigned(now, &Task::new(migration.task), migration.to));
            self.queues.get_mut(&migration.to).expect("it is known").push_back(moved);
            self.start(now, migration.to);
            self.moves += 1;
        }
    }

    fn p99(&self) -> Duration {
        self.waits[self.waits.len() * 99 / 100]
    }
}

fn round_robin() -> BalanceConfig {
    BalanceConfig { strategy: "round-robin", ..BalanceConfig::default() }
}

#[test]
fn migration_makes_up_for_a_slow_worker_that_is_given_its_full_share() {
    let run = |migrates| {
        let mut world = World::new(round_robin(), 4);
        world.service = |worker| Some(Duration::from_millis(if worker == 0 { 60 } else { 10 }));
        world.migrates = migrates;
        world.run(Duration::from_millis(5), 3_000);
        assert_eq!(world.waits.len(), 3_000);
        assert_eq!(world.balancer.in_flight(), 0);
        world
    };
    let (without, with) = (run(false), run(true));
    assert!(with.moves > 100);
    assert!(with.p99() * 20 < without.p99(), "p99 {:?} with and {:?} without", with.p99(), without.p99());
}

#[test]
fn the_queue_of_a_black_hole_gets_away_and_only_what_it_runs_is_stuck() {
    let mut world = World::new(round_robin(), 4);
    world.service = |worker| (worker != 2).then(|| Duration::from_millis(10));
    world.migrates = true;
    world.run(Duration::from_millis(5), 2_000);
    let in_time = world.waits.iter().filter(|&&wait| wait < Duration::from_secs(2)).count();
    assert!(in_time >= 1_990, "{in_time} of 2,000 got through in time");
}

#[test]
fn ejection_saves_most_tasks_from_a_worker_that_fails_at_once() {
    let failures = |ejection| {
        // Least loaded: the worst for a worker that is idle because it fails at once.
        let health = HealthConfig { ejection, ..HealthConfig::default() };
        let mut world = World::new(BalanceConfig { health, ..BalanceConfig::default() }, 4);
        world.service = |worker| Some(Duration::from_micros(if worker == 1 { 100 } else { 15_000 }));
        world.fails = |worker, _| worker == 1;
        world.run(Duration::from_millis(6), 4_000);
        world.failures
    };
    let (without, with) = (failures(None), failures(Some(EjectionConfig::default())));
    assert!(without > 1_000 && with < 20, "{with} fail with, {without} without");
}

#[test]
fn whatever_happens_choices_keep_to_the_filter_and_all_load_is_given_back() {
    let config = BalanceConfig {
        health: HealthConfig {
            slow_start: Some(SlowStartConfig::default()),
            ejection: Some(EjectionConfig { consecutive_failures: Some(2), ..EjectionConfig::default() }),
            ..HealthConfig::default()
        },
        ..BalanceConfig::default()
    };
    for seed in 0..30 {
        let mut balancer = LoadBalancer::new(config, seed).expect("the settings are sound");
        let mut rng = Rng::from_seed(seed);
        let mut now = Instant::from_secs(100);
        let mut number = 0;
        let mut flying: Vec<TaskId> = Vec::new();
        for _ in 0..2_000 {
            let worker = WorkerId::new(u32::try_from(rng.below(6)).expect("below 6"));
            match rng.below(20) {
                0 => balancer
                    .handle_joined(now, WorkerSpec { capacity: Load::new(5), ..WorkerSpec::new(worker) }),
                1 => {
                    let lost = balancer.handle_left(now, worker);
                    flying.retain(|task| !lost.contains(task));
                }
                2 => {
                    let status =
                        [WorkerStatus::Ready, WorkerStatus::Draining, WorkerStatus::Offline][rng.index(3)];
                    balancer.handle_status(now, worker, status);
                }
                3 => balancer.handle_probe(now, worker, rng.chance(0.5)),
                4 => now = now - Duration::from_secs(rng.below(5)),
                5 => now += Duration::from_secs(rng.below(30)),
                6..12 => {
                    if !flying.is_empty() {
                        let task = flying.swap_remove(rng.index(flying.len()));
                        balancer.handle_finished(now, task, rng.chance(0.4));
                    }
                }
                _ => {
                    let task = Task::new(TaskId::new(number));
                    number += 1;
                    match balancer.assign(now, &task) {
                        Ok(chosen) => {
                            let fleet = balancer.fleet();
                            let slot = fleet.slot_of(chosen).expect("it is there");
                            assert!(fleet.status(slot).takes_tasks());
                            assert!(fleet.load(slot) <= fleet.spec(slot).capacity);
                            let is_ejected = fleet.ejected_until(slot).is_some_and(|until| until > now);
                            assert!(!is_ejected || fleet.ignores_ejections());
                            flying.push(task.id);
                        }
                        // Never all are ejected, so nobody is refused for that; those left may be full.
                        Err(refusal) => assert!(!matches!(refusal, Refusal::AllEjected { .. }), "{refusal}"),
                    }
                }
            }
            assert_eq!(balancer.in_flight(), flying.len());
            while balancer.poll_health_change().is_some() {}
        }
        for task in flying {
            balancer.handle_finished(now, task, true);
        }
        let fleet = balancer.fleet();
        assert!(fleet.slots().all(|slot| fleet.load(slot) == Load::ZERO && fleet.in_flight(slot) == 0));
    }
}
