//! Whom a free choice falls on: workers that fail rest, workers that are fast go first.

use quillwork_core::ids::TaskType;
use quillwork_core::pool::{Output, PoolConfig, RestConfig, TaskOutcome, TaskSpec};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NONE, Rig, quiet};

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
    let until = |rig: &Rig| rig.pool.worker_stats(rig.now, quillwork_core::ids::WorkerId::new(0));
    assert_eq!(until(&rig).and_then(|worker| worker.rests_until), None);
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
