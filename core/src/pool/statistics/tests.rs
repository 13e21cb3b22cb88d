//! Against a model that keeps everything.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::pool::PerMille;

const MS: Duration = Duration::from_millis(1);

fn close(quantile: Duration, exact: Duration) -> bool {
    let (a, b) = (quantile.as_millis_f64(), exact.as_millis_f64());
    (a - b).abs() <= 0.011 * b + 1e-6
}

#[test]
fn types_beyond_the_bound_are_counted_together() {
    let mut statistics = Statistics::new(1, Instant::ZERO);
    for number in 0..100 {
        statistics.on_ended(Instant::ZERO, TaskType::new(number), WorkerId::new(0), MS, number % 2 == 0);
    }
    let types: Vec<TypeSnapshot> = statistics.task_types(Instant::ZERO).collect();
    assert_eq!(types.len(), Statistics::MAX_TYPES + 1);
    assert_eq!(types[31].task_type, Some(TaskType::new(31)));
    assert_eq!((types[32].task_type, types[32].executions, types[32].failures), (None, 68, 34));
    assert_eq!(statistics.snapshot(Instant::ZERO, 0).run.map(|run| run.count), Some(100));
}

#[test]
fn run_times_of_each_type_are_told_once_and_gathered_for_nobody_who_does_not_ask() {
    let mut statistics = Statistics::new(1, Instant::ZERO);
    let run = |statistics: &mut Statistics, number, millis| {
        let ran = Duration::from_millis(millis);
        statistics.on_ended(Instant::ZERO, TaskType::new(number), WorkerId::new(0), ran, true);
    };
    run(&mut statistics, 7, 50);
    assert_eq!(statistics.take_runs(0), Some((Some(TaskType::new(7)), None)), "nobody had asked");
    assert_eq!(statistics.take_runs(1), None);

    for millis in [10, 20] {
        run(&mut statistics, 7, millis);
    }
    run(&mut statistics, 8, 5);
    let mut taken = |place| {
        let (task_type, runs) = statistics.take_runs(place).expect("so many types ran");
        (task_type.map(TaskType::get), runs.map(|runs| (runs.count(), runs.max())))
    };
    assert_eq!(taken(0), (Some(7), Some((2, Some(20.0)))));
    assert_eq!(taken(1), (Some(8), Some((1, Some(5.0)))));
    assert_eq!(taken(0), (Some(7), None), "each is told once");

    (100..200).for_each(|number| run(&mut statistics, number, 1));
    let (beyond, runs) = statistics.take_runs(Statistics::MAX_TYPES).expect("the rest shares a place");
    assert_eq!((beyond, runs.map(|runs| runs.count())), (None, Some(70)));
    assert_eq!(statistics.take_runs(Statistics::MAX_TYPES + 1), None);
}

#[test]
fn nothing_is_absent_and_not_zero() {
    let statistics = Statistics::new(2, Instant::from_secs(5));
    let load = statistics.snapshot(Instant::from_secs(9), 0);
    assert_eq!((load.wait, load.run, load.response, load.utilization), (None, None, None, None));
    assert!(statistics.workers(Instant::ZERO).all(|worker| worker.run.is_none()));
}

#[test]
fn the_longest_queue_is_remembered_for_a_minute() {
    let mut statistics = Statistics::new(1, Instant::ZERO);
    let at = Instant::from_secs;
    for (second, depth) in [(1, 7), (2, 0), (40, 3)] {
        statistics.on_queue_depth(at(second), depth);
    }
    assert_eq!(statistics.snapshot(at(50), 3).max_queued, 7);
    assert_eq!(statistics.snapshot(at(70), 3).max_queued, 3);
    // It has been three for hours.
    statistics.on_queue_depth(at(9_000), 1);
    assert_eq!(statistics.snapshot(at(9_001), 1).max_queued, 3);
}

#[test]
fn use_is_of_the_time_that_workers_were_there() {
    let mut statistics = Statistics::new(2, Instant::ZERO);
    let secs = Duration::from_secs;
    statistics.on_use(Instant::from_secs(10), [(secs(1), secs(10)), (secs(0), secs(0))].into_iter());
    assert!(!statistics.wants_use(Instant::from_secs(24)) && statistics.wants_use(Instant::from_secs(25)));
    statistics.on_use(Instant::from_secs(20), [(secs(6), secs(20)), (secs(0), secs(0))].into_iter());
    let now = Instant::from_secs(20);
    assert_eq!(statistics.snapshot(now, 0).utilization, Some(PerMille::new(300)));
    let workers: Vec<_> = statistics.workers(now).map(|worker| worker.utilization).collect();
    assert_eq!(workers, [Some(PerMille::new(300)), None]);
    assert_eq!(statistics.snapshot(Instant::from_secs(200), 0).utilization, None, "a minute ago");
}

#[test]
fn the_mean_follows_what_tasks_take_now() {
    let mut statistics = Statistics::new(1, Instant::ZERO);
    assert_eq!(statistics.mean_run(), None);
    let mut run = |ran: Duration, times: u32| {
        for _ in 0..times {
            statistics.on_ended(Instant::ZERO, TaskType::new(0), WorkerId::new(0), ran, true);
        }
        statistics.mean_run().unwrap()
    };
    assert_eq!(run(MS * 100, 1), MS * 100);
    assert!(run(MS, 100) < MS * 2);
    assert!(run(Duration::MAX, 1) > Duration::from_secs(1));
}

#[test]
fn responses_are_taken_once() {
    let mut statistics = Statistics::new(1, Instant::ZERO);
    statistics.on_response(Instant::ZERO, MS * 20, true);
    statistics.on_response(Instant::ZERO, MS * 9_000, false);
    let taken = statistics.take_responses();
    assert_eq!((taken.count(), taken.max()), (1, Some(20.0)));
    assert!(statistics.take_responses().is_empty());
    assert_eq!(statistics.snapshot(Instant::ZERO, 0).response.map(|response| response.count), Some(2));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 4) })]

    #[test]
    fn quantiles_are_those_of_the_window(
        executions in prop::collection::vec((0_u64..2_000, 0_u32..3, 0_u32..2, 1_u64..5_000), 1..200),
    ) {
        let mut statistics = Statistics::new(2, Instant::ZERO);
        let mut seen = Vec::new();
        let mut now = Instant::ZERO;
        for &(pause, task_type, worker, ran) in &executions {
            now += MS * pause;
            let waited = MS * (ran / 3);
            statistics.on_started(now, TaskType::new(task_type), waited);
            statistics.on_ended(now, TaskType::new(task_type), WorkerId::new(worker), MS * ran, true);
            seen.push((now, task_type, worker, MS * ran, waited));
        }
        let step = now.as_nanos() / 15_000_000_000;
        seen.retain(|(at, ..)| at.as_nanos() / 15_000_000_000 + 3 >= step);

        let check = |quantiles: Option<Quantiles>, mut times: Vec<Duration>| {
            times.sort_unstable();
            let Some(last) = times.len().checked_sub(1) else { return quantiles.is_none() };
            let Some(quantiles) = quantiles else { return false };
            let exact = |percent: usize| times[last * percent / 100];
            quantiles.count == times.len() as u64
                && close(quantiles.p50, exact(50))
                && close(quantiles.p95, exact(95))
                && close(quantiles.p99, exact(99))
                && close(quantiles.max, times[last])
        };
        let load = statistics.snapshot(now, 0);
        prop_assert!(check(load.run, seen.iter().map(|seen| seen.3).collect()));
        prop_assert!(check(load.wait, seen.iter().map(|seen| seen.4).collect()));
        for of_type in statistics.task_types(now) {
            let of = seen.iter().filter(|seen| Some(TaskType::new(seen.1)) == of_type.task_type);
            prop_assert!(check(of_type.run, of.clone().map(|seen| seen.3).collect()));
            prop_assert!(check(of_type.wait, of.map(|seen| seen.4).collect()));
        }
        for (worker, of_worker) in statistics.workers(now).enumerate() {
            let of = seen.iter().filter(|seen| seen.2 as usize == worker);
            prop_assert!(check(of_worker.run, of.map(|seen| seen.3).collect()));
        }
    }
}
