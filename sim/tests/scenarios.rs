//! Many lives of many pools.

use proptest::prelude::*;
use quillwork_core::pool::{PoolConfig, PoolCounters};
use quillwork_core::time::Duration;
use quillwork_sim::{Faults, Report, Scenario, run};

fn sound(seed: u64, scenario: &Scenario) -> Report {
    let report = run(seed, scenario);
    assert_eq!(report.violations, [], "seed {seed}, {scenario:#?}");
    assert_eq!(report.counters.settled(), report.counters.submitted, "seed {seed}");
    assert_eq!(report.counters.submitted, u64::from(scenario.workload.tasks), "seed {seed}");
    report
}

#[test]
fn five_hundred_random_pools_keep_every_promise() {
    let mut total = PoolCounters::default();
    for seed in 0..500 {
        let counters = sound(seed, &Scenario::from_seed(seed)).counters;
        total.completed += counters.completed;
        total.failed += counters.failed;
        total.aborted += counters.aborted;
        total.timed_out += counters.timed_out;
        total.expired += counters.expired;
        total.worker_lost += counters.worker_lost;
        total.dropped += counters.dropped;
        total.refused += counters.refused;
        total.closed += counters.closed;
        total.redelivered += counters.redelivered;
        total.retried += counters.retried;
        total.progress += counters.progress;
        total.workers_lost += counters.workers_lost;
        total.workers_overdue += counters.workers_overdue;
        total.stale_messages += counters.stale_messages;
        total.taken_back += counters.taken_back;
        total.stolen += counters.stolen;
        total.answers_missing += counters.answers_missing;
        total.answers_invalid += counters.answers_invalid;
        total.answers_stale += counters.answers_stale;
    }
    // The scenarios are worth something only if everything happens in them.
    let PoolCounters {
        completed,
        failed,
        aborted,
        timed_out,
        expired,
        worker_lost,
        dropped,
        refused,
        closed,
        redelivered,
        retried,
        progress,
        workers_lost,
        workers_overdue,
        stale_messages,
        taken_back,
        stolen,
        answers_missing,
        answers_invalid,
        answers_stale,
        ..
    } = total;
    let settled = [completed, failed, aborted, timed_out, expired, worker_lost, dropped, refused, closed];
    let around =
        [redelivered, retried, progress, workers_lost, workers_overdue, stale_messages, taken_back, stolen];
    let answers = [answers_missing, answers_invalid, answers_stale];
    assert!(settled.iter().chain(&around).chain(&answers).all(|&count| count > 100), "{total:?}");
}

/// Found by the soak: room that was kept for a task that was shed, urgent tasks that were lost beside such as were held
/// back, room that was kept for a more urgent task in the end, and a lost worker's second task behind a later one; workers to avoid that a
/// task in an open line had settled for, room kept under a limit of workers, a type that might start again as a limit was lifted, a
/// worker that was woken under a limit that was lifted and not yet said to be.
#[test]
fn seeds_that_broke_a_promise_once_keep_it() {
    for seed in
        [1_001_680, 1_003_913, 1_036_602, 5_008_313, 5_062_043, 483, 41_379, 55_077, 83_477, 104_561, 167_100]
    {
        sound(seed, &Scenario::from_seed(seed));
    }
}

/// The same, where seed and world differ: a line that was bound anew when a worker was retired under a limit, and workers to
/// avoid that were the last ones left when an answer came; a large task that one worker kept its room for when its type might start again, and
/// that another had room for.
#[test]
fn worlds_that_broke_a_promise_once_keep_it() {
    for (seed, world) in [
        (12_143_848_800_413_950_044, 4_142_224_854_496_615_395),
        (15_807_392_680_152_598_043, 13_165_352_148_390_572_653),
        (5_517_587_489_684_029_781, 14_885_871_674_755_712_984),
    ] {
        sound(world, &Scenario::from_seed(seed));
    }
}

#[test]
fn workers_that_never_fail_complete_everything() {
    let report = sound(1, &Scenario::calm());
    assert_eq!(report.counters.completed, 400);
    assert_eq!((report.counters.workers_lost, report.counters.stale_messages), (0, 0));
}

#[test]
fn a_pool_whose_workers_never_boot_refuses_everything_and_ends_on_its_own() {
    let mut scenario = Scenario::calm();
    scenario.faults = Faults { no_boot: 1.0, ..Faults::none() };
    scenario.pool = PoolConfig { boot_timeout: Duration::from_millis(100), ..scenario.pool };
    scenario.drain_limit = Duration::from_secs(3_600);
    let report = sound(2, &scenario);
    assert_eq!(report.counters.refused, 400);
    assert!(
        report.ended_after < Duration::from_secs(10),
        "no task waited for ever: {:?}",
        report.ended_after
    );
}

#[test]
fn crashing_workers_cost_redeliveries_but_hardly_a_task() {
    let mut scenario = Scenario::calm();
    scenario.faults = Faults { crash: 0.05, late_message: 0.5, ..Faults::none() };
    let report = sound(3, &scenario);
    // Three executions, each lost with a chance of 5 %: one task in 8,000.
    assert!(report.counters.completed >= 398, "{:?}", report.counters);
    assert!(report.counters.redelivered >= 5);
}

#[test]
fn the_silent_death_of_workers_is_noticed_by_their_lease() {
    let mut scenario = Scenario::calm();
    scenario.faults = Faults { silent_death: 0.05, ..Faults::none() };
    scenario.pool = PoolConfig { lease: Some(Duration::from_millis(500)), ..scenario.pool };
    let report = sound(4, &scenario);
    assert_eq!(report.counters.closed, 0, "nothing hung until it was cut off");
    assert!(report.counters.workers_lost >= 5);
}

#[test]
fn an_overloaded_pool_starves_nobody() {
    let mut scenario = Scenario::calm();
    scenario.workload.mean_service = scenario.workload.mean_service * 3;
    scenario.workload.tasks = 2_000;
    scenario.pool = PoolConfig { max_queued: 100, ageing: Duration::from_millis(50), ..scenario.pool };
    let report = sound(5, &scenario);
    assert!(report.counters.refused > 500, "what can't be done is refused at once");
    // A hundred tasks before it at 10 ms each, and 10 levels of 50 ms that more urgent ones may come later.
    assert!(report.longest_wait < Duration::from_secs(3), "{:?}", report.longest_wait);
}

#[test]
fn the_same_seed_is_the_same_run_and_another_is_another() {
    let scenario = Scenario::from_seed(11);
    let report = run(11, &scenario);
    assert_eq!(report, run(11, &scenario));
    assert_ne!(report.digest, run(12, &scenario).digest);
}

#[test]
fn a_recording_is_small_and_without_its_end_it_is_another_run() {
    let report = run(13, &Scenario::calm());
    let mut recording = report.recording.clone();
    assert_eq!(recording.replay(), Ok(report.digest));
    assert!((recording.log.len() as u64) < 10 * report.steps, "{} bytes", recording.log.len());
    recording.log.truncate(recording.log.len() / 2);
    assert!(recording.replay().is_ok_and(|digest| digest != report.digest));
}

#[test]
fn a_run_without_end_is_reported() {
    let report = run(14, &Scenario { max_steps: 50, ..Scenario::calm() });
    assert!(matches!(
        report.violations[..],
        [quillwork_sim::Violation { broken: quillwork_sim::Broken::TooManySteps, .. }]
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pool_in_any_world_keeps_every_promise_and_replays(seed: u64, world: u64) {
        let report = sound(world, &Scenario::from_seed(seed));
        prop_assert_eq!(report.recording.replay(), Ok(report.digest));
    }
}
