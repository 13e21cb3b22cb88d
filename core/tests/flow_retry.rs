//! [`Retry`] and [`RetryBudget`]: decisions of one call, and what all calls together do to a failing backend.

use proptest::prelude::*;
use quillwork_core::flow::retry::{
    AttemptFailure, Backoff, BudgetExhausted, GiveUp, Retry, RetryBudget, RetryBudgetConfig,
    RetryBudgetConfigError, RetryDecision, RetryPolicy, RetryPolicyError,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

const WAIT: Duration = Duration::from_millis(100);

fn policy(attempts: u32) -> RetryPolicy {
    RetryPolicy {
        backoff: Backoff::constant(WAIT),
        ..RetryPolicy::attempts(attempts).expect("it is above 0")
    }
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

#[test]
fn attempts_count_the_first() {
    let mut rng = Rng::from_seed(1);
    for attempts in 1..5 {
        let mut call = Retry::new(policy(attempts), at(0)).unwrap();
        let mut now = at(0);
        let mut started = 1;
        loop {
            match call.handle_failure(now, AttemptFailure::Transient, None, &mut rng) {
                RetryDecision::RetryAt(then) => {
                    assert_eq!(then, now + WAIT);
                    assert_eq!(call.handle_deadline(now), None, "an early timer starts nothing");
                    now = then;
                    started += 1;
                    assert_eq!(call.handle_deadline(now).map(|attempt| attempt.get()), Some(started));
                }
                RetryDecision::GiveUp(reason) => {
                    assert!(
                        matches!(reason, GiveUp::AttemptsExhausted { attempts: made } if made.get() == attempts)
                    );
                    break;
                }
            }
        }
        assert_eq!(started, attempts);
    }
}

#[test]
fn the_wish_of_the_other_side_replaces_the_back_off_and_is_capped() {
    let mut rng = Rng::from_seed(1);
    let policy = RetryPolicy { max_retry_after: Duration::from_secs(5), ..policy(9) };
    for (asked, followed) in [(0, 0), (20, 20), (3_000, 3_000), (5_000, 5_000), (86_400_000, 5_000)] {
        let mut call = Retry::new(policy, at(0)).unwrap();
        let failure = AttemptFailure::RetryAfter(Duration::from_millis(asked));
        assert_eq!(
            call.handle_failure(at(7), failure, None, &mut rng),
            RetryDecision::RetryAt(at(7 + followed))
        );
    }
}

#[test]
fn no_retry_starts_at_the_total_deadline_or_later() {
    let mut rng = Rng::from_seed(1);
    let policy = RetryPolicy { deadline: Some(Duration::from_millis(150)), ..policy(9) };
    let mut call = Retry::new(policy, at(1_000)).unwrap();
    assert_eq!(call.deadline(), at(1_150));
    let decision = call.handle_failure(at(1_049), AttemptFailure::Transient, None, &mut rng);
    assert_eq!(decision, RetryDecision::RetryAt(at(1_149)));
    call.handle_deadline(at(1_149)).expect("its time has come");
    let decision = call.handle_failure(at(1_149), AttemptFailure::Transient, None, &mut rng);
    assert_eq!(decision, RetryDecision::GiveUp(GiveUp::DeadlineExceeded { deadline: at(1_150) }));

    let mut call = Retry::new(policy, at(1_000)).unwrap();
    let decision = call.handle_failure(at(1_050), AttemptFailure::Transient, None, &mut rng);
    assert_eq!(decision, RetryDecision::GiveUp(GiveUp::DeadlineExceeded { deadline: at(1_150) }));
}

#[test]
fn a_permanent_failure_is_not_retried() {
    let mut rng = Rng::from_seed(1);
    let mut call = Retry::new(policy(9), at(0)).unwrap();
    let decision = call.handle_failure(at(1), AttemptFailure::Permanent, None, &mut rng);
    assert_eq!(decision, RetryDecision::GiveUp(GiveUp::Permanent));
}

#[test]
fn an_aborted_wait_gives_its_token_back_once() {
    let mut rng = Rng::from_seed(1);
    let config = RetryBudgetConfig { deposit_ratio: 0.0, reserve_per_second: 0, max_saved: 2 };
    let mut budget = RetryBudget::new(config, at(0)).unwrap();
    let mut call = Retry::new(policy(9), at(0)).unwrap();
    call.handle_failure(at(1), AttemptFailure::Transient, Some(&mut budget), &mut rng);
    assert_eq!(budget.metrics(at(1)).available, 1);
    call.handle_abort(at(2), Some(&mut budget));
    call.handle_abort(at(2), Some(&mut budget));
    assert_eq!(budget.metrics(at(2)).available, 2);
    assert_eq!((call.next_deadline(), call.handle_deadline(at(999))), (None, None));

    // Nothing waits while an attempt runs: its token is spent.
    let mut call = Retry::new(policy(9), at(0)).unwrap();
    call.handle_failure(at(1), AttemptFailure::Transient, Some(&mut budget), &mut rng);
    call.handle_deadline(at(101)).expect("its time has come");
    call.handle_abort(at(102), Some(&mut budget));
    assert_eq!(budget.metrics(at(102)).available, 1);
}

#[test]
fn a_refusal_takes_no_token_and_a_full_stop_is_final() {
    let mut rng = Rng::from_seed(1);
    let config = RetryBudgetConfig { deposit_ratio: 1.0, reserve_per_second: 0, max_saved: 1 };
    let mut budget = RetryBudget::new(config, at(0)).unwrap();
    let mut hopeless = Retry::new(policy(1), at(0)).unwrap();
    hopeless.handle_failure(at(0), AttemptFailure::Transient, Some(&mut budget), &mut rng);
    assert_eq!(budget.metrics(at(0)).available, 1);

    let mut first = Retry::new(policy(3), at(0)).unwrap();
    first.handle_failure(at(0), AttemptFailure::Transient, Some(&mut budget), &mut rng);
    let mut second = Retry::new(policy(3), at(0)).unwrap();
    let decision = second.handle_failure(at(0), AttemptFailure::Transient, Some(&mut budget), &mut rng);
    let exhausted = RetryDecision::GiveUp(GiveUp::BudgetExhausted(BudgetExhausted { earliest: None }));
    assert_eq!(decision, exhausted);
    // A late success of a call that was given up deposits nothing and revives nothing.
    second.handle_success(at(1), Some(&mut budget));
    assert_eq!(budget.metrics(at(1)).available, 0);
    assert_eq!(
        second.handle_failure(at(1), AttemptFailure::Transient, Some(&mut budget), &mut rng),
        exhausted
    );
}

#[test]
fn settings_without_sense_are_refused() {
    assert_eq!(RetryPolicy::attempts(0), Err(RetryPolicyError::NoAttempts));
    let policy = RetryPolicy { deadline: Some(Duration::ZERO), ..RetryPolicy::default() };
    assert_eq!(Retry::new(policy, at(0)).err(), Some(RetryPolicyError::ZeroDeadline));
    for asked in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        let config = RetryBudgetConfig { deposit_ratio: asked, ..RetryBudgetConfig::default() };
        assert!(matches!(RetryBudget::new(config, at(0)), Err(RetryBudgetConfigError::DepositRatio { .. })));
    }
    let config = RetryBudgetConfig { max_saved: 0, ..RetryBudgetConfig::default() };
    assert_eq!(RetryBudget::new(config, at(0)).err(), Some(RetryBudgetConfigError::NothingSaved));
}

#[derive(Clone, Copy, Debug)]
enum Input {
    Pass { millis: u64 },
    Back { millis: u64 },
    Fail,
    FailAfter { millis: u64 },
    FailForGood,
    Succeed,
    Abort,
    Deadline,
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => (0_u64..200).prop_map(|millis| Input::Pass { millis }),
        1 => (0_u64..200).prop_map(|millis| Input::Back { millis }),
        6 => Just(Input::Fail),
        2 => (0_u64..2_000).prop_map(|millis| Input::FailAfter { millis }),
        1 => Just(Input::FailForGood),
        1 => Just(Input::Succeed),
        1 => Just(Input::Abort),
        6 => Just(Input::Deadline),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 4) })]

    /// Whatever is told, in whatever order: attempts are bounded, none starts after an end or past the deadline, and the
    /// tokens that are missing are those of the attempts that were started again or are waited for.
    #[test]
    fn a_call_ends_once(
        attempts in 1_u32..6, deadline in proptest::option::of(1_u64..3_000), saved in 1_u32..6,
        inputs in prop::collection::vec(input(), 1..60),
    ) {
        let policy = RetryPolicy { deadline: deadline.map(Duration::from_millis), ..policy(attempts) };
        let config = RetryBudgetConfig { deposit_ratio: 0.0, reserve_per_second: 0, max_saved: saved };
        let mut budget = RetryBudget::new(config, at(500)).unwrap();
        let mut rng = Rng::from_seed(1);
        let mut call = Retry::new(policy, at(500)).unwrap();
        let (mut now, mut started, mut end) = (at(500), 1_u32, None);
        for input in inputs {
            match input {
                Input::Pass { millis } => now += Duration::from_millis(millis),
                Input::Back { millis } => now = now - Duration::from_millis(millis),
                Input::Succeed => call.handle_success(now, Some(&mut budget)),
                Input::Abort => call.handle_abort(now, Some(&mut budget)),
                Input::Deadline => {
                    let due = call.next_deadline();
                    if let Some(attempt) = call.handle_deadline(now) {
                        prop_assert!(end.is_none() && due.is_some_and(|due| due <= now && due < call.deadline()));
                        started += 1;
                        prop_assert_eq!(attempt.get(), started);
                    }
                }
                Input::Fail | Input::FailAfter { .. } | Input::FailForGood => {
                    let failure = match input {
                        Input::FailAfter { millis } => AttemptFailure::RetryAfter(Duration::from_millis(millis)),
                        Input::FailForGood => AttemptFailure::Permanent,
                        _ => AttemptFailure::Transient,
                    };
                    let decision = call.handle_failure(now, failure, Some(&mut budget), &mut rng);
                    if let Some(end) = end {
                        prop_assert_eq!(decision, end);
                    }
                    prop_assert_eq!(matches!(decision, RetryDecision::GiveUp(_)), call.is_over());
                    if call.is_over() {
                        end = Some(decision);
                    }
                }
            }
            prop_assert!(started <= attempts);
            if call.is_over() {
                prop_assert_eq!(call.next_deadline(), None);
            }
            let out = started - 1 + u32::from(call.next_deadline().is_some());
            prop_assert_eq!(budget.metrics(now).available, saved - out);
        }
    }

    /// Against a model that adds up rational numbers from the start: at a ratio of k/10 and r a second, a withdrawal is
    /// granted exactly when a token is there.
    #[test]
    fn a_budget_counts_exactly(
        tenths in 0_u32..=10, reserve in 0_u32..20, saved in 1_u32..8,
        steps in prop::collection::vec((0_u64..400, prop::bool::ANY), 1..200),
    ) {
        let config = RetryBudgetConfig {
            deposit_ratio: f64::from(tenths) / 10.0, reserve_per_second: reserve, max_saved: saved,
        };
        let mut budget = RetryBudget::new(config, at(0)).unwrap();
        // In ten thousandths of a token: a millisecond brings 10 * reserve of them.
        let capacity = u64::from(saved) * 10_000;
        let (mut now_millis, mut model) = (0, capacity);
        for (pause, success) in steps {
            now_millis += pause;
            model = (model + pause * 10 * u64::from(reserve)).min(capacity);
            if success {
                budget.handle_success(at(now_millis));
                model = (model + u64::from(tenths) * 1_000).min(capacity);
            } else {
                let answer = budget.try_withdraw(at(now_millis));
                prop_assert_eq!(answer.is_ok(), model >= 10_000);
                if model >= 10_000 {
                    model -= 10_000;
                } else if let Err(BudgetExhausted { earliest: Some(earliest) }) = answer {
                    let mut later = budget.clone();
                    prop_assert!(later.clone().try_withdraw(earliest - Duration::from_nanos(1)).is_err());
                    prop_assert!(later.try_withdraw(earliest).is_ok());
                }
            }
            prop_assert_eq!(u64::from(budget.metrics(at(now_millis)).available), model / 10_000);
        }
    }
}

/// Ten minutes of 100 calls a second, each of at most 4 attempts that fail with this probability. Gives attempts per call and
/// the share of calls that succeed at last.
fn minutes_of_calls(failure_ratio: f64, config: RetryBudgetConfig) -> (f64, f64) {
    let mut rng = Rng::from_seed(11);
    let mut budget = RetryBudget::new(config, at(0)).expect("it is sound");
    let (mut attempts, mut succeeded) = (0_u32, 0_u32);
    let calls = 60_000_u32;
    for number in 0..calls {
        let mut now = Instant::from_millis(u64::from(number) * 10);
        let mut call =
            Retry::new(RetryPolicy { backoff: Backoff::NONE, ..policy(4) }, now).expect("it is sound");
        loop {
            attempts += 1;
            if !rng.chance(failure_ratio) {
                call.handle_success(now, Some(&mut budget));
                succeeded += 1;
                break;
            }
            match call.handle_failure(now, AttemptFailure::Transient, Some(&mut budget), &mut rng) {
                RetryDecision::RetryAt(then) => now = then,
                RetryDecision::GiveUp(_) => break,
            }
            call.handle_deadline(now).expect("no wait");
        }
    }
    (f64::from(attempts) / f64::from(calls), f64::from(succeeded) / f64::from(calls))
}

/// Brooker's result: with a budget of 10 % a low failure rate is met as by plain retries, a high one with 10 % more load.
#[test]
fn a_budget_is_n_retries_at_low_failure_rates_and_a_ratio_at_high_ones() {
    let config = RetryBudgetConfig { deposit_ratio: 0.1, reserve_per_second: 0, max_saved: 50 };

    // 2 % fail: each call is retried until it succeeds or has had its 4 attempts.
    let (attempts, succeeded) = minutes_of_calls(0.02, config);
    let plain = (1.0 - 0.02_f64.powi(4)) / 0.98;
    assert!((attempts - plain).abs() < 0.002, "{attempts} {plain}");
    assert!(succeeded > 0.999_99, "{succeeded}");

    // All fail: nothing but the savings is retried, where plain retries would make four times the load.
    let (attempts, succeeded) = minutes_of_calls(1.0, config);
    assert!(attempts < 1.001 && succeeded <= 0.0, "{attempts} {succeeded}");

    // 70 % fail: retries are a tenth of the successes. With s successes per call there are 1 + s / 10 attempts.
    let (attempts, succeeded) = minutes_of_calls(0.7, config);
    assert!((attempts - (1.0 + succeeded / 10.0)).abs() < 0.002, "{attempts} {succeeded}");
    assert!((succeeded - 0.3 * attempts).abs() < 0.01, "{succeeded}");
}

#[test]
fn the_reserve_grants_its_retries_in_a_full_outage() {
    let config = RetryBudgetConfig { deposit_ratio: 0.2, reserve_per_second: 10, max_saved: 100 };
    let (attempts, _) = minutes_of_calls(1.0, config);
    // 100 calls a second, 10 retries a second.
    assert!((attempts - 1.1).abs() < 0.002, "{attempts}");
}

#[test]
fn a_clock_that_goes_back_neither_earns_nor_loses() {
    let config = RetryBudgetConfig { deposit_ratio: 0.0, reserve_per_second: 1, max_saved: 1 };
    let mut budget = RetryBudget::new(config, at(10_000)).unwrap();
    budget.try_withdraw(at(10_000)).expect("it is full");
    let refusal = budget.try_withdraw(at(2_000)).unwrap_err();
    assert_eq!(refusal.earliest, Some(at(11_000)));
    assert!(budget.try_withdraw(at(10_999)).is_err());
    assert!(budget.try_withdraw(at(11_000)).is_ok());
}
