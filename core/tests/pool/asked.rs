//! Strategies outside: what they are asked, and what becomes of their answers.

use quillwork_core::balance::BuiltIn;
use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{
    Binding, CloseMode, ConfigError, Input, Output, PoolConfig, Refusal, RestConfig, Settlement, TaskOutcome,
    TaskSpec, TerminateReason, WorkerList,
};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NONE, Rig, dispatch, needs, plain, quiet, refused, settle, spawn, terminate};

/// 20 ms to answer, nothing is stolen.
fn asked() -> PoolConfig {
    let binding = Binding::Asked {
        answer_within: Duration::from_millis(20),
        fallback: BuiltIn::LeastLoaded,
        steal_after: Duration::MAX,
    };
    PoolConfig { binding, ..quiet() }
}

fn ask(task: u64) -> Output {
    Output::AskStrategy { task: TaskId::new(task) }
}

fn answer(rig: &mut Rig, task: u64, worker: Option<u32>) -> Vec<Output> {
    let input = Input::StrategyAnswer { task: TaskId::new(task), worker: worker.map(WorkerId::new) };
    rig.pool.handle_input(rig.now, input).expect("no submission");
    rig.drain()
}

fn candidates(rig: &Rig, task: u64) -> Vec<u32> {
    rig.pool.candidates_for(rig.now, TaskId::new(task)).map(|candidate| candidate.worker.get()).collect()
}

/// Missing, invalid, stale.
fn counts(rig: &Rig) -> (u64, u64, u64) {
    let counters = rig.pool.stats(rig.now).counters;
    (counters.answers_missing, counters.answers_invalid, counters.answers_stale)
}

#[test]
fn an_answer_puts_the_task_into_the_chosen_line() {
    let mut rig = Rig::ready_with(&[NONE, NONE], asked());
    assert_eq!(rig.submit(1, plain()), [ask(1)]);
    assert_eq!(candidates(&rig, 1), [0, 1]);
    assert_eq!(answer(&mut rig, 1, Some(1)), [dispatch(1, 1, 1, 1)]);
    assert_eq!(rig.submit(2, plain()), [ask(2)]);
    assert_eq!(answer(&mut rig, 2, Some(1)), [], "it is busy, and the task stands in its line");
    assert_eq!(rig.pool.bound_to(TaskId::new(2)), Some(WorkerId::new(1)));
    assert_eq!(rig.wait_millis(1_000), []);
    assert_eq!(rig.done(1, 1, 1), [settle(1, Settlement::Completed), dispatch(2, 1, 1, 1)]);
    assert_eq!(counts(&rig), (0, 0, 0));
}

#[test]
fn nobody_takes_a_task_that_waits_for_its_answer() {
    let mut rig = Rig::ready_with(&[NONE, NONE], asked());
    rig.submit(1, plain());
    assert_eq!(rig.submit(2, plain()), [ask(2)]);
    assert_eq!(answer(&mut rig, 2, Some(0)), [dispatch(2, 0, 1, 1)]);
    assert_eq!(rig.done(0, 1, 2), [settle(2, Settlement::Completed)]);
    assert_eq!(rig.pool.stats(rig.now).queued, 1);
    assert_eq!(rig.wait_millis(19), []);
}

#[test]
fn without_an_answer_the_built_in_strategy_chooses_in_time() {
    let mut rig = Rig::ready_with(&[NONE, NONE], asked());
    rig.submit(1, plain());
    assert_eq!(rig.wait_millis(19), []);
    let outputs = rig.wait_millis(1);
    assert!(matches!(outputs[..], [Output::Dispatch { task, .. }] if task.get() == 1), "{outputs:?}");
    assert_eq!(counts(&rig), (1, 0, 0));
    assert_eq!(answer(&mut rig, 1, Some(1)), [], "too late");
    assert_eq!(counts(&rig), (1, 0, 1));
}

#[test]
fn an_asked_strategy_may_leave_the_choice_to_the_built_in_one() {
    let mut rig = Rig::ready_with(&[NONE, NONE], asked());
    rig.submit(1, plain());
    assert_eq!(answer(&mut rig, 1, None).len(), 1);
    assert_eq!(counts(&rig), (0, 0, 0));
}

#[test]
fn an_answer_that_makes_no_sense_is_counted_and_not_followed() {
    let mut rig = Rig::ready_with(&[NONE, GPU, GPU, GPU], asked());
    let banned = WorkerList::new(&[WorkerId::new(1)]).expect("one");
    let avoid = WorkerList::new(&[WorkerId::new(2)]).expect("one");
    let spec = TaskSpec { anti_affinity: banned, avoid, ..needs(GPU) };
    for (task, wrong) in (1..).zip([0, 1, 2, 4, u32::MAX]) {
        assert_eq!(rig.submit(task, spec), [ask(task)]);
        assert_eq!(candidates(&rig, task), [3]);
        answer(&mut rig, task, Some(wrong));
        assert_eq!(counts(&rig), (0, task, 0));
        assert_eq!(rig.pool.bound_to(TaskId::new(task)), Some(WorkerId::new(3)), "by the built-in strategy");
    }
    answer(&mut rig, 77, Some(0));
    answer(&mut rig, 1, Some(3));
    assert_eq!(counts(&rig), (0, 5, 2), "unknown, and answered before");
}

#[test]
fn a_task_that_waits_for_its_answer_may_end_in_any_way() {
    let mut rig = Rig::ready_with(&[NONE, NONE], asked());
    rig.submit(1, plain());
    assert_eq!(rig.abort(1), [settle(1, Settlement::Aborted)]);
    rig.submit(2, TaskSpec { queue_ttl: Some(Duration::from_millis(5)), ..plain() });
    assert_eq!(rig.wait_millis(5), [settle(2, Settlement::Expired)]);
    // Their places are used again, and their timers are gone.
    rig.submit(3, plain());
    rig.submit(4, plain());
    assert_eq!(answer(&mut rig, 1, Some(0)), []);
    assert_eq!(rig.wait_millis(19), []);
    assert_eq!(counts(&rig), (0, 0, 1));
    rig.submit(5, plain());
    let closed = [3, 4, 5].map(|task| settle(task, Settlement::Closed));
    let ended = [0, 1].map(|worker| terminate(worker, 1, TerminateReason::Closing));
    let outputs = rig.close(CloseMode::Now);
    assert_eq!(outputs[..3], closed);
    assert_eq!(outputs[3..5], ended);
    assert_eq!(answer(&mut rig, 3, Some(0)), []);
}

#[test]
fn a_pool_that_drains_waits_for_answers() {
    let mut rig = Rig::ready_with(&[NONE], asked());
    rig.submit(1, plain());
    assert_eq!(rig.close(CloseMode::Drain), []);
    assert_eq!(answer(&mut rig, 1, Some(0)), [dispatch(1, 0, 1, 1)]);
    let outputs = rig.done(0, 1, 1);
    assert_eq!(outputs.last(), Some(&Output::Closed));
}

#[test]
fn where_nobody_is_there_nobody_is_asked() {
    let mut rig = Rig::booting(PoolConfig { workers: 1, ..asked() });
    assert_eq!(rig.submit(1, plain()), []);
    assert_eq!(rig.ready(0, 1, NONE), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, needs(GPU)), [refused(2, Refusal::NoCapableWorker { missing: GPU })]);
}

#[test]
fn a_full_queue_has_no_place_to_wait_for_an_answer_in() {
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { max_queued: 0, ..asked() });
    assert_eq!(rig.submit(1, plain()), [dispatch(1, 0, 1, 1)]);
    assert_eq!(rig.submit(2, plain()), [refused(2, Refusal::QueueFull { limit: 0 })]);
}

#[test]
fn a_chosen_worker_that_is_lost_is_asked_about_again() {
    let mut rig = Rig::ready_with(&[NONE, NONE], asked());
    for task in [1, 2] {
        rig.submit(task, TaskSpec { redeliverable: task == 2, ..plain() });
        answer(&mut rig, task, Some(0));
    }
    let outputs = rig.lost(0, 1);
    assert!(outputs.contains(&ask(2)) && outputs.contains(&spawn(0, 2)), "{outputs:?}");
    assert_eq!(candidates(&rig, 2), [1]);
    assert_eq!(answer(&mut rig, 2, Some(1)), [dispatch(2, 1, 1, 1)]);
}

#[test]
fn each_attempt_is_asked_for_and_the_worker_that_failed_is_no_candidate() {
    let mut rig = Rig::ready_with(&[NONE, NONE], asked());
    rig.submit(1, TaskSpec { max_attempts: 2, ..plain() });
    answer(&mut rig, 1, Some(0));
    rig.ended(0, 1, 1, TaskOutcome::Failed);
    let outputs = rig.wait_millis(1_000);
    assert_eq!(outputs[..1], [ask(1)]);
    assert_eq!(candidates(&rig, 1), [], "the answer was missing meanwhile");
    assert_eq!(rig.holder_of(1), (1, 1));
}

#[test]
fn a_worker_that_is_to_be_avoided_becomes_a_candidate_when_the_others_are_gone() {
    let mut rig = Rig::ready_with(&[NONE, NONE], asked());
    let avoid = WorkerList::new(&[WorkerId::new(1)]).expect("one");
    rig.submit(1, TaskSpec { avoid, ..plain() });
    assert_eq!(candidates(&rig, 1), [0]);
    rig.lost(0, 1);
    assert_eq!(candidates(&rig, 1), [1]);
    assert_eq!(answer(&mut rig, 1, Some(1)), [dispatch(1, 1, 1, 1)]);
    assert_eq!(counts(&rig), (0, 0, 0));
}

#[test]
fn candidates_come_with_figures() {
    let mut rig = Rig::ready_with(&[NONE, NONE], PoolConfig { rest: RestConfig::NEVER, ..asked() });
    for task in 0..20 {
        rig.submit(task, plain());
        let worker = u32::try_from(task % 2).expect("0 or 1");
        answer(&mut rig, task, Some(worker));
        rig.pass_millis(if worker == 0 { 10 } else { 40 });
        let outcome = if worker == 0 { TaskOutcome::Completed } else { TaskOutcome::Failed };
        rig.ended(worker, 1, task, outcome);
    }
    for task in [30, 31] {
        rig.submit(task, plain());
        answer(&mut rig, task, Some(0));
    }
    rig.submit(40, plain());
    let figures: Vec<_> = rig.pool.candidates_for(rig.now, TaskId::new(40)).collect();
    let [first, second] = figures[..] else { panic!("both are there: {figures:?}") };
    assert_eq!((first.worker, first.running.get(), first.assigned.get()), (WorkerId::new(0), 1, 2));
    assert_eq!((second.worker, second.running.get(), second.assigned.get()), (WorkerId::new(1), 0, 0));
    assert!(first.success_ratio > 0.9 && second.success_ratio < 0.5, "{figures:?}");
    assert!(first.expected_run < second.expected_run, "{figures:?}");
    assert!(first.backlog > Duration::from_millis(10) && second.backlog.is_zero(), "{figures:?}");
}

#[test]
fn no_time_to_answer_is_refused() {
    let binding = Binding::Asked {
        answer_within: Duration::ZERO,
        fallback: BuiltIn::Random,
        steal_after: Duration::ZERO,
    };
    let config = PoolConfig { binding, ..quiet() };
    assert_eq!(config.validate(), Err(ConfigError::AnswerWithin));
}
