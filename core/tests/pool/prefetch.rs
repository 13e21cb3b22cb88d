//! Tasks given ahead of their time, and taken back.

use quillwork_core::ids::{Generation, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{
    ConfigError, Output, PerMille, PoolConfig, Refusal, Resources, Settlement, TaskSpec, TerminateReason,
};
use quillwork_core::time::Duration;

use crate::rig::{
    GPU, NONE, Rig, abort_running, dispatch, heavy, needs, plain, quiet, refused, settle, spawn, terminate,
    urgent, wide,
};

/// A type whose tasks run for 200 µs, and one whose tasks run for 50 ms.
const TINY: TaskType = TaskType::new(0);
const LONG: TaskType = TaskType::new(1);

fn millisecond() -> PoolConfig {
    PoolConfig { prefetch: Duration::from_millis(1), ..quiet() }
}

/// Both types have been measured.
fn measured<O: Into<quillwork_core::pool::Offer> + Copy>(offers: &[O]) -> Rig {
    let mut rig = Rig::ready_with(offers, millisecond());
    for (task, task_type, micros) in [(1_000, TINY, 200), (1_001, LONG, 50_000)] {
        rig.submit(task, TaskSpec { task_type, ..plain() });
        rig.now += Duration::from_micros(micros);
        let (worker, _) = rig.holder_of(task);
        rig.done(worker, 1, task);
    }
    rig
}

fn long() -> TaskSpec {
    TaskSpec { task_type: LONG, ..plain() }
}

fn take_back(task: u64, worker: u32) -> Output {
    let (task, worker) = (TaskId::new(task), WorkerId::new(worker));
    Output::TakeBack { task, worker, generation: Generation::FIRST }
}

#[test]
fn nothing_is_given_ahead_unless_asked_for() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.done(0, 1, 1);
    rig.submit(2, plain());
    assert_eq!(rig.submit(3, plain()), []);
    assert_eq!(rig.pool.expected_run_time(TINY), None);
}

#[test]
fn a_full_worker_gets_as_many_tasks_ahead_as_make_the_horizon() {
    let mut rig = measured(&[NONE]);
    assert_eq!(rig.pool.expected_run_time(TINY), Some(Duration::from_micros(200)));
    for task in 1..=6 {
        assert_eq!(rig.submit(task, plain()), [dispatch(task, 0, 1, 1)], "five wait behind the first");
    }
    assert_eq!(rig.submit(7, plain()), []);
    let stats = rig.pool.stats(rig.now);
    assert_eq!((stats.running, stats.prefetched, stats.queued), (1, 5, 1));
    rig.now += Duration::from_micros(200);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(7, 0, 1, 1)]);
}

#[test]
fn a_worker_with_very_many_tasks_ahead_gets_more_together() {
    let mut rig = Rig::ready_with(&[NONE], millisecond());
    rig.submit(0, plain());
    rig.done(0, 1, 0);
    let given: Vec<u64> = (1..=900).filter(|&task| !rig.submit(task, plain()).is_empty()).collect();
    assert_eq!(given, (1..=513).collect::<Vec<u64>>(), "one runs, the others wait behind it");
    for task in 1..=255 {
        assert_eq!(
            rig.done(0, 1, task),
            [settle(task, Settlement::Completed)],
            "one message for each saves nothing"
        );
    }
    let outputs = rig.done(0, 1, 256);
    let more: Vec<Output> = (514..=769).map(|task| dispatch(task, 0, 1, 1)).collect();
    assert_eq!((&outputs[0], &outputs[1..]), (&settle(256, Settlement::Completed), &more[..]));
}

#[test]
fn long_unknown_and_once_only_tasks_wait_in_the_queue_and_hold_the_rest_there() {
    let unknown = TaskSpec { task_type: TaskType::new(9), ..plain() };
    let once = TaskSpec { redeliverable: false, ..plain() };
    for not_ahead in [long(), unknown, once] {
        let mut rig = measured(&[NONE]);
        rig.submit(1, plain());
        assert_eq!(rig.submit(2, not_ahead), []);
        assert_eq!(rig.submit(3, plain()), [], "it may not overtake the one before it");
        let outputs = rig.done(0, 1, 1);
        assert!(
            outputs.starts_with(&[settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]),
            "{outputs:?}"
        );
    }
}

#[test]
fn nothing_waits_behind_a_task_that_is_long_or_unknown_or_late() {
    for before in [long(), TaskSpec { task_type: TaskType::new(9), ..plain() }] {
        let mut rig = measured(&[NONE]);
        rig.submit(1, before);
        assert_eq!(rig.submit(2, plain()), []);
    }
    let mut rig = measured(&[NONE]);
    rig.submit(1, plain());
    rig.pass_millis(2);
    assert_eq!(rig.submit(2, plain()), [], "the first should have ended long ago");
}

#[test]
fn a_time_out_counts_from_the_end_of_the_task_before() {
    let mut rig = measured(&[NONE]);
    rig.submit(1, plain());
    rig.submit(2, TaskSpec { timeout: Some(Duration::from_millis(30)), ..plain() });
    rig.submit(3, plain());
    assert_eq!(rig.wait_millis(500), [], "it has not started");
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
    assert_eq!(rig.wait_millis(29), []);
    assert_eq!(rig.wait_millis(1), [abort_running(2, 0, 1), settle(2, Settlement::TimedOut)]);
    assert_eq!(rig.done(0, 1, 2), []);
    assert_eq!(rig.done(0, 1, 3), [settle(3, Settlement::Completed)]);
}

#[test]
fn a_queue_ttl_goes_on_until_the_start() {
    let mut rig = measured(&[NONE]);
    rig.submit(1, plain());
    rig.submit(2, TaskSpec { queue_ttl: Some(Duration::from_millis(20)), ..plain() });
    assert_eq!(rig.wait_millis(20), [abort_running(2, 0, 1), settle(2, Settlement::Expired)]);
    assert_eq!(rig.wait_millis(5_000), [], "its grace has not begun");
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
    assert_eq!(rig.wait_millis(1_000), [terminate(0, 1, TerminateReason::IgnoredAbort), spawn(0, 2)]);
}

#[test]
fn an_aborted_task_that_waits_is_settled_at_once_and_dropped_by_its_worker() {
    let mut rig = measured(&[NONE]);
    rig.submit(1, plain());
    rig.submit(2, plain());
    assert_eq!(rig.abort(2), [abort_running(2, 0, 1), settle(2, Settlement::Aborted)]);
    assert_eq!(rig.done(0, 1, 2), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 0, 1, 1)]);
}

#[test]
fn what_had_not_started_is_redelivered_without_counting() {
    let mut rig = measured(&[NONE]);
    rig.submit(1, plain());
    rig.submit(2, plain());
    for generation in 1..3 {
        rig.lost_and_replaced(generation);
        assert_eq!(rig.ready(0, generation + 1, NONE), [dispatch(1, 0, generation + 1, generation + 1)]);
    }
    rig.lost_and_replaced(3);
    assert_eq!(rig.ready(0, 4, NONE), [dispatch(2, 0, 4, 1)], "the first has killed three workers");
}

#[test]
fn what_a_lost_worker_had_runs_alone_so_that_only_what_loses_workers_is_given_up() {
    let mut rig = measured(&[NONE]);
    // The worker hangs in the third, before its answers to the first two were sent.
    (1..=4).for_each(|task| drop(rig.submit(task, plain())));
    rig.lost_and_replaced(1);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(1, 0, 2, 2)], "alone");
    assert_eq!(rig.submit(5, plain()), [], "nothing is given behind it");
    assert_eq!(rig.done(0, 2, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 2, 1)]);
    assert_eq!(rig.done(0, 2, 2), [settle(2, Settlement::Completed), dispatch(3, 0, 2, 1)]);
    for generation in 2..=3 {
        rig.lost_and_replaced(generation);
        let attempt = generation;
        assert_eq!(rig.ready(0, generation + 1, NONE), [dispatch(3, 0, generation + 1, attempt)]);
    }
    assert!(rig.lost(0, 4).contains(&settle(3, Settlement::WorkerLost { attempts: 3 })));
}

#[test]
fn an_idle_worker_takes_back_what_another_has_not_started() {
    let mut rig = measured(&[NONE, NONE]);
    let outputs: Vec<Output> = (1..=6).flat_map(|task| rig.submit(task, plain())).collect();
    assert_eq!(outputs.len(), 6, "four wait, two at each worker");
    let (idle, held_up) = (rig.holder_of(1).0, rig.holder_of(2).0);
    let own: Vec<u64> = (3..=6).filter(|&task| rig.holder_of(task).0 == idle).collect();
    let others: Vec<u64> = (3..=6).filter(|&task| rig.holder_of(task).0 == held_up).collect();
    assert_eq!((own.len(), others.len()), (2, 2));
    rig.now += Duration::from_micros(200);
    rig.done(idle, 1, 1);
    rig.done(idle, 1, own[0]);
    // The half of what the other has waiting, from the tail.
    assert_eq!(
        rig.done(idle, 1, own[1]),
        [settle(own[1], Settlement::Completed), take_back(others[1], held_up)]
    );
    assert_eq!(rig.returned(held_up, 1, others[1])[0], dispatch(others[1], idle, 1, 1));
    assert_eq!(rig.pool.stats(rig.now).counters.taken_back, 1);
    assert_eq!(rig.done(held_up, 1, 2), [settle(2, Settlement::Completed)]);
    rig.done(held_up, 1, others[0]);
    assert_eq!(rig.done(idle, 1, others[1]), [settle(others[1], Settlement::Completed)]);
}

#[test]
fn what_has_started_meanwhile_stays_where_it_is() {
    let mut rig = measured(&[NONE, NONE]);
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.submit(3, plain());
    let (held_up, _) = rig.holder_of(3);
    let (first, idle_task) = if rig.holder_of(1).0 == held_up { (1, 2) } else { (2, 1) };
    let outputs = rig.done(1 - held_up, 1, idle_task);
    assert_eq!(outputs, [settle(idle_task, Settlement::Completed), take_back(3, held_up)]);
    assert_eq!(rig.done(held_up, 1, first), [settle(first, Settlement::Completed)]);
    assert_eq!(rig.done(held_up, 1, 3), [settle(3, Settlement::Completed)]);
    assert_eq!(rig.returned(held_up, 1, 3), [], "a stale word");
    assert_eq!(rig.pool.stats(rig.now).counters.taken_back, 0);
}

#[test]
fn a_task_that_comes_back_when_it_seemed_to_run_was_not_executed() {
    let mut rig = measured(&[NONE, NONE]);
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.submit(3, TaskSpec { timeout: Some(Duration::from_millis(5)), ..plain() });
    let (held_up, _) = rig.holder_of(3);
    let (first, idle_task) = if rig.holder_of(1).0 == held_up { (1, 2) } else { (2, 1) };
    rig.done(1 - held_up, 1, idle_task);
    // The end of the task before it arrives first, then the answer that was given before.
    rig.done(held_up, 1, first);
    let outputs = rig.returned(held_up, 1, 3);
    assert!(matches!(outputs[..], [Output::Dispatch { attempt: 1, .. }]), "{outputs:?}");
    let (worker, _) = rig.holder_of(3);
    assert_eq!(rig.wait_millis(5), [abort_running(3, worker, 1), settle(3, Settlement::TimedOut)]);
}

#[test]
fn a_word_that_nobody_asked_for_changes_nothing() {
    let mut rig = measured(&[NONE]);
    rig.submit(1, plain());
    rig.submit(2, plain());
    assert_eq!(rig.returned(0, 1, 2), []);
    assert_eq!(rig.returned(0, 1, 77), []);
    assert_eq!(rig.pool.stats(rig.now).counters.stale_messages, 2);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
}

#[test]
fn a_thief_takes_only_what_it_can_run() {
    let mut rig = measured(&[GPU, NONE]);
    rig.submit(1, needs(GPU));
    rig.submit(2, plain());
    assert_eq!(rig.submit(3, needs(GPU)), [dispatch(3, 0, 1, 1)]);
    assert_eq!(rig.done(1, 1, 2), [settle(2, Settlement::Completed)]);
    rig.submit(4, plain());
    assert_eq!(rig.holder_of(4).0, 1);
}

#[test]
fn tasks_of_many_slots_start_in_their_order_as_room_comes() {
    let mut rig = measured(&[wide(2)]);
    rig.submit(1, plain());
    rig.submit(2, plain());
    assert_eq!(rig.submit(3, heavy(2)), [dispatch(3, 0, 1, 1)]);
    assert_eq!(rig.submit(4, urgent(10)), [dispatch(4, 0, 1, 1)]);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
    let worker = rig.pool.worker_stats(rig.now, WorkerId::new(0)).unwrap();
    assert_eq!((worker.held, worker.load.get()), (3, 1), "the large one is next and has no room");
    rig.done(0, 1, 2);
    let worker = rig.pool.worker_stats(rig.now, WorkerId::new(0)).unwrap();
    assert_eq!((worker.held, worker.load.get()), (2, 2));
}

#[test]
fn a_worker_that_carries_less_gives_back_what_is_too_large_for_it() {
    let mut rig = measured(&[wide(2), wide(2)]);
    rig.submit(1, heavy(2));
    rig.submit(2, heavy(2));
    rig.submit(3, heavy(2));
    let (holder, _) = rig.holder_of(3);
    assert_eq!(rig.ready(holder, 1, wide(1)), [take_back(3, holder)]);
    assert_eq!(rig.returned(holder, 1, 3), []);
    let (other, running) = (1 - holder, if rig.holder_of(1).0 == holder { 2 } else { 1 });
    assert_eq!(
        rig.done(other, 1, running),
        [settle(running, Settlement::Completed), dispatch(3, other, 1, 1)]
    );
}

#[test]
fn a_horizon_beyond_a_second_is_refused() {
    let asked = Duration::from_secs(2);
    let config = PoolConfig { prefetch: asked, ..quiet() };
    assert_eq!(config.validate(), Err(ConfigError::Prefetch { asked }));
}

#[test]
fn a_task_that_comes_back_and_that_nobody_can_run_any_more_is_refused() {
    let mut rig = measured(&[GPU]);
    rig.submit(1, needs(GPU));
    rig.submit(2, needs(GPU));
    assert_eq!(rig.ready(0, 1, NONE), [take_back(2, 0)]);
    assert_eq!(rig.returned(0, 1, 2), [refused(2, Refusal::NoCapableWorker { missing: GPU })]);
}

#[test]
fn a_ttl_of_nothing_is_kept_beside_large_tasks_and_under_a_limit() {
    // As the last rule of a queue says: what a worker takes at once has not waited.
    let at_once = TaskSpec { queue_ttl: Some(Duration::ZERO), ..plain() };
    let mut rig = Rig::ready_with(&[wide(2), wide(2)], millisecond());
    rig.submit(1, plain());
    rig.submit(2, plain());
    assert_eq!(rig.submit(3, heavy(2)), [], "both have room for one");
    let worker = |outputs: &[Output]| match outputs {
        [Output::Dispatch { worker, .. }] => worker.get(),
        other => panic!("it starts at once: {other:?}"),
    };
    worker(&rig.submit(4, at_once));
    worker(&rig.submit(5, at_once));
    assert_eq!(rig.submit(6, at_once), []);
    assert_eq!(rig.wait_millis(0), [settle(6, Settlement::Expired)]);

    let mut rig = Rig::ready_with(&[NONE, NONE], millisecond());
    for _ in 0..20 {
        let cpu = PerMille::from_ratio(0.9);
        rig.pool.handle_resources(rig.now, Resources { memory: None, cpu });
        rig.wait_millis(1_000);
    }
    rig.drain();
    worker(&rig.submit(1, at_once));
    assert_eq!(rig.submit(2, at_once), [], "the other is held back");
    assert_eq!(rig.wait_millis(0), [settle(2, Settlement::Expired)]);
}

#[test]
fn memory_pressure_ends_giving_ahead_and_its_end_brings_it_back() {
    let mut rig = measured(&[NONE]);
    let reading = |rig: &mut Rig, memory: f64| {
        for _ in 0..20 {
            let memory = PerMille::from_ratio(memory);
            rig.pool.handle_resources(rig.now, Resources { memory, cpu: None });
            rig.wait_millis(1_000);
        }
        rig.drain()
    };
    reading(&mut rig, 0.75);
    rig.submit(1, plain());
    assert_eq!(rig.submit(2, plain()), [], "it waits in the queue");
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.done(0, 1, 2), [settle(2, Settlement::Completed)]);
    reading(&mut rig, 0.2);
    rig.submit(3, plain());
    assert_eq!(rig.submit(4, plain()), [dispatch(4, 0, 1, 1)]);
}
