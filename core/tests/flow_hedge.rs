//! [`Hedge`]: counts on generated sequences, and what it does to a tail.

use proptest::prelude::*;
use quillwork_core::flow::hedge::{
    Hedge, HedgeAttempt, HedgeConfig, HedgeConfigError, HedgeDecision, HedgeDelay, Hedger,
};
use quillwork_core::flow::retry::RetryBudgetConfig;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn fixed(millis: u64, max_hedges: u8, saved: u32) -> HedgeConfig {
    HedgeConfig {
        delay: HedgeDelay::Fixed(Duration::from_millis(millis)),
        max_hedges,
        budget: RetryBudgetConfig { deposit_ratio: 0.0, reserve_per_second: 0, max_saved: saved },
    }
}

#[test]
fn a_failure_waits_for_the_attempts_under_way() {
    let mut hedger = Hedger::new(fixed(10, 2, 9), at(0)).unwrap();
    let mut call = Hedge::new(&mut hedger, at(0));
    let second = call.handle_deadline(at(10), &mut hedger).unwrap();
    assert_eq!(call.handle_failure(HedgeAttempt::FIRST, &mut hedger), HedgeDecision::Wait);
    assert_eq!(call.handle_failure(HedgeAttempt::FIRST, &mut hedger), HedgeDecision::Late);
    let third = call.handle_deadline(at(20), &mut hedger).unwrap();
    assert_eq!(call.next_deadline(), None, "two hedges are all");
    assert_eq!(call.handle_failure(second, &mut hedger), HedgeDecision::Wait);
    assert_eq!(call.handle_failure(third, &mut hedger), HedgeDecision::Failed);
    assert_eq!(hedger.metrics().in_flight, 0);
}

#[test]
fn a_lone_failure_is_the_calls_failure_and_is_not_hedged_later() {
    let mut hedger = Hedger::new(fixed(10, 2, 9), at(0)).unwrap();
    let mut call = Hedge::new(&mut hedger, at(0));
    assert_eq!(call.handle_failure(HedgeAttempt::FIRST, &mut hedger), HedgeDecision::Failed);
    assert_eq!((call.next_deadline(), call.handle_deadline(at(99), &mut hedger)), (None, None));
}

#[test]
fn an_empty_budget_refuses_hedges_and_never_first_attempts() {
    let mut hedger = Hedger::new(fixed(10, 1, 2), at(0)).unwrap();
    let hedged = (0..5)
        .filter(|_| {
            let mut call = Hedge::new(&mut hedger, at(0));
            assert!(call.in_flight().contains(HedgeAttempt::FIRST));
            call.handle_deadline(at(10), &mut hedger).is_some()
        })
        .count();
    assert_eq!((hedged, hedger.metrics().refused), (2, 3));
}

#[test]
fn nothing_is_hedged_before_enough_was_measured() {
    let delay = HedgeDelay::Quantile { q: 0.5, min_samples: 3, at_least: Duration::from_millis(1) };
    let mut hedger = Hedger::new(HedgeConfig { delay, ..HedgeConfig::default() }, at(0)).unwrap();
    for _ in 0..3 {
        let mut call = Hedge::new(&mut hedger, at(0));
        assert_eq!(call.next_deadline(), None);
        let won = call.handle_success(at(40), HedgeAttempt::FIRST, &mut hedger);
        assert!(matches!(won, HedgeDecision::Won { cancel } if cancel.is_empty()));
    }
    let due = Hedge::new(&mut hedger, at(100)).next_deadline().expect("three calls were measured");
    assert!((139..=141).contains(&due.as_millis()), "{due:?}");

    // A minute of silence later nothing is known any more.
    assert_eq!(Hedge::new(&mut hedger, at(200_000)).next_deadline(), None);
}

#[test]
fn settings_without_sense_are_refused() {
    let refusal = |config| Hedger::new(config, at(0)).err();
    let with = |delay| HedgeConfig { delay, ..HedgeConfig::default() };
    let quantile = |q, min_samples, millis| {
        with(HedgeDelay::Quantile { q, min_samples, at_least: Duration::from_millis(millis) })
    };
    assert_eq!(refusal(fixed(0, 1, 1)), Some(HedgeConfigError::ZeroDelay));
    assert_eq!(refusal(fixed(1, 0, 1)), Some(HedgeConfigError::MaxHedges { asked: 0 }));
    assert_eq!(refusal(fixed(1, 9, 1)), Some(HedgeConfigError::MaxHedges { asked: 9 }));
    assert!(matches!(refusal(fixed(1, 1, 0)), Some(HedgeConfigError::Budget(_))));
    assert_eq!(refusal(quantile(1.0, 1, 1)), Some(HedgeConfigError::Quantile { asked: 1.0 }));
    assert!(matches!(refusal(quantile(f64::NAN, 1, 1)), Some(HedgeConfigError::Quantile { .. })));
    assert_eq!(refusal(quantile(0.5, 0, 1)), Some(HedgeConfigError::NoSamples));
    assert_eq!(refusal(quantile(0.5, 1, 0)), Some(HedgeConfigError::ZeroDelay));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Call,
    Pass { millis: u64 },
    Succeed { call: usize, attempt: u8 },
    Fail { call: usize, attempt: u8 },
    Abort { call: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Call),
        4 => (0_u64..20).prop_map(|millis| Step::Pass { millis }),
        3 => (any::<usize>(), 0_u8..5).prop_map(|(call, attempt)| Step::Succeed { call, attempt }),
        3 => (any::<usize>(), 0_u8..5).prop_map(|(call, attempt)| Step::Fail { call, attempt }),
        1 => any::<usize>().prop_map(|call| Step::Abort { call }),
    ]
}

#[derive(Default)]
struct Seen {
    under_way: Vec<HedgeAttempt>,
    ended: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 4) })]

    /// Every call ends at most once, every attempt is counted once, and the budget is never overdrawn.
    #[test]
    fn every_attempt_counts_once(
        max_hedges in 1_u8..4, saved in 1_u32..8, steps in prop::collection::vec(step(), 1..100),
    ) {
        let mut hedger = Hedger::new(fixed(10, max_hedges, saved), at(0)).unwrap();
        let mut calls = Vec::<(Hedge, Seen)>::new();
        let mut now = at(0);
        for step in steps {
            match step {
                Step::Call => {
                    let call = Hedge::new(&mut hedger, now);
                    calls.push((call, Seen { under_way: vec![HedgeAttempt::FIRST], ended: false }));
                }
                Step::Pass { millis } => {
                    now += Duration::from_millis(millis);
                    for (call, seen) in &mut calls {
                        while call.next_deadline().is_some_and(|due| due <= now) {
                            if let Some(attempt) = call.handle_deadline(now, &mut hedger) {
                                prop_assert!(!seen.ended && !seen.under_way.is_empty());
                                prop_assert!(attempt.is_hedge() && attempt.get() <= max_hedges);
                                seen.under_way.push(attempt);
                            }
                        }
                    }
                }
                Step::Succeed { call, attempt } | Step::Fail { call, attempt } if !calls.is_empty() => {
                    let count = calls.len();
                    let (call, seen) = &mut calls[call % count];
                    let attempt = HedgeAttempt::new(attempt);
                    let won = matches!(step, Step::Succeed { .. });
                    let decision = if won {
                        call.handle_success(now, attempt, &mut hedger)
                    } else {
                        call.handle_failure(attempt, &mut hedger)
                    };
                    let known = seen.under_way.contains(&attempt);
                    seen.under_way.retain(|&other| other != attempt);
                    match decision {
                        HedgeDecision::Late => prop_assert!(!known),
                        HedgeDecision::Won { cancel } => {
                            prop_assert!(known && won && !seen.ended);
                            prop_assert!(cancel.iter().eq(seen.under_way.drain(..)));
                            seen.ended = true;
                        }
                        HedgeDecision::Wait => prop_assert!(known && !won && !seen.under_way.is_empty()),
                        HedgeDecision::Failed => {
                            prop_assert!(known && !won && !seen.ended && seen.under_way.is_empty());
                            seen.ended = true;
                        }
                    }
                }
                Step::Abort { call } if !calls.is_empty() => {
                    let count = calls.len();
                    let (call, seen) = &mut calls[call % count];
                    prop_assert!(call.handle_abort(&mut hedger).iter().eq(seen.under_way.drain(..)));
                    seen.ended = true;
                }
                Step::Succeed { .. } | Step::Fail { .. } | Step::Abort { .. } => {}
            }
            let metrics = hedger.metrics();
            let under_way: usize = calls.iter().map(|(_, seen)| seen.under_way.len()).sum();
            prop_assert_eq!(metrics.in_flight, under_way as u64);
            prop_assert_eq!(metrics.attempts, metrics.calls + metrics.hedges);
            let ended = metrics.succeeded + metrics.failed + metrics.cancelled;
            prop_assert_eq!(metrics.attempts, ended + metrics.in_flight);
            prop_assert!(metrics.hedges <= u64::from(saved));
            for (call, seen) in &calls {
                prop_assert_eq!(call.in_flight().len() as usize, seen.under_way.len());
                prop_assert!(!seen.ended || call.next_deadline().is_none());
            }
        }
    }
}

/// Calls, ten milliseconds apart, to a backend that takes 10 ms and in one case of 25 a second. Gives the 99th percentile in
/// milliseconds and the hedges per call.
fn tail(config: HedgeConfig, calls: u64) -> (u64, f64) {
    let mut rng = Rng::from_seed(5);
    let mut hedger = Hedger::new(config, at(0)).expect("it is sound");
    let mut service = |from: Instant| from + Duration::from_millis(if rng.chance(0.04) { 1_000 } else { 10 });
    let mut took = Vec::new();
    for number in 0..calls {
        // One at a time, far apart: what is looked at is each call's own end.
        let start = at(number * 2_000);
        let mut call = Hedge::new(&mut hedger, start);
        let mut ends = vec![(service(start), HedgeAttempt::FIRST)];
        loop {
            let &(end, attempt) = ends.iter().min().expect("an attempt is under way");
            if let Some(due) = call.next_deadline().filter(|&due| due < end) {
                ends.extend(call.handle_deadline(due, &mut hedger).map(|attempt| (service(due), attempt)));
                continue;
            }
            assert!(matches!(call.handle_success(end, attempt, &mut hedger), HedgeDecision::Won { .. }));
            took.push((end - start).as_millis());
            break;
        }
    }
    took.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "counts of a test")]
    let hedges_per_call = hedger.metrics().hedges as f64 / calls as f64;
    (took[took.len() * 99 / 100], hedges_per_call)
}

#[test]
fn hedging_the_slowest_cuts_the_tail_at_the_price_of_its_share() {
    let plain = HedgeConfig { delay: HedgeDelay::Fixed(Duration::from_secs(900)), ..HedgeConfig::default() };
    assert_eq!(tail(plain, 5_000), (1_000, 0.0));

    let config = HedgeConfig {
        delay: HedgeDelay::Quantile { q: 0.9, min_samples: 10, at_least: Duration::from_millis(1) },
        ..HedgeConfig::default()
    };
    let (p99, hedges) = tail(config, 5_000);
    assert!(p99 <= 30, "{p99} ms");
    assert!((0.03..0.11).contains(&hedges), "{hedges}");
}

/// First attempts that lost to their hedge are measured too: leaving them out would make the backend look faster than it is,
/// the delay shorter, and more calls hedged, round after round.
#[test]
fn the_hedged_share_stays_what_was_asked_for() {
    let delay = HedgeDelay::Quantile { q: 0.9, min_samples: 20, at_least: Duration::from_millis(1) };
    let budget = RetryBudgetConfig { deposit_ratio: 1.0, reserve_per_second: 0, max_saved: 100 };
    let mut hedger = Hedger::new(HedgeConfig { delay, max_hedges: 1, budget }, at(0)).unwrap();
    let mut rng = Rng::from_seed(8);
    for number in 0..10_000 {
        let start = at(number * 200);
        let end = start + Duration::from_micros(rng.below(100_000));
        let mut call = Hedge::new(&mut hedger, start);
        let hedge = call.next_deadline().filter(|&due| due < end);
        let (end, winner) = match hedge.and_then(|due| Some((due, call.handle_deadline(due, &mut hedger)?))) {
            Some((due, second)) => (end.min(due + Duration::from_millis(1)), second),
            None => (end, HedgeAttempt::FIRST),
        };
        assert!(matches!(call.handle_success(end, winner, &mut hedger), HedgeDecision::Won { .. }));
    }
    let hedges = hedger.metrics().hedges;
    assert!((800..1_200).contains(&hedges), "{hedges}");
}

/// When everything is slow hedging must not double the load: hedges stay at the budget's share.
#[test]
fn a_backend_that_is_slow_as_a_whole_is_spared() {
    let config = HedgeConfig {
        delay: HedgeDelay::Fixed(Duration::from_millis(5)),
        max_hedges: 3,
        budget: RetryBudgetConfig { deposit_ratio: 0.1, reserve_per_second: 0, max_saved: 10 },
    };
    let (_, hedges) = tail(config, 5_000);
    assert!((0.09..0.11).contains(&hedges), "{hedges}");
}
