//! Overload of workers and of the fleet.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;
use crate::balance::{BalanceConfig, Load, LoadBalancer, Task, WorkerReport, WorkerSpec, WorkerStatus};
use crate::ids::{TaskId, WorkerId};
use crate::time::{Duration, Instant};

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn worker(number: u32) -> WorkerId {
    WorkerId::new(number)
}

/// Workers of one lane and a capacity of 10; tasks are assumed to take 100 ms.
fn balancer(workers: u32) -> LoadBalancer {
    let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1).unwrap();
    for number in 0..workers {
        let spec = WorkerSpec { capacity: Load::new(10), ..WorkerSpec::new(worker(number)) };
        balancer.handle_joined(at(0), spec);
    }
    balancer
}

fn give(balancer: &mut LoadBalancer, now: Instant, to: u32, tasks: u64) {
    for number in 0..tasks {
        let task = Task::new(TaskId::new(u64::from(to) * 1_000 + number));
        assert!(balancer.handle_assigned(now, &task, worker(to)));
    }
}

/// Detects over a dwell time and returns the last answer.
fn detect(balancer: &mut LoadBalancer, now: Instant) -> (Overload, Vec<Recommendation>) {
    let mut out = Vec::new();
    balancer.detect_overload(now, &mut out);
    let overload = balancer.detect_overload(now + Duration::from_millis(500), &mut out);
    (overload, out)
}

#[test]
fn an_overloaded_worker_is_to_give_to_the_one_with_room() {
    let mut balancer = balancer(3);
    give(&mut balancer, at(0), 0, 10);
    give(&mut balancer, at(0), 1, 6);
    let (overload, help) = detect(&mut balancer, at(0));
    assert_eq!((overload.workers, overload.is_fleet_overloaded), (1, false));
    let [only] = help[..] else { panic!("{help:?}") };
    assert_eq!((only.from, only.to), (Some(worker(0)), Some(worker(2))));
    // Down to 70 % of its capacity, and its queue of nine tasks of 100 ms is not worth less.
    assert_eq!(only.action, OverloadAction::Move { load: Load::new(3) });
    assert_eq!(only.gain, Duration::from_millis(900));
    assert_eq!(only.urgency.get(), 5);
    assert_eq!(
        only.to_string(),
        "[5] move 3 load units from worker 0 to worker 2: it is at 100 % (gains 900ms)"
    );
}

#[test]
fn a_moment_is_no_overload_and_the_next_change_is_told() {
    let mut balancer = balancer(2);
    give(&mut balancer, at(0), 0, 10);
    let mut out = Vec::new();
    assert_eq!(balancer.detect_overload(at(0), &mut out).workers, 0);
    assert_eq!(balancer.next_overload_change(), Some(at(500)));
    assert_eq!(balancer.detect_overload(at(499), &mut out).workers, 0);
    assert_eq!(balancer.detect_overload(at(500), &mut out).workers, 1);
    // At 80 %, between the levels, it stays.
    for number in 0..2 {
        balancer.handle_finished(at(600), TaskId::new(number), true);
    }
    assert_eq!(balancer.detect_overload(at(5_000), &mut out).workers, 1);
    for number in 2..4 {
        balancer.handle_finished(at(5_000), TaskId::new(number), true);
    }
    assert_eq!(balancer.detect_overload(at(5_000), &mut out).workers, 1);
    assert_eq!(balancer.detect_overload(at(5_500), &mut out).workers, 0);
    assert!(out.is_empty());
}

#[test]
fn several_overloaded_workers_are_not_all_sent_to_the_same_one() {
    let mut balancer = balancer(4);
    give(&mut balancer, at(0), 0, 10);
    give(&mut balancer, at(0), 1, 10);
    give(&mut balancer, at(0), 2, 4);
    give(&mut balancer, at(0), 3, 4);
    let (_, help) = detect(&mut balancer, at(0));
    let moves: Vec<_> =
        help.iter().filter(|help| help.from.is_some()).map(|help| (help.to, help.action)).collect();
    let three = OverloadAction::Move { load: Load::new(3) };
    assert_eq!(moves, [(Some(worker(2)), three), (Some(worker(3)), three)]);
}

#[test]
fn a_full_fleet_needs_workers_and_full_workers_are_held_back() {
    let mut balancer = balancer(2);
    give(&mut balancer, at(0), 0, 10);
    give(&mut balancer, at(0), 1, 10);
    let (overload, help) = detect(&mut balancer, at(0));
    assert!(overload.is_fleet_overloaded && (overload.fleet_pressure - 1.0).abs() < 1e-9);
    // Two full workers are to be at 65 %: that takes 3.08.
    let more = help.iter().find(|help| help.from.is_none()).expect("the fleet is overloaded");
    assert_eq!(more.action, OverloadAction::AddWorkers { count: 2 });
    assert_eq!(more.gain, Duration::from_millis(450));
    let held_back = help.iter().filter(|help| help.action == OverloadAction::HoldBack).count();
    assert_eq!(held_back, 2);
}

#[test]
fn a_long_queue_is_an_overload_whatever_the_capacity() {
    let mut balancer = balancer(2);
    let large = WorkerReport { capacity: Some(Load::new(1_000)), ..WorkerReport::default() };
    balancer.handle_report(at(0), worker(0), large);
    give(&mut balancer, at(0), 0, 31);
    let (overload, help) = detect(&mut balancer, at(0));
    assert_eq!(overload.workers, 1);
    let of_worker = help.iter().find(|help| help.from == Some(worker(0))).expect("it is overloaded");
    let OverloadReason::Overloaded { pressure } = of_worker.why else { panic!("{help:?}") };
    assert!((pressure - 3.0).abs() < 1e-9, "thirty tasks of 100 ms wait: {pressure}");
    assert_eq!((of_worker.urgency, of_worker.to), (Urgency::MOST, Some(worker(1))));
    // It would give up 24, and the other is to stay at 70 %.
    assert_eq!(of_worker.action, OverloadAction::Move { load: Load::new(7) });
}

#[test]
fn a_worker_that_runs_one_long_task_has_no_queue() {
    let mut balancer = balancer(2);
    for _ in 0..10 {
        let task_type = Task::new(TaskId::new(0)).task_type;
        balancer.update_context(at(0), worker(0), task_type, true, Duration::from_secs(60));
    }
    give(&mut balancer, at(0), 0, 1);
    assert_eq!(detect(&mut balancer, at(0)).0.workers, 0);
}

#[test]
fn a_black_hole_is_stalled_before_it_is_full() {
    let mut balancer = balancer(2);
    give(&mut balancer, at(0), 0, 3);
    assert_eq!(detect(&mut balancer, at(9_000)).0.workers, 0);
    let (overload, help) = detect(&mut balancer, at(10_000));
    assert_eq!(overload.workers, 1);
    assert_eq!((help[0].from, help[0].to), (Some(worker(0)), Some(worker(1))));
    assert!(matches!(help[0].why, OverloadReason::Stalled { silent } if silent >= Duration::from_secs(10)));
    // The one that it runs, or seems to, stays.
    assert_eq!(help[0].action, OverloadAction::Move { load: Load::new(2) });
}

#[test]
fn what_an_unreachable_worker_holds_is_to_go_elsewhere() {
    let mut balancer = balancer(2);
    give(&mut balancer, at(0), 0, 2);
    balancer.handle_status(at(1), worker(0), WorkerStatus::Offline);
    let (_, help) = detect(&mut balancer, at(1));
    assert_eq!(help[0].why, OverloadReason::Unreachable { status: WorkerStatus::Offline });
    assert_eq!((help[0].to, help[0].urgency.get()), (Some(worker(1)), 9));
    // Nobody else: there is nothing to recommend but to stop.
    balancer.handle_left(at(2), worker(1));
    let (_, help) = detect(&mut balancer, at(2));
    assert_eq!((help[0].to, help[0].action), (None, OverloadAction::HoldBack));
}

#[test]
fn workers_that_leave_take_nobody_elses_state_along() {
    let mut balancer = balancer(3);
    give(&mut balancer, at(0), 1, 10);
    assert_eq!(detect(&mut balancer, at(0)).0.workers, 1);
    balancer.handle_left(at(600), worker(0));
    let mut out = Vec::new();
    assert_eq!(balancer.detect_overload(at(600), &mut out).workers, 1);
    balancer.handle_left(at(700), worker(1));
    assert_eq!(balancer.detect_overload(at(700), &mut out).workers, 0);
}

#[test]
fn levels_that_make_no_sense_are_refused() {
    let refused =
        |overload| LoadBalancer::new(BalanceConfig { overload, ..BalanceConfig::default() }, 1).unwrap_err();
    let base = OverloadConfig::default();
    assert!(refused(OverloadConfig { leave: 0.95, ..base }).to_string().contains("below the beginning"));
    assert!(refused(OverloadConfig { enter: f64::NAN, ..base }).to_string().contains("below the beginning"));
    assert!(refused(OverloadConfig { wait: Duration::ZERO, ..base }).to_string().contains("wait"));
}
