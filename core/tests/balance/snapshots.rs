//! A shell that keeps the loads itself, and is handed the workers anew each time.

use quillwork_core::balance::adaptive::Adaptive;
use quillwork_core::balance::{
    BalanceConfig, Ineligible, Load, LoadBalancer, Migration, Refusal, Task, WorkerRecord, WorkerReport,
    WorkerSpec, WorkerStatus,
};
use quillwork_core::ids::{TaskId, TaskType, WorkerId};
use quillwork_core::pool::Capabilities;
use quillwork_core::time::{Duration, Instant};

const GPU: Capabilities = Capabilities::from_bits(1);

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn worker(id: u32) -> WorkerId {
    WorkerId::new(id)
}

fn balancer(strategy: &'static str, workers: u32) -> LoadBalancer {
    let mut balancer =
        LoadBalancer::new(BalanceConfig { strategy, ..BalanceConfig::default() }, 1).expect("a sound config");
    (0..workers).for_each(|id| balancer.handle_joined(at(0), WorkerSpec::new(worker(id))));
    balancer
}

fn report_load(balancer: &mut LoadBalancer, id: u32, load: u32) {
    let report = WorkerReport { foreign_load: Some(Load::new(load)), ..WorkerReport::default() };
    balancer.handle_report(at(0), worker(id), report);
}

#[test]
fn who_is_absent_is_nobodys_business_and_is_remembered() {
    let mut balancer = balancer("performance-based", 2);
    balancer.handle_joined(at(0), WorkerSpec { capabilities: GPU, ..WorkerSpec::new(worker(2)) });
    for _ in 0..8 {
        balancer.update_context(at(1), worker(0), TaskType::new(0), false, Duration::from_millis(10));
    }
    balancer.handle_status(at(1), worker(2), WorkerStatus::Absent);
    let asks_for_gpu = Task { required: GPU, ..Task::new(TaskId::new(1)) };
    let refusal = balancer.select_worker(at(1), &asks_for_gpu);
    assert_eq!(refusal, Err(Refusal::NoCapableWorker { missing: GPU }), "and not: its worker is away");
    assert_eq!(
        balancer.check(at(1), &asks_for_gpu, worker(2)),
        Err(Ineligible::Unknown { worker: worker(2) })
    );
    let mut scores = Vec::new();
    balancer.score_workers(at(1), &asks_for_gpu, &mut scores);
    assert_eq!(scores.iter().map(|score| score.worker).collect::<Vec<_>>(), [worker(0), worker(1)]);

    let plain = Task::new(TaskId::new(2));
    [0, 1, 2].into_iter().for_each(|id| balancer.handle_status(at(1), worker(id), WorkerStatus::Absent));
    assert_eq!(balancer.select_worker(at(1), &plain), Err(Refusal::NoWorkers));
    [0, 1].into_iter().for_each(|id| balancer.handle_status(at(2), worker(id), WorkerStatus::Ready));
    for _ in 0..4 {
        assert_eq!(balancer.select_worker(at(2), &plain), Ok(worker(1)), "worker 0 has failed before");
    }
    let fleet = balancer.fleet();
    let uptime = fleet.uptime(fleet.slot_of(worker(1)).expect("it is there"), at(2));
    assert!((uptime - 1.0).abs() < 1e-12, "being absent is no outage");
}

#[test]
fn an_overload_of_who_is_absent_is_not_spoken_of() {
    let mut balancer = balancer("least-loaded", 2);
    let mut help = Vec::new();
    report_load(&mut balancer, 0, 8);
    balancer.detect_overload(at(0), &mut help);
    assert_eq!(balancer.detect_overload(at(1_000), &mut help).workers, 1);
    balancer.handle_status(at(1_001), worker(0), WorkerStatus::Absent);
    // It would count as overloaded for a dwell time more.
    assert_eq!(balancer.detect_overload(at(1_002), &mut help).workers, 0);
    assert_eq!(help, []);
}

#[test]
fn what_a_worker_tells_of_itself_counts_until_it_has_shown_more() {
    let good = WorkerRecord {
        success_ratio: Some(0.99),
        mean_duration: Some(Duration::from_millis(10)),
        uptime_ratio: Some(1.0),
    };
    let bad = WorkerRecord { success_ratio: Some(0.2), ..good };
    let slow = WorkerRecord { mean_duration: Some(Duration::from_millis(90)), ..good };
    let away = WorkerRecord { uptime_ratio: Some(0.1), ..good };
    for (strategies, record) in [
        (&["performance-based", "best-score"][..], bad),
        (&["performance-based", "shortest-expected-delay", "peak-ewma", "best-score"], slow),
        (&["performance-based", "best-score"], away),
    ] {
        for strategy in strategies {
            let mut balancer = balancer(strategy, 2);
            balancer.handle_record(worker(0), record);
            balancer.handle_record(worker(1), good);
            for id in 0..3 {
                let chosen = balancer.select_worker(at(0), &Task::new(TaskId::new(id)));
                // Peak-EWMA tries an unknown worker; both have told of themselves here.
                assert_eq!(chosen, Ok(worker(1)), "{strategy} with {record:?}");
            }
        }
    }
    let mut balancer = balancer("performance-based", 2);
    balancer.handle_record(worker(0), bad);
    balancer.handle_record(worker(1), good);
    for _ in 0..30 {
        balancer.update_context(at(0), worker(0), TaskType::new(0), true, Duration::from_millis(10));
        balancer.update_context(at(0), worker(1), TaskType::new(0), false, Duration::from_millis(10));
    }
    assert_eq!(balancer.select_worker(at(0), &Task::new(TaskId::new(9))), Ok(worker(0)));
}

#[test]
fn a_record_that_makes_no_sense_is_as_good_as_none() {
    let mut balancer = balancer("performance-based", 2);
    for wrong in [f64::NAN, -1.0, 2.0, f64::INFINITY] {
        let record = WorkerRecord {
            success_ratio: Some(wrong),
            mean_duration: Some(Duration::ZERO),
            uptime_ratio: Some(wrong),
        };
        balancer.handle_record(worker(0), record);
        balancer.handle_record(worker(7), record);
        let fleet = balancer.fleet();
        let slot = fleet.slot_of(worker(0)).expect("it has joined");
        let read = [fleet.success_ratio(slot, at(0)), fleet.uptime(slot, at(0)), fleet.slowness(slot, at(0))];
        assert!(read.iter().all(|value| (value - 1.0).abs() < 1e-9), "{read:?}");
    }
}

#[test]
fn load_from_elsewhere_is_seen_by_every_strategy_that_looks_at_waits() {
    for strategy in ["least-loaded", "shortest-expected-delay", "peak-ewma", "adaptive", "best-score"] {
        let mut balancer = balancer(strategy, 3);
        for id in 0..3 {
            balancer.update_context(at(0), worker(id), TaskType::new(0), true, Duration::from_millis(10));
        }
        report_load(&mut balancer, 0, 4);
        report_load(&mut balancer, 1, 1);
        report_load(&mut balancer, 2, 6);
        for id in 0..4 {
            let chosen = balancer.select_worker(at(0), &Task::new(TaskId::new(id)));
            assert_eq!(chosen, Ok(worker(1)), "{strategy}");
        }
    }
}

#[test]
fn adaptive_learns_from_outcomes_of_tasks_that_are_not_in_the_books() {
    let mut balancer = balancer("adaptive", 3);
    let before: Vec<f64> = weights(&balancer);
    for id in 0..200 {
        let now = at(id * 10);
        let chosen = balancer.select_worker(now, &Task::new(TaskId::new(id))).expect("all are free");
        let took = Duration::from_millis(if chosen == worker(0) { 400 } else { 4 });
        let told = (TaskId::new(id), TaskType::new(0));
        balancer.handle_outcome(now + Duration::from_millis(5), told, chosen, chosen != worker(0), took);
    }
    assert_ne!(weights(&balancer), before);
    assert_eq!(balancer.in_flight(), 0);
    let chosen: Vec<_> =
        (300..310).map(|id| balancer.select_worker(at(3_000), &Task::new(TaskId::new(id)))).collect();
    assert!(chosen.iter().filter(|&&chosen| chosen == Ok(worker(0))).count() <= 1, "{chosen:?}");
}

fn weights(balancer: &LoadBalancer) -> Vec<f64> {
    let adaptive = balancer.strategy::<Adaptive>("adaptive").expect("it is built in");
    adaptive.weights(TaskType::new(0)).map(|(_, weight)| weight).collect()
}

#[test]
fn queues_of_the_shells_own_are_relieved_where_it_is_worth_it() {
    let mut balancer = balancer("least-loaded", 2);
    let queue = |tasks: u64| -> Vec<(Task<'static>, WorkerId)> {
        (0..tasks).map(|id| (Task::new(TaskId::new(id)), worker(0))).collect()
    };
    let mut moves = Vec::new();
    balancer.suggest_migration_of(at(0), &queue(6), &mut moves);
    let moved: Vec<u64> = moves.iter().map(|migration: &Migration| migration.task.get()).collect();
    assert!(!moved.is_empty() && !moved.contains(&0), "the first one runs: {moved:?}");
    assert!(moves.iter().all(|migration| migration.from == worker(0) && migration.to == worker(1)));
    balancer.suggest_migration_of(at(0), &queue(1), &mut moves);
    assert_eq!(moves, []);
    // The other is full by its own account.
    report_load(&mut balancer, 1, 8);
    balancer.suggest_migration_of(at(0), &queue(6), &mut moves);
    assert_eq!(moves, []);
    assert_eq!(balancer.in_flight(), 0);
    // Twice the same task, and a worker that nobody knows.
    let odd = [
        (Task::new(TaskId::new(1)), worker(0)),
        (Task::new(TaskId::new(1)), worker(1)),
        (Task::new(TaskId::new(2)), worker(9)),
    ];
    balancer.suggest_migration_of(at(0), &odd, &mut moves);
    assert_eq!(moves, []);
}
