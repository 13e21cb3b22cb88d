//! What would be missed in a limit, rule by rule.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;

const QUICK: Duration = Duration::from_millis(10);

fn aimd(initial: u32) -> AdaptiveLimit {
    let algorithm = LimitAlgorithm::Aimd { too_slow: Some(Duration::from_millis(100)) };
    AdaptiveLimit::new(AdaptiveLimitConfig { initial, algorithm, ..AdaptiveLimitConfig::default() })
        .expect("the settings are sound")
}

/// Runs this many calls at a time for some rounds, 10 ms each.
fn rounds(limit: &mut AdaptiveLimit, now: &mut Instant, at_a_time: u32, rounds: u32, latency: Duration) {
    for _ in 0..rounds {
        let slots: Vec<_> = (0..at_a_time).map_while(|_| limit.try_acquire().ok()).collect();
        *now += QUICK;
        for slot in slots {
            limit.record(*now, slot, CallEnd::Success, latency);
        }
    }
}

#[test]
fn calls_far_below_the_limit_do_not_raise_it() {
    let mut now = Instant::ZERO;
    let gradient = AdaptiveLimit::new(AdaptiveLimitConfig::default()).expect("the settings are sound");
    for mut limit in [aimd(20), gradient] {
        rounds(&mut limit, &mut now, 9, 1_000, QUICK);
        assert_eq!(limit.limit(), 20, "nine of twenty show nothing about twenty-one");
        rounds(&mut limit, &mut now, 100, 1_000, QUICK);
        assert!(limit.limit() > 30, "{}", limit.limit());
    }
}

#[test]
fn aimd_adds_one_for_each_round_trip() {
    let mut limit = aimd(10);
    let mut running: VecDeque<_> = core::iter::from_fn(|| limit.try_acquire().ok()).collect();
    for round_trip in 1..=10 {
        for _ in 0..running.len() {
            let oldest = running.pop_front().expect("as many as were counted");
            limit.record(Instant::ZERO, oldest, CallEnd::Success, QUICK);
            running.extend(core::iter::from_fn(|| limit.try_acquire().ok()));
        }
        assert!(limit.limit().abs_diff(10 + round_trip) <= 1, "{} after {round_trip}", limit.limit());
    }
}

#[test]
fn a_burst_of_drops_lowers_it_once() {
    let mut limit = aimd(100);
    let slots: Vec<_> = (0..100).map(|_| limit.try_acquire().expect("there is room")).collect();
    for slot in slots {
        limit.record(Instant::ZERO, slot, CallEnd::Dropped, QUICK);
    }
    assert_eq!(limit.limit(), 90);
    let slot = limit.try_acquire().expect("there is room");
    limit.record(Instant::ZERO, slot, CallEnd::Success, Duration::from_secs(1));
    assert_eq!(limit.limit(), 81, "too slow counts as a drop, and this one started after the first cut");
}

#[test]
fn what_says_nothing_changes_nothing() {
    let mut limit = aimd(4);
    for _ in 0..100 {
        let slot = limit.try_acquire().expect("there is room");
        limit.record(Instant::ZERO, slot, CallEnd::Ignored, Duration::from_secs(100));
        limit.try_acquire().map(|slot| limit.release(slot)).expect("there is room");
    }
    assert_eq!((limit.limit(), limit.in_flight(), limit.metrics().totals.ignored), (4, 0, 200));
}

#[test]
fn floor_and_ceiling_hold() {
    let config = AdaptiveLimitConfig { floor: 3, ceiling: 12, initial: 5, ..AdaptiveLimitConfig::default() };
    let aimd = LimitAlgorithm::Aimd { too_slow: None };
    for algorithm in [config.algorithm, aimd] {
        let mut limit =
            AdaptiveLimit::new(AdaptiveLimitConfig { algorithm, ..config }).expect("the settings are sound");
        let mut now = Instant::ZERO;
        rounds(&mut limit, &mut now, 100, 2_000, QUICK);
        assert_eq!(limit.limit(), 12);
        for _ in 0..100 {
            let slot = limit.try_acquire().expect("the floor is above nothing in flight");
            limit.record(now, slot, CallEnd::Dropped, QUICK);
        }
        assert_eq!(limit.limit(), 3);
    }
}

#[test]
fn a_limit_that_falls_below_what_is_in_flight_waits_for_it() {
    let mut limit = aimd(10);
    let mut slots: Vec<_> = (0..10).map(|_| limit.try_acquire().expect("there is room")).collect();
    limit.record(Instant::ZERO, slots.pop().expect("ten were taken"), CallEnd::Dropped, QUICK);
    assert_eq!(limit.try_acquire(), Err(LimitReached { limit: 9, in_flight: 9 }));
    limit.release(slots.pop().expect("nine are left"));
    assert!(limit.try_acquire().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slots_are_given_back_once_and_the_limit_stays_between_its_ends(
        gradient: bool,
        floor in 1_u32..5,
        steps in prop::collection::vec((0_u8..8, 0_usize..40, 0_u64..400), 1..400),
    ) {
        let algorithm = if gradient {
            LimitAlgorithm::Gradient(GradientConfig { min_samples: 3, window: Duration::ZERO, ..GradientConfig::default() })
        } else {
            LimitAlgorithm::Aimd { too_slow: Some(Duration::from_millis(300)) }
        };
        let config = AdaptiveLimitConfig { floor, ceiling: 30, initial: 10, algorithm, ..AdaptiveLimitConfig::default() };
        let mut limit = AdaptiveLimit::new(config).expect("the settings are sound");
        let mut slots = Vec::new();
        let mut now = Instant::from_secs(10);
        for (what, which, millis) in steps {
            let took = Duration::from_millis(millis);
            match what {
                0..=3 => match limit.try_acquire() {
                    Ok(slot) => slots.push(slot),
                    Err(reached) => prop_assert!(slots.len() >= reached.limit as usize),
                },
                _ if slots.is_empty() => now = now - took,
                4 => limit.release(slots.swap_remove(which % slots.len())),
                _ => {
                    now += took;
                    let end = [CallEnd::Success, CallEnd::Success, CallEnd::Dropped][which % 3];
                    limit.record(now, slots.swap_remove(which % slots.len()), end, took);
                }
            }
            prop_assert!((floor..=30).contains(&limit.limit()));
            prop_assert_eq!(limit.in_flight() as usize, slots.len());
            let totals = limit.metrics().totals;
            let ended = totals.succeeded + totals.dropped + totals.ignored;
            prop_assert_eq!(totals.admitted, ended + slots.len() as u64);
        }
        slots.drain(..).for_each(|slot| limit.release(slot));
        prop_assert_eq!(limit.in_flight(), 0);
    }
}
