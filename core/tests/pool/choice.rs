//! Whom a free choice falls on: workers that fail rest, workers that are fast go first.

use quillwork_core::flow::retry::Backoff;
use quillwork_core::ids::{TaskType, WorkerId};
use quillwork_core::pool::{
    Output, PerMille, PoolConfig, Resources, RestConfig, TaskOutcome, TaskSpec, WorkerState,
};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NONE, Rig, dispatch, quiet, wide};

/// Submits a task and says where it went; lets it end there after so many milliseconds.
fn run(rig: &mut Rig, task: u64, spec: TaskSpec, ends: impl Fn(u32) -> (u64, TaskOutcome)) -> Option<u32> {
    let outputs = rig.submit(task, spec);
    let worker = outputs.iter().find_map(|output| match output {
        Output::Dispatch { worker, .. } => Some(worker.get()),
        _ => None,
    })?;
    let (millis, outcome) = ends(worker);
    rig.pass_millis(millis);
    rig.ended(worker, 1, task, outcome);
    Some(worker)
}

fn first_fails(worker: u32) -> (u64, TaskOutcome) {
    if worker == 0 { (1, TaskOutcome::Failed) } else { (10, TaskOutcome::Completed) }
}

#[test]
fn a_worker_that_fails_fast_rests_while_others_do_not_fail() {
    let mut rig = Rig::ready_pool(3);
    let went: Vec<u32> =
        (0..300).filter_map(|task| run(&mut rig, task, TaskSpec::default(), first_fails)).collect();
    assert_eq!(went.len(), 300);
    let failed = went.iter().filter(|&&worker| worker == 0).count();
    assert!((3..=12).contains(&failed), "tried again now and then, twice as long after each time: {failed}");
}

/// Runs tasks one after the other on three workers. How many attempts the first of them failed.
fn failures_of_the_first(rig: &mut Rig, spec: TaskSpec, tasks: u64) -> usize {
    let mut failed = 0;
    for task in 0..tasks {
        rig.submit(task, spec);
        loop {
            let (worker, _) = rig.holder_of(task);
            let (millis, outcome) = first_fails(worker);
            rig.pass_millis(millis);
            rig.ended(worker, 1, task, outcome);
            failed += usize::from(outcome == TaskOutcome::Failed);
            if outcome == TaskOutcome::Completed || spec.max_attempts == 1 {
                break;
            }
            rig.wait_millis(0);
        }
    }
    failed
}

#[test]
fn rests_are_short_where_what_fails_is_tried_again_and_long_where_it_is_lost() {
    let retry_backoff = Backoff::NONE;
    let pool = || Rig::ready_with(&[NONE, NONE, NONE], PoolConfig { retry_backoff, ..quiet() });
    let lost = failures_of_the_first(&mut pool(), TaskSpec::default(), 300);
    assert!((3..=12).contains(&lost), "{lost}");

    let spec = TaskSpec { max_attempts: 3, ..TaskSpec::default() };
    let mut rig = pool();
    let tried_again = failures_of_the_first(&mut rig, spec, 300);
    assert!((50..=150).contains(&tried_again), "it takes its turn and no more: {tried_again}");
    rig.wait_millis(10);
    assert!(!rests(&rig, 0), "8 times the millisecond that it fails in are over");
}

#[test]
fn tasks_that_fail_everywhere_are_not_their_workers_fault() {
    let mut rig = Rig::ready_pool(3);
    for task in 0..60 {
        let went = run(&mut rig, task, TaskSpec::default(), |_| (1, TaskOutcome::Failed));
        assert_eq!(went, Some(u32::try_from(task % 3).unwrap()));
    }
}

#[test]
fn the_only_worker_of_its_kind_does_not_rest() {
    let mut rig = Rig::ready_with(&[GPU, NONE, NONE], quiet());
    let spec = TaskSpec { required: GPU, ..TaskSpec::default() };
    for task in 0..20 {
        assert_eq!(run(&mut rig, task, spec, first_fails), Some(0));
    }
}

#[test]
fn a_rest_ends_by_itself_and_is_never_longer_than_the_longest() {
    let rest = RestConfig { after_failures: 1, longest: Duration::from_millis(40) };
    let mut rig = Rig::ready_with(&[NONE, NONE, NONE], PoolConfig { rest, ..quiet() });
    for task in 0..30 {
        run(&mut rig, task, TaskSpec::default(), first_fails);
    }
    rig.wait_millis(40);
    assert!(!rests(&rig, 0));
}

fn rests(rig: &Rig, worker: u32) -> bool {
    let stats = rig.pool.worker_stats(rig.now, WorkerId::new(worker));
    stats.is_some_and(|worker| worker.rests_until.is_some())
}

/// Readings of a busy machine, after which idle workers go until so few are left.
fn shrink_to(rig: &mut Rig, workers: u32) {
    while rig.pool.stats(rig.now).workers > workers {
        rig.wait_millis(1_000);
        let resources = Resources { memory: None, cpu: Some(PerMille::per_cent(95)) };
        rig.pool.handle_resources(rig.now, resources);
        rig.drain();
    }
}

fn with_long_rests() -> PoolConfig {
    let rest = RestConfig { after_failures: 1, longest: Duration::from_secs(600) };
    PoolConfig { rest, ..quiet() }
}

#[test]
fn a_pool_that_shrinks_lets_go_of_the_worker_that_rests() {
    let mut rig = Rig::ready_with(&[NONE, NONE], with_long_rests());
    for (task, expected) in [(0, 0), (1, 1), (2, 0)] {
        let ends = |worker| (20_000, if worker == 1 { TaskOutcome::Completed } else { TaskOutcome::Failed });
        assert_eq!(run(&mut rig, task, TaskSpec::default(), ends), Some(expected));
    }
    assert!(rests(&rig, 0) && !rests(&rig, 1));
    shrink_to(&mut rig, 1);
    assert_eq!([rig.state(0), rig.state(1)], [WorkerState::Retired, WorkerState::Ready]);
}

#[test]
fn a_worker_wakes_at_once_when_the_one_is_let_go_that_stood_in_for_it() {
    let config = PoolConfig { max_queued: 0, ..with_long_rests() };
    let mut rig = Rig::ready_with(&[wide(2), wide(2)], config);
    // Worker 0 never ends its first task: it is not idle, and stays.
    let submit = |rig: &mut Rig, task| rig.submit(task, TaskSpec::default());
    submit(&mut rig, 0);
    submit(&mut rig, 1);
    rig.pass_millis(200_000);
    rig.done(1, 1, 1);
    submit(&mut rig, 2);
    submit(&mut rig, 3);
    rig.ended(0, 1, 3, TaskOutcome::Failed);
    rig.done(1, 1, 2);
    assert!(rests(&rig, 0));
    shrink_to(&mut rig, 1);
    assert_eq!([rig.state(0), rig.state(1)], [WorkerState::Busy, WorkerState::Retired]);
    assert!(!rests(&rig, 0));
    assert_eq!(submit(&mut rig, 4), [dispatch(4, 0, 1, 1)], "nobody else is there");
}

#[test]
fn of_free_workers_the_one_goes_first_that_is_fastest_with_the_type() {
    let mut rig = Rig::ready_pool(3);
    let of = |number| TaskSpec { task_type: TaskType::new(number), ..TaskSpec::default() };
    // Worker 1 is slow with type 1 and fast with type 2.
    let ends = |spec: TaskSpec| {
        move |worker: u32| {
            let slow = (worker == 1) == (spec.task_type == TaskType::new(1));
            (if slow { 80 } else { 10 }, TaskOutcome::Completed)
        }
    };
    for task in 0..120 {
        let spec = of(1 + u32::try_from(task % 2).unwrap());
        run(&mut rig, task, spec, ends(spec));
    }
    let of_one: Vec<_> = (200..210).map(|task| run(&mut rig, task, of(1), ends(of(1)))).collect();
    assert!(of_one.iter().all(|&worker| worker != Some(1)), "{of_one:?}");
    assert!(
        of_one.contains(&Some(0)) && of_one.contains(&Some(2)),
        "equally fast ones take turns: {of_one:?}"
    );
    let of_two: Vec<_> = (300..310).map(|task| run(&mut rig, task, of(2), ends(of(2)))).collect();
    assert!(of_two.iter().all(|&worker| worker == Some(1)), "{of_two:?}");
}
