//! The load balancer's hot path: choose, book, start, end.

use quillwork_core::balance::{BalanceConfig, Load, LoadBalancer, Task, WorkerSpec};
use quillwork_core::ids::{RegionId, TaskId, TaskType, WorkerId};
use quillwork_core::pool::Capabilities;
use quillwork_core::time::Instant;

use super::allocations_of;

const GPU: Capabilities = Capabilities::from_bits(1);

/// So many tasks of all sorts, twenty in flight at a time.
fn drive(balancer: &mut LoadBalancer, tasks: std::ops::Range<u64>) {
    let warm = [WorkerId::new(3), WorkerId::new(4)];
    for number in tasks {
        let now = Instant::from_millis(number);
        let mut task =
            Task { task_type: TaskType::new(u32::from(number % 3 == 0)), ..Task::new(TaskId::new(number)) };
        match number % 5 {
            0 => task.required = GPU,
            1 => task.affinity = &warm,
            2 => task.anti_affinity = &warm,
            3 => (task.region, task.complexity) = (Some(RegionId::new(1)), Load::new(3)),
            _ => {}
        }
        let _refused = balancer.assign(now, &task);
        if let Some(old) = number.checked_sub(20) {
            balancer.handle_started(now, TaskId::new(old));
            balancer.handle_finished(now, TaskId::new(old), number % 7 != 0);
        }
    }
}

#[test]
fn no_strategy_allocates_per_task() {
    let names: Vec<&str> = LoadBalancer::new(BalanceConfig::default(), 0).unwrap().strategy_names().collect();
    for strategy in names {
        let config = BalanceConfig { strategy, ..BalanceConfig::default() };
        let mut balancer = LoadBalancer::new(config, 1).unwrap();
        for id in 0..100 {
            let capabilities = if id % 4 == 0 { GPU } else { Capabilities::NONE };
            let region = Some(RegionId::new(id % 3));
            balancer.handle_joined(
                Instant::ZERO,
                WorkerSpec { capabilities, region, ..WorkerSpec::new(WorkerId::new(id)) },
            );
        }
        drive(&mut balancer, 0..2_000);
        let mut scores = Vec::with_capacity(200);
        let mut candidates = Vec::with_capacity(200);
        let allocations = allocations_of(|| {
            drive(&mut balancer, 2_000..6_000);
            let task = Task::new(TaskId::new(1 << 40));
            balancer.score_workers(Instant::from_secs(6), &task, &mut scores);
            balancer.candidates(Instant::from_secs(6), &task, &mut candidates).unwrap();
        });
        assert_eq!(allocations, 0, "{strategy}");
    }
}
