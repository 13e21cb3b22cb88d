//! The numbers add up.

use quillwork_core::ids::WorkerId;
use quillwork_core::pool::{PoolCounters, TaskOutcome, WorkerState};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NONE, Rig, needs, plain, quiet};

#[test]
fn busy_and_available_time_give_the_utilisation_of_an_interval() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, plain());
    rig.pass_millis(30);
    let before = rig.pool.stats(rig.now);
    assert_eq!(before.busy_time, Duration::from_millis(30), "what still runs counts");
    rig.pass_millis(20);
    rig.done(0, 1, 1);
    rig.pass_millis(50);
    let after = rig.pool.stats(rig.now);
    assert_eq!(after.busy_time, Duration::from_millis(50));
    assert_eq!(after.available_time, Duration::from_millis(200));
    assert_eq!((after.workers_up, after.workers_busy), (2, 0));
}

#[test]
fn a_lost_worker_keeps_what_it_has_worked_and_is_not_available() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.pass_millis(40);
    rig.lost(0, 1);
    rig.pass_millis(1_000);
    let stats = rig.pool.stats(rig.now);
    assert_eq!(
        (stats.busy_time, stats.available_time),
        (Duration::from_millis(40), Duration::from_millis(40))
    );
    assert_eq!((stats.workers_up, stats.queued, stats.running), (0, 1, 0));
}

#[test]
fn every_task_is_counted_under_what_became_of_it() {
    let mut rig = Rig::ready_with(&[NONE], quiet());
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.submit(3, plain());
    rig.submit(4, needs(GPU));
    rig.abort(2);
    rig.done(0, 1, 1);
    rig.ended(0, 1, 3, TaskOutcome::Failed);
    rig.done(0, 1, 3);
    let counters = rig.pool.stats(rig.now).counters;
    let expected = PoolCounters {
        submitted: 4,
        completed: 1,
        failed: 1,
        aborted: 1,
        refused: 1,
        stale_messages: 1,
        ..PoolCounters::default()
    };
    assert_eq!(counters, expected);
    assert_eq!(counters.settled(), counters.submitted);
}

#[test]
fn a_worker_can_be_looked_at() {
    let mut rig = Rig::ready_with(&[GPU], quiet());
    rig.submit(1, plain());
    rig.pass_millis(5);
    let worker = rig.pool.worker_stats(rig.now, WorkerId::new(0)).unwrap();
    assert_eq!((worker.state, worker.offer), (WorkerState::Busy, Some(GPU.into())));
    assert_eq!(worker.running.map(quillwork_core::ids::TaskId::get), Some(1));
    assert_eq!(worker.busy_time, Duration::from_millis(5));
    rig.abort(1);
    let worker = rig.pool.worker_stats(rig.now, WorkerId::new(0)).unwrap();
    assert_eq!((worker.state, worker.running), (WorkerState::Draining, None));
    assert_eq!(rig.pool.worker_stats(rig.now, WorkerId::new(1)), None);
}
