//! Workers that are replaced though nothing is wrong with them.

use std::collections::BTreeSet;

use quillwork_core::balance::BuiltIn;
use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{
    Binding, CloseMode, Input, Output, PoolConfig, RestConfig, Settlement, TaskOutcome, TaskSpec,
    TerminateReason, WorkerList, WorkerState,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::rig::{GPU, NONE, Rig, dispatch, needs, plain, quiet, settle, spawn, terminate, wide};

fn recycle(rig: &mut Rig, worker: u32, generation: u32) -> Vec<Output> {
    rig.pool.handle_recycle(rig.now, WorkerId::new(worker), Generation::new(generation));
    rig.drain()
}

fn completed(task: u64) -> Output {
    settle(task, Settlement::Completed)
}

#[test]
fn an_idle_worker_is_replaced_at_once_and_counts_as_no_loss() {
    let mut rig = Rig::ready_pool(2);
    let outputs = recycle(&mut rig, 0, 1);
    assert_eq!(outputs, [terminate(0, 1, TerminateReason::Recycled), spawn(0, 2)]);
    assert_eq!(recycle(&mut rig, 0, 1), [], "that worker is gone");
    assert_eq!(recycle(&mut rig, 0, 2), [], "and this one is not up");
    rig.ready(0, 2, NONE);
    let counters = rig.pool.stats(rig.now).counters;
    assert_eq!((counters.workers_recycled, counters.workers_lost), (1, 0));
    assert_eq!(rig.state(0), WorkerState::Ready);
}

#[test]
fn a_busy_worker_ends_what_it_has_and_is_given_nothing_more() {
    let mut rig = Rig::ready_with(&[wide(2)], quiet());
    rig.submit(1, plain());
    rig.submit(2, plain());
    assert_eq!(recycle(&mut rig, 0, 1), []);
    assert_eq!(recycle(&mut rig, 0, 1), [], "asking twice is asking once");
    assert_eq!(rig.submit(3, plain()), []);
    assert_eq!(rig.done(0, 1, 1), [completed(1)], "there is room, and a task that waits for the next worker");
    let outputs = rig.done(0, 1, 2);
    assert_eq!(outputs, [completed(2), terminate(0, 1, TerminateReason::Recycled), spawn(0, 2)]);
    assert_eq!(rig.ready(0, 2, wide(2)), [dispatch(3, 0, 2, 1)]);
}

#[test]
fn what_only_a_leaving_worker_could_run_waits_for_the_next_one() {
    let mut rig = Rig::ready_with(&[GPU, NONE], quiet());
    rig.submit(1, needs(GPU));
    recycle(&mut rig, 0, 1);
    assert_eq!(rig.submit(2, needs(GPU)), [], "neither refused nor given to it");
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 1, 1, 1)]);
    rig.done(0, 1, 1);
    assert_eq!(rig.ready(0, 2, GPU), [dispatch(2, 0, 2, 1)]);
}

#[test]
fn a_leaving_worker_is_given_nothing_ahead_and_runs_what_it_was_given() {
    let prefetch = Duration::from_millis(1);
    let mut rig = Rig::ready_with(&[NONE], PoolConfig { prefetch, ..quiet() });
    rig.submit(1, plain());
    rig.done(0, 1, 1);
    rig.submit(2, plain());
    assert_eq!(rig.submit(3, plain()), [dispatch(3, 0, 1, 1)], "ahead of its time");
    recycle(&mut rig, 0, 1);
    assert_eq!(rig.submit(4, plain()), []);
    assert_eq!(rig.done(0, 1, 2), [completed(2)]);
    let outputs = rig.done(0, 1, 3);
    assert_eq!(outputs, [completed(3), terminate(0, 1, TerminateReason::Recycled), spawn(0, 2)]);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(4, 0, 2, 1)]);
}

#[test]
fn a_leaving_worker_starts_what_it_was_given_ahead_as_soon_as_it_has_room() {
    let mut rig = Rig::ready_with(&[wide(2)], PoolConfig { prefetch: Duration::from_millis(1), ..quiet() });
    rig.submit(1, plain());
    rig.done(0, 1, 1);
    for task in 2..=3 {
        rig.submit(task, plain());
    }
    let limited = TaskSpec { timeout: Some(Duration::from_millis(5)), ..plain() };
    assert_eq!(rig.submit(4, limited), [dispatch(4, 0, 1, 1)], "ahead of its time");
    recycle(&mut rig, 0, 1);
    assert_eq!(rig.done(0, 1, 2), [completed(2)]);
    let stats = rig.pool.stats(rig.now);
    assert_eq!((stats.running, stats.prefetched), (2, 0), "the worker has started 4 beside 3");
    assert!(rig.wait_millis(5).contains(&settle(4, Settlement::TimedOut)));
}

#[test]
fn a_worker_that_is_lost_while_it_leaves_is_replaced_once() {
    let mut rig = Rig::ready_pool(1);
    rig.submit(1, plain());
    recycle(&mut rig, 0, 1);
    assert_eq!(rig.lost(0, 1), [terminate(0, 1, TerminateReason::Lost), spawn(0, 2)]);
    assert_eq!(rig.ready(0, 2, NONE), [dispatch(1, 0, 2, 2)]);
    assert_eq!(rig.done(0, 2, 1), [completed(1)], "the next worker stays");
}

#[test]
fn the_line_of_a_leaving_worker_is_bound_anew_and_grows_no_more() {
    let binding = Binding::Early { strategy: BuiltIn::RoundRobin, steal_after: Duration::MAX };
    let mut rig = Rig::ready_with(&[NONE, NONE], PoolConfig { binding, ..quiet() });
    for task in 1..=3 {
        rig.submit(task, plain());
    }
    assert_eq!(rig.pool.bound_to(TaskId::new(3)), Some(WorkerId::new(0)));
    recycle(&mut rig, 0, 1);
    rig.submit(4, plain());
    // An offer that has changed is no sign that it stays.
    rig.ready(0, 1, wide(2));
    rig.submit(5, plain());
    for task in 3..=5 {
        assert_eq!(rig.pool.bound_to(TaskId::new(task)), Some(WorkerId::new(1)), "task {task}");
    }
}

#[test]
fn a_leaving_worker_is_no_choice_for_a_strategy_outside() {
    let (answer_within, fallback) = (Duration::from_millis(20), BuiltIn::LeastLoaded);
    let binding = Binding::Asked { answer_within, fallback, steal_after: Duration::MAX };
    let mut rig = Rig::ready_with(&[wide(2), wide(2)], PoolConfig { binding, ..quiet() });
    rig.submit(1, plain());
    rig.pool.handle_strategy_answer(rig.now, TaskId::new(1), Some(WorkerId::new(0)));
    assert_eq!(rig.drain(), [dispatch(1, 0, 1, 1)]);
    recycle(&mut rig, 0, 1);
    rig.submit(2, plain());
    let able: Vec<_> =
        rig.pool.candidates_for(rig.now, TaskId::new(2)).map(|candidate| candidate.worker.get()).collect();
    assert_eq!(able, [1]);
    rig.pool.handle_strategy_answer(rig.now, TaskId::new(2), Some(WorkerId::new(0)));
    assert_eq!(rig.drain(), [dispatch(2, 1, 1, 1)]);
    assert_eq!(rig.pool.stats(rig.now).counters.answers_invalid, 1);
}

#[test]
fn nobody_waits_for_a_leaving_worker_beside_a_free_one() {
    let only = |worker: u32| WorkerList::new(&[WorkerId::new(worker)]).expect("one");
    let mut rig = Rig::ready_with(&[NONE, NONE], quiet());
    rig.submit(1, TaskSpec { affinity: only(0), ..plain() });
    rig.submit(2, TaskSpec { affinity: only(1), ..plain() });
    let patient = TaskSpec { affinity: only(0), patience: Duration::from_secs(3_600), ..plain() };
    assert_eq!(rig.submit(3, patient), []);
    assert_eq!(rig.done(1, 1, 2), [completed(2)], "3 waits for worker 0");
    assert_eq!(recycle(&mut rig, 0, 1), [dispatch(3, 1, 1, 1)]);
    rig.done(1, 1, 3);
    assert_eq!(rig.submit(4, patient), [dispatch(4, 1, 1, 1)]);
    rig.done(1, 1, 4);
    assert_eq!(rig.submit(5, TaskSpec { avoid: only(1), ..plain() }), [dispatch(5, 1, 1, 1)]);
}

#[test]
fn nobody_rests_because_a_leaving_worker_could_stand_in() {
    let rest = RestConfig { after_failures: 1, longest: Duration::from_secs(3_600) };
    let mut rig = Rig::ready_with(&[NONE; 3], PoolConfig { rest, ..quiet() });
    let rests = |rig: &Rig| {
        let stats = rig.pool.worker_stats(rig.now, WorkerId::new(0)).expect("the pool has the place");
        stats.rests_until.is_some()
    };
    for task in 1..=3 {
        rig.submit(task, plain());
    }
    rig.pass_millis(1);
    let failing = (1..=3).find(|&task| rig.holder_of(task).0 == 0).expect("each has one");
    rig.ended(0, 1, failing, TaskOutcome::Failed);
    assert!(rests(&rig));
    assert_eq!(recycle(&mut rig, 1, 1), []);
    assert!(rests(&rig), "worker 2 is there");
    assert_eq!(recycle(&mut rig, 2, 1), []);
    assert!(!rests(&rig));
    assert_eq!(rig.submit(4, plain()), [dispatch(4, 0, 1, 1)]);
}

#[test]
fn a_pool_that_closes_replaces_nobody() {
    for mode in [CloseMode::Drain, CloseMode::Now] {
        let mut rig = Rig::ready_pool(1);
        rig.submit(1, plain());
        recycle(&mut rig, 0, 1);
        rig.close(mode);
        let outputs = rig.done(0, 1, 1);
        let spawned = outputs.iter().filter(|output| matches!(output, Output::Spawn { .. })).count();
        let left = rig.pool.next_deadline();
        assert!(rig.pool.is_closed() && spawned <= 1 && left.is_none(), "{mode:?}: {outputs:?}");
        assert_eq!(recycle(&mut rig, 0, 1), []);
    }
}

#[test]
fn whatever_is_recycled_when_every_task_runs_once_and_ends() {
    for seed in 0..200 {
        let mut rng = Rng::from_seed(seed);
        let prefetch = Duration::from_millis(u64::from(seed % 2 == 0));
        let mut rig = Rig::ready_with(&[wide(2), wide(1), wide(3)], PoolConfig { prefetch, ..quiet() });
        let (mut generations, mut held, mut settled) = ([1_u32; 3], Vec::new(), BTreeSet::new());
        let (mut next, tasks) = (0_u64, 100_u64);
        let mut steps = 0;
        while settled.len() < usize::try_from(tasks).expect("a few") {
            steps += 1;
            assert!(steps < 10_000, "seed {seed}: {} tasks are settled", settled.len());
            let worker = rng.in_range(0..=2);
            let place = WorkerId::new(u32::try_from(worker).expect("up to 2"));
            let generation = Generation::new(generations[place.index()]);
            let input = match rng.in_range(0..=3) {
                0 if next < tasks => {
                    next += 1;
                    Input::Submit { task: TaskId::new(next), spec: TaskSpec::default() }
                }
                1 => Input::Recycle { worker: place, generation },
                2 if rig.state(place.get()) == WorkerState::Booting => {
                    let offer = [wide(2), wide(1), wide(3)][place.index()];
                    Input::WorkerReady { worker: place, generation, offer }
                }
                _ => {
                    let Some(at) = held.iter().position(|&(_, at)| at == (place, generation)) else {
                        continue;
                    };
                    let (task, _): (TaskId, _) = held.remove(at);
                    Input::TaskDone { worker: place, generation, task, outcome: TaskOutcome::Completed }
                }
            };
            rig.now += Duration::from_micros(50);
            rig.pool.handle_input(rig.now, input).expect("ids are counted up");
            for output in rig.drain() {
                match output {
                    Output::Dispatch { task, worker, generation, attempt } => {
                        assert_eq!(attempt, 1, "seed {seed}: {task:?} runs once");
                        held.push((task, (worker, generation)));
                    }
                    Output::TakeBack { .. } => {}
                    Output::Settle { task, settlement } => {
                        assert_eq!(settlement, Settlement::Completed);
                        assert!(settled.insert(task), "seed {seed}: {task:?} settles once");
                    }
                    Output::Terminate { worker, generation, reason } => {
                        assert_eq!(reason, TerminateReason::Recycled);
                        let has = held.iter().any(|&(_, at)| at == (worker, generation));
                        assert!(!has, "seed {seed}: {worker:?} had tasks");
                    }
                    Output::Spawn { worker, generation } => generations[worker.index()] = generation.get(),
                    other => panic!("seed {seed}: {other:?}"),
                }
            }
        }
    }
}
