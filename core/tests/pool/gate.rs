//! Limits of task types, and pauses.

use quillwork_core::ids::{Generation, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{
    CloseMode, ElasticConfig, Output, PerMille, PoolConfig, Refusal, Resources, Settlement, TaskSpec,
    TerminateReason, WorkerList,
};
use quillwork_core::time::Duration;

use crate::rig::{
    NONE, Rig, abort_running, dispatch, heavy, plain, quiet, refused, settle, spawn, terminate, urgent, wide,
};

const FETCH: TaskType = TaskType::new(7);

/// A task of a type of which at most so many may be at workers.
fn limited(type_limit: u32) -> TaskSpec {
    TaskSpec { task_type: FETCH, type_limit, ..plain() }
}

fn done(task: u64) -> Output {
    settle(task, Settlement::Completed)
}

fn pause(rig: &mut Rig) -> Vec<Output> {
    rig.pool.handle_pause(rig.now);
    rig.drain()
}

fn resume(rig: &mut Rig) -> Vec<Output> {
    rig.pool.handle_resume(rig.now);
    rig.drain()
}

fn held_back(rig: &Rig) -> (u32, u32) {
    let stats = rig.pool.stats(rig.now);
    (stats.held_back, stats.queued)
}

#[test]
fn no_more_of_a_type_run_than_may_and_other_types_go_by() {
    let mut rig = Rig::ready_pool(3);
    assert_eq!(rig.submit(1, limited(2)), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, limited(2)), [dispatch(2, 1, 1, 1)]);
    assert_eq!(rig.submit(3, limited(2)), []);
    assert_eq!(rig.submit(4, limited(2)), []);
    assert_eq!(rig.submit(5, plain()), [dispatch(5, 2, 1, 1)], "no head-of-line blocking");
    assert_eq!(rig.submit(6, plain()), []);
    assert_eq!(held_back(&rig), (2, 3));
    assert_eq!(rig.done(2, 1, 5), [done(5), dispatch(6, 2, 1, 1)], "3 is first, but may not start");
    assert_eq!(rig.done(2, 1, 6), [done(6)]);
    assert_eq!(rig.done(0, 1, 1), [done(1), dispatch(3, 0, 1, 1)]);
    assert_eq!(rig.done(1, 1, 2), [done(2), dispatch(4, 1, 1, 1)]);
    assert_eq!(held_back(&rig), (0, 0));
}

#[test]
fn what_waits_for_its_type_starts_on_another_worker_where_the_freed_one_has_better_to_do() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, limited(1));
    rig.submit(2, limited(1));
    rig.submit(3, plain());
    rig.submit(4, urgent(9));
    assert_eq!(rig.done(1, 1, 3), [done(3), dispatch(4, 1, 1, 1)]);
    assert_eq!(rig.done(1, 1, 4), [done(4)], "worker 1 is free beside task 2, which may not start");
    let affinity = WorkerList::new(&[WorkerId::new(0)]).expect("a short list");
    rig.submit(5, TaskSpec { affinity, patience: Duration::from_secs(9), ..urgent(10) });
    assert_eq!(rig.done(0, 1, 1), [done(1), dispatch(5, 0, 1, 1), dispatch(2, 1, 1, 1)]);
}

#[test]
fn priority_and_age_decide_within_a_limited_type() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, limited(1));
    for (task, level) in [(2, 5), (3, 8), (4, 5)] {
        rig.submit(task, TaskSpec { priority: urgent(level).priority, ..limited(1) });
    }
    assert_eq!(rig.done(0, 1, 1), [done(1), dispatch(3, 0, 1, 1)]);
    assert_eq!(rig.done(0, 1, 3), [done(3), dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.done(0, 1, 2), [done(2), dispatch(4, 0, 1, 1)]);
}

#[test]
fn an_aborted_task_counts_until_its_worker_has_let_go_of_it() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, limited(1));
    rig.submit(2, limited(1));
    assert_eq!(rig.abort(1), [abort_running(1, 0, 1), settle(1, Settlement::Aborted)]);
    assert_eq!(rig.wait_millis(999), [], "it may hold what is scarce for as long as it cleans up");
    assert_eq!(
        rig.wait_millis(1),
        [terminate(0, 1, TerminateReason::IgnoredAbort), spawn(0, 2), dispatch(2, 1, 1, 1)]
    );
}

#[test]
fn a_lost_worker_gives_back_what_its_tasks_counted_for() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, TaskSpec { redeliverable: false, ..limited(1) });
    rig.submit(2, limited(1));
    let lost = rig.lost(0, 1);
    assert!(
        lost.ends_with(&[settle(1, Settlement::WorkerLost { attempts: 1 }), dispatch(2, 1, 1, 1)]),
        "{lost:?}"
    );
}

#[test]
fn what_waits_for_its_type_expires_and_can_be_aborted() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, limited(1));
    rig.submit(2, TaskSpec { queue_ttl: Some(Duration::from_millis(5)), ..limited(1) });
    rig.submit(3, limited(1));
    assert_eq!(rig.wait_millis(5), [settle(2, Settlement::Expired)]);
    assert_eq!(rig.abort(3), [settle(3, Settlement::Aborted)]);
    assert_eq!(rig.done(0, 1, 1), [done(1)]);
}

#[test]
fn nobody_keeps_room_for_a_large_task_that_may_not_start() {
    let mut rig = Rig::ready_with(&[wide(2), wide(1)], quiet());
    let large = TaskSpec { complexity: heavy(2).complexity, ..limited(1) };
    rig.submit(1, plain());
    assert_eq!(rig.submit(2, plain()), [dispatch(2, 1, 1, 1)]);
    assert_eq!(rig.submit(3, large), []);
    rig.pass_millis(100);
    assert_eq!(rig.submit(4, plain()), [], "3 is overdue: worker 0 keeps its room for it");
    // A more urgent one of the type starts elsewhere. Until it ends the room is of no use to 3.
    let urgent = TaskSpec { priority: urgent(10).priority, ..limited(1) };
    assert_eq!(rig.submit(5, urgent), [dispatch(5, 0, 1, 1)]);
    assert_eq!(rig.done(0, 1, 1), [done(1), dispatch(4, 0, 1, 1)]);
    assert_eq!(held_back(&rig), (1, 1));
    assert_eq!(rig.done(0, 1, 4), [done(4)]);
    assert_eq!(rig.done(0, 1, 5), [done(5), dispatch(3, 0, 1, 1)]);
}

#[test]
fn tasks_of_a_limited_type_are_given_to_nobody_ahead() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { prefetch: Duration::from_millis(1), ..quiet() });
    rig.submit(1, limited(2));
    rig.now += Duration::from_micros(100);
    rig.done(0, 1, 1);
    assert_eq!(rig.submit(2, limited(2)), [dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.submit(3, limited(2)), []);
    assert_eq!(rig.done(0, 1, 2), [done(2), dispatch(3, 0, 1, 1)]);
}

#[test]
fn a_pool_does_not_grow_for_tasks_that_may_not_start() {
    let config = PoolConfig { workers: 4, elastic: ElasticConfig::from_min(1), ..quiet() };
    let mut rig = Rig::elastic(config);
    rig.ready(0, 1, NONE);
    rig.submit(1, limited(1));
    for task in 2..20 {
        assert_eq!(rig.submit(task, limited(1)), []);
    }
    assert_eq!(rig.wait_millis(60_000), []);
    pause(&mut rig);
    assert_eq!(rig.submit(20, plain()), []);
    assert!(resume(&mut rig).contains(&spawn(1, 1)), "now a worker would help");
}

#[test]
fn a_paused_pool_starts_nothing_and_finishes_what_runs() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, plain());
    assert_eq!(pause(&mut rig), []);
    assert!(rig.pool.is_paused());
    assert_eq!(rig.submit(2, plain()), []);
    assert_eq!(rig.submit(3, urgent(10)), []);
    assert_eq!(rig.done(0, 1, 1), [done(1)]);
    assert_eq!(held_back(&rig), (2, 2));
    assert_eq!(pause(&mut rig), [], "twice is once");
    assert_eq!(resume(&mut rig), [dispatch(3, 1, 1, 1), dispatch(2, 0, 1, 1)], "in the order of the queue");
    assert_eq!(resume(&mut rig), []);
}

#[test]
fn time_goes_on_while_a_pool_is_paused() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { max_queued: 2, ..quiet() });
    rig.submit(1, TaskSpec { timeout: Some(Duration::from_millis(20)), ..plain() });
    pause(&mut rig);
    rig.submit(2, TaskSpec { queue_ttl: Some(Duration::from_millis(10)), ..plain() });
    rig.submit(3, plain());
    assert!(rig.submit(4, plain()).contains(&refused(4, Refusal::QueueFull { limit: 2 })));
    assert!(rig.wait_millis(10).contains(&settle(2, Settlement::Expired)));
    assert_eq!(rig.wait_millis(10), [abort_running(1, 0, 1), settle(1, Settlement::TimedOut)]);
    assert_eq!(rig.done(0, 1, 1), []);
    assert_eq!(resume(&mut rig)[..1], [dispatch(3, 0, 1, 1)]);
}

#[test]
fn what_was_given_ahead_is_asked_back_by_a_pause() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { prefetch: Duration::from_millis(1), ..quiet() });
    rig.submit(1, plain());
    rig.now += Duration::from_micros(100);
    rig.done(0, 1, 1);
    rig.submit(2, plain());
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 0, 1, 1)]);
    let (task, worker) = (TaskId::new(3), WorkerId::new(0));
    assert_eq!(pause(&mut rig), [Output::TakeBack { task, worker, generation: Generation::FIRST }]);
    assert_eq!(rig.returned(0, 1, 3), []);
    assert_eq!(rig.done(0, 1, 2), [done(2)]);
    assert_eq!(resume(&mut rig), [dispatch(3, 0, 1, 1)]);
}

#[test]
fn a_lost_task_waits_for_the_end_of_the_pause() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, plain());
    pause(&mut rig);
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    assert_eq!(rig.ready(0, 2, NONE), []);
    assert_eq!(resume(&mut rig), [dispatch(1, 1, 1, 2)]);
}

#[test]
fn draining_ends_a_pause_and_closing_needs_none() {
    let mut rig = Rig::ready_pool(1);
    pause(&mut rig);
    rig.submit(1, plain());
    assert_eq!(rig.close(CloseMode::Drain), [dispatch(1, 0, 1, 1)]);
    assert_eq!((rig.pool.is_paused(), pause(&mut rig)), (false, vec![]));
    assert!(!rig.pool.is_paused(), "a pool that is to end can't be paused");
    assert!(rig.done(0, 1, 1).ends_with(&[Output::Closed]));

    let mut rig = Rig::ready_pool(1);
    pause(&mut rig);
    rig.submit(1, plain());
    assert!(rig.close(CloseMode::Now).starts_with(&[settle(1, Settlement::Closed)]));
}

#[test]
fn under_a_limit_of_workers_types_and_pauses_hold_too() {
    let mut rig = Rig::ready_with(&[wide(2); 2], quiet());
    rig.submit(1, limited(1));
    rig.submit(2, plain());
    for _ in 0..20 {
        rig.pool.handle_resources(rig.now, Resources { memory: None, cpu: Some(PerMille::per_cent(95)) });
        rig.drain();
        rig.wait_millis(500);
    }
    let urgent = |task_type, type_limit| TaskSpec { task_type, type_limit, ..urgent(9) };
    assert_eq!(dispatched(&rig.submit(3, urgent(FETCH, 1))), []);
    assert_eq!(dispatched(&rig.submit(4, urgent(TaskType::new(0), 0))), [4], "it is held back by no limit");
    pause(&mut rig);
    assert_eq!(dispatched(&rig.done(0, 1, 1)), []);
    assert_eq!(dispatched(&resume(&mut rig)), [3]);
}

fn dispatched(outputs: &[Output]) -> Vec<u64> {
    let dispatched = outputs.iter().filter_map(|output| match output {
        Output::Dispatch { task, .. } => Some(task.get()),
        _ => None,
    });
    dispatched.collect()
}
