//! Pools whose size follows their work, and pools under pressure.

use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{
    Action, CloseMode, ElasticConfig, Health, Load, Output, PerMille, PoolConfig, Priority, Reason, Refusal,
    ResizeReason, Resources, Settlement, TaskOutcome, TaskSpec, TerminateReason, WorkerState,
};
use quillwork_core::time::Duration;

use crate::rig::{GPU, NET, NONE, Rig, plain, quiet, wide};

fn elastic(min: u32, workers: u32) -> PoolConfig {
    PoolConfig { workers, elastic: ElasticConfig::from_min(min), ..quiet() }
}

fn of_priority(level: u8) -> TaskSpec {
    TaskSpec { priority: Priority::new(level).expect("0 to 10"), ..TaskSpec::default() }
}

fn spawned(outputs: &[Output]) -> Vec<u32> {
    let spawned = outputs.iter().filter_map(|output| match output {
        Output::Spawn { worker, .. } => Some(worker.get()),
        _ => None,
    });
    spawned.collect()
}

fn retired(outputs: &[Output]) -> Vec<u32> {
    let retired = outputs.iter().filter_map(|output| match output {
        Output::Terminate { worker, reason: TerminateReason::Retired, .. } => Some(worker.get()),
        _ => None,
    });
    retired.collect()
}

fn dispatched(outputs: &[Output]) -> Vec<u64> {
    let dispatched = outputs.iter().filter_map(|output| match output {
        Output::Dispatch { task, .. } => Some(task.get()),
        _ => None,
    });
    dispatched.collect()
}

/// A reading a second, for so long.
fn feed(rig: &mut Rig, seconds: u64, memory: Option<u32>, cpu: Option<u32>) -> Vec<Output> {
    let mut outputs = Vec::new();
    for _ in 0..seconds {
        outputs.append(&mut rig.wait_millis(1_000));
        let (memory, cpu) = (memory.map(PerMille::per_cent), cpu.map(PerMille::per_cent));
        rig.pool.handle_resources(rig.now, Resources { memory, cpu });
        outputs.append(&mut rig.drain());
    }
    outputs
}

#[test]
fn a_burst_spawns_what_it_needs_at_once_and_an_idle_pool_shrinks_to_the_fewest() {
    let mut rig = Rig::elastic(elastic(1, 8));
    rig.ready(0, 1, NONE);
    assert_eq!(dispatched(&rig.submit(0, TaskSpec::default())), [0]);
    let mut outputs = Vec::new();
    for task in 1..5 {
        outputs.append(&mut rig.submit(task, TaskSpec::default()));
    }
    assert_eq!(spawned(&outputs), [1, 2, 3, 4], "one for each that waits, none twice");
    assert!(outputs.contains(&Output::Resize { from: 4, to: 5, reason: ResizeReason::Queue { queued: 4 } }));
    for worker in 1..5 {
        assert_eq!(dispatched(&rig.ready(worker, 1, NONE)), [u64::from(worker)]);
    }
    rig.pass_millis(200);
    for worker in 0..5 {
        rig.done(worker, 1, worker.into());
    }
    let outputs = rig.wait_millis(11_000);
    assert_eq!(retired(&outputs), []);
    let outputs = rig.wait_millis(1_000);
    assert_eq!(retired(&outputs), [4, 3, 2, 1]);
    assert_eq!((rig.pool.stats(rig.now).workers, rig.state(4)), (1, WorkerState::Retired));
    // And up again, in the same places, as the next generation.
    rig.submit(5, TaskSpec::default());
    assert_eq!(spawned(&rig.submit(6, TaskSpec::default())), [1]);
    assert_eq!(dispatched(&rig.ready(1, 2, NONE)), [6]);
    assert_eq!(rig.ready(1, 1, NONE), [], "the retired generation is stale");
}

#[test]
fn a_task_that_only_a_retired_worker_could_run_brings_it_back() {
    let mut rig = Rig::elastic(elastic(1, 3));
    rig.ready(0, 1, NONE);
    let needs_gpu = TaskSpec { required: GPU, ..TaskSpec::default() };
    // Nobody knows yet what the others have: they are tried one after the other.
    assert_eq!(spawned(&rig.submit(0, needs_gpu)), [1]);
    assert_eq!(spawned(&rig.ready(1, 1, NET)), [2]);
    assert_eq!(dispatched(&rig.ready(2, 1, GPU)), [0]);
    rig.done(2, 1, 0);
    assert_eq!(retired(&rig.wait_millis(12_000)), [0, 2], "the plain one first");
    let outputs = rig.submit(1, needs_gpu);
    assert!(outputs.contains(&Output::Resize {
        from: 1,
        to: 2,
        reason: ResizeReason::Stranded { tasks: 1 }
    }));
    assert_eq!(spawned(&outputs), [2], "the one that had it");
}

#[test]
fn what_no_worker_has_is_refused_once_all_were_tried() {
    let mut rig = Rig::elastic(elastic(1, 2));
    rig.ready(0, 1, NONE);
    assert_eq!(spawned(&rig.submit(0, TaskSpec { required: GPU, ..TaskSpec::default() })), [1]);
    let settlement = Settlement::Refused(Refusal::NoCapableWorker { missing: GPU });
    let outputs = rig.ready(1, 1, NONE);
    assert!(outputs.contains(&Output::Settle { task: TaskId::new(0), settlement }));
}

#[test]
fn tiny_tasks_behind_one_that_hangs_get_a_worker_when_the_queue_has_stood() {
    let mut rig = Rig::elastic(elastic(1, 4));
    rig.ready(0, 1, NONE);
    for task in 0..50 {
        rig.submit(task, TaskSpec::default());
        rig.pass_millis(1);
        assert_eq!(spawned(&rig.done(0, 1, task)), []);
    }
    rig.submit(100, TaskSpec::default());
    rig.submit(101, TaskSpec::default());
    let outputs = rig.wait_millis(199);
    assert_eq!(spawned(&outputs), [], "a millisecond of work is worth no worker");
    let outputs = rig.wait_millis(1);
    assert!(matches!(outputs[0], Output::Resize { from: 1, to: 2, reason: ResizeReason::Saturated { .. } }));
    assert_eq!(dispatched(&rig.ready(1, 1, NONE)), [101]);
}

#[test]
fn memory_stops_growth_and_sheds_the_lowest_first_and_never_what_is_urgent() {
    let mut rig = Rig::elastic(elastic(1, 4));
    rig.ready(0, 1, NONE);
    rig.submit(0, TaskSpec::default());
    let outputs = feed(&mut rig, 1, Some(85), None);
    assert!(
        outputs.iter().any(|output| matches!(output, Output::Pressure { action: Action::StopGrowth, .. }))
    );
    let refused = Settlement::Refused(Refusal::Shed { below: Priority::new(1).expect("a level") });
    let outputs = rig.submit(1, of_priority(0));
    assert_eq!(outputs, [Output::Settle { task: TaskId::new(1), settlement: refused }]);
    for (task, level) in [(2, 1), (3, 7), (4, 8), (5, 10)] {
        assert_eq!(rig.submit(task, of_priority(level)), [], "it waits, and no worker is spawned");
    }
    let shed: Vec<u64> = feed(&mut rig, 20, Some(85), None)
        .iter()
        .filter_map(|output| match output {
            Output::Settle { task, settlement: Settlement::Refused(Refusal::Shed { .. }) } => {
                Some(task.get())
            }
            _ => None,
        })
        .collect();
    assert_eq!(shed, [2, 3]);
    let outputs = feed(&mut rig, 4, Some(40), None);
    assert!(spawned(&outputs).len() >= 2, "growth goes on: {outputs:?}");
}

#[test]
fn room_that_was_kept_for_a_task_that_is_shed_goes_to_the_next_at_once() {
    let mut rig = Rig::ready_with(&[wide(2)], PoolConfig { max_passed_over: Duration::ZERO, ..quiet() });
    assert_eq!(dispatched(&rig.submit(0, plain())), [0]);
    rig.submit(1, TaskSpec { complexity: Load::new(2), ..of_priority(0) });
    rig.pass_millis(1_500);
    assert_eq!(rig.submit(2, of_priority(1)), [], "the large one goes before it");
    let outputs = feed(&mut rig, 1, Some(85), None);
    let below = Priority::new(1).expect("a level");
    let settlement = Settlement::Refused(Refusal::Shed { below });
    assert!(outputs.contains(&Output::Settle { task: TaskId::new(1), settlement }));
    assert_eq!(dispatched(&outputs), [2]);
}

#[test]
fn a_busy_machine_leaves_one_worker_to_bulk_work_and_all_to_urgent_work() {
    let mut rig = Rig::ready_with(&[NONE; 4], quiet());
    let outputs = feed(&mut rig, 30, None, Some(95));
    let limits: Vec<u32> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Pressure { action: Action::LimitWorkers { to, .. }, reason: Reason::Cpu { .. } } => {
                Some(*to)
            }
            _ => None,
        })
        .collect();
    assert_eq!(limits, [3, 2, 1]);
    assert_eq!(retired(&outputs).len(), 3, "idle workers go at once");
    assert_eq!(dispatched(&rig.submit(0, of_priority(5))), [0]);
    assert_eq!(spawned(&rig.submit(1, of_priority(7))), [], "held back");
    let outputs = rig.submit(2, of_priority(8));
    let [place] = spawned(&outputs)[..] else { panic!("urgent work is not held back: {outputs:?}") };
    assert_eq!(dispatched(&rig.ready(place, 2, NONE)), [2]);
    assert_eq!(dispatched(&rig.done(place, 2, 2)), [], "the other one still runs");
    assert_eq!(dispatched(&rig.done(0, 1, 0)), [1]);
}

#[test]
fn readings_that_cease_lift_what_they_led_to() {
    let mut rig = Rig::ready_with(&[NONE; 4], quiet());
    feed(&mut rig, 30, Some(90), Some(95));
    assert_eq!(rig.pool.stats(rig.now).workers, 1);
    let outputs = rig.wait_millis(10_000);
    let lifted = Output::Pressure { action: Action::LiftLimit, reason: Reason::CpuUnknown };
    assert!(outputs.contains(&lifted), "{outputs:?}");
    assert_eq!(rig.pool.stats(rig.now).workers, 4, "a pool of fixed size has its size again");
    assert!(outputs.contains(&Output::Resize { from: 1, to: 4, reason: ResizeReason::Minimum }));
}

#[test]
fn a_pool_that_closes_ends_only_the_workers_that_it_has() {
    let mut rig = Rig::elastic(elastic(2, 6));
    rig.ready(0, 1, NONE);
    let outputs = rig.close(CloseMode::Now);
    let ended = outputs.iter().filter(|output| matches!(output, Output::Terminate { .. })).count();
    assert_eq!((ended, outputs.last()), (2, Some(&Output::Closed)));
    assert_eq!(rig.pool.next_deadline(), None);
}

#[test]
fn statistics_tell_the_last_minute_by_type_and_worker() {
    let mut rig = Rig::ready_pool(2);
    for task in 0..10 {
        rig.submit(task, TaskSpec::default());
        rig.pass_millis(40);
        let (worker, generation) = rig.holder_of(task);
        rig.done(worker, generation, task);
        rig.pass_millis(60);
    }
    let load = rig.pool.load(rig.now);
    let run = load.run.expect("ten tasks ran");
    assert!(run.count == 10 && run.p50.as_millis().abs_diff(40) <= 1, "{run:?}");
    assert!((load.throughput_per_sec - 10.0).abs() < 0.1, "{load:?}");
    assert_eq!(load.utilization, Some(PerMille::per_cent(20)));
    let by_worker: Vec<u64> =
        rig.pool.statistics().workers(rig.now).map(|worker| worker.executions).collect();
    assert_eq!(by_worker, [5, 5]);
    assert_eq!(rig.pool.take_responses().count(), 10);
}

#[test]
fn a_worker_whose_tasks_fail_is_told_apart() {
    let mut rig = Rig::ready_with(&[GPU, NONE], quiet());
    for task in 0..20 {
        let required = if task % 2 == 0 { GPU } else { NONE };
        rig.submit(task, TaskSpec { required, ..TaskSpec::default() });
        rig.pass_millis(1);
        let (worker, generation) = rig.holder_of(task);
        let outcome = match worker {
            0 => TaskOutcome::Failed,
            _ => TaskOutcome::Completed,
        };
        rig.ended(worker, generation, task, outcome);
    }
    let health = |worker| rig.pool.worker_stats(rig.now, WorkerId::new(worker)).expect("it is there").health;
    assert_eq!([health(0), health(1)], {
        use Health::{Healthy, Suspect};
        [Suspect, Healthy]
    });
}
