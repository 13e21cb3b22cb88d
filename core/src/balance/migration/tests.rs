//! Which tasks move, and which don't.

use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::balance::{BalanceConfig, Load, LoadBalancer, Task, WorkerReport, WorkerSpec, WorkerStatus};
use crate::ids::{TaskId, TaskType, WorkerId};
use crate::pool::Capabilities;
use crate::time::Duration;
use crate::time::Instant;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn worker(number: u32) -> WorkerId {
    WorkerId::new(number)
}

/// Workers of one lane and room for a hundred; tasks are known to take 100 ms everywhere.
fn balancer(workers: u32, migration: MigrationConfig) -> LoadBalancer {
    let config = BalanceConfig { migration, ..BalanceConfig::default() };
    let mut balancer = LoadBalancer::new(config, 1).unwrap();
    for number in 0..workers {
        let spec = WorkerSpec { capacity: Load::new(100), ..WorkerSpec::new(worker(number)) };
        balancer.handle_joined(at(0), spec);
        for _ in 0..20 {
            balancer.update_context(
                at(0),
                worker(number),
                TaskType::new(0),
                true,
                Duration::from_millis(100),
            );
        }
    }
    balancer
}

fn give(balancer: &mut LoadBalancer, to: u32, tasks: core::ops::Range<u64>) {
    tasks.for_each(|id| assert!(balancer.handle_assigned(at(0), &Task::new(TaskId::new(id)), worker(to))));
}

fn suggest(balancer: &mut LoadBalancer, now: Instant) -> Vec<Migration> {
    let mut out = Vec::new();
    balancer.suggest_migration(now, &mut out);
    out
}

fn moved(migrations: &[Migration]) -> Vec<(u64, u32)> {
    migrations.iter().map(|migration| (migration.task.get(), migration.to.get())).collect()
}

#[test]
fn the_tail_of_a_long_queue_moves_to_an_idle_worker() {
    let mut balancer = balancer(2, MigrationConfig::default());
    give(&mut balancer, 0, 0..6);
    let migrations = suggest(&mut balancer, at(0));
    // Task 5 would wait half a second, and needn't wait at all; the next ones wait for it. Three of five may go.
    assert_eq!(moved(&migrations), [(5, 1), (4, 1), (3, 1)]);
    assert_eq!(
        migrations.iter().map(|migration| migration.gain.as_millis()).collect::<Vec<_>>(),
        [500, 300, 100]
    );
    assert_eq!(migrations.iter().map(|migration| migration.urgency.get()).collect::<Vec<_>>(), [5, 4, 3]);
    // Followed, they leave nothing to move.
    for migration in migrations {
        balancer.handle_assigned(at(0), &Task::new(migration.task), migration.to);
    }
    assert_eq!(suggest(&mut balancer, at(0)), []);
}

#[test]
fn what_runs_stays_whether_or_not_its_start_was_told() {
    let mut balancer = balancer(2, MigrationConfig { max_share: 1.0, ..MigrationConfig::default() });
    give(&mut balancer, 0, 0..1);
    // Alone on its worker, it runs by now, however long it takes.
    assert_eq!(suggest(&mut balancer, at(60_000)), []);
    give(&mut balancer, 0, 1..2);
    assert_eq!(moved(&suggest(&mut balancer, at(60_000))), [(1, 1)]);
    balancer.handle_started(at(60_000), TaskId::new(1));
    assert_eq!(suggest(&mut balancer, at(60_000)), []);
}

#[test]
fn a_move_must_be_worth_its_cost() {
    let slow = MigrationConfig { bytes_per_second: 1_000_000, ..MigrationConfig::default() };
    let gives = |bytes| {
        let mut balancer = balancer(2, slow);
        give(&mut balancer, 0, 0..3);
        let task = Task { size_hint_bytes: Some(bytes), ..Task::new(TaskId::new(9)) };
        balancer.handle_assigned(at(0), &task, worker(0));
        suggest(&mut balancer, at(0))
            .iter()
            .find(|migration| migration.task == task.id)
            .map(|found| found.cost)
    };
    // It gains 300 ms; 187 KB take 187 ms, and 1.5 times that and 20 ms are more.
    assert_eq!(gives(186_000), Some(Duration::from_millis(186)));
    assert_eq!(gives(187_000), None);
}

#[test]
fn a_cold_worker_is_worth_less() {
    let cold = MigrationConfig { cold_start: Duration::from_secs(10), ..MigrationConfig::default() };
    let mut balancer = balancer(2, cold);
    balancer.handle_joined(at(0), WorkerSpec::new(worker(2)));
    give(&mut balancer, 0, 0..6);
    assert!(moved(&suggest(&mut balancer, at(0))).iter().all(|&(_, to)| to == 1));
}

#[test]
fn affinity_keeps_a_task_where_it_is_unless_that_is_cut_off() {
    let mut balancer = balancer(2, MigrationConfig::default());
    let home = [worker(0)];
    for id in 0..6 {
        balancer.handle_assigned(at(0), &Task { affinity: &home, ..Task::new(TaskId::new(id)) }, worker(0));
    }
    assert_eq!(suggest(&mut balancer, at(0)), []);
    balancer.handle_status(at(1), worker(0), WorkerStatus::Offline);
    // The first may have started before it went offline.
    let mut tasks: Vec<u64> = moved(&suggest(&mut balancer, at(1))).iter().map(|&(task, _)| task).collect();
    tasks.sort_unstable();
    assert_eq!(tasks, [3, 4, 5]);
}

#[test]
fn bans_and_capabilities_are_kept() {
    let mut balancer = balancer(3, MigrationConfig::default());
    give(&mut balancer, 0, 0..3);
    let banned = [worker(1)];
    let gpu = Capabilities::from_bits(1);
    let tasks = [
        Task { anti_affinity: &banned, ..Task::new(TaskId::new(10)) },
        Task { required: gpu, ..Task::new(TaskId::new(11)) },
    ];
    tasks.iter().for_each(|task| assert!(balancer.handle_assigned(at(0), task, worker(0))));
    for migration in suggest(&mut balancer, at(0)) {
        assert_ne!((migration.task.get(), migration.to), (10, worker(1)));
        assert_ne!(migration.task.get(), 11);
    }
    // A list too long to be kept can't be honoured, so the task stays.
    let many: Vec<WorkerId> = (5..15).map(worker).collect();
    balancer.handle_assigned(at(0), &Task { anti_affinity: &many, ..Task::new(TaskId::new(12)) }, worker(0));
    assert!(suggest(&mut balancer, at(0)).iter().all(|migration| migration.task.get() != 12));
}

#[test]
fn the_queue_of_a_stalled_worker_goes_elsewhere_in_time() {
    let mut balancer = balancer(2, MigrationConfig { max_share: 1.0, ..MigrationConfig::default() });
    give(&mut balancer, 0, 0..2);
    give(&mut balancer, 1, 10..14);
    // Worker 1 gets on, worker 0 does not.
    assert_eq!(moved(&suggest(&mut balancer, at(0))).iter().filter(|&&(task, _)| task < 10).count(), 0);
    for id in 10..13 {
        balancer.handle_finished(at(100 * (id - 9)), TaskId::new(id), true);
    }
    assert_eq!(moved(&suggest(&mut balancer, at(1_000))), [(1, 1)]);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |migration| {
        LoadBalancer::new(BalanceConfig { migration, ..BalanceConfig::default() }, 1).unwrap_err().to_string()
    };
    let base = MigrationConfig::default();
    assert!(refused(MigrationConfig { bytes_per_second: 0, ..base }).contains("transfer rate"));
    assert!(refused(MigrationConfig { margin: 0.5, ..base }).contains("1 to 1000"));
    assert!(refused(MigrationConfig { max_share: f64::NAN, ..base }).contains("0 to 1"));
    assert!(refused(MigrationConfig { limit: 0, ..base }).contains("1 or more"));
}

/// A list of five: the last of them is not kept with the task.
#[test]
fn a_task_whose_affinity_list_is_longer_than_what_is_kept_stays_at_home() {
    let mut balancer = balancer(6, MigrationConfig::default());
    let likes: Vec<WorkerId> = (1..6).map(worker).collect();
    for id in 0..9 {
        let task = Task { affinity: &likes, ..Task::new(TaskId::new(id)) };
        assert!(balancer.handle_assigned(at(0), &task, worker(5)));
    }
    assert_eq!(suggest(&mut balancer, at(0)), []);
}

#[test]
fn loads_at_the_end_of_numbers_are_not_added_up_past_a_capacity() {
    let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1).unwrap();
    for number in 0..2 {
        let most = Load::new(u32::MAX);
        balancer.handle_joined(at(0), WorkerSpec { capacity: most, ..WorkerSpec::new(worker(number)) });
    }
    for id in 0..4 {
        let half = Load::new(u32::MAX / 2 + 2);
        let task = Task { complexity: half, ..Task::new(TaskId::new(id)) };
        balancer.handle_assigned(at(0), &task, worker(0));
    }
    assert_eq!(suggest(&mut balancer, at(0)).len(), 1, "two would be more than the other can hold");
}

/// The one that gains most costs too much to be worth it; a cheaper one is worth it.
#[test]
fn the_best_of_those_that_are_worth_it_is_suggested() {
    let mut balancer = balancer(3, MigrationConfig::default());
    let far = WorkerReport { latency: Some(Duration::from_millis(60)), ..WorkerReport::default() };
    balancer.handle_report(at(0), worker(1), far);
    let near = WorkerReport { latency: Some(Duration::from_millis(1)), ..WorkerReport::default() };
    balancer.handle_report(at(0), worker(2), near);
    // 0 has one to run and one that waits for 100 ms; 1 is idle; 2 is busy for 65 ms more.
    give(&mut balancer, 0, 0..2);
    balancer.handle_assigned(at(0), &Task::new(TaskId::new(9)), worker(2));
    balancer.handle_started(at(0), TaskId::new(9));
    balancer.handle_assigned(at(35), &Task::new(TaskId::new(0)), worker(0));
    balancer.handle_started(at(35), TaskId::new(0));
    balancer.handle_assigned(at(35), &Task::new(TaskId::new(1)), worker(0));
    assert_eq!(moved(&suggest(&mut balancer, at(35))), [(1, 2)]);
}

/// Hundreds of full queues and an idle worker that can take nothing of them: found out without comparing every task with
/// everyone.
#[test]
fn a_plan_that_finds_nothing_costs_little() {
    let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1).unwrap();
    let rare = Capabilities::from_bits(1);
    for number in 0..300 {
        let capabilities = if number % 2 == 0 { rare } else { Capabilities::NONE };
        let capacity = Load::new(300);
        balancer
            .handle_joined(at(0), WorkerSpec { capabilities, capacity, ..WorkerSpec::new(worker(number)) });
    }
    let mut id = 0;
    for number in (0..300).step_by(2) {
        for _ in 0..150 {
            let task = Task { required: rare, ..Task::new(TaskId::new(id)) };
            balancer.handle_assigned(at(0), &task, worker(number));
            id += 1;
        }
    }
    assert_eq!(suggest(&mut balancer, at(0)), []);
    let compared = balancer.planner.compared;
    assert!(compared <= 150 * 300 + (1 << 20), "{compared} pairs were compared");
    // And help that can be given is found all the same.
    balancer.handle_left(at(0), worker(298));
    let capacity = Load::new(300);
    balancer
        .handle_joined(at(0), WorkerSpec { capabilities: rare, capacity, ..WorkerSpec::new(worker(298)) });
    let found = suggest(&mut balancer, at(0));
    assert!(!found.is_empty() && found.iter().all(|migration| migration.to == worker(298)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the fleet: a suggested task waits, goes where it may, gains more than it costs, and all of them together
    /// fit. Applied, they leave less to suggest: it ends.
    #[test]
    fn suggestions_can_be_followed_all_together(
        specs in prop::collection::vec((1_u32..12, 1_u32..4, 0_u64..4, 0_u64..20), 2..6),
        tasks in prop::collection::vec((0_u32..6, 1_u32..4, 0_u64..4, prop::option::of(0_u32..6), any::<bool>()), 0..60),
        offline in prop::option::of(0_u32..6),
    ) {
        let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1).unwrap();
        for (number, &(capacity, concurrency, bits, latency)) in (0..).zip(&specs) {
            balancer.handle_joined(at(0), WorkerSpec {
                capacity: Load::new(capacity),
                concurrency,
                capabilities: Capabilities::from_bits(bits),
                latency: Duration::from_millis(latency),
                ..WorkerSpec::new(worker(number))
            });
        }
        let banned: Vec<[WorkerId; 1]> = tasks.iter().map(|task| [worker(task.3.unwrap_or(99))]).collect();
        let mut asked = Vec::new();
        for (id, (&(to, complexity, required, _, started), banned)) in (0..).zip(tasks.iter().zip(&banned)) {
            let task = Task {
                complexity: Load::new(complexity),
                required: Capabilities::from_bits(required),
                anti_affinity: banned,
                ..Task::new(TaskId::new(id))
            };
            asked.push(task);
            if balancer.check(at(0), &task, worker(to)).is_ok() {
                balancer.handle_assigned(at(0), &task, worker(to));
                if started {
                    balancer.handle_started(at(0), task.id);
                }
            }
        }
        if let Some(offline) = offline {
            balancer.handle_status(at(0), worker(offline), WorkerStatus::Offline);
        }
        for round in 0.. {
            prop_assert!(round < 20, "it does not end");
            let now = at(10 + round);
            let migrations = suggest(&mut balancer, now);
            if migrations.is_empty() {
                break;
            }
            prop_assert!(migrations.len() <= 32);
            let distinct: BTreeSet<TaskId> = migrations.iter().map(|migration| migration.task).collect();
            prop_assert_eq!(distinct.len(), migrations.len());
            for migration in migrations {
                let in_flight = *balancer.task(migration.task).expect("only tasks in flight move");
                prop_assert_eq!(in_flight.worker, migration.from);
                prop_assert!(in_flight.started_at.is_none() && migration.from != migration.to);
                let task = &asked[usize::try_from(migration.task.get()).expect("counted")];
                prop_assert_eq!(balancer.check(now, task, migration.to), Ok(()));
                prop_assert!(migration.gain > Duration::ZERO);
                balancer.handle_assigned(now, task, migration.to);
            }
        }
    }
}
