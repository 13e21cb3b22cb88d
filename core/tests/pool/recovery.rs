//! Workers that fail, and what becomes of their tasks.

use quillwork_core::pool::{Output, PoolConfig, Refusal, Settlement, TaskSpec, TerminateReason};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NONE, Rig, dispatch, needs, plain, probe, quiet, refused, settle, spawn, terminate};

#[test]
fn the_task_of_a_lost_worker_goes_to_another_at_once() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, plain());
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2), dispatch(1, 1, 1, 2)]);
    assert_eq!(rig.done(0, 1, 1), [], "the lost one's late result changes nothing");
    assert_eq!(rig.done(1, 1, 1), [settle(1, Settlement::Completed)]);
    let counters = rig.pool.stats(rig.now).counters;
    assert_eq!((counters.redelivered, counters.workers_lost), (1, 1));
}

#[test]
fn a_redelivered_task_keeps_its_turn() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.pass_millis(10);
    rig.submit(2, plain());
    rig.lost(0, 1);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(1, 0, 2, 2)]);
}

#[test]
fn a_full_queue_turns_no_redelivered_task_away() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { max_queued: 1, ..quiet() });
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.lost(0, 1);
    assert_eq!(rig.submit(3, plain()), [refused(3, Refusal::QueueFull { limit: 1 })]);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(1, 0, 2, 2)]);
    assert_eq!(
        rig.done(0, 2, 1),
        [settle(1, Settlement::Completed), dispatch(2, 0, 2, 1), Output::Drained { queued: 0 }]
    );
}

#[test]
fn a_task_that_kills_its_workers_is_given_up_after_the_last_redelivery() {
    let mut rig = Rig::ready_with(&[NONE; 4], PoolConfig { max_redeliveries: 2, ..quiet() });
    rig.submit(1, plain());
    assert!(rig.lost(0, 1).contains(&dispatch(1, 1, 1, 2)));
    assert!(rig.lost(1, 1).contains(&dispatch(1, 2, 1, 3)));
    assert!(rig.lost(2, 1).ends_with(&[settle(1, Settlement::WorkerLost { attempts: 3 })]));
}

#[test]
fn a_task_that_may_run_once_only_is_not_redelivered() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, TaskSpec { redeliverable: false, ..plain() });
    assert!(rig.lost(0, 1).ends_with(&[settle(1, Settlement::WorkerLost { attempts: 1 })]));
}

#[test]
fn a_worker_that_does_not_become_ready_in_time_is_replaced() {
    let mut rig = Rig::booting(PoolConfig { workers: 1, ..quiet() });
    rig.submit(1, plain());
    assert_eq!(rig.wait_millis(9_999), []);
    assert_eq!(rig.wait_millis(1), [terminate(0, 1, TerminateReason::BootTimeout), spawn(0, 2)]);
    assert_eq!(rig.ready(0, 1, NONE), [], "the given-up one is late");
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(1, 0, 2, 1)]);
}

#[test]
fn replacements_come_slower_and_slower_until_a_worker_stays_healthy() {
    let mut rig = Rig::ready_pool(1);
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    let mut waits = Vec::new();
    for generation in 2..6 {
        rig.ready(0, generation, NONE);
        assert_eq!(rig.lost(0, generation), [terminate(0, generation, TerminateReason::Lost)]);
        let due = rig.pool.next_deadline().expect("a replacement is planned");
        waits.push((due - rig.now).as_millis());
        assert_eq!(rig.wait_millis(10_000)[0], spawn(0, generation + 1));
    }
    assert_eq!(waits, [100, 200, 400, 800]);
    rig.ready(0, 6, NONE);
    rig.wait_millis(5_000);
    assert_eq!(rig.lost(0, 6), [terminate(0, 6, TerminateReason::Lost), spawn(0, 7)]);
}

#[test]
fn a_worker_that_has_completed_a_task_is_replaced_at_once_however_often() {
    let mut rig = Rig::ready_pool(1);
    for generation in 1..20 {
        let task = 2 * u64::from(generation);
        rig.submit(task, plain());
        assert_eq!(rig.done(0, generation, task), [settle(task, Settlement::Completed)]);
        rig.submit(task + 1, TaskSpec { redeliverable: false, ..plain() });
        assert!(rig.lost(0, generation).contains(&spawn(0, generation + 1)), "generation {generation}");
        rig.ready(0, generation + 1, NONE);
    }
    // One that has not proves nothing, whatever those before it did.
    assert_eq!(rig.lost(0, 20), [terminate(0, 20, TerminateReason::Lost)]);
}

#[test]
fn a_pool_that_cannot_start_refuses_what_waits_and_what_comes() {
    let mut rig = Rig::booting(PoolConfig { workers: 1, max_boot_failures: 2, ..quiet() });
    rig.submit(1, plain());
    rig.lost(0, 1);
    let unavailable = Refusal::WorkersUnavailable { failing: 1 };
    assert_eq!(rig.lost(0, 2), [terminate(0, 2, TerminateReason::Lost), refused(1, unavailable)]);
    assert_eq!(rig.submit(2, plain()), [refused(2, unavailable)]);
    // It is tried again, at the longest back-off, and counted on from its ready message on.
    assert_eq!(rig.wait_millis(9_999), []);
    assert_eq!(rig.wait_millis(1), [spawn(0, 3)]);
    assert_eq!(rig.submit(3, plain()), [refused(3, unavailable)]);
    assert_eq!(rig.ready(0, 3, NONE), []);
    assert_eq!(rig.submit(4, plain()), [dispatch(4, 0, 3, 1)]);
}

#[test]
fn tasks_for_a_specialist_that_cannot_start_are_refused_while_others_run() {
    let mut rig = Rig::ready_with(&[GPU, NONE], PoolConfig { max_boot_failures: 2, ..quiet() });
    rig.lost(0, 1);
    assert_eq!(rig.submit(1, needs(GPU)), [], "it had a GPU and is expected back");
    rig.lost(0, 2);
    rig.wait_millis(100);
    let unavailable = Refusal::WorkersUnavailable { failing: 1 };
    assert_eq!(rig.lost(0, 3), [terminate(0, 3, TerminateReason::Lost), refused(1, unavailable)]);
    assert_eq!(rig.submit(2, plain()), [dispatch(2, 1, 1, 1)]);
}

#[test]
fn crashes_of_a_pool_that_boots_well_never_make_it_refuse() {
    let mut rig = Rig::ready_pool(1);
    for generation in 1..20 {
        if !rig.lost(0, generation).contains(&spawn(0, generation + 1)) {
            rig.now = rig.pool.next_deadline().expect("a replacement is planned");
            assert_eq!(rig.wait_millis(0), [spawn(0, generation + 1)]);
        }
        rig.ready(0, generation + 1, NONE);
    }
    assert_eq!(rig.submit(1, plain()), [dispatch(1, 0, 20, 1)]);
}

#[test]
fn a_silent_worker_is_asked_and_then_given_up() {
    let config = PoolConfig { lease: Some(Duration::from_secs(4)), ..quiet() };
    let mut rig = Rig::ready_with(&[NONE; 2], config);
    rig.submit(1, plain());
    rig.wait_millis(1_500);
    rig.alive(1, 1);
    assert_eq!(rig.wait_millis(500), [probe(0, 1)]);
    assert_eq!(rig.wait_millis(1_500), [probe(1, 1)]);
    rig.alive(1, 1);
    assert_eq!(
        rig.wait_millis(500),
        [terminate(0, 1, TerminateReason::Silent), spawn(0, 2), dispatch(1, 1, 1, 2)]
    );
}

#[test]
fn an_answer_to_the_probe_renews_the_lease() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { lease: Some(Duration::from_secs(4)), ..quiet() });
    assert_eq!(rig.wait_millis(2_000), [probe(0, 1)]);
    for _ in 0..10 {
        assert_eq!(rig.wait_millis(1_999), []);
        rig.alive(0, 1);
        assert_eq!(rig.wait_millis(2_000), [probe(0, 1)], "half a lease after it was last heard of");
    }
}

#[test]
fn everything_that_a_worker_says_renews_its_lease() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { lease: Some(Duration::from_secs(4)), ..quiet() });
    rig.wait_millis(1_500);
    rig.ready(0, 1, GPU);
    assert_eq!(rig.wait_millis(1_999), []);
    assert_eq!(rig.wait_millis(1), [probe(0, 1)]);
    rig.submit(1, plain());
    rig.wait_millis(1_500);
    rig.done(0, 1, 1);
    assert_eq!(rig.wait_millis(1_999), []);
    assert_eq!(rig.wait_millis(1), [probe(0, 1)]);
}

#[test]
fn workers_survive_the_sleep_of_the_machine() {
    let mut rig = Rig::ready_with(&[NONE; 3], PoolConfig { lease: Some(Duration::from_secs(4)), ..quiet() });
    rig.pass_millis(8 * 3_600_000);
    rig.pool.handle_deadline(rig.now);
    assert_eq!(rig.drain(), [probe(0, 1), probe(1, 1), probe(2, 1)], "asked, not given up");
    for worker in 0..3 {
        rig.alive(worker, 1);
    }
    assert_eq!(rig.wait_millis(2_000), [probe(0, 1), probe(1, 1), probe(2, 1)]);
}

#[test]
fn messages_of_unknown_workers_change_nothing() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    assert_eq!(rig.lost(9, 1), []);
    assert_eq!(rig.lost(0, 2), [], "a generation that was never asked for");
    assert_eq!(rig.done(0, 1, 99), [], "a task that it doesn't have");
    assert_eq!(rig.ready(7, 1, NONE), []);
    assert_eq!(rig.pool.stats(rig.now).counters.stale_messages, 4);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
}

#[test]
fn a_clock_set_back_stops_time_and_changes_no_order() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.now = rig.now - Duration::from_secs(500);
    rig.submit(3, plain());
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.pool.stats(rig.now).busy_time, Duration::ZERO);
}

#[test]
fn boot_failures_are_counted_in_a_row() {
    let mut rig = Rig::ready_with(
        &[NONE],
        PoolConfig { max_boot_failures: 2, healthy_uptime: Duration::ZERO, ..quiet() },
    );
    for generation in [1, 3, 5] {
        rig.lost(0, generation);
        rig.lost(0, generation + 1);
        rig.wait_millis(100);
        let task = u64::from(generation);
        assert_eq!(rig.submit(task, plain()), [], "one failed boot is no reason to refuse");
        assert_eq!(rig.ready(0, generation + 2, NONE), [dispatch(task, 0, generation + 2, 1)]);
        rig.done(0, generation + 2, task);
    }
}
