//! The rules of all rate limiters, and each of them beside a naive model: every admitted start is remembered, and the limit
//! is checked over all windows between them.

use std::fmt::Debug;
use std::num::NonZeroU32;

use proptest::prelude::*;
use quillwork_core::flow::rate_limit::{
    Gcra, Keyed, Quota, Rate, RateLimit, RateLimiter, Refusal, Reservation, SlidingLog, WeightExceedsCapacity,
};
use quillwork_core::time::{Duration, Instant};

const fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Pass(u64),
    SetBack(u64),
    Check(u32),
    Reserve(u32, u64),
    /// Of those not yet cancelled.
    Cancel(usize),
}

/// A limiter that can be checked against what it was configured with.
trait Checked: RateLimiter<Mark: Debug> + Clone + Debug {
    fn new(weight: u32, period: u64, burst: u32) -> Self;
    /// Whether these starts, in order, keep the limit.
    fn holds(weight: u32, period: u64, burst: u32, starts: &[(u64, u32)]) -> bool;
}

fn quota(weight: u32, period: u64, burst: u32) -> Quota {
    let quota = Quota::new(weight, Duration::from_nanos(period)).expect("a sound quota");
    quota.with_burst(burst).expect("a sound burst")
}

impl Checked for Gcra {
    fn new(weight: u32, period: u64, burst: u32) -> Self {
        Self::new(quota(weight, period, burst))
    }

    fn holds(weight: u32, period: u64, burst: u32, starts: &[(u64, u32)]) -> bool {
        let interval = period.div_ceil(u64::from(weight));
        (0..starts.len()).all(|first| {
            let mut sum = 0;
            starts[first..].iter().all(|&(start, weight)| {
                sum += u64::from(weight);
                sum <= u64::from(burst) + (start - starts[first].0) / interval
            })
        })
    }
}

impl Checked for SlidingLog {
    fn new(weight: u32, period: u64, burst: u32) -> Self {
        Self::new(quota(weight, period, burst))
    }

    fn holds(weight: u32, period: u64, _: u32, starts: &[(u64, u32)]) -> bool {
        (0..starts.len()).all(|first| {
            let window = starts[first..].iter().take_while(|(start, _)| *start < starts[first].0 + period);
            window.map(|(_, weight)| u64::from(*weight)).sum::<u64>() <= u64::from(weight)
        })
    }
}

/// Strict where the burst is odd.
impl Checked for RateLimit {
    fn new(weight: u32, period: u64, burst: u32) -> Self {
        let quota = quota(weight, period, burst);
        Self::new(if burst % 2 == 1 { Rate::Strict(quota) } else { Rate::Steady(quota) })
    }

    fn holds(weight: u32, period: u64, burst: u32, starts: &[(u64, u32)]) -> bool {
        let holds = if burst % 2 == 1 { SlidingLog::holds } else { Gcra::holds };
        holds(weight, period, burst, starts)
    }
}

/// Both, of different lengths.
impl Checked for (SlidingLog, Gcra) {
    fn new(weight: u32, period: u64, burst: u32) -> Self {
        (Checked::new(weight, period, burst), Checked::new(weight * 2, period * 3, burst))
    }

    fn holds(weight: u32, period: u64, burst: u32, starts: &[(u64, u32)]) -> bool {
        SlidingLog::holds(weight, period, burst, starts) && Gcra::holds(weight * 2, period * 3, burst, starts)
    }
}

/// The earliest start that keeps the limit after these: tried one nanosecond after the other.
fn earliest_by_trying<L: Checked>(
    (weight, period, burst): (u32, u64, u32),
    now: u64,
    starts: &[(u64, u32)],
    asked: u32,
) -> u64 {
    let mut tried = starts.to_vec();
    let from = starts.last().map_or(now, |last| last.0.max(now));
    tried.push((from, asked));
    while !L::holds(weight, period, burst, &tried) {
        let last = tried.len() - 1;
        tried[last].0 += 1;
    }
    tried[tried.len() - 1].0
}

/// No reservations are cancelled and the clock only goes on: every answer is the model's.
fn answers_are_exact<L: Checked>(config: (u32, u64, u32), steps: &[Step]) -> Result<(), TestCaseError> {
    let mut limiter = L::new(config.0, config.1, config.2);
    let mut now = 1_000;
    let mut starts = Vec::new();
    for &step in steps {
        let (weight, max_wait) = match step {
            Step::Pass(nanos) => {
                now += nanos;
                continue;
            }
            Step::Check(weight) => (weight, 0),
            Step::Reserve(weight, max_wait) => (weight, max_wait),
            Step::SetBack(_) | Step::Cancel(_) => continue,
        };
        let before = format!("{limiter:?}");
        let answer = match step {
            Step::Check(_) => limiter.check(at(now), weight).map(|()| at(now)),
            _ => {
                limiter.reserve(at(now), weight, Duration::from_nanos(max_wait)).map(|turn| turn.starts_at())
            }
        };
        let capacity = limiter.capacity();
        if weight == 0 {
            prop_assert_eq!(answer, Ok(at(now)));
            prop_assert_eq!(before, format!("{:?}", limiter), "nothing counts nothing");
            continue;
        }
        if weight > capacity {
            prop_assert_eq!(answer, Err(WeightExceedsCapacity { weight, capacity }.into()));
            prop_assert_eq!(before, format!("{:?}", limiter), "a refusal changes nothing");
            continue;
        }
        let earliest = earliest_by_trying::<L>(config, now, &starts, weight);
        if earliest <= now + max_wait {
            prop_assert_eq!(answer, Ok(at(earliest)), "{:?} {:?}", step, &starts);
            starts.push((earliest, weight));
        } else {
            prop_assert_eq!(
                answer,
                Err(Refusal::NotUntil { earliest: at(earliest) }),
                "{:?} {:?}",
                step,
                &starts
            );
            prop_assert_eq!(before, format!("{:?}", limiter), "a refusal changes nothing");
        }
    }
    Ok(())
}

/// When, how much, and what can be cancelled of it.
type Start<M> = (u64, u32, Option<Reservation<M>>);

/// With cancelled reservations: what stands keeps the limit, and starts in order.
fn cancelling_is_safe<L: Checked>(config: (u32, u64, u32), steps: &[Step]) -> Result<(), TestCaseError> {
    let mut limiter = L::new(config.0, config.1, config.2);
    let mut now = 1_000;
    let mut standing: Vec<Start<L::Mark>> = Vec::new();
    for &step in steps {
        match step {
            Step::Pass(nanos) => now += nanos,
            Step::SetBack(_) => {}
            Step::Check(weight) => {
                if limiter.check(at(now), weight).is_ok() && weight > 0 {
                    standing.push((now, weight, None));
                }
            }
            Step::Reserve(weight, max_wait) => {
                let last = standing.last().map_or(0, |last| last.0);
                if let Ok(turn) = limiter.reserve(at(now), weight, Duration::from_nanos(max_wait))
                    && weight > 0
                {
                    prop_assert!(turn.starts_at() >= at(last), "nothing overtakes a reservation");
                    standing.push((turn.starts_at().as_nanos(), weight, Some(turn)));
                }
            }
            Step::Cancel(which) if !standing.is_empty() => {
                let which = which % standing.len();
                let future = standing[which].0 > now;
                if let Some(turn) = standing[which].2.take() {
                    let was_last = which + 1 == standing.len();
                    limiter.cancel(at(now), turn);
                    if future {
                        standing.remove(which);
                    }
                    if future && was_last && standing.iter().all(|start| start.0 <= now) {
                        let starts: Vec<_> = standing.iter().map(|start| (start.0, start.1)).collect();
                        let by_trying = earliest_by_trying::<L>(config, now, &starts, 1);
                        // Later where something in the middle was cancelled before.
                        prop_assert!(
                            limiter.earliest(at(now), 1).is_ok_and(|earliest| earliest >= at(by_trying))
                        );
                    }
                }
            }
            Step::Cancel(_) => {}
        }
    }
    let starts: Vec<_> = standing.iter().map(|start| (start.0, start.1)).collect();
    prop_assert!(L::holds(config.0, config.1, config.2, &starts), "{:?}", &starts);
    // Cancelling from the last to the first gives all back.
    let mut undone = limiter.clone();
    let idle_from = undone.idle_from();
    undone.reset();
    let fresh = L::new(config.0, config.1, config.2);
    for weight in 1..=fresh.capacity() {
        let then = idle_from.max(at(now));
        prop_assert_eq!(limiter.earliest(then, weight), Ok(then), "idle means as new");
        prop_assert_eq!(
            undone.earliest(at(now), weight),
            fresh.earliest(at(now), weight),
            "reset means as new"
        );
    }
    Ok(())
}

fn cancelling_the_last_undoes_it<L: Checked>(
    config: (u32, u64, u32),
    steps: &[Step],
) -> Result<(), TestCaseError> {
    let mut limiter = L::new(config.0, config.1, config.2);
    let mut now = 1_000;
    for &step in steps {
        match step {
            Step::Pass(nanos) => now += nanos,
            Step::Check(weight) => _ = limiter.check(at(now), weight),
            Step::Reserve(weight, _) => {
                let earliest = |limiter: &L| -> Vec<_> {
                    (0..=limiter.capacity()).map(|weight| limiter.earliest(at(now), weight)).collect()
                };
                let before = earliest(&limiter);
                let mut turns = Vec::new();
                for _ in 0..4 {
                    turns.extend(limiter.reserve(at(now), weight, Duration::MAX).ok());
                }
                turns.retain(|turn| turn.starts_at() > at(now));
                let kept = turns.len() < 4;
                for turn in turns.into_iter().rev() {
                    limiter.cancel(at(now), turn);
                }
                if !kept || weight == 0 {
                    prop_assert_eq!(earliest(&limiter), before);
                }
            }
            Step::SetBack(_) | Step::Cancel(_) => {}
        }
    }
    Ok(())
}

/// What the first of two cancellations gave back is not taken for work that was never there.
#[test]
fn two_cancellations_in_the_middle_give_back_no_more_than_was_taken() {
    let steps = [
        Step::Reserve(2, 0),
        Step::Pass(3),
        Step::Check(2),
        Step::Reserve(4, 25),
        Step::Pass(2),
        Step::Reserve(1, 30),
        Step::Cancel(2),
        Step::Reserve(1, 30),
        Step::Reserve(4, 44),
        Step::Reserve(1, 51),
        Step::Cancel(2),
        Step::Reserve(1, 51),
    ];
    cancelling_is_safe::<Gcra>((6, 37, 4), &steps).expect("the limit holds");
}

/// With a clock that goes back, nothing breaks: what is refused is admitted at the time told.
fn a_clock_set_back_only_makes_wait<L: Checked>(
    config: (u32, u64, u32),
    steps: &[Step],
) -> Result<(), TestCaseError> {
    let mut limiter = L::new(config.0, config.1, config.2);
    let mut now = 100_000_u64;
    for &step in steps {
        match step {
            Step::Pass(nanos) => now += nanos,
            Step::SetBack(nanos) => now -= nanos.min(now),
            Step::Check(weight) => {
                if let Err(Refusal::NotUntil { earliest }) = limiter.check(at(now), weight) {
                    prop_assert!(earliest > at(now));
                    prop_assert_eq!(limiter.clone().check(earliest, weight), Ok(()));
                }
            }
            Step::Reserve(weight, max_wait) => {
                if let Ok(turn) = limiter.reserve(at(now), weight, Duration::from_nanos(max_wait)) {
                    prop_assert!(turn.starts_at() >= at(now));
                    if max_wait % 2 == 0 {
                        limiter.cancel(at(now), turn);
                    }
                }
            }
            Step::Cancel(_) => {}
        }
    }
    Ok(())
}

fn the_end_of_time_is_never<L: Checked>() {
    let mut limiter = L::new(3, 10, 3);
    let end = Instant::NEVER - Duration::from_nanos(5);
    for _ in 0..10 {
        let _ = limiter.check(end, 2);
        let _ = limiter.reserve(end, 1, Duration::MAX);
        let _ = limiter.check(Instant::NEVER, 1);
    }
    assert_eq!(limiter.earliest(end, 3), Ok(Instant::NEVER));
    assert!(limiter.reserve(end, 3, Duration::MAX).is_err(), "a start that never comes is no promise");
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u64..40).prop_map(Step::Pass),
        1 => (1_u64..60).prop_map(Step::SetBack),
        4 => (0_u32..8).prop_map(Step::Check),
        4 => (0_u32..6, 0_u64..60).prop_map(|(weight, max_wait)| Step::Reserve(weight, max_wait)),
        3 => any::<usize>().prop_map(Step::Cancel),
    ];
    prop::collection::vec(step, 1..60)
}

fn config() -> impl Strategy<Value = (u32, u64, u32)> {
    (1_u32..8, 8_u64..60, 1_u32..8)
}

macro_rules! conformance {
    ($name:ident, $limiter:ty) => {
        mod $name {
            use super::*;

            #[test]
            fn the_end_of_time_is_never() {
                super::the_end_of_time_is_never::<$limiter>();
            }

            proptest! {
                #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

                #[test]
                fn cancelling_is_safe(config in config(), steps in steps()) {
                    super::cancelling_is_safe::<$limiter>(config, &steps)?;
                }
            }

            proptest! {
                #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 4) })]

                #[test]
                fn answers_are_exact(config in config(), steps in steps()) {
                    super::answers_are_exact::<$limiter>(config, &steps)?;
                }

                #[test]
                fn cancelling_the_last_undoes_it(config in config(), steps in steps()) {
                    super::cancelling_the_last_undoes_it::<$limiter>(config, &steps)?;
                }

                #[test]
                fn a_clock_set_back_only_makes_wait(config in config(), steps in steps()) {
                    super::a_clock_set_back_only_makes_wait::<$limiter>(config, &steps)?;
                }
            }
        }
    };
}

conformance!(gcra, Gcra);
conformance!(sliding_log, SlidingLog);
conformance!(by_settings, RateLimit);
conformance!(both, (SlidingLog, Gcra));

#[test]
fn quotas_that_admit_nothing_are_refused() {
    let second = Duration::from_secs(1);
    for (quota, says) in [
        (Quota::new(0, second), "at least 1"),
        (Quota::new(1, Duration::ZERO), "longer than zero"),
        (Quota::new(2, Duration::from_nanos(1)), "lengthen the period"),
        (Quota::new(1, second).and_then(|quota| quota.with_burst(0)), "at least 1"),
        (Quota::new(1, Duration::MAX).and_then(|quota| quota.with_burst(2)), "lower the burst"),
    ] {
        let error = quota.expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn what_is_available_is_what_is_admitted() {
    let quota = quota(10, 1_000, 4);
    let (mut gcra, mut log) = (Gcra::new(quota), SlidingLog::new(quota));
    let mut admitted = (0, 0);
    for now in (0..5_000).step_by(70) {
        let available = (gcra.available(at(now)), log.available(at(now)));
        admitted = (0, 0);
        while gcra.check(at(now), 1).is_ok() {
            admitted.0 += 1;
        }
        while log.check(at(now), 1).is_ok() {
            admitted.1 += 1;
        }
        assert_eq!(available, admitted, "at {now}");
    }
    assert_ne!(admitted, (4, 10));
}

/// Two bursts on both sides of a boundary: what fixed windows let through twice.
#[test]
fn the_strict_limit_has_no_boundaries() {
    let mut log = SlidingLog::new(quota(6, 1_000, 6));
    assert_eq!(log.check(at(999), 6), Ok(()));
    assert_eq!(log.check(at(1_000), 1), Err(Refusal::NotUntil { earliest: at(1_999) }));
    // A heavy one waits for its turn, and a light one does not slip in before it.
    let heavy = log.reserve(at(1_500), 6, Duration::MAX).unwrap();
    assert_eq!(heavy.starts_at(), at(1_999));
    assert_eq!(log.check(at(1_999), 1), Err(Refusal::NotUntil { earliest: at(2_999) }));
}

/// A later promise stays where it is, so what was before it can't be given to anybody after it.
#[test]
fn cancelling_in_the_middle_gives_back_what_fits_after_the_rest() {
    let quota = quota(1, 10, 1);
    let mut gcra = Gcra::new(quota);
    let _first = gcra.reserve(at(0), 1, Duration::MAX).unwrap();
    let middle = gcra.reserve(at(0), 1, Duration::MAX).unwrap();
    let last = gcra.reserve(at(0), 1, Duration::MAX).unwrap();
    gcra.cancel(at(0), middle);
    assert_eq!(last.starts_at(), at(20));
    assert_eq!(gcra.check(at(20), 1), Err(Refusal::NotUntil { earliest: at(30) }));

    // With a burst there is room.
    let mut gcra = Gcra::new(quota.with_burst(3).unwrap());
    let turns: Vec<_> = (0..6).map(|_| gcra.reserve(at(0), 1, Duration::MAX).unwrap()).collect();
    let starts: Vec<_> = turns.iter().map(|turn| turn.starts_at().as_nanos()).collect();
    assert_eq!(starts, [0, 0, 0, 10, 20, 30]);
    gcra.cancel(at(5), turns.into_iter().nth(4).unwrap());
    assert_eq!(gcra.check(at(29), 1), Err(Refusal::NotUntil { earliest: at(30) }));
    assert_eq!(gcra.check(at(30), 1), Ok(()));
}

#[test]
fn a_reservation_that_replaced_a_cancelled_one_is_not_overtaken_either() {
    let mut gcra = Gcra::new(quota(1, 10, 5));
    let reserve = |gcra: &mut Gcra, weight| gcra.reserve(at(0), weight, Duration::MAX).unwrap();
    let _burst = reserve(&mut gcra, 5);
    let (light, heavy) = (reserve(&mut gcra, 1), reserve(&mut gcra, 2));
    gcra.cancel(at(0), light);
    let replacement = reserve(&mut gcra, 1);
    gcra.cancel(at(0), heavy);
    assert!(reserve(&mut gcra, 1).starts_at() >= replacement.starts_at());
}

#[test]
fn what_a_cancelled_one_frees_does_not_let_a_check_overtake() {
    let mut gcra = Gcra::new(quota(1, 10, 5));
    let reserve = |gcra: &mut Gcra, weight| gcra.reserve(at(0), weight, Duration::MAX).unwrap();
    let _burst = reserve(&mut gcra, 5);
    let (heavy, light) = (reserve(&mut gcra, 3), reserve(&mut gcra, 1));
    gcra.cancel(at(0), heavy);
    assert_eq!(light.starts_at(), at(40));
    assert_eq!(gcra.available(at(30)), 0);
    assert_eq!(gcra.check(at(30), 1), Err(Refusal::NotUntil { earliest: at(40) }));
    assert_eq!(gcra.check(at(40), 3), Ok(()), "but it is given back");
}

/// What the page's clock does now and then.
#[test]
fn a_small_step_back_refuses_nothing_that_there_is_room_for() {
    let mut log = SlidingLog::new(quota(3, 1_000, 3));
    for now in [5_000, 4_999, 4_990] {
        assert_eq!(log.check(at(now), 1), Ok(()));
    }
    assert_eq!(log.check(at(4_995), 1), Err(Refusal::NotUntil { earliest: at(6_000) }));
}

mod keyed {
    use super::*;
    use std::collections::BTreeMap;

    fn bound(keys: u32) -> NonZeroU32 {
        NonZeroU32::new(keys).expect("not zero")
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 2) })]

        /// Beside one limiter for every key, kept for ever: eviction is never seen.
        #[test]
        fn each_key_is_limited_as_if_alone(
            asks in prop::collection::vec((0_u64..12, 0_u64..40, 0_u32..4, 0_u64..30, any::<bool>()), 1..200),
        ) {
            let fresh = SlidingLog::new(quota(3, 50, 3));
            let mut keyed = Keyed::new(fresh.clone(), bound(12));
            let mut alone = BTreeMap::new();
            let mut now = 0;
            for (key, pause, weight, max_wait, cancel) in asks {
                now += pause * pause / 10;
                let wait = Duration::from_nanos(max_wait);
                let limiter: &mut SlidingLog = alone.entry(key).or_insert_with(|| fresh.clone());
                match (keyed.reserve(at(now), key, weight, wait), limiter.reserve(at(now), weight, wait)) {
                    (Ok(turn), Ok(expected)) => {
                        prop_assert_eq!(turn.starts_at(), expected.starts_at());
                        if cancel {
                            keyed.cancel(at(now), turn);
                            limiter.cancel(at(now), expected);
                        }
                    }
                    (answer, expected) => prop_assert_eq!(answer.err(), expected.err()),
                }
                let mut swept = keyed.clone();
                swept.handle_deadline(at(now));
                let in_use = alone.values().filter(|limiter| limiter.idle_from() > at(now)).count();
                prop_assert_eq!(swept.len() as usize, in_use, "a key goes as soon as it is as new");
                prop_assert_eq!(swept.next_deadline().is_some(), in_use > 0);
            }
        }

        #[test]
        fn no_more_keys_than_the_bound(
            max_keys in 1_u32..6,
            asks in prop::collection::vec((0_u64..40, 0_u64..20), 1..200),
        ) {
            let mut keyed = Keyed::new(Gcra::new(quota(2, 40, 2)), bound(max_keys));
            let mut now = 0;
            for (key, pause) in asks {
                now += pause;
                let _ = keyed.check(at(now), key, 1);
                prop_assert!(keyed.len() <= max_keys);
            }
        }
    }

    #[test]
    fn a_flood_of_new_keys_does_not_free_the_one_over_its_limit() {
        let mut keyed = Keyed::new(Gcra::new(quota(10, 1_000, 10)), bound(5));
        while keyed.check(at(0), 0, 1).is_ok() {}
        for stranger in 1..1_000 {
            assert_eq!(keyed.check(at(stranger / 2), stranger, 1), Ok(()));
        }
        assert_eq!(keyed.len(), 5);
        assert_eq!(keyed.check(at(10), 0, 10), Err(Refusal::NotUntil { earliest: at(1_000) }));
        assert!(keyed.metrics().evicted_early > 900);
    }

    #[test]
    fn a_crowd_that_goes_at_once_is_evicted_a_few_at_a_time() {
        let mut keyed = Keyed::new(Gcra::new(quota(1, 10, 1)), bound(100_000));
        for key in 0..10_000_u64 {
            assert_eq!(keyed.check(at(0), key, 1), Ok(()));
        }
        assert_eq!(keyed.check(at(10), 0, 1), Ok(()));
        assert!(keyed.len() > 9_990);
        for now in 0..5_000 {
            let _ = keyed.check(at(10 + now * 5), 0, 1);
        }
        assert!(keyed.len() <= 1, "{}", keyed.len());
    }

    #[test]
    fn a_reservation_of_an_evicted_key_gives_nothing_back_to_its_next_life() {
        let mut keyed = Keyed::new(Gcra::new(quota(1, 10, 1)), bound(1));
        assert_eq!(keyed.check(at(0), 1, 1), Ok(()));
        let turn = keyed.reserve(at(0), 1, 1, Duration::MAX).unwrap();
        assert_eq!(keyed.check(at(1), 2, 1), Ok(()));
        assert_eq!(keyed.check(at(2), 1, 1), Ok(()));
        keyed.cancel(at(2), turn);
        assert_eq!(keyed.check(at(2), 1, 1), Err(Refusal::NotUntil { earliest: at(12) }));
    }

    #[test]
    fn what_never_counts_takes_no_key() {
        let mut keyed = Keyed::new(Gcra::new(quota(1, 10, 1)), bound(2));
        assert_eq!(keyed.check(at(0), 1, 0), Ok(()));
        assert!(keyed.check(at(0), 2, 9).is_err());
        assert!(keyed.is_empty());
    }
}
