//! A full queue: who has to go, who waits outside, and what is told.

use quillwork_core::ids::TaskId;
use quillwork_core::pool::{
    CloseMode, ConfigError, Output, Overflow, PoolConfig, Refusal, Scheduler, Settlement, TaskSpec,
};
use quillwork_core::time::{Duration, Instant};

use crate::rig::{GPU, NONE, Rig, dispatch, needs, plain, quiet, refused, settle, urgent};

/// One worker, which runs task 0, and a queue of two.
fn full_at_two(overflow: Overflow) -> Rig {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { max_queued: 2, overflow, ..quiet() });
    assert_eq!(rig.submit(0, plain()), [dispatch(0, 0, 1, 1)]);
    rig
}

fn parked(task: u64) -> Output {
    Output::Parked { task: TaskId::new(task) }
}

fn admitted(task: u64) -> Output {
    Output::Admitted { task: TaskId::new(task) }
}

const SATURATED: Output = Output::Saturated { queued: 2 };
const DRAINED: Output = Output::Drained { queued: 1 };

#[test]
fn the_new_one_is_refused_by_default() {
    let mut rig = full_at_two(PoolConfig::default().overflow);
    assert_eq!(rig.submit(1, plain()), []);
    assert_eq!(rig.submit(2, plain()), [SATURATED]);
    assert_eq!(rig.submit(3, urgent(10)), [refused(3, Refusal::QueueFull { limit: 2 })]);
}

#[test]
fn the_oldest_is_dropped_whatever_its_priority() {
    let mut rig = full_at_two(Overflow::DropOldest);
    rig.submit(1, urgent(10));
    rig.submit(2, urgent(0));
    assert_eq!(rig.submit(3, urgent(0)), [settle(1, Settlement::Dropped)]);
    assert_eq!(rig.submit(4, urgent(9)), [settle(2, Settlement::Dropped)]);
    assert_eq!(rig.done(0, 1, 0), [settle(0, Settlement::Completed), dispatch(4, 0, 1, 1), DRAINED]);
    let stats = rig.pool.stats(rig.now);
    assert_eq!((stats.counters.dropped, stats.queued), (2, 1));
}

#[test]
fn the_one_that_would_start_last_is_dropped_and_of_equals_the_youngest() {
    let mut rig = full_at_two(Overflow::DropLowestPriority);
    rig.submit(1, urgent(3));
    rig.submit(2, urgent(3));
    assert_eq!(rig.submit(3, urgent(2)), [refused(3, Refusal::QueueFull { limit: 2 })]);
    assert_eq!(rig.submit(4, urgent(3)), [refused(4, Refusal::QueueFull { limit: 2 })], "it is the youngest");
    assert_eq!(rig.submit(5, urgent(4)), [settle(2, Settlement::Dropped)]);
    assert_eq!(rig.submit(6, urgent(4)), [settle(1, Settlement::Dropped)]);
    assert_eq!(rig.done(0, 1, 0), [settle(0, Settlement::Completed), dispatch(5, 0, 1, 1), DRAINED]);
}

#[test]
fn a_task_that_has_waited_for_long_is_worth_more_than_a_fresh_one_of_a_higher_level() {
    let mut rig = full_at_two(Overflow::DropLowestPriority);
    rig.submit(1, urgent(3));
    rig.pass_millis(2_500);
    rig.submit(2, urgent(6));
    assert_eq!(rig.submit(3, urgent(5)), [refused(3, Refusal::QueueFull { limit: 2 })], "5 < 3 + 2.5");
    assert_eq!(rig.submit(4, urgent(6)), [settle(1, Settlement::Dropped)], "6 > 3 + 2.5");
}

#[test]
fn a_queue_of_no_places_has_nobody_to_drop() {
    for overflow in [Overflow::DropOldest, Overflow::DropLowestPriority] {
        let mut rig = Rig::ready_with(&[NONE], PoolConfig { max_queued: 0, overflow, ..quiet() });
        rig.submit(0, plain());
        assert_eq!(rig.submit(1, urgent(10)), [refused(1, Refusal::QueueFull { limit: 0 })]);
    }
}

#[test]
fn tasks_wait_outside_until_there_is_room_the_next_in_turn_first() {
    let mut rig = full_at_two(Overflow::Wait { max_waiting: 2 });
    rig.submit(1, urgent(10));
    rig.submit(2, urgent(10));
    assert_eq!(rig.submit(3, urgent(2)), [parked(3)]);
    assert_eq!(rig.submit(4, urgent(4)), [parked(4)]);
    assert_eq!(rig.submit(5, plain()), [refused(5, Refusal::TooManyWaiting { limit: 2 })]);
    let stats = rig.pool.stats(rig.now);
    assert_eq!((stats.queued, stats.parked), (4, 2));

    assert_eq!(
        rig.done(0, 1, 0),
        [settle(0, Settlement::Completed), dispatch(1, 0, 1, 1), admitted(4)],
        "the queue is as full as before and says nothing"
    );
    rig.done(0, 1, 1);
    assert_eq!(rig.done(0, 1, 2), [settle(2, Settlement::Completed), dispatch(4, 0, 1, 1), DRAINED]);
}

#[test]
fn who_waits_outside_goes_before_who_waits_inside_if_that_is_its_turn() {
    let mut rig = full_at_two(Overflow::Wait { max_waiting: 9 });
    rig.submit(1, urgent(1));
    rig.submit(2, urgent(1));
    assert_eq!(rig.submit(3, urgent(9)), [parked(3)]);
    assert_eq!(rig.done(0, 1, 0), [settle(0, Settlement::Completed), admitted(3), dispatch(3, 0, 1, 1)]);
}

#[test]
fn a_free_worker_takes_what_it_can_run_past_a_full_queue() {
    let config = PoolConfig { max_queued: 1, overflow: Overflow::Wait { max_waiting: 9 }, ..quiet() };
    let mut rig = Rig::ready_with(&[NONE, GPU], config);
    rig.submit(0, needs(GPU));
    rig.submit(1, plain());
    rig.submit(2, needs(GPU));
    assert_eq!(rig.submit(3, plain()), [parked(3)]);
    assert_eq!(rig.done(0, 1, 1), [settle(1, Settlement::Completed), admitted(3), dispatch(3, 0, 1, 1)]);
}

#[test]
fn tasks_outside_are_aborted_expire_by_their_whole_wait_and_end_with_the_pool() {
    let mut rig = full_at_two(Overflow::Wait { max_waiting: 9 });
    rig.submit(1, urgent(10));
    rig.submit(2, urgent(10));
    let ttl = |millis| TaskSpec { queue_ttl: Some(Duration::from_millis(millis)), ..plain() };
    rig.submit(3, ttl(100));
    rig.submit(4, plain());
    rig.submit(5, ttl(50));
    rig.submit(6, urgent(1));
    assert_eq!(rig.abort(4), [settle(4, Settlement::Aborted)]);
    assert_eq!(rig.wait_millis(60), [settle(5, Settlement::Expired)]);
    rig.done(0, 1, 0);
    assert_eq!(rig.pool.stats(rig.now).parked, 1, "3 was let in");
    assert_eq!(
        rig.wait_millis(40),
        [settle(3, Settlement::Expired), admitted(6)],
        "100 ms, outside and inside together"
    );
    rig.submit(7, plain());
    let closed = rig.close(CloseMode::Now);
    let of_7 = settle(7, Settlement::Closed);
    assert_eq!(closed.iter().filter(|output| **output == of_7).count(), 1);
    assert!(!closed.contains(&admitted(7)));
}

#[test]
fn a_pool_that_drains_lets_in_what_waits_outside() {
    let mut rig = full_at_two(Overflow::Wait { max_waiting: 9 });
    for task in 1..=4 {
        rig.submit(task, plain());
    }
    rig.close(CloseMode::Drain);
    assert_eq!(rig.submit(5, plain()), [refused(5, Refusal::Closing)]);
    for task in 0..4 {
        assert!(rig.done(0, 1, task).contains(&dispatch(task + 1, 0, 1, 1)));
    }
    assert_eq!(rig.done(0, 1, 4).last(), Some(&Output::Closed));
}

#[test]
fn full_and_drained_are_told_once_each_and_half_the_bound_apart() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { max_queued: 10, ..quiet() });
    let told = |outputs: Vec<Output>| {
        outputs.into_iter().find(|output| matches!(output, Output::Saturated { .. } | Output::Drained { .. }))
    };
    let mut next = 0;
    let mut running = 0;
    rig.submit(0, plain());
    for _ in 0..9 {
        next += 1;
        assert_eq!(told(rig.submit(next, plain())), None);
    }
    next += 1;
    assert_eq!(told(rig.submit(next, plain())), Some(Output::Saturated { queued: 10 }));
    // To and fro at the edge.
    for _ in 0..50 {
        assert_eq!(told(rig.done(0, 1, running)), None);
        running += 1;
        next += 1;
        assert_eq!(told(rig.submit(next, plain())), None);
    }
    for _ in 0..4 {
        assert_eq!(told(rig.done(0, 1, running)), None);
        running += 1;
    }
    assert_eq!(told(rig.done(0, 1, running)), Some(Output::Drained { queued: 5 }));
}

#[test]
fn bounds_beyond_reason_are_refused() {
    let too_many = PoolConfig::MAX_QUEUED + 1;
    let error = |config| Scheduler::new(config, Instant::ZERO).map(|_| ()).unwrap_err();
    let overflow = Overflow::Wait { max_waiting: too_many };
    assert_eq!(error(PoolConfig { overflow, ..quiet() }), ConfigError::MaxWaiting { asked: too_many });
    let max_delayed = too_many;
    assert_eq!(error(PoolConfig { max_delayed, ..quiet() }), ConfigError::MaxDelayed { asked: too_many });
    let mut backoff = PoolConfig::default().retry_backoff;
    backoff.factor = 0.5;
    let text = error(PoolConfig { retry_backoff: backoff, ..quiet() }).to_string();
    assert!(text.contains("factor"), "{text}");
}
