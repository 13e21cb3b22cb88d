//! Who gets which task, and who gets none.

use quillwork_core::ids::TaskId;
use quillwork_core::pool::{DuplicateTask, Output, PoolConfig, Refusal, Settlement, TaskOutcome, TaskSpec};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NET, NONE, Rig, dispatch, needs, plain, quiet, refused, settle};

#[test]
fn nothing_is_sent_to_a_worker_that_has_not_reported_ready() {
    let mut rig = Rig::booting(PoolConfig { workers: 2, ..quiet() });
    assert_eq!(rig.submit(1, plain()), []);
    assert_eq!(rig.submit(2, plain()), []);
    assert_eq!(rig.ready(1, 1, NONE), [dispatch(1, 1, 1, 1)]);
    assert_eq!(rig.ready(0, 1, NONE), [dispatch(2, 0, 1, 1)]);
}

#[test]
fn a_worker_has_one_task_at_a_time_and_takes_the_next_when_done() {
    let mut rig = Rig::ready_pool(1);
    assert_eq!(rig.submit(1, plain()), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, plain()), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.ended(0, 1, 2, TaskOutcome::Failed), [settle(2, Settlement::Failed { attempts: 1 })]);
}

#[test]
fn light_load_is_spread_over_all_workers() {
    let mut rig = Rig::ready_pool(3);
    for (task, worker) in [(1, 0), (2, 1), (3, 2), (4, 0), (5, 1), (6, 2)] {
        assert_eq!(rig.submit(task, plain()), [dispatch(task, worker, 1, 1)]);
        rig.done(worker, 1, task);
    }
}

#[test]
fn common_work_goes_to_the_plain_worker_while_it_is_free() {
    let mut rig = Rig::ready_with(&[GPU, NONE], quiet());
    assert_eq!(rig.submit(1, plain()), [dispatch(1, 1, 1, 1)]);
    rig.done(1, 1, 1);
    assert_eq!(rig.submit(2, plain()), [dispatch(2, 1, 1, 1)]);
    // Idle hands are worse than a specialist's.
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 0, 1, 1)]);
}

#[test]
fn a_task_that_must_wait_for_a_specialist_does_not_hold_up_others() {
    let mut rig = Rig::ready_with(&[GPU, NONE], quiet());
    rig.submit(1, needs(GPU));
    assert_eq!(rig.submit(2, needs(GPU)), []);
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 1, 1, 1)]);
    assert_eq!(rig.submit(4, plain()), []);
    assert_eq!(rig.done(1, 1, 3), [settle(3, Settlement::Completed), dispatch(4, 1, 1, 1)]);
    // And it is not overtaken at the specialist by common work that came later.
    assert_eq!(rig.submit(5, plain()), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]);
}

#[test]
fn a_requirement_that_no_worker_meets_is_refused_with_what_is_missing() {
    let mut rig = Rig::ready_with(&[GPU, NONE], quiet());
    assert_eq!(rig.submit(1, needs(NET)), [refused(1, Refusal::NoCapableWorker { missing: NET })]);
    let both = GPU.union(NET);
    assert_eq!(rig.submit(2, needs(both)), [refused(2, Refusal::NoCapableWorker { missing: NET })]);
}

#[test]
fn a_worker_that_never_was_ready_may_turn_out_to_have_anything() {
    let mut rig = Rig::booting(PoolConfig { workers: 2, ..quiet() });
    assert_eq!(rig.ready(0, 1, NONE), []);
    assert_eq!(rig.submit(1, needs(GPU)), []);
    assert_eq!(rig.ready(1, 1, GPU), [dispatch(1, 1, 1, 1)]);
}

#[test]
fn queued_tasks_are_refused_once_everyone_has_said_that_they_lack_it() {
    let mut rig = Rig::booting(PoolConfig { workers: 2, ..quiet() });
    rig.ready(0, 1, NONE);
    rig.submit(1, needs(GPU));
    assert_eq!(rig.ready(1, 1, NONE), [refused(1, Refusal::NoCapableWorker { missing: GPU })]);
}

#[test]
fn a_worker_may_report_that_it_lost_a_capability() {
    let mut rig = Rig::ready_with(&[GPU, NONE], quiet());
    assert_eq!(rig.submit(1, needs(GPU)), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, needs(GPU)), []);
    // The running task is the worker's own business; the waiting one has nobody left.
    assert_eq!(rig.ready(0, 1, NONE), [refused(2, Refusal::NoCapableWorker { missing: GPU })]);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
    // And it may get one: the task that waits for it goes at once.
    assert_eq!(rig.submit(3, needs(NET)), [refused(3, Refusal::NoCapableWorker { missing: NET })]);
    assert_eq!(rig.ready(0, 1, NET), []);
    assert_eq!(rig.submit(4, needs(NET)), [dispatch(4, 0, 1, 1)]);
}

#[test]
fn the_queue_is_bounded_and_a_free_worker_is_not_the_queue() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { max_queued: 1, ..quiet() });
    assert_eq!(rig.submit(1, plain()), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, plain()), [Output::Saturated { queued: 1 }]);
    assert_eq!(rig.submit(3, plain()), [refused(3, Refusal::QueueFull { limit: 1 })]);
    rig.done(0, 1, 1);
    assert_eq!(rig.submit(4, plain()), [Output::Saturated { queued: 1 }], "there is room again");
}

#[test]
fn a_queue_ttl_counts_while_waiting_only() {
    let mut rig = Rig::ready_pool(1);
    let brief = TaskSpec { queue_ttl: Some(Duration::from_millis(50)), ..plain() };
    assert_eq!(rig.submit(1, brief), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, brief), []);
    assert_eq!(rig.wait_millis(49), []);
    assert_eq!(rig.wait_millis(1), [settle(2, Settlement::Expired)]);
    assert_eq!(rig.wait_millis(1_000), [], "the running one has no limit");
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
}

#[test]
fn an_expired_task_is_not_dispatched_though_the_timer_is_late() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.submit(2, TaskSpec { queue_ttl: Some(Duration::from_millis(50)), ..plain() });
    rig.submit(3, plain());
    rig.pass_millis(50);
    assert_eq!(
        rig.done(0, 1, 1),
        [settle(1, Settlement::Completed), settle(2, Settlement::Expired), dispatch(3, 0, 1, 1)]
    );
}

#[test]
fn an_id_in_use_is_an_error_and_changes_nothing() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    let again = rig.pool.handle_submit(rig.now, TaskId::new(1), needs(GPU));
    assert_eq!(again, Err(DuplicateTask { task: TaskId::new(1) }));
    assert_eq!(rig.drain(), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
    assert_eq!(rig.submit(1, plain()), [dispatch(1, 0, 1, 1)], "once settled the id is free");
}
