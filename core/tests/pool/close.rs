//! The end of a pool.

use quillwork_core::pool::{CloseMode, Output, PoolConfig, Refusal, Settlement, TaskSpec, TerminateReason};
use quillwork_core::time::Duration;

use crate::rig::{NONE, Rig, dispatch, plain, quiet, refused, settle, spawn, terminate};

#[test]
fn draining_finishes_what_there_is_and_refuses_the_rest() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.submit(2, plain());
    assert_eq!(rig.close(CloseMode::Drain), []);
    assert_eq!(rig.submit(3, plain()), [refused(3, Refusal::Closing)]);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]);
    assert_eq!(
        rig.done(0, 1, 2),
        [settle(2, Settlement::Completed), terminate(0, 1, TerminateReason::Closing), Output::Closed]
    );
    assert_eq!((rig.pool.next_deadline(), rig.pool.is_closed()), (None, true));
}

#[test]
fn draining_an_idle_pool_closes_it_at_once() {
    let mut rig = Rig::booting(PoolConfig { workers: 2, ..quiet() });
    rig.ready(0, 1, NONE);
    assert_eq!(
        rig.close(CloseMode::Drain),
        [
            terminate(0, 1, TerminateReason::Closing),
            terminate(1, 1, TerminateReason::Closing),
            Output::Closed
        ]
    );
    assert_eq!(rig.pool.next_deadline(), None, "the boot that was waited for is of no interest any more");
    assert_eq!(rig.close(CloseMode::Drain), []);
    assert_eq!(rig.close(CloseMode::Now), []);
    assert_eq!(rig.ready(1, 1, NONE), []);
}

#[test]
fn draining_goes_on_over_the_loss_of_a_worker() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.close(CloseMode::Drain);
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(1, 0, 2, 2)]);
    assert!(rig.done(0, 2, 1).ends_with(&[Output::Closed]));
}

#[test]
fn draining_ends_with_the_last_task_however_it_ends() {
    let brief = TaskSpec { queue_ttl: Some(Duration::from_millis(5)), ..plain() };

    let mut expired = Rig::booting(PoolConfig { workers: 1, ..quiet() });
    expired.submit(1, brief);
    expired.close(CloseMode::Drain);
    assert!(expired.wait_millis(5).ends_with(&[Output::Closed]));

    let mut expired_unseen = Rig::booting(PoolConfig { workers: 1, ..quiet() });
    expired_unseen.submit(1, brief);
    expired_unseen.close(CloseMode::Drain);
    expired_unseen.pass_millis(50);
    assert!(expired_unseen.ready(0, 1, NONE).ends_with(&[Output::Closed]));

    let mut aborted = Rig::ready_pool(1);
    aborted.submit(1, plain());
    aborted.close(CloseMode::Drain);
    assert!(aborted.abort(1).ends_with(&[Output::Closed]));

    let mut timed_out = Rig::ready_pool(1);
    timed_out.submit(1, TaskSpec { timeout: Some(Duration::from_millis(5)), ..plain() });
    timed_out.close(CloseMode::Drain);
    assert!(timed_out.wait_millis(5).ends_with(&[Output::Closed]));

    let mut lost = Rig::ready_pool(1);
    lost.submit(1, TaskSpec { redeliverable: false, ..plain() });
    lost.close(CloseMode::Drain);
    assert!(lost.lost(0, 1).ends_with(&[Output::Closed]));
}

#[test]
fn closing_now_settles_everything_and_cuts_a_drain_short() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.submit(3, plain());
    rig.close(CloseMode::Drain);
    assert_eq!(
        rig.close(CloseMode::Now),
        [
            settle(1, Settlement::Closed),
            settle(2, Settlement::Closed),
            settle(3, Settlement::Closed),
            terminate(0, 1, TerminateReason::Closing),
            Output::Closed
        ]
    );
    assert_eq!(rig.done(0, 1, 1), [], "a late result changes nothing");
    assert_eq!(rig.submit(4, plain()), [refused(4, Refusal::Closing)], "and every promise still settles");
    assert_eq!(rig.pool.next_deadline(), None);
}
