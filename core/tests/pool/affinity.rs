//! Tasks that mind who runs them: affinity, regions, bans, and workers that they failed on.

use quillwork_core::flow::retry::{Backoff, Jitter};
use quillwork_core::ids::{RegionId, WorkerId};
use quillwork_core::pool::{
    ElasticConfig, Offer, Output, PoolConfig, Refusal, Settlement, TaskOutcome, TaskSpec, TerminateReason,
    WorkerList,
};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NONE, Rig, dispatch, needs, plain, quiet, refused, settle, spawn, terminate, wide};

fn list(workers: &[u32]) -> WorkerList {
    let workers: Vec<WorkerId> = workers.iter().map(|&worker| WorkerId::new(worker)).collect();
    WorkerList::new(&workers).expect("it is short")
}

fn prefers(workers: &[u32], patience_millis: u64) -> TaskSpec {
    TaskSpec { affinity: list(workers), patience: Duration::from_millis(patience_millis), ..plain() }
}

fn bans(workers: &[u32]) -> TaskSpec {
    TaskSpec { anti_affinity: list(workers), ..plain() }
}

fn near(region: u32, patience_millis: u64) -> TaskSpec {
    let region = Some(RegionId::new(region));
    TaskSpec { region, patience: Duration::from_millis(patience_millis), ..plain() }
}

fn at(region: u32) -> Offer {
    Offer { region: Some(RegionId::new(region)), ..Offer::PLAIN }
}

/// Waits 10 ms before each further attempt.
fn steady() -> PoolConfig {
    let base = Duration::from_millis(10);
    PoolConfig {
        retry_backoff: Backoff { base, factor: 1.0, jitter: Jitter::None, ..Backoff::default() },
        ..quiet()
    }
}

#[test]
fn of_free_workers_the_preferred_go_first_then_those_in_the_region() {
    let mut rig = Rig::ready_with(&[Offer::PLAIN, at(1), Offer::PLAIN, at(1)], quiet());
    let spec = TaskSpec { region: Some(RegionId::new(1)), ..prefers(&[2], 0) };
    assert_eq!(rig.submit(1, spec), [dispatch(1, 2, 1, 1)]);
    assert_eq!(rig.submit(2, spec), [dispatch(2, 1, 1, 1)]);
    assert_eq!(rig.submit(3, spec), [dispatch(3, 3, 1, 1)]);
    assert_eq!(rig.submit(4, spec), [dispatch(4, 0, 1, 1)], "without patience anybody is better than nobody");
}

#[test]
fn a_preferred_worker_goes_first_though_it_is_more_loaded() {
    let mut rig = Rig::ready_with(&[wide(4), wide(4)], quiet());
    for task in 1..=4 {
        assert_eq!(rig.submit(task, prefers(&[0], 0)), [dispatch(task, 0, 1, 1)]);
    }
    assert_eq!(rig.submit(5, prefers(&[0], 0)), [dispatch(5, 1, 1, 1)]);
}

#[test]
fn patience_waits_for_the_preferred_worker_beside_idle_ones() {
    let mut rig = Rig::ready_pool(3);
    rig.submit(1, prefers(&[0], 0));
    assert_eq!(rig.submit(2, prefers(&[0], 50)), []);
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 1, 1, 1)], "it holds up nobody");
    assert_eq!(rig.wait_millis(49), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.wait_millis(1_000), [], "its patience is over with its wait");
}

#[test]
fn when_patience_is_over_anybody_takes_the_task() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, prefers(&[0], 0));
    assert_eq!(rig.submit(2, prefers(&[0], 50)), []);
    assert_eq!(rig.submit(3, near(9, 50)), [dispatch(3, 1, 1, 1)], "nobody is in that region");
    rig.done(1, 1, 3);
    assert_eq!(rig.wait_millis(49), []);
    assert_eq!(rig.wait_millis(1), [dispatch(2, 1, 1, 1)]);
}

#[test]
fn tasks_whose_patience_ends_together_start_in_their_order() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, prefers(&[0], 0));
    rig.submit(2, plain());
    // The more urgent one waits for longer, until the same time.
    let level = |level| quillwork_core::pool::Priority::new(level).expect("0 to 10");
    rig.submit(3, TaskSpec { priority: level(2), ..prefers(&[0], 60) });
    rig.pass_millis(10);
    rig.submit(4, TaskSpec { priority: level(9), ..prefers(&[0], 50) });
    assert_eq!(rig.done(1, 1, 2), [settle(2, Settlement::Completed)]);
    assert_eq!(rig.wait_millis(50), [dispatch(4, 1, 1, 1)]);
    assert_eq!(rig.done(1, 1, 4), [settle(4, Settlement::Completed), dispatch(3, 1, 1, 1)]);
}

#[test]
fn a_region_is_waited_for_as_workers_are() {
    let mut rig = Rig::ready_with(&[at(1), at(2)], quiet());
    rig.submit(1, near(1, 0));
    assert_eq!(rig.submit(2, near(1, 50)), []);
    assert_eq!(rig.wait_millis(50), [dispatch(2, 1, 1, 1)]);
    assert_eq!(rig.submit(3, near(1, 50)), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(3, 0, 1, 1)]);
}

#[test]
fn the_loss_of_the_last_preferred_worker_ends_patience() {
    let mut rig = Rig::ready_pool(3);
    rig.submit(1, TaskSpec { redeliverable: false, ..prefers(&[0], 0) });
    rig.submit(2, TaskSpec { redeliverable: false, ..prefers(&[1], 0) });
    assert_eq!(rig.submit(3, prefers(&[0, 1], 60_000)), []);
    assert!(!rig.lost(0, 1).contains(&dispatch(3, 2, 1, 1)), "the other one is there");
    assert!(rig.lost(1, 1).contains(&dispatch(3, 2, 1, 1)));
}

#[test]
fn a_preferred_worker_that_can_never_take_it_is_not_waited_for() {
    let mut rig = Rig::ready_with(&[NONE, GPU], quiet());
    let spec = TaskSpec { required: GPU, ..prefers(&[0], 60_000) };
    assert_eq!(rig.submit(1, spec), [dispatch(1, 1, 1, 1)]);
    // Nor one that could and can't any more.
    let mut rig = Rig::ready_with(&[GPU, GPU], quiet());
    rig.submit(1, prefers(&[0], 0));
    assert_eq!(rig.submit(2, spec), []);
    assert_eq!(rig.ready(0, 1, NONE), [dispatch(2, 1, 1, 1)]);
    // Nor one that the pool doesn't have.
    assert_eq!(rig.submit(3, prefers(&[7], 60_000)), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(3, 0, 1, 1)]);
}

#[test]
fn a_worker_that_boots_for_the_first_time_is_waited_for() {
    let mut rig = Rig::booting(PoolConfig { workers: 2, ..quiet() });
    rig.submit(1, prefers(&[1], 200));
    rig.submit(2, near(3, 200));
    rig.submit(3, prefers(&[1], 20));
    assert_eq!(rig.ready(0, 1, NONE), []);
    assert_eq!(rig.wait_millis(20), [dispatch(3, 0, 1, 1)]);
    assert_eq!(rig.ready(1, 1, at(2)), [dispatch(1, 1, 1, 1)]);
    assert_eq!(
        rig.done(0, 1, 3),
        [settle(3, Settlement::Completed), dispatch(2, 0, 1, 1)],
        "nobody is there"
    );
}

#[test]
fn an_abort_and_a_queue_ttl_end_a_patient_wait_for_good() {
    let mut rig = Rig::ready_pool(2);
    rig.submit(1, prefers(&[0], 0));
    rig.submit(2, prefers(&[0], 50));
    rig.submit(3, TaskSpec { queue_ttl: Some(Duration::from_millis(20)), ..prefers(&[0], 50) });
    assert_eq!(rig.abort(2), [settle(2, Settlement::Aborted)]);
    assert_eq!(rig.wait_millis(20), [settle(3, Settlement::Expired)]);
    // Their places are taken by others, whose patience is their own.
    assert_eq!(rig.submit(4, prefers(&[0], 500)), []);
    assert_eq!(rig.submit(5, prefers(&[0], 500)), []);
    assert_eq!(rig.wait_millis(100), []);
}

#[test]
fn a_ban_holds_though_nobody_else_is_free() {
    let mut rig = Rig::ready_pool(2);
    assert_eq!(rig.submit(1, bans(&[1])), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, bans(&[1])), []);
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 1, 1, 1)]);
    assert_eq!(rig.done(1, 1, 3), [settle(3, Settlement::Completed)]);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 0, 1, 1)]);
}

#[test]
fn a_task_that_bans_everyone_who_could_run_it_is_refused() {
    let mut rig = Rig::ready_with(&[GPU, NONE, GPU], quiet());
    let able = |able| Refusal::OnlyBannedWorkers { able };
    assert_eq!(rig.submit(1, bans(&[0, 1, 2])), [refused(1, able(3))]);
    assert_eq!(rig.submit(2, TaskSpec { required: GPU, ..bans(&[0, 2]) }), [refused(2, able(2))]);
    // Also later, when the last one that it doesn't ban can't run it any more.
    rig.submit(3, needs(GPU));
    let spec = TaskSpec { required: GPU, ..bans(&[2]) };
    rig.submit(4, plain());
    assert_eq!(rig.holder_of(3), (0, 1));
    assert_eq!(rig.submit(5, spec), []);
    assert_eq!(rig.ready(0, 1, NONE), [refused(5, able(1))]);
}

#[test]
fn a_ban_goes_before_a_preference() {
    let mut rig = Rig::ready_pool(2);
    let spec = TaskSpec { anti_affinity: list(&[0]), ..prefers(&[0], 60_000) };
    assert_eq!(rig.submit(1, spec), [dispatch(1, 1, 1, 1)]);
}

#[test]
fn a_retry_keeps_off_all_workers_that_failed_it_while_another_could_run_it() {
    let mut rig = Rig::ready_with(&[NONE, NONE, NONE], steady());
    rig.submit(1, TaskSpec { max_attempts: 9, ..prefers(&[0], 0) });
    rig.submit(2, prefers(&[2], 0));
    let failed = |rig: &mut Rig, worker| rig.ended(worker, 1, 1, TaskOutcome::Failed);
    failed(&mut rig, 0);
    assert_eq!(rig.wait_millis(10), [dispatch(1, 1, 1, 2)]);
    failed(&mut rig, 1);
    assert_eq!(rig.wait_millis(10), [], "the third is busy and could run it");
    assert_eq!(rig.done(2, 1, 2), [settle(2, Settlement::Completed), dispatch(1, 2, 1, 3)]);
    // It has failed everywhere: any but the last.
    failed(&mut rig, 2);
    let outputs = rig.wait_millis(10);
    assert!(
        matches!(outputs[..], [Output::Dispatch { worker, .. }] if worker != WorkerId::new(2)),
        "{outputs:?}"
    );
}

#[test]
fn a_retry_comes_back_when_the_others_are_gone() {
    let mut rig = Rig::ready_with(&[NONE, NONE], steady());
    rig.submit(1, TaskSpec { max_attempts: 9, ..prefers(&[0], 0) });
    rig.submit(2, plain());
    rig.ended(0, 1, 1, TaskOutcome::Failed);
    assert_eq!(rig.wait_millis(10), []);
    let outputs = rig.lost(1, 1);
    let dispatched: Vec<_> =
        outputs.iter().filter(|output| matches!(output, Output::Dispatch { .. })).collect();
    assert_eq!(dispatched, [&dispatch(1, 0, 1, 2)], "it came before the one that was lost");
}

#[test]
fn workers_to_avoid_from_the_start_are_avoided() {
    let mut rig = Rig::ready_pool(2);
    let spec = TaskSpec { avoid: list(&[0]), ..plain() };
    assert_eq!(rig.submit(1, spec), [dispatch(1, 1, 1, 1)]);
    assert_eq!(rig.submit(2, spec), [], "the other is there and will be free");
    assert_eq!(rig.submit(3, TaskSpec { avoid: list(&[0, 1]), ..plain() }), [dispatch(3, 0, 1, 1)]);
}

#[test]
fn a_retired_worker_is_not_waited_for() {
    let elastic = ElasticConfig {
        min_workers: Some(1),
        idle_after: Duration::from_millis(10),
        max_idle_after: Duration::from_millis(10),
        ..ElasticConfig::default()
    };
    let mut rig = Rig::elastic(PoolConfig { workers: 2, elastic, ..quiet() });
    rig.ready(0, 1, NONE);
    rig.submit(1, plain());
    rig.submit(2, prefers(&[1], 60_000));
    assert!(rig.done(0, 1, 1).contains(&dispatch(2, 0, 1, 1)));
}

#[test]
fn what_was_given_ahead_may_be_stolen_by_anybody_once_patience_is_over() {
    let config = PoolConfig { prefetch: Duration::from_millis(100), ..quiet() };
    let mut rig = Rig::ready_with(&[NONE, NONE], config);
    for task in 0..2 {
        rig.submit(task, plain());
        rig.pass_millis(10);
        let (worker, generation) = rig.holder_of(task);
        rig.done(worker, generation, task);
    }
    rig.submit(11, prefers(&[0], 0));
    assert_eq!(rig.submit(12, prefers(&[0], 50)), [dispatch(12, 0, 1, 1)], "ahead");
    assert_eq!(rig.wait_millis(49), []);
    let outputs = rig.wait_millis(1);
    assert!(matches!(outputs[..], [Output::TakeBack { task, .. }] if task.get() == 12), "{outputs:?}");
    assert_eq!(rig.returned(0, 1, 12), [dispatch(12, 1, 1, 1)], "who stole it gets it");
}

#[test]
fn a_preferred_worker_is_replaced_without_a_wait() {
    let mut rig = Rig::ready_with(&[NONE], quiet());
    rig.submit(1, prefers(&[0], 60_000));
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(1, 0, 2, 2)]);
}
