//! Workers that carry more than one task, and tasks that need more than one slot.

use quillwork_core::ids::WorkerId;
use quillwork_core::pool::{
    Offer, Output, PoolConfig, Refusal, Settlement, TaskSpec, TerminateReason, WorkerState,
};
use quillwork_core::time::Duration;

use crate::rig::{
    NONE, Rig, abort_running, dispatch, heavy, plain, quiet, refused, settle, spawn, terminate, urgent, wide,
};

fn passing_over_for(millis: u64) -> PoolConfig {
    PoolConfig { max_passed_over: Duration::from_millis(millis), ..quiet() }
}

#[test]
fn a_worker_runs_as_many_tasks_as_it_carries() {
    let mut rig = Rig::ready_with(&[wide(3)], quiet());
    assert_eq!(rig.submit(1, plain()), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, heavy(2)), [dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.submit(3, plain()), []);
    let stats = rig.pool.worker_stats(rig.now, WorkerId::new(0)).unwrap();
    assert_eq!((stats.held, stats.load.get()), (2, 3));
    assert_eq!(rig.done(0, 1, 2), [settle(2, Settlement::Completed), dispatch(3, 0, 1, 1)]);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
    assert_eq!(rig.done(0, 1, 3), [settle(3, Settlement::Completed)]);
}

#[test]
fn the_worker_with_the_smaller_share_in_use_gets_the_next_task() {
    let mut rig = Rig::ready_with(&[wide(2), wide(8)], quiet());
    let workers: Vec<u32> = (1..=10)
        .map(|task| match rig.submit(task, plain())[..] {
            [Output::Dispatch { worker, .. }] => worker.get(),
            ref other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(workers.iter().filter(|&&worker| worker == 0).count(), 2);
    assert_eq!(workers[..3], [0, 1, 1], "an eighth in use is less than a half");
}

#[test]
fn a_task_beyond_every_capacity_is_refused_with_the_largest() {
    let mut rig = Rig::ready_with(&[wide(2), wide(4)], quiet());
    let refusal = Refusal::TooLarge { largest: wide(4).capacity };
    assert_eq!(rig.submit(1, heavy(5)), [refused(1, refusal)]);
    assert_eq!(rig.submit(2, heavy(4)), [dispatch(2, 1, 1, 1)]);
}

#[test]
fn a_queued_task_is_refused_once_its_worker_says_that_it_carries_less() {
    let mut rig = Rig::ready_with(&[wide(2)], quiet());
    rig.submit(1, plain());
    rig.submit(2, heavy(2));
    assert_eq!(rig.ready(0, 1, wide(1)), [refused(2, Refusal::TooLarge { largest: wide(1).capacity })]);
    assert_eq!(rig.submit(3, plain()), [], "what runs is more than it offers now");
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(3, 0, 1, 1)]);
}

#[test]
fn a_complexity_or_capacity_of_nothing_counts_as_one() {
    let mut rig = Rig::ready_with(&[wide(0)], quiet());
    assert_eq!(rig.submit(1, heavy(0)), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, heavy(0)), []);
    let offered = rig.pool.worker_stats(rig.now, WorkerId::new(0)).unwrap().offer;
    assert_eq!(offered, Some(Offer::PLAIN));
}

#[test]
fn small_tasks_use_the_room_that_is_too_little_for_a_large_one_but_not_for_ever() {
    let mut rig = Rig::ready_with(&[wide(2)], passing_over_for(100));
    rig.submit(1, plain());
    assert_eq!(rig.submit(2, heavy(2)), []);
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 0, 1, 1)], "the room would lie idle");
    let mut running = [1, 3];
    for task in 4_u64.. {
        rig.pass_millis(10);
        rig.submit(task, plain());
        let ended = running[0];
        let outputs = rig.done(0, 1, ended);
        if outputs == [settle(ended, Settlement::Completed)] {
            assert_eq!(task, 4 + 9, "it waited for 100 ms and now the worker waits for it");
            break;
        }
        assert_eq!(outputs, [settle(ended, Settlement::Completed), dispatch(task, 0, 1, 1)]);
        running = [running[1], task];
    }
    assert_eq!(rig.submit(100, plain()), [], "what comes later stands behind it");
    assert_eq!(rig.done(0, 1, running[1]), [settle(running[1], Settlement::Completed), dispatch(2, 0, 1, 1)]);
    assert_eq!(
        rig.done(0, 1, 2),
        [settle(2, Settlement::Completed), dispatch(13, 0, 1, 1), dispatch(100, 0, 1, 1)]
    );
}

#[test]
fn one_worker_keeps_its_room_and_the_others_go_on() {
    let mut rig = Rig::ready_with(&[wide(2); 2], passing_over_for(0));
    for task in 1..=4 {
        rig.submit(task, plain());
    }
    assert_eq!(rig.submit(5, heavy(2)), []);
    rig.submit(6, plain());
    rig.submit(7, plain());
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)], "its room is kept");
    assert_eq!(rig.done(1, 1, 2), [settle(2, Settlement::Completed), dispatch(6, 1, 1, 1)]);
    assert_eq!(rig.done(0, 1, 3), [settle(3, Settlement::Completed), dispatch(5, 0, 1, 1)]);
    assert_eq!(rig.done(1, 1, 4), [settle(4, Settlement::Completed), dispatch(7, 1, 1, 1)]);
}

#[test]
fn what_goes_before_the_large_task_may_use_the_room_that_is_kept_for_it() {
    let mut rig = Rig::ready_with(&[wide(2)], passing_over_for(0));
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.submit(3, TaskSpec { complexity: wide(2).capacity, ..urgent(5) });
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)]);
    assert_eq!(rig.submit(4, urgent(4)), []);
    assert_eq!(rig.submit(5, urgent(6)), [dispatch(5, 0, 1, 1)]);
}

#[test]
fn a_worker_that_kept_its_room_uses_it_when_the_large_task_is_gone() {
    for gone in ["aborted", "expired", "taken by another"] {
        let mut rig = Rig::ready_with(&[wide(2), wide(2)], passing_over_for(0));
        let ttl = (gone == "expired").then(|| Duration::from_millis(50));
        for task in 1..=4 {
            rig.submit(task, plain());
        }
        rig.submit(5, TaskSpec { queue_ttl: ttl, ..heavy(2) });
        rig.submit(6, plain());
        assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed)], "{gone}");
        match gone {
            "aborted" => assert_eq!(rig.abort(5), [settle(5, Settlement::Aborted), dispatch(6, 0, 1, 1)]),
            "expired" => {
                assert_eq!(rig.wait_millis(50), [settle(5, Settlement::Expired), dispatch(6, 0, 1, 1)]);
            }
            _ => {
                // The other's second task ends first: it has the room earlier.
                rig.submit(7, plain());
                assert_eq!(rig.done(1, 1, 2), [settle(2, Settlement::Completed), dispatch(6, 1, 1, 1)]);
                assert_eq!(rig.done(1, 1, 4), [settle(4, Settlement::Completed), dispatch(7, 1, 1, 1)]);
                rig.done(1, 1, 6);
                assert_eq!(rig.done(1, 1, 7), [settle(7, Settlement::Completed), dispatch(5, 1, 1, 1)]);
                assert_eq!(rig.submit(8, plain()), [dispatch(8, 0, 1, 1)]);
            }
        }
    }
}

#[test]
fn a_large_task_whose_worker_is_lost_finds_another_to_keep_room_for_it() {
    let mut rig = Rig::ready_with(&[wide(2), wide(2)], passing_over_for(0));
    for task in 1..=4 {
        rig.submit(task, plain());
    }
    rig.submit(5, heavy(2));
    rig.submit(6, plain());
    rig.done(0, 1, 1);
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    // 3 was lost with the worker and goes before it; 6 doesn't.
    assert_eq!(rig.done(1, 1, 2), [settle(2, Settlement::Completed), dispatch(3, 1, 1, 2)]);
    assert_eq!(rig.done(1, 1, 3), [settle(3, Settlement::Completed)]);
    assert_eq!(rig.done(1, 1, 4), [settle(4, Settlement::Completed), dispatch(5, 1, 1, 1)]);
}

#[test]
fn each_task_has_its_own_time_out_and_the_others_go_on() {
    let mut rig = Rig::ready_with(&[wide(3)], quiet());
    rig.submit(1, TaskSpec { timeout: Some(Duration::from_millis(30)), ..plain() });
    rig.pass_millis(10);
    rig.submit(2, TaskSpec { timeout: Some(Duration::from_millis(30)), ..plain() });
    rig.submit(3, plain());
    assert_eq!(rig.wait_millis(20), [abort_running(1, 0, 1), settle(1, Settlement::TimedOut)]);
    assert_eq!(rig.submit(4, plain()), [], "what cleans up takes up its room");
    assert_eq!(rig.done(0, 1, 1), [dispatch(4, 0, 1, 1)]);
    assert_eq!(rig.wait_millis(10), [abort_running(2, 0, 1), settle(2, Settlement::TimedOut)]);
    assert_eq!(rig.done(0, 1, 2), []);
    assert_eq!(rig.done(0, 1, 3), [settle(3, Settlement::Completed)]);
}

#[test]
fn a_lost_worker_s_tasks_go_to_others_in_their_turn() {
    let mut rig = Rig::ready_with(&[wide(3), wide(2)], PoolConfig { max_redeliveries: 1, ..quiet() });
    rig.submit(1, TaskSpec { complexity: wide(2).capacity, ..urgent(5) });
    rig.submit(2, TaskSpec { complexity: wide(2).capacity, ..urgent(5) });
    rig.submit(3, urgent(9));
    assert_eq!(
        rig.lost(0, 1),
        [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)],
        "1 ran on the first worker with 3, 2 fills the second"
    );
    assert_eq!(rig.done(1, 1, 2), [settle(2, Settlement::Completed), dispatch(3, 1, 1, 2)]);
    assert_eq!(rig.ready(0, 2, wide(3)), [dispatch(1, 0, 2, 2)]);
    let lost = Settlement::WorkerLost { attempts: 2 };
    assert!(rig.lost(0, 2).ends_with(&[settle(1, lost)]));
}

#[test]
fn a_neighbour_that_ignores_its_abort_costs_a_task_no_redelivery() {
    let mut rig = Rig::ready_with(&[wide(2)], PoolConfig { max_redeliveries: 0, ..quiet() });
    rig.submit(1, plain());
    rig.submit(2, plain());
    rig.submit(3, TaskSpec { redeliverable: false, ..plain() });
    rig.abort(1);
    assert_eq!(
        rig.wait_millis(1_000),
        [terminate(0, 1, TerminateReason::IgnoredAbort), spawn(0, 2)],
        "2 waits for the replacement"
    );
    assert_eq!(rig.ready(0, 2, wide(2)), [dispatch(2, 0, 2, 2), dispatch(3, 0, 2, 1)]);
    assert!(rig.lost(0, 2).ends_with(&[
        settle(2, Settlement::WorkerLost { attempts: 2 }),
        settle(3, Settlement::WorkerLost { attempts: 1 }),
    ]));
}

#[test]
fn a_worker_that_only_cleans_up_is_draining() {
    let mut rig = Rig::ready_with(&[wide(2)], quiet());
    rig.submit(1, plain());
    rig.submit(2, plain());
    let state = |rig: &Rig| rig.pool.worker_stats(rig.now, WorkerId::new(0)).unwrap().state;
    rig.abort(1);
    assert_eq!(state(&rig), WorkerState::Busy);
    rig.abort(2);
    assert_eq!(state(&rig), WorkerState::Draining);
    rig.done(0, 1, 1);
    rig.done(0, 1, 2);
    assert_eq!(state(&rig), WorkerState::Ready);
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    assert_eq!(rig.ready(0, 2, NONE), []);
}
