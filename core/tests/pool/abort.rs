//! Aborts and time-outs.

use quillwork_core::pool::{Settlement, TaskSpec, TerminateReason};
use quillwork_core::time::Duration;

use crate::rig::{NONE, Rig, abort_running, dispatch, plain, settle, spawn, terminate};

fn limited(millis: u64) -> TaskSpec {
    TaskSpec { timeout: Some(Duration::from_millis(millis)), ..plain() }
}

#[test]
fn a_queued_task_is_gone_for_good() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.submit(2, TaskSpec { queue_ttl: Some(Duration::from_millis(10)), ..plain() });
    rig.submit(3, plain());
    assert_eq!(rig.abort(2), [settle(2, Settlement::Aborted)]);
    assert_eq!(rig.wait_millis(100), [], "its TTL went with it");
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(3, 0, 1, 1)]);
    assert_eq!(rig.abort(2), [], "a second abort does nothing");
}

#[test]
fn a_running_task_settles_at_once_and_its_worker_is_kept_if_it_obeys() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.submit(2, plain());
    assert_eq!(rig.abort(1), [abort_running(1, 0, 1), settle(1, Settlement::Aborted)]);
    assert_eq!(rig.wait_millis(900), [], "the worker cleans up and gets nothing meanwhile");
    assert_eq!(rig.done(0, 1, 1), [dispatch(2, 0, 1, 1)], "its late result is not reported");
    assert_eq!(rig.wait_millis(5_000), [], "the grace period ended with it");
}

#[test]
fn a_worker_that_ignores_an_abort_is_replaced_after_the_grace_period() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.abort(1);
    assert_eq!(rig.wait_millis(1_000), [terminate(0, 1, TerminateReason::IgnoredAbort), spawn(0, 2)]);
    // Terminating is not immediate: the old worker may still answer.
    assert_eq!(rig.done(0, 1, 1), []);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(2, 0, 2, 1)]);
    assert_eq!(rig.pool.stats(rig.now).counters.workers_lost, 0, "that was no fault of the worker's");
}

#[test]
fn a_time_out_counts_from_the_start_of_the_execution() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.submit(2, limited(30));
    assert_eq!(rig.wait_millis(500), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.wait_millis(29), []);
    assert_eq!(rig.wait_millis(1), [abort_running(2, 0, 1), settle(2, Settlement::TimedOut)]);
    assert_eq!(rig.wait_millis(1_000), [terminate(0, 1, TerminateReason::IgnoredAbort), spawn(0, 2)]);
}

#[test]
fn a_task_that_ends_in_time_takes_its_time_out_with_it() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, limited(30));
    rig.wait_millis(10);
    rig.done(0, 1, 1);
    rig.submit(2, plain());
    assert_eq!(rig.wait_millis(1_000), []);
}

#[test]
fn a_redelivered_task_has_its_full_time_again() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, limited(30));
    rig.wait_millis(20);
    assert!(rig.lost(0, 1).contains(&dispatch(1, 1, 1, 2)));
    assert_eq!(rig.wait_millis(29), []);
    assert!(rig.wait_millis(1).contains(&settle(1, Settlement::TimedOut)));
}

#[test]
fn an_abort_during_the_wait_for_redelivery_settles_once() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    assert_eq!(rig.abort(1), [settle(1, Settlement::Aborted)]);
    assert_eq!(rig.ready(0, 2, NONE), []);
}

#[test]
fn a_worker_lost_while_it_cleans_up_settles_nothing_again() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.abort(1);
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    assert_eq!(rig.wait_millis(5_000), []);
}
