//! Tasks that are bound early: lines, and how they are left.

use quillwork_core::balance::BuiltIn;
use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{
    Binding, Capabilities, Output, PoolConfig, RestConfig, Settlement, TaskOutcome, TaskSpec, WorkerList,
};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NONE, Rig, dispatch, heavy, needs, plain, quiet, settle, spawn, urgent, wide};

fn early(strategy: BuiltIn, steal_after: Duration) -> PoolConfig {
    PoolConfig { binding: Binding::Early { strategy, steal_after }, ..quiet() }
}

/// In turn, and nothing is stolen.
fn strict() -> PoolConfig {
    early(BuiltIn::RoundRobin, Duration::MAX)
}

fn line_of(rig: &Rig, task: u64) -> Option<u32> {
    rig.pool.bound_to(TaskId::new(task)).map(WorkerId::get)
}

fn stolen(rig: &Rig) -> u64 {
    rig.pool.stats(rig.now).counters.stolen
}

#[test]
fn tasks_stand_in_the_line_that_the_strategy_chose() {
    let mut rig = Rig::ready_with(&[NONE, NONE], strict());
    assert_eq!(rig.submit(1, plain()), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, plain()), [dispatch(2, 1, 1, 1)]);
    for task in 3..=6 {
        assert_eq!(rig.submit(task, plain()), []);
    }
    assert_eq!([3, 4, 5, 6].map(|task| line_of(&rig, task)), [Some(0), Some(1), Some(0), Some(1)]);
    assert_eq!(rig.done(1, 1, 2), [settle(2, Settlement::Completed), dispatch(4, 1, 1, 1)]);
    assert_eq!(rig.done(1, 1, 4), [settle(4, Settlement::Completed), dispatch(6, 1, 1, 1)]);
    assert_eq!(rig.done(1, 1, 6), [settle(6, Settlement::Completed)], "the others stand in the other line");
    assert_eq!(rig.wait_millis(3_600_000), []);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(3, 0, 1, 1)]);
    assert_eq!(stolen(&rig), 0);
}

#[test]
fn inside_a_line_the_order_is_that_of_the_queue() {
    let mut rig = Rig::ready_with(&[NONE, NONE], strict());
    for task in 1..=4 {
        rig.submit(task, urgent(1));
    }
    rig.submit(5, urgent(9));
    assert_eq!(line_of(&rig, 5), Some(0));
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), dispatch(5, 0, 1, 1)]);
}

#[test]
fn an_idle_worker_steals_at_once_where_it_may_but_serves_its_own_line_first() {
    let mut rig = Rig::ready_with(&[NONE, NONE], early(BuiltIn::RoundRobin, Duration::ZERO));
    for task in 1..=5 {
        rig.submit(task, plain());
    }
    // 3 and 5 stand in the line of worker 0, 4 in that of worker 1.
    assert_eq!(rig.done(1, 1, 2), [settle(2, Settlement::Completed), dispatch(4, 1, 1, 1)], "its own");
    assert_eq!(stolen(&rig), 0);
    assert_eq!(
        rig.done(1, 1, 4),
        [settle(4, Settlement::Completed), dispatch(3, 1, 1, 1)],
        "the first of another's"
    );
    assert_eq!(stolen(&rig), 1);
    rig.done(1, 1, 3);
    assert_eq!(rig.holder_of(5), (1, 1));
    rig.done(1, 1, 5);
    // Also what comes while it is idle.
    assert_eq!(rig.submit(6, plain()), [dispatch(6, 1, 1, 1)]);
}

#[test]
fn an_idle_worker_steals_after_a_while() {
    let mut rig = Rig::ready_with(&[NONE, NONE], early(BuiltIn::RoundRobin, Duration::from_millis(30)));
    for task in 1..=3 {
        rig.submit(task, plain());
    }
    rig.done(1, 1, 2);
    assert_eq!(rig.wait_millis(29), []);
    assert_eq!(rig.wait_millis(1), [dispatch(3, 1, 1, 1)]);
    assert_eq!(stolen(&rig), 1);
}

#[test]
fn the_line_of_a_lost_worker_is_bound_anew() {
    let mut rig = Rig::ready_with(&[NONE, NONE, NONE], strict());
    for task in 1..=6 {
        rig.submit(task, TaskSpec { redeliverable: task > 3, ..plain() });
    }
    assert_eq!(line_of(&rig, 4), Some(0));
    assert!(rig.lost(0, 1).contains(&spawn(0, 2)));
    assert!(matches!(line_of(&rig, 4), Some(1 | 2)), "{:?}", line_of(&rig, 4));
    // The next worker in that place is bound to again.
    rig.ready(0, 2, NONE);
    rig.submit(7, plain());
    rig.submit(8, plain());
    rig.submit(9, plain());
    assert!((7..=9).any(|task| rig.pool.bound_to(TaskId::new(task)) == Some(WorkerId::new(0))));
}

#[test]
fn tasks_that_come_while_nobody_is_there_stand_in_no_line() {
    let mut rig = Rig::booting(PoolConfig { workers: 2, ..strict() });
    rig.submit(1, plain());
    rig.submit(2, plain());
    assert_eq!(line_of(&rig, 1), None);
    assert_eq!(rig.ready(1, 1, NONE), [dispatch(1, 1, 1, 1)]);
    assert_eq!(rig.done(1, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 1, 1, 1)]);
}

#[test]
fn capabilities_capacity_and_bans_hold_for_lines_too() {
    let mut rig = Rig::ready_with(&[NONE, GPU], strict());
    for task in 1..=4 {
        rig.submit(task, needs(GPU));
        assert_eq!(line_of(&rig, task), Some(1));
    }
    let mut rig = Rig::ready_with(&[wide(1), wide(4), wide(1)], strict());
    for task in 1..=6 {
        rig.submit(task, heavy(3));
        assert_eq!(line_of(&rig, task), Some(1));
    }
    let mut rig = Rig::ready_with(&[NONE, NONE, NONE], strict());
    let banned = WorkerList::new(&[WorkerId::new(0), WorkerId::new(2)]).expect("two");
    for task in 1..=6 {
        rig.submit(task, TaskSpec { anti_affinity: banned, ..plain() });
        assert_eq!(line_of(&rig, task), Some(1));
    }
}

#[test]
fn keys_stay_with_their_worker() {
    let mut rig = Rig::ready_with(&[Capabilities::NONE; 8], early(BuiltIn::ConsistentHash, Duration::MAX));
    let mut homes = std::collections::BTreeSet::new();
    for key in 0..20_u64 {
        let mut went = (0..3).map(|number| {
            let task = 100 * key + number;
            rig.submit(task, TaskSpec { key: Some(key), ..plain() });
            let (worker, generation) = rig.holder_of(task);
            rig.done(worker, generation, task);
            worker
        });
        let home = went.next().expect("there are three");
        assert!(went.all(|worker| worker == home));
        homes.insert(home);
    }
    assert!(homes.len() > 3, "{homes:?}");
}

#[test]
fn a_strategy_learns_which_worker_is_fast() {
    let mut rig = Rig::ready_with(&[NONE, NONE], early(BuiltIn::ShortestExpectedDelay, Duration::MAX));
    let mut went = [0; 2];
    for task in 0..60 {
        rig.submit(task, plain());
        let (worker, generation) = rig.holder_of(task);
        went[worker as usize] += u32::from(task >= 20);
        rig.pass_millis(if worker == 0 { 50 } else { 5 });
        rig.done(worker, generation, task);
    }
    assert!(went[1] > 3 * went[0], "{went:?}");
}

#[test]
fn the_line_of_a_worker_that_rests_is_bound_anew() {
    let rest = RestConfig { after_failures: 1, longest: Duration::from_secs(1) };
    let mut rig = Rig::ready_with(&[NONE, NONE, NONE], PoolConfig { rest, ..strict() });
    for task in 1..=6 {
        rig.submit(task, plain());
    }
    assert_eq!(line_of(&rig, 4), Some(0));
    rig.ended(0, 1, 1, TaskOutcome::Failed);
    assert!(matches!(line_of(&rig, 4), Some(1 | 2)), "{:?}", line_of(&rig, 4));
}

#[test]
fn what_ends_in_a_line_gives_its_place_back() {
    let mut rig = Rig::ready_with(&[NONE, NONE], early(BuiltIn::LeastLoaded, Duration::MAX));
    rig.submit(1, plain());
    rig.submit(2, plain());
    // All of these end in their lines. The balancer must not believe that they are still there.
    for task in 10..400 {
        rig.submit(task, TaskSpec { queue_ttl: Some(Duration::from_millis(5)), ..plain() });
        if task % 2 == 0 {
            assert_eq!(rig.abort(task), [settle(task, Settlement::Aborted)]);
        } else {
            assert_eq!(rig.wait_millis(5), [settle(task, Settlement::Expired)]);
        }
    }
    rig.submit(500, plain());
    rig.submit(501, plain());
    assert_ne!(line_of(&rig, 500), None);
    assert_ne!(line_of(&rig, 500), line_of(&rig, 501), "both lines are equally long");
}

#[test]
fn a_line_is_bounded_and_what_is_beyond_waits_for_anybody() {
    let mut rig = Rig::ready_with(&[NONE, NONE], strict());
    for task in 0..200 {
        rig.submit(task, plain());
    }
    let in_lines = (0..200).filter(|&task| line_of(&rig, task).is_some()).count();
    assert_eq!(in_lines, 128);
    let mut dispatched = 2;
    for task in 0..200 {
        let (worker, generation) = rig.holder_of(task);
        let outputs = rig.done(worker, generation, task);
        dispatched += outputs.iter().filter(|output| matches!(output, Output::Dispatch { .. })).count();
    }
    assert_eq!(dispatched, 200);
}
