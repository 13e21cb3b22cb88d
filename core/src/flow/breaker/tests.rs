//! What would be missed: each rule of the pattern that a breaker somewhere got wrong.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::flow::Fallback;

const QUICK: Duration = Duration::from_millis(10);

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn breaker(config: BreakerConfig) -> Breaker {
    Breaker::new(config).expect("the settings are sound")
}

fn call(breaker: &mut Breaker, now: Instant, outcome: Outcome, took: Duration) {
    let permit = breaker.try_acquire(now).expect("it lets calls through");
    breaker.record(now, permit, outcome, took);
}

fn half_open(trials: u32) -> Breaker {
    let mut breaker = breaker(BreakerConfig { trials, ..BreakerConfig::consecutive(1) });
    call(&mut breaker, at(0), Outcome::Failure, QUICK);
    breaker.handle_deadline(at(5_000));
    assert_eq!(breaker.state(at(5_000)), BreakerState::HalfOpen);
    breaker
}

fn events(breaker: &mut Breaker) -> Vec<BreakerEvent> {
    core::iter::from_fn(|| breaker.poll_output()).collect()
}

#[test]
fn below_the_minimum_volume_no_ratio_opens_it() {
    let mut breaker = breaker(BreakerConfig { min_calls: 10, ..BreakerConfig::default() });
    for _ in 0..9 {
        call(&mut breaker, at(0), Outcome::Failure, QUICK);
    }
    assert_eq!(breaker.state(at(0)), BreakerState::Closed);
    // The tenth call reaches the volume. It is a success, and the nine before it still open the breaker.
    call(&mut breaker, at(0), Outcome::Success, QUICK);
    assert_eq!(breaker.state(at(0)), BreakerState::Open { until: at(5_000) });
    let counts = Counts { calls: 10, failed: 9, slow: 0 };
    assert_eq!(
        events(&mut breaker),
        [BreakerEvent::Changed {
            at: at(0),
            from: BreakerState::Closed,
            to: BreakerState::Open { until: at(5_000) },
            cause: BreakerCause::FailureRatio { counts },
        }]
    );
}

#[test]
fn slow_successes_open_it_and_a_slow_failure_counts_in_both_ratios() {
    let limits = BreakerConfig {
        min_calls: 4,
        slow_call: Some(Duration::from_millis(100)),
        slow_ratio: 0.5,
        ..BreakerConfig::default()
    };
    let mut slow = breaker(limits);
    for millis in [10, 100, 101, 500] {
        call(&mut slow, at(0), Outcome::Success, Duration::from_millis(millis));
    }
    assert!(matches!(slow.state(at(0)), BreakerState::Open { .. }));

    let mut both = breaker(BreakerConfig { min_calls: 4, slow_ratio: 1.0, ..limits });
    call(&mut both, at(0), Outcome::Failure, Duration::from_millis(200));
    call(&mut both, at(0), Outcome::Success, QUICK);
    assert_eq!(both.metrics(at(0)).window, Counts { calls: 2, failed: 1, slow: 1 });
}

#[test]
fn ignored_outcomes_are_in_neither_side_of_a_ratio() {
    let mut breaker =
        breaker(BreakerConfig { min_calls: 2, slow_call: Some(QUICK), ..BreakerConfig::default() });
    for _ in 0..50 {
        call(&mut breaker, at(0), Outcome::Ignored, Duration::from_secs(9));
    }
    assert_eq!(breaker.metrics(at(0)).window, Counts::default());
    call(&mut breaker, at(0), Outcome::Success, QUICK);
    call(&mut breaker, at(0), Outcome::Failure, QUICK);
    assert!(matches!(breaker.state(at(0)), BreakerState::Open { .. }), "one of two, not one of 52");
}

#[test]
fn a_success_between_them_means_failures_are_not_in_a_row() {
    let mut breaker = breaker(BreakerConfig::consecutive(3));
    for outcome in [Outcome::Failure, Outcome::Failure, Outcome::Success, Outcome::Failure, Outcome::Failure]
    {
        call(&mut breaker, at(0), outcome, QUICK);
    }
    call(&mut breaker, at(0), Outcome::Ignored, QUICK);
    assert_eq!(breaker.state(at(0)), BreakerState::Closed);
    call(&mut breaker, at(0), Outcome::Failure, QUICK);
    assert!(matches!(breaker.state(at(0)), BreakerState::Open { .. }));
}

#[test]
fn half_open_lets_exactly_its_trials_through_and_asks_for_no_minimum_volume() {
    let mut breaker = half_open(3);
    let trials: Vec<Permit> = (0..3).map(|_| breaker.try_acquire(at(5_000)).expect("a trial")).collect();
    for millis in 5_000..5_010 {
        assert_eq!(breaker.try_acquire(at(millis)).expect_err("all are out").refusal, Refusal::TrialsOut);
    }
    for (ended, permit) in trials.into_iter().enumerate() {
        assert_eq!(breaker.state(at(5_010)), BreakerState::HalfOpen, "after {ended} trials");
        breaker.record(at(5_010), permit, Outcome::Success, QUICK);
    }
    assert_eq!(breaker.state(at(5_010)), BreakerState::Closed);
    assert_eq!(breaker.metrics(at(5_010)).window, Counts::default(), "it starts with an empty window");
}

#[test]
fn a_trial_that_ended_is_not_replaced_by_another() {
    let mut breaker = half_open(2);
    call(&mut breaker, at(5_000), Outcome::Success, QUICK);
    let second = breaker.try_acquire(at(5_000)).expect("the second trial");
    assert!(breaker.try_acquire(at(5_000)).is_err());
    breaker.record(at(5_000), second, Outcome::Success, QUICK);
    assert_eq!(breaker.state(at(5_000)), BreakerState::Closed);
}

#[test]
fn cancelled_and_ignored_trials_give_their_place_back() {
    let mut breaker = half_open(1);
    for round in 0..20 {
        let trial = breaker.try_acquire(at(5_000)).expect("the place is free");
        if round % 2 == 0 {
            breaker.release(at(5_000), trial);
        } else {
            breaker.record(at(5_000), trial, Outcome::Ignored, QUICK);
        }
    }
    assert_eq!(breaker.state(at(5_000)), BreakerState::HalfOpen);
    call(&mut breaker, at(5_000), Outcome::Success, QUICK);
    assert_eq!(breaker.state(at(5_000)), BreakerState::Closed);
}

#[test]
fn a_trial_that_never_ends_does_not_hold_it_half_open() {
    let mut breaker = half_open(1);
    let lost = breaker.try_acquire(at(5_000)).expect("a trial");
    // Refusals in between extend nothing.
    for second in 6..35 {
        assert!(breaker.try_acquire(Instant::from_secs(second)).is_err());
    }
    assert_eq!(breaker.next_deadline(), Some(at(35_000)));
    let refused = breaker.try_acquire(at(35_000)).expect_err("the trial is overdue");
    assert_eq!(refused.refusal, Refusal::Open { until: at(45_000) }, "twice the first open time");

    // What the lost trial comes to later is of an older generation.
    let trial = breaker.try_acquire(at(45_000)).expect("the next round");
    breaker.record(at(45_001), lost, Outcome::Failure, QUICK);
    assert_eq!(breaker.state(at(45_001)), BreakerState::HalfOpen);
    breaker.record(at(45_002), trial, Outcome::Success, QUICK);
    assert_eq!(breaker.state(at(45_002)), BreakerState::Closed);
}

#[test]
fn half_open_without_calls_waits_without_holding_it_against_the_service() {
    let mut breaker = half_open(2);
    call(&mut breaker, at(5_000), Outcome::Success, QUICK);
    // A night without calls: nothing was out, so nothing was overdue.
    call(&mut breaker, Instant::from_secs(30_000), Outcome::Success, QUICK);
    assert_eq!(breaker.state(Instant::from_secs(30_000)), BreakerState::Closed);
}

#[test]
fn late_results_of_an_older_generation_change_nothing() {
    let mut breaker = breaker(BreakerConfig { trials: 1, ..BreakerConfig::consecutive(2) });
    let old: Vec<Permit> = (0..6).map(|_| breaker.try_acquire(at(0)).expect("closed")).collect();
    let mut old = old.into_iter();
    let mut late = |breaker: &mut Breaker, now, outcome| {
        breaker.record(now, old.next().expect("six were taken"), outcome, QUICK);
    };
    late(&mut breaker, at(1), Outcome::Failure);
    late(&mut breaker, at(1), Outcome::Failure);
    assert_eq!(breaker.state(at(1)), BreakerState::Open { until: at(5_001) });

    late(&mut breaker, at(4_000), Outcome::Failure);
    assert_eq!(breaker.state(at(4_000)), BreakerState::Open { until: at(5_001) }, "failures don't extend it");
    late(&mut breaker, at(4_500), Outcome::Success);
    assert_eq!(breaker.state(at(4_500)), BreakerState::Open { until: at(5_001) }, "successes don't close it");

    let trial = breaker.try_acquire(at(6_000)).expect("a trial");
    late(&mut breaker, at(6_001), Outcome::Success);
    late(&mut breaker, at(6_002), Outcome::Failure);
    assert_eq!(breaker.state(at(6_002)), BreakerState::HalfOpen, "only the trial decides");
    breaker.record(at(6_003), trial, Outcome::Success, QUICK);
    assert_eq!(breaker.state(at(6_003)), BreakerState::Closed);
    assert_eq!(breaker.metrics(at(6_003)).totals.late, 4);
}

#[test]
fn the_open_time_grows_with_each_failed_round_and_is_short_again_after_a_success() {
    let mut breaker = breaker(BreakerConfig { trials: 1, ..BreakerConfig::consecutive(1) });
    call(&mut breaker, at(0), Outcome::Failure, QUICK);
    let mut open_for = vec![];
    let mut now = at(0);
    for _ in 0..6 {
        let until = breaker.next_deadline().expect("it is open");
        open_for.push((until - now).as_millis() / 1_000);
        now = until;
        call(&mut breaker, now, Outcome::Failure, QUICK);
    }
    assert_eq!(open_for, [5, 10, 20, 40, 60, 60]);

    now = breaker.next_deadline().expect("it is open");
    call(&mut breaker, now, Outcome::Success, QUICK);
    call(&mut breaker, now, Outcome::Failure, QUICK);
    assert_eq!(breaker.next_deadline(), Some(now + Duration::from_secs(5)));
}

#[test]
fn all_buckets_expire_when_nothing_comes_for_longer_than_the_window() {
    let window = Window::Time { bucket: Duration::from_secs(1), buckets: 10 };
    let mut breaker =
        breaker(BreakerConfig { window: Some(window), min_calls: 10, ..BreakerConfig::default() });
    for second in 0..9 {
        call(&mut breaker, Instant::from_secs(second), Outcome::Failure, QUICK);
    }
    for (second, held) in [(8, 9), (12, 6), (17, 1), (18, 0), (1_000_000, 0)] {
        assert_eq!(breaker.metrics(Instant::from_secs(second)).window.calls, held, "at {second} s");
    }
    // A tenth failure an hour later is the first of its window.
    call(&mut breaker, Instant::from_secs(3_600), Outcome::Failure, QUICK);
    assert_eq!(breaker.state(Instant::from_secs(3_600)), BreakerState::Closed);
}

#[test]
fn a_clock_that_goes_backwards_neither_reopens_nor_closes() {
    let mut breaker = half_open(1);
    assert_eq!(breaker.state(at(0)), BreakerState::HalfOpen);
    let trial = breaker.try_acquire(at(0)).expect("it stays half-open");
    assert_eq!(breaker.next_deadline(), Some(at(35_000)), "counted from the latest time seen");
    breaker.record(at(0), trial, Outcome::Failure, QUICK);
    assert_eq!(breaker.state(at(0)), BreakerState::Open { until: at(15_000) });
    assert!(breaker.try_acquire(at(1)).is_err());
}

#[test]
fn an_operator_overrules_it() {
    let mut breaker = breaker(BreakerConfig::consecutive(1));
    let before = breaker.try_acquire(at(0)).expect("closed");
    breaker.set_mode(at(0), BreakerMode::ForcedOpen);
    let refused =
        breaker.try_acquire(Instant::from_secs(86_400)).expect_err("forced open never ends by itself");
    assert_eq!((refused.refusal, refused.refusal.earliest()), (Refusal::ForcedOpen, None));

    breaker.set_mode(at(0), BreakerMode::ForcedClosed);
    for _ in 0..10 {
        call(&mut breaker, at(0), Outcome::Failure, QUICK);
    }
    assert_eq!(breaker.metrics(at(0)).totals.failed, 10);

    breaker.set_mode(at(0), BreakerMode::Disabled);
    call(&mut breaker, at(0), Outcome::Failure, QUICK);
    assert_eq!(breaker.metrics(at(0)).totals.failed, 10, "disabled counts nothing");

    breaker.set_mode(at(0), BreakerMode::Automatic);
    breaker.record(at(0), before, Outcome::Failure, QUICK);
    assert_eq!(breaker.state(at(0)), BreakerState::Closed, "it begins anew");
    call(&mut breaker, at(0), Outcome::Failure, QUICK);
    assert!(breaker.try_acquire(at(1)).is_err());
}

#[test]
fn metrics_only_says_when_it_would_open_and_lets_everything_through() {
    let mut breaker = breaker(BreakerConfig::consecutive(2));
    breaker.set_mode(at(0), BreakerMode::MetricsOnly);
    events(&mut breaker);
    for (millis, outcome) in [
        Outcome::Failure,
        Outcome::Failure,
        Outcome::Failure,
        Outcome::Success,
        Outcome::Failure,
        Outcome::Failure,
    ]
    .into_iter()
    .enumerate()
    {
        call(&mut breaker, at(millis as u64), outcome, QUICK);
    }
    let cause = BreakerCause::ConsecutiveFailures { failures: 2 };
    let said = [1, 5].map(|millis| BreakerEvent::WouldOpen { at: at(millis), cause });
    assert_eq!(events(&mut breaker), said);
}

#[test]
fn a_service_that_says_when_to_come_back_is_left_alone_until_then() {
    let mut breaker = breaker(BreakerConfig::default());
    breaker.hold_open(at(0), at(30_000));
    breaker.hold_open(at(1), at(20_000));
    assert_eq!(
        breaker.try_acquire(at(29_999)).expect_err("held").refusal,
        Refusal::Open { until: at(30_000) }
    );
    assert!(breaker.try_acquire(at(30_000)).is_ok());
}

#[test]
fn a_refusal_says_what_the_caller_gets_instead() {
    let mut breaker =
        breaker(BreakerConfig { fallback: Fallback::LastGood, ..BreakerConfig::consecutive(1) });
    call(&mut breaker, at(0), Outcome::Failure, QUICK);
    assert_eq!(breaker.try_acquire(at(1)).expect_err("open").fallback, Fallback::LastGood);
}

#[test]
fn a_snapshot_goes_on_in_another_process_with_another_clock() {
    for window in [Window::Calls(8), Window::Time { bucket: Duration::from_secs(1), buckets: 8 }] {
        let config = BreakerConfig {
            window: Some(window),
            min_calls: 8,
            failure_ratio: 0.5,
            ..BreakerConfig::default()
        };
        let mut first = breaker(config);
        for outcome in
            [Outcome::Success, Outcome::Success, Outcome::Success, Outcome::Success, Outcome::Failure]
        {
            call(&mut first, at(90_000), outcome, QUICK);
        }
        for _ in 0..2 {
            call(&mut first, at(91_000), Outcome::Failure, QUICK);
        }
        let mut second =
            Breaker::restore(config, &first.snapshot(at(92_000)), at(10)).expect("same settings");
        assert_eq!(second.metrics(at(10)).window, first.metrics(at(92_000)).window);
        assert_eq!(second.snapshot(at(10)).window, first.snapshot(at(92_000)).window);
        call(&mut second, at(10), Outcome::Failure, QUICK);
        assert_eq!(second.state(at(10)), BreakerState::Open { until: at(5_010) }, "the eighth call decides");

        let third =
            Breaker::restore(config, &second.snapshot(at(4_010)), at(500_000)).expect("same settings");
        assert_eq!(third.state(at(500_000)), BreakerState::Open { until: at(501_000) });
    }
}

#[test]
fn a_snapshot_of_another_window_is_refused() {
    let mut calls = breaker(BreakerConfig::default());
    call(&mut calls, at(0), Outcome::Success, QUICK);
    let window = Window::Time { bucket: Duration::from_secs(1), buckets: 8 };
    let config = BreakerConfig { window: Some(window), ..BreakerConfig::default() };
    let refused = Breaker::restore(config, &calls.snapshot(at(0)), at(0)).expect_err("another window");
    assert_eq!(refused, BreakerRestoreError::OtherWindow { entries: 1 });
}

#[test]
fn observers_who_never_poll_cost_nothing() {
    let mut breaker = breaker(BreakerConfig::default());
    for round in 0..1_000 {
        breaker
            .set_mode(at(round), if round % 2 == 0 { BreakerMode::Disabled } else { BreakerMode::Automatic });
    }
    let kept = events(&mut breaker);
    assert_eq!(kept.len(), 4);
    assert!(matches!(kept[3], BreakerEvent::Changed { at, .. } if at == Instant::from_millis(999)));
}
