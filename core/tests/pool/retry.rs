//! Tasks that failed and are tried again, and the progress that they report.

use quillwork_core::flow::retry::{Backoff, Jitter};
use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{
    CloseMode, Input, Output, PoolConfig, Refusal, Settlement, TaskOutcome, TaskSpec, TerminateReason,
};
use quillwork_core::time::Duration;

use crate::rig::{
    NONE, Rig, abort_running, dispatch, plain, probe, quiet, refused, settle, spawn, terminate, urgent, wide,
};

/// Waits 10 ms, 20 ms, 40 ms.
fn steady() -> PoolConfig {
    let base = Duration::from_millis(10);
    let retry_backoff = Backoff { base, jitter: Jitter::None, ..Backoff::default() };
    PoolConfig { retry_backoff, ..quiet() }
}

fn attempts(max_attempts: u32) -> TaskSpec {
    TaskSpec { max_attempts, ..plain() }
}

fn retry(task: u64, millis: u64) -> Output {
    Output::Retry { task: TaskId::new(task), after: Duration::from_millis(millis) }
}

fn failed(rig: &mut Rig, worker: u32, task: u64) -> Vec<Output> {
    rig.ended(worker, 1, task, TaskOutcome::Failed)
}

#[test]
fn a_task_is_tried_as_often_as_it_may_be_and_each_wait_is_longer() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, attempts(3));
    assert_eq!(failed(&mut rig, 0, 1), [retry(1, 10)]);
    let stats = rig.pool.stats(rig.now);
    assert_eq!((stats.delayed, stats.queued, stats.running, stats.workers_busy), (1, 0, 0, 0));
    assert_eq!(rig.wait_millis(9), []);
    assert_eq!(rig.wait_millis(1), [dispatch(1, 0, 1, 2)]);
    assert_eq!(failed(&mut rig, 0, 1), [retry(1, 20)]);
    assert_eq!(rig.wait_millis(20), [dispatch(1, 0, 1, 3)]);
    assert_eq!(failed(&mut rig, 0, 1), [settle(1, Settlement::Failed { attempts: 3 })]);
    let stats = rig.pool.stats(rig.now);
    assert_eq!((stats.delayed, stats.counters.retried, stats.counters.failed), (0, 2, 1));
}

#[test]
fn one_attempt_is_the_default_and_none_counts_as_one() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    for (task, spec) in [(1, plain()), (2, attempts(0))] {
        rig.submit(task, spec);
        assert_eq!(failed(&mut rig, 0, task), [settle(task, Settlement::Failed { attempts: 1 })]);
    }
}

#[test]
fn what_would_fail_in_the_same_way_is_not_tried_again() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, attempts(5));
    assert_eq!(failed(&mut rig, 0, 1), [retry(1, 10)]);
    assert_eq!(rig.wait_millis(10), [dispatch(1, 0, 1, 2)]);
    let ended = rig.ended(0, 1, 1, TaskOutcome::FailedForGood);
    assert_eq!(ended, [settle(1, Settlement::Failed { attempts: 2 })]);
    let counters = rig.pool.stats(rig.now).counters;
    assert_eq!((counters.retried, counters.failed), (1, 1));
}

#[test]
fn what_must_not_run_twice_is_not_tried_again() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, TaskSpec { redeliverable: false, ..attempts(5) });
    assert_eq!(failed(&mut rig, 0, 1), [settle(1, Settlement::Failed { attempts: 1 })]);
}

#[test]
fn a_delayed_task_holds_no_worker_and_keeps_its_age() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, attempts(2));
    rig.submit(2, plain());
    assert_eq!(failed(&mut rig, 0, 1), [retry(1, 10), dispatch(2, 0, 1, 1)]);
    rig.pass_millis(1);
    rig.submit(3, plain());
    assert_eq!(rig.wait_millis(20), []);
    assert_eq!(
        rig.done(0, 1, 2),
        [settle(2, Settlement::Completed), dispatch(1, 0, 1, 2)],
        "it came before task 3"
    );
}

#[test]
fn another_worker_is_tried_where_one_is_free() {
    let mut rig = Rig::ready_with(&[wide(8), wide(1)], steady());
    rig.submit(1, attempts(3));
    assert_eq!(failed(&mut rig, 0, 1), [retry(1, 10)]);
    assert_eq!(rig.wait_millis(10), [dispatch(1, 1, 1, 2)]);
    assert_eq!(failed(&mut rig, 1, 1), [retry(1, 20)]);
    rig.submit(2, plain());
    rig.submit(3, plain());
    rig.submit(4, plain());
    assert_eq!(rig.wait_millis(20), [dispatch(1, 0, 1, 3)]);
    // The only one with room is as good as none.
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, attempts(2));
    failed(&mut rig, 0, 1);
    assert_eq!(rig.wait_millis(10), [dispatch(1, 0, 1, 2)]);
}

#[test]
fn an_abort_or_the_end_of_the_pool_ends_a_delay_for_good() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, attempts(9));
    rig.submit(2, attempts(9));
    failed(&mut rig, 0, 1);
    failed(&mut rig, 0, 2);
    assert_eq!(rig.abort(1), [settle(1, Settlement::Aborted)]);
    assert_eq!(
        rig.close(CloseMode::Now),
        [settle(2, Settlement::Closed), terminate(0, 1, TerminateReason::Closing), Output::Closed]
    );
    assert_eq!(rig.wait_millis(10_000), []);
}

#[test]
fn a_pool_that_drains_finishes_its_retries() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, attempts(2));
    failed(&mut rig, 0, 1);
    assert_eq!(rig.close(CloseMode::Drain), []);
    assert_eq!(rig.wait_millis(10), [dispatch(1, 0, 1, 2)]);
    assert_eq!(rig.done(0, 1, 1).last(), Some(&Output::Closed));
}

#[test]
fn an_aborted_or_overdue_attempt_is_the_last() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, TaskSpec { timeout: Some(Duration::from_millis(5)), ..attempts(9) });
    assert_eq!(rig.wait_millis(5), [abort_running(1, 0, 1), settle(1, Settlement::TimedOut)]);
    assert_eq!(failed(&mut rig, 0, 1), [], "it settled already");
    rig.submit(2, attempts(9));
    rig.abort(2);
    assert_eq!(failed(&mut rig, 0, 2), []);
    assert_eq!(rig.wait_millis(1_000), []);
}

#[test]
fn only_so_many_wait_for_another_attempt() {
    let mut rig = Rig::ready_with(&[wide(3)], PoolConfig { max_delayed: 2, ..steady() });
    for task in 1..=3 {
        rig.submit(task, attempts(9));
    }
    assert_eq!(failed(&mut rig, 0, 1), [retry(1, 10)]);
    assert_eq!(failed(&mut rig, 0, 2), [retry(2, 10)]);
    assert_eq!(failed(&mut rig, 0, 3), [settle(3, Settlement::Failed { attempts: 1 })]);
}

#[test]
fn a_lost_worker_costs_no_attempt_of_the_task_itself() {
    let mut rig = Rig::ready_with(&[NONE], steady());
    rig.submit(1, attempts(2));
    rig.lost(0, 1);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(1, 0, 2, 2)]);
    assert_eq!(rig.ended(0, 2, 1, TaskOutcome::Failed), [retry(1, 10)]);
}

#[test]
fn a_retry_that_nobody_can_run_any_more_is_refused_when_it_is_due() {
    let mut rig = Rig::ready_with(&[wide(4)], steady());
    rig.submit(1, TaskSpec { max_attempts: 2, ..crate::rig::heavy(4) });
    failed(&mut rig, 0, 1);
    rig.ready(0, 1, wide(2));
    let refusal = Refusal::TooLarge { largest: wide(2).capacity };
    assert_eq!(rig.wait_millis(10), [refused(1, refusal)]);
}

#[test]
fn equal_seeds_draw_equal_delays_and_others_others() {
    let delays = |seed| {
        let mut rig = Rig::ready_with(&[NONE], PoolConfig { seed, ..quiet() });
        let of = |task: u64| {
            rig.submit(task, attempts(2));
            let delayed = failed(&mut rig, 0, task);
            rig.abort(task);
            delayed
        };
        (1..20).map(of).collect::<Vec<_>>()
    };
    assert_eq!(delays(1), delays(1));
    assert_ne!(delays(1), delays(2));
}

#[test]
fn progress_is_a_sign_of_life_and_counted_where_the_task_is_there() {
    let lease = Some(Duration::from_millis(100));
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { lease, ..quiet() });
    rig.submit(1, urgent(5));
    let progress = |rig: &mut Rig, generation, task| {
        let (worker, generation) = (WorkerId::new(0), Generation::new(generation));
        let task = TaskId::new(task);
        rig.pool.handle_input(rig.now, Input::Progress { worker, generation, task }).expect("no submission");
        assert_eq!(rig.drain(), []);
        let counters = rig.pool.stats(rig.now).counters;
        (counters.progress, counters.stale_messages)
    };
    for told in 1..=20 {
        assert_eq!(rig.wait_millis(40), [], "it is never asked");
        assert_eq!(progress(&mut rig, 1, 1), (told, 0));
    }
    assert_eq!(progress(&mut rig, 1, 2), (20, 1), "a task that it doesn't have");
    assert_eq!(progress(&mut rig, 9, 1), (20, 2), "another worker");
    rig.abort(1);
    assert_eq!(progress(&mut rig, 1, 1), (20, 2), "a sign of life, of a task that is settled");
    rig.done(0, 1, 1);
    rig.pass_millis(45);
    assert_eq!(progress(&mut rig, 1, 1), (20, 3));
    let silent = rig.wait_millis(105);
    assert_eq!(silent, [probe(0, 1), terminate(0, 1, TerminateReason::Silent), spawn(0, 2)]);
}
