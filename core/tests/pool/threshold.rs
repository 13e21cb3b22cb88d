//! A slow worker leaves tasks to faster ones, as far as that pays.

use std::collections::VecDeque;

use quillwork_core::ids::{Generation, TaskType, WorkerId};
use quillwork_core::pool::{Output, PoolConfig, Settlement, TaskSpec};
use quillwork_core::time::Duration;

use crate::rig::{NONE, Rig, dispatch, plain, quiet, settle};

fn of_type(number: u32) -> TaskSpec {
    TaskSpec { task_type: TaskType::new(number), ..plain() }
}

fn threshold() -> PoolConfig {
    PoolConfig { threshold: true, ..quiet() }
}

/// A pool in which worker 0 takes so many milliseconds for a task of type 1, the others 10; all are free.
fn measured(workers: usize, millis_of_the_first: u64, config: PoolConfig) -> Rig {
    let mut rig = Rig::ready_with(&vec![NONE; workers], config);
    let count = u64::try_from(workers).expect("a few");
    for round in 0..20 {
        let tasks = 1_000 + round * count..1_000 + (round + 1) * count;
        let mut held: Vec<(u32, u64)> = Vec::new();
        for task in tasks {
            rig.submit(task, of_type(1));
            if rig.pool.stats(rig.now).queued > 0 {
                // The slow one is left idle already.
                rig.abort(task);
            } else {
                held.push((rig.holder_of(task).0, task));
            }
        }
        held.sort_unstable_by_key(|&(worker, _)| worker == 0);
        let mut passed = 0;
        for (worker, task) in held {
            let ends = if worker == 0 { millis_of_the_first } else { 10 };
            rig.pass_millis(ends.saturating_sub(passed));
            passed = passed.max(ends);
            rig.done(worker, 1, task);
        }
    }
    rig
}

#[test]
fn a_slow_worker_waits_for_a_fast_one_and_no_longer_than_it_is_slower() {
    let mut rig = measured(3, 100, threshold());
    assert_eq!(rig.submit(1, of_type(1)).len(), 1);
    assert_eq!(rig.submit(2, of_type(1)).len(), 1);
    assert_eq!(rig.submit(3, of_type(1)), [], "two fast ones will be free in a few milliseconds");
    assert!(rig.pool.worker_stats(rig.now, WorkerId::new(0)).unwrap().running.is_none());
    rig.pass_millis(9);
    let fast = rig.holder_of(1).0;
    assert_eq!(rig.done(fast, 1, 1), [settle(1, Settlement::Completed), dispatch(3, fast, 1, 1)]);
    // The fast ones turn out to be busy for long: the detour of 90 ms is all that waiting may cost.
    assert_eq!(rig.submit(4, of_type(1)), []);
    let left_at = rig.now;
    let taken = loop {
        let due = rig.pool.next_deadline().expect("what was left is looked at again");
        rig.now = due;
        rig.pool.handle_deadline(due);
        let said = rig.drain();
        if !said.is_empty() {
            break said;
        }
    };
    assert_eq!(taken, [dispatch(4, 0, 1, 1)]);
    assert!(rig.now - left_at <= Duration::from_millis(100), "{:?}", rig.now - left_at);
}

#[test]
fn a_slow_worker_helps_once_enough_tasks_wait_and_takes_the_first() {
    let mut rig = measured(3, 100, threshold());
    rig.submit(1, of_type(1));
    rig.submit(2, of_type(1));
    let mut task = 3;
    let taken = loop {
        let said = rig.submit(task, of_type(1));
        if !said.is_empty() {
            break said;
        }
        task += 1;
        assert!(task < 60, "it never helps");
    };
    assert_eq!(taken, [dispatch(3, 0, 1, 1)], "in the order of the queue");
    assert!(task > 8, "two workers do {task} tasks in less than 100 ms");
}

#[test]
fn without_the_setting_or_enough_evidence_nobody_waits() {
    let mut rig = measured(3, 100, quiet());
    for task in 1..=3 {
        assert_eq!(rig.submit(task, of_type(1)).len(), 1);
    }
    let mut rig = measured(3, 100, threshold());
    for task in 1..=3 {
        assert_eq!(rig.submit(task, of_type(2)).len(), 1, "a type that nobody has measured");
    }
    // What the fast ones run is of that type: when they will be free is unknown.
    let mut rig = measured(3, 100, threshold());
    assert_eq!(rig.submit(1, of_type(2)).len(), 1);
    while rig.pool.stats(rig.now).workers_busy < 2 {
        let task = 10 + u64::from(rig.pool.stats(rig.now).workers_busy);
        rig.submit(task, of_type(2));
    }
    assert_eq!(rig.submit(50, of_type(1)).len(), 1);
}

#[test]
fn workers_that_are_all_slow_or_alone_take_everything() {
    let mut rig = measured(3, 10, threshold());
    for task in 1..=3 {
        assert_eq!(rig.submit(task, of_type(1)).len(), 1);
    }
    let mut rig = measured(1, 500, threshold());
    assert_eq!(rig.submit(1, of_type(1)), [dispatch(1, 0, 1, 1)]);
}

/// Run times of one type that differ a thousandfold by the task and not by the worker.
#[test]
fn times_that_scatter_are_no_slowness() {
    let mut rig = Rig::ready_with(&[NONE; 4], threshold());
    let mut left = 0;
    let mut running: VecDeque<(u32, u64)> = VecDeque::new();
    for task in 0..1_600_u64 {
        let said = rig.submit(task, of_type(1));
        left += usize::from(said.is_empty());
        running.extend(dispatched(&said));
        if running.len() == 4 || said.is_empty() {
            let (worker, oldest) = running.pop_front().expect("somebody is busy");
            // Any one in seven takes a thousand times as long.
            let long = (oldest.wrapping_mul(2_654_435_761) >> 7).is_multiple_of(7);
            rig.pass_millis(if long { 1_000 } else { 1 });
            let said = rig.done(worker, 1, oldest);
            running.extend(dispatched(&said));
        }
    }
    assert!(left <= 16, "{left} of 1600 tasks were left");
}

fn dispatched(said: &[Output]) -> Vec<(u32, u64)> {
    let of = |output: &Output| match *output {
        Output::Dispatch { worker, task, .. } => Some((worker.get(), task.get())),
        _ => None,
    };
    said.iter().filter_map(of).collect()
}

#[test]
fn a_full_queue_and_a_task_that_would_expire_are_reason_enough() {
    let mut rig = measured(3, 100, PoolConfig { max_queued: 0, ..threshold() });
    for task in 1..=3 {
        assert_eq!(rig.submit(task, of_type(1)).len(), 1, "it would be refused");
    }
    let mut rig = measured(3, 100, threshold());
    let spec = TaskSpec { queue_ttl: Some(Duration::from_millis(20)), ..of_type(1) };
    for task in 1..=3 {
        assert_eq!(rig.submit(task, spec).len(), 1);
    }
}

#[test]
fn another_type_is_not_held_up_by_what_is_left() {
    let mut rig = measured(3, 100, threshold());
    rig.submit(1, of_type(1));
    rig.submit(2, of_type(1));
    assert_eq!(rig.submit(3, of_type(1)), []);
    assert_eq!(rig.submit(4, of_type(2)), [dispatch(4, 0, 1, 1)]);
}

#[test]
fn a_fast_worker_that_goes_leaves_the_slow_one_to_work() {
    let mut rig = measured(2, 100, threshold());
    rig.submit(1, of_type(1));
    assert_eq!(rig.submit(2, of_type(1)), []);
    let said = rig.lost(1, 1);
    assert_eq!(dispatched(&said)[0].0, 0, "{said:?}");
}

#[test]
fn a_fast_worker_that_is_to_be_replaced_is_not_waited_for() {
    let mut rig = measured(2, 100, threshold());
    rig.submit(1, of_type(1));
    assert_eq!(rig.submit(2, of_type(1)), []);
    rig.pool.handle_recycle(rig.now, WorkerId::new(1), Generation::FIRST);
    assert_eq!(rig.drain(), [dispatch(2, 0, 1, 1)]);
}

#[test]
fn what_a_fast_worker_was_given_ahead_is_left_to_it_as_long_as_what_waits() {
    let mut rig = measured(2, 100, PoolConfig { prefetch: Duration::from_millis(100), ..threshold() });
    rig.submit(1, of_type(1));
    let fast = rig.holder_of(1).0;
    assert_eq!(rig.submit(2, of_type(1)), [dispatch(2, fast, 1, 1)], "ahead, and nobody takes it back");
    let given_at = rig.now;
    let asked_back = loop {
        let due = rig.pool.next_deadline().expect("what was left is looked at again");
        rig.now = due;
        rig.pool.handle_deadline(due);
        let said = rig.drain();
        if !said.is_empty() {
            break said;
        }
    };
    assert!(matches!(asked_back[..], [Output::TakeBack { .. }]), "{asked_back:?}");
    let waited = rig.now - given_at;
    assert!(waited > Duration::from_millis(60) && waited <= Duration::from_millis(100), "{waited:?}");
}
