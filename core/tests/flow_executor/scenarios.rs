//! What a user would miss.

use std::num::NonZeroU32;

use quillwork_core::flow::executor::{
    CoolDown, Executor, ExecutorConfig, ExecutorOutput, ExecutorRefusal, Overflow, Submission,
};
use quillwork_core::flow::rate_limit::{Quota, Rate, WeightExceedsCapacity};
use quillwork_core::ids::TaskId;
use quillwork_core::pool::{Priority, TaskOutcome};
use quillwork_core::time::{Duration, Instant};

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn executor(concurrent: u32, change: impl FnOnce(&mut ExecutorConfig)) -> Executor {
    let max_concurrent = NonZeroU32::new(concurrent).expect("not zero");
    let mut config = ExecutorConfig { max_concurrent, ..ExecutorConfig::default() };
    change(&mut config);
    Executor::new(config, at(0)).expect("the settings are sound")
}

fn submit(executor: &mut Executor, now: Instant, task: u64, submission: Submission) {
    executor.handle_submit(now, TaskId::new(task), submission).expect("it is accepted");
}

fn started(executor: &mut Executor) -> Vec<u64> {
    std::iter::from_fn(|| executor.poll_output())
        .filter_map(|output| match output {
            ExecutorOutput::Start { task } => Some(task.get()),
            _ => None,
        })
        .collect()
}

fn priority(level: u8) -> Submission {
    Submission { priority: Priority::new(level).expect("at most 10"), ..Submission::default() }
}

#[test]
fn aborting_what_waits_costs_no_rate() {
    let quota = Quota::new(2, ms(100)).expect("a sound quota");
    let mut executor = executor(10, |config| config.rate = Some(Rate::Strict(quota)));
    for task in 0..100 {
        submit(&mut executor, at(0), task, Submission::default());
    }
    assert_eq!(started(&mut executor), [0, 1]);
    for task in 2..97 {
        executor.handle_abort(at(10), TaskId::new(task));
    }
    executor.handle_deadline(at(100));
    assert_eq!(started(&mut executor), [97, 98]);
    executor.handle_deadline(at(200));
    assert_eq!(started(&mut executor), [99]);
}

#[test]
fn a_task_given_up_while_it_runs_keeps_its_place_until_it_is_done() {
    let mut executor = executor(1, |_| {});
    submit(&mut executor, at(0), 1, Submission::default());
    submit(&mut executor, at(0), 2, Submission::default());
    assert_eq!(started(&mut executor), [1]);
    executor.handle_abort(at(1), TaskId::new(1));
    assert_eq!(started(&mut executor), []);
    let again = executor.handle_submit(at(1), TaskId::new(1), Submission::default());
    assert_eq!(again, Err(ExecutorRefusal::DuplicateId { task: TaskId::new(1) }));
    executor.handle_done(at(50), TaskId::new(1), TaskOutcome::Failed);
    assert_eq!(started(&mut executor), [2]);
}

#[test]
fn after_a_burst_there_is_a_rest() {
    let mut executor = executor(100, |config| config.cool_down = Some(CoolDown { burst: 3, pause: ms(500) }));
    for task in 0..5 {
        submit(&mut executor, at(task * 10), task, Submission::default());
    }
    assert_eq!(started(&mut executor), [0, 1, 2]);
    assert_eq!(executor.metrics(at(40)).cooling_until, Some(at(520)));
    executor.handle_deadline(at(520));
    assert_eq!(started(&mut executor), [3, 4]);
    assert_eq!(executor.metrics(at(520)).cooling_until, None);
    // A pause of its own ends the burst.
    submit(&mut executor, at(1_020), 5, Submission::default());
    submit(&mut executor, at(1_030), 6, Submission::default());
    assert_eq!(executor.metrics(at(1_030)).cooling_until, None);
}

#[test]
fn the_least_urgent_task_starts_in_bounded_time() {
    let mut executor = executor(1, |config| (config.ageing, config.max_queued) = (ms(100), 10_000));
    submit(&mut executor, at(0), 0, priority(0));
    submit(&mut executor, at(0), 1, priority(0));
    let mut running = 0;
    assert_eq!(started(&mut executor), [running]);
    // Urgent ones come three times as fast as they can run, for ever.
    let mut next_task = 2;
    for now in (10..10_000).step_by(10) {
        for _ in 0..3 {
            submit(&mut executor, at(now), next_task, priority(10));
            next_task += 1;
        }
        executor.handle_done(at(now), TaskId::new(running), TaskOutcome::Completed);
        running = started(&mut executor)[0];
        if running == 1 {
            // Ten levels of 100 ms: only what came in the first second is before it.
            assert!((2_900..=3_010).contains(&now), "{now}");
            return;
        }
    }
    panic!("it never started");
}

#[test]
fn submitters_take_turns_where_fairness_is_asked_for() {
    let order = |spacing| {
        let mut executor = executor(1, |config| config.fair_spacing = spacing);
        for task in 0..6 {
            submit(&mut executor, at(task), task, Submission { submitter: 1, ..Submission::default() });
        }
        for task in 10..13 {
            submit(&mut executor, at(task), task, Submission { submitter: 2, ..Submission::default() });
        }
        let mut order = started(&mut executor);
        while let Some(&last) = order.last() {
            executor.handle_done(at(100), TaskId::new(last), TaskOutcome::Completed);
            let next = started(&mut executor);
            if next.is_empty() {
                break;
            }
            order.extend(next);
        }
        order
    };
    assert_eq!(order(Duration::ZERO), [0, 1, 2, 3, 4, 5, 10, 11, 12]);
    assert_eq!(order(Duration::from_secs(10)), [0, 1, 10, 2, 11, 3, 12, 4, 5]);
}

#[test]
fn a_heavy_task_is_not_overtaken_by_light_ones() {
    let quota = Quota::new(10, ms(1_000)).expect("a sound quota");
    let mut executor = executor(100, |config| config.rate = Some(Rate::Strict(quota)));
    let weight = |weight| Submission { weight, ..Submission::default() };
    submit(&mut executor, at(0), 0, weight(5));
    submit(&mut executor, at(0), 1, weight(10));
    for task in 2..10 {
        submit(&mut executor, at(task), task, weight(1));
    }
    assert_eq!(started(&mut executor), [0]);
    assert_eq!(executor.next_deadline(), Some(at(1_000)));
    executor.handle_deadline(at(1_000));
    assert_eq!(started(&mut executor), [1]);
    let too_heavy = executor.handle_submit(at(1_000), TaskId::new(99), weight(11));
    assert_eq!(
        too_heavy,
        Err(ExecutorRefusal::WeightExceedsCapacity(WeightExceedsCapacity { weight: 11, capacity: 10 }))
    );
}

#[test]
fn metrics_tell_what_happened_lately() {
    let mut executor = executor(1, |_| {});
    let mut now = at(0);
    for task in 0..200 {
        submit(&mut executor, now, task, Submission::default());
        submit(&mut executor, now, task + 1_000, Submission::default());
        for task in [task, task + 1_000] {
            now += ms(50);
            executor.handle_done(now, TaskId::new(task), TaskOutcome::Completed);
        }
    }
    let metrics = executor.metrics(now);
    assert!((metrics.operations_per_second - 20.0).abs() < 0.5, "{metrics:?}");
    let near =
        |measured: Duration, expected: f64| (measured.as_millis_f64() - expected).abs() <= expected * 0.011;
    let (run, wait) = (metrics.run.expect("some ran"), metrics.wait.expect("some waited"));
    assert!(near(run.p50, 50.0) && near(run.max, 50.0), "{metrics:?}");
    assert!(near(wait.p95, 50.0) && wait.p50.is_zero(), "{metrics:?}");

    let later = executor.metrics(now + Duration::from_secs(120));
    assert_eq!((later.operations_per_second, later.run), (0.0, None));
    assert_eq!(later.totals.completed, 400);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refused = |change: fn(&mut ExecutorConfig)| {
        let mut config = ExecutorConfig::default();
        change(&mut config);
        Executor::new(config, at(0)).expect_err("it can't work").to_string()
    };
    let text = refused(|config| config.cool_down = Some(CoolDown { burst: 0, pause: ms(1) }));
    assert!(text.contains("cool_down.burst"), "{text}");
    let text = refused(|config| config.cool_down = Some(CoolDown { burst: 1, pause: ms(0) }));
    assert!(text.contains("cool_down.pause"), "{text}");
    let text =
        refused(|config| (config.max_queued, config.overflow) = (0, Overflow::Wait { max_waiting: 1 }));
    assert!(text.contains("max_queued"), "{text}");
}
