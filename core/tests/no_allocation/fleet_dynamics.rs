//! A balancer with health, rules, overload detection and migration at work.

use quillwork_core::balance::{
    BalanceConfig, HealthConfig, HistoryRule, Load, LoadBalancer, Migration, Queued, Recommendation, Rule,
    RuleEffect, RuleWorkers, Task, WorkerSpec, take_next,
};
use quillwork_core::ids::{TaskId, TaskType, WorkerId};
use quillwork_core::pool::Priority;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

struct Fleet {
    balancer: LoadBalancer,
    rng: Rng,
    now: Instant,
    next_task: u64,
    help: Vec<Recommendation>,
    migrations: Vec<Migration>,
    queue: Vec<Queued>,
    ejections: u64,
    moves: u64,
    recommended: u64,
}

impl Fleet {
    fn new() -> Self {
        let config = BalanceConfig {
            health: HealthConfig::on(),
            history_rule: Some(HistoryRule::default()),
            ..BalanceConfig::default()
        };
        let mut balancer = LoadBalancer::new(config, 1).expect("the settings are sound");
        for id in 0..8 {
            let spec = WorkerSpec { capacity: Load::new(12), ..WorkerSpec::new(WorkerId::new(id)) };
            balancer.handle_joined(Instant::ZERO, spec);
        }
        let seven = RuleWorkers::Worker(WorkerId::new(7));
        let rule = Rule { task_type: Some(TaskType::new(1)), workers: seven, effect: RuleEffect::Prefer };
        balancer.add_rule(rule);
        balancer.add_rule(Rule { task_type: Some(TaskType::new(2)), effect: RuleEffect::Forbid, ..rule });
        Self {
            balancer,
            rng: Rng::from_seed(3),
            now: Instant::ZERO,
            next_task: 0,
            help: Vec::new(),
            migrations: Vec::new(),
            queue: Vec::new(),
            ejections: 0,
            moves: 0,
            recommended: 0,
        }
    }

    fn rounds(&mut self, rounds: u32) {
        for round in 0..rounds {
            self.now += Duration::from_millis(5);
            let number = self.next_task;
            self.next_task += 1;
            let task_type = TaskType::new(self.rng.next_u32() % 3);
            let priority =
                Priority::new(u8::try_from(self.rng.below(11)).expect("0 to 10")).expect("0 to 10");
            self.queue.push(Queued::new(TaskId::new(number), task_type, priority, self.now, number));
            if round % 4 == 0 {
                self.balancer.reorder_queue(&mut self.queue);
            }
            while let Some(&Queued { task, task_type, .. }) = self.queue.first() {
                let task = Task { task_type, size_hint_bytes: Some(10_000), ..Task::new(task) };
                if self.balancer.assign(self.now, &task).is_err() {
                    break;
                }
                take_next(&mut self.queue);
            }
            for id in 0..8 {
                let worker = WorkerId::new(id);
                // Worker 0 fails for a third of the time; the others work at different speeds, worker 6 hardly at all.
                let is_bad = id == 0 && round / 3_000 % 3 == 0;
                let speed = if id == 6 { 0.002 } else { 0.02 * f64::from(id + 5) };
                let oldest = self.balancer.tasks_on(worker).next().map(|task| task.task);
                if let Some(task) = oldest.filter(|_| self.rng.chance(speed)) {
                    self.balancer.handle_finished(self.now, task, !is_bad);
                }
            }
            if round % 20 == 0 {
                self.balancer.detect_overload(self.now, &mut self.help);
                self.recommended += self.help.len() as u64;
                self.balancer.suggest_migration(self.now, &mut self.migrations);
                for migration in &self.migrations {
                    let in_flight = *self.balancer.task(migration.task).expect("it is in flight");
                    let task = Task { task_type: in_flight.task_type, ..Task::new(migration.task) };
                    self.balancer.handle_assigned(self.now, &task, migration.to);
                    self.moves += 1;
                }
            }
            while self.balancer.poll_health_change().is_some() {
                self.ejections += 1;
            }
        }
    }
}

#[test]
fn a_fleet_that_is_looked_after_in_steady_state() {
    let mut load = Fleet::new();
    load.rounds(20_000);
    assert_eq!(allocations_of(|| load.rounds(20_000)), 0);
    let seen = [load.ejections, load.moves, load.recommended];
    assert!(seen.iter().all(|&count| count > 2), "the load was to do everything: {seen:?}");
}
