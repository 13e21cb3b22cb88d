//! Any layers, any sequence: each call settles once, and everything that was taken is back in the end.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::flow::Fallback;
use crate::flow::adaptive_limit::AdaptiveLimitConfig;
use crate::flow::breaker::BreakerConfig;
use crate::flow::bulkhead::BulkheadConfig;
use crate::flow::hedge::{HedgeConfig, HedgeDelay};
use crate::flow::rate_limit::{Quota, Rate};
use crate::flow::retry::{AttemptFailure, AttemptOutcome, Backoff, RetryBudgetConfig};
use crate::flow::timeout::TimeoutConfig;
use crate::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Call,
    Cancel(usize),
    /// The end of this many that run, cancelled ones included.
    Result(usize, AttemptOutcome),
    Wait(u64),
    ClockBack(u64),
    Deadline,
    /// What nobody knows, or is over.
    Nonsense(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![
        3 => Just(AttemptOutcome::Succeeded),
        3 => Just(AttemptOutcome::Failed(AttemptFailure::Transient)),
        1 => Just(AttemptOutcome::Failed(AttemptFailure::Permanent)),
        1 => (0_u64..100).prop_map(|millis| {
            AttemptOutcome::Failed(AttemptFailure::RetryAfter(Duration::from_millis(millis)))
        }),
    ];
    let step = prop_oneof![
        8 => Just(Step::Call),
        1 => any::<usize>().prop_map(Step::Cancel),
        8 => (any::<usize>(), end).prop_map(|(which, end)| Step::Result(which, end)),
        6 => (0_u64..80).prop_map(Step::Wait),
        1 => (0_u64..80).prop_map(Step::ClockBack),
        6 => Just(Step::Deadline),
        1 => any::<u64>().prop_map(Step::Nonsense),
    ];
    prop::collection::vec(step, 1..150)
}

fn configs() -> impl Strategy<Value = PolicyConfig> {
    let millis = || (1_u64..200).prop_map(Duration::from_millis);
    let timeout = (prop::option::of(millis()), prop::option::of(millis()))
        .prop_map(|(execution, total)| TimeoutConfig { execution, total });
    let retry = prop::option::of((1_u32..5, 0_u64..50, any::<bool>())).prop_map(|retry| {
        retry.map(|(attempts, wait, jitter)| {
            let wait = Duration::from_millis(wait);
            let policy = RetryPolicy::attempts(attempts).expect("at least one");
            let backoff = if jitter { Backoff::exponential(wait, wait * 4) } else { Backoff::constant(wait) };
            RetryPolicy { backoff, ..policy }
        })
    });
    let budget = prop::option::of(Just(RetryBudgetConfig { max_saved: 3, ..RetryBudgetConfig::default() }));
    let breaker = prop::option::of((1_u32..4, 1_u32..3)).prop_map(|breaker| {
        breaker.map(|(failures, trials)| BreakerConfig {
            trials,
            open_time: crate::flow::breaker::OpenTime::constant(Duration::from_millis(60)),
            trial_deadline: Some(Duration::from_millis(100)),
            ..BreakerConfig::consecutive(failures)
        })
    });
    let hedge = prop::option::of((1_u64..40, 1_u8..4)).prop_map(|hedge| {
        hedge.map(|(wait, max_hedges)| HedgeConfig {
            delay: HedgeDelay::Fixed(Duration::from_millis(wait)),
            max_hedges,
            ..HedgeConfig::default()
        })
    });
    let rate = prop::option::of((1_u32..4, any::<bool>(), 0_u64..100)).prop_map(|rate| {
        rate.map(|(weight, strict, max_wait)| {
            let quota = Quota::new(weight, Duration::from_millis(50)).expect("a quota");
            let rate = if strict { Rate::Strict(quota) } else { Rate::Steady(quota) };
            RateLayer { rate, max_wait: Duration::from_millis(max_wait) }
        })
    });
    let bulkhead =
        (1_u32..4, 0_u32..4, prop::option::of(millis())).prop_map(|(places, max_queued, max_wait)| {
            let bulkhead = BulkheadConfig::concurrent(places).expect("at least one");
            ConcurrencyLayer::Bulkhead(BulkheadConfig { max_queued, max_wait, ..bulkhead })
        });
    let adaptive = AdaptiveLimitConfig { initial: 2, ceiling: 4, ..AdaptiveLimitConfig::default() };
    let concurrency =
        prop_oneof![Just(ConcurrencyLayer::Unlimited), bulkhead, Just(ConcurrencyLayer::Adaptive(adaptive)),];
    let fallback = prop_oneof![Just(Fallback::Fail), Just(Fallback::LastGood)];
    (fallback, timeout, retry, budget, breaker, hedge, rate, concurrency).prop_map(
        |(fallback, timeout, retry, retry_budget, breaker, hedge, rate, concurrency)| PolicyConfig {
            fallback,
            timeout,
            retry,
            retry_budget,
            breaker,
            hedge,
            rate,
            concurrency,
        },
    )
}

/// The other side: what runs, and what has settled.
#[derive(Default)]
struct Shell {
    open: BTreeSet<CallId>,
    /// Attempts that have not really ended, and whether they were cancelled.
    running: BTreeMap<AttemptId, (CallId, bool)>,
    told: Option<AttemptId>,
    settled: u64,
}

impl Shell {
    fn act(&mut self, stack: &mut PolicyStack) -> Result<(), TestCaseError> {
        while let Some(output) = stack.poll_output() {
            match output {
                PolicyOutput::StartAttempt { call, attempt } => {
                    prop_assert!(self.open.contains(&call), "an attempt at a call that is over");
                    prop_assert_eq!(
                        self.running.insert(attempt, (call, false)),
                        None,
                        "an id that is in use"
                    );
                }
                PolicyOutput::CancelAttempt { call, attempt } => {
                    prop_assert_eq!(self.running.insert(attempt, (call, true)), Some((call, false)));
                }
                PolicyOutput::Settle { call, outcome } => {
                    prop_assert!(self.open.remove(&call), "a call settles once");
                    prop_assert!(
                        self.running.values().all(|&(of, cancelled)| of != call || cancelled),
                        "an attempt runs on for a call that is over"
                    );
                    if let CallOutcome::Succeeded(attempt) = outcome {
                        prop_assert_eq!(Some(attempt), self.told.take(), "the result of what has just ended");
                    }
                    self.settled += 1;
                }
            }
        }
        Ok(())
    }

    fn end(
        &mut self,
        stack: &mut PolicyStack,
        now: Instant,
        which: usize,
        end: AttemptOutcome,
    ) -> Result<(), TestCaseError> {
        let (attempt, (_, cancelled)) = self
            .running
            .iter()
            .nth(which % self.running.len())
            .map(|(&id, &of)| (id, of))
            .expect("it is not empty");
        self.running.remove(&attempt);
        self.told = (!cancelled && end == AttemptOutcome::Succeeded).then_some(attempt);
        prop_assert_eq!(stack.handle_result(now, attempt, end).is_err(), cancelled);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_call_settles_once_and_everything_is_given_back(config in configs(), steps in steps(), seed: u64) {
        let mut now = Instant::from_secs(1);
        let mut stack = PolicyStack::new(config, seed, now).expect("the settings are sound");
        let mut shell = Shell::default();
        let mut calls = 0_u64;
        for step in steps {
            match step {
                Step::Call => {
                    calls += 1;
                    let call = stack.handle_call(now);
                    prop_assert!(shell.open.insert(call), "an id that is in use");
                }
                Step::Cancel(which) if !shell.open.is_empty() => {
                    let call = *shell.open.iter().nth(which % shell.open.len()).expect("it is not empty");
                    stack.handle_abort(now, call);
                    shell.act(&mut stack)?;
                    prop_assert!(!shell.open.contains(&call), "a cancelled call settles at once");
                }
                Step::Result(which, end) if !shell.running.is_empty() => shell.end(&mut stack, now, which, end)?,
                Step::Cancel(_) | Step::Result(..) => {}
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::ClockBack(millis) => now = now - Duration::from_millis(millis),
                Step::Deadline => {
                    stack.handle_deadline(now);
                    prop_assert!(stack.next_deadline().is_none_or(|due| due > now), "it would spin");
                }
                Step::Nonsense(bits) => {
                    let (call, attempt) = (CallId::from_bits(bits), AttemptId::from_bits(bits));
                    if !shell.open.contains(&call) {
                        stack.handle_abort(now, call);
                    }
                    if !shell.running.contains_key(&attempt) {
                        prop_assert_eq!(stack.handle_result(now, attempt, AttemptOutcome::Succeeded), Err(Late));
                    }
                }
            }
            shell.act(&mut stack)?;
            if let ConcurrencyLayer::Bulkhead(bulkhead) = config.concurrency {
                prop_assert!(shell.running.len() <= bulkhead.max_concurrent.get() as usize);
            }
            let totals = stack.metrics(now).totals;
            prop_assert_eq!(totals.calls, totals.succeeded + totals.failed + totals.fell_back + shell.open.len() as u64);
        }

        // Let everything end: what runs ends one by one, and time moves on to each deadline.
        let mut left = 100_000;
        while !shell.open.is_empty() || !shell.running.is_empty() {
            left -= 1;
            prop_assert!(left > 0, "it never ends");
            if shell.running.is_empty() {
                now = now.max(stack.next_deadline().expect("a call without an attempt waits for a time"));
                stack.handle_deadline(now);
            } else {
                shell.end(&mut stack, now, 0, AttemptOutcome::Failed(AttemptFailure::Transient))?;
            }
            shell.act(&mut stack)?;
        }
        prop_assert_eq!(shell.settled, calls);
        let metrics = stack.metrics(now);
        prop_assert_eq!((metrics.calls_open, metrics.attempts_open), (0, 0));
        prop_assert_eq!(metrics.bulkhead.map_or((0, 0), |bulkhead| (bulkhead.running, bulkhead.queued)), (0, 0));
        prop_assert_eq!(metrics.adaptive_limit.map_or(0, |limit| limit.in_flight), 0);
        prop_assert_eq!(metrics.breaker.map_or(0, |breaker| breaker.trials_out), 0);
        prop_assert_eq!(metrics.hedger.map_or(0, |hedger| hedger.in_flight), 0);
        prop_assert_eq!(stack.next_deadline(), None);
    }

    /// What is refused outside is never counted inside.
    #[test]
    fn what_a_layer_refuses_none_inside_of_it_sees(steps in steps(), seed: u64, failures in 1_u32..4) {
        let config = PolicyConfig {
            breaker: Some(BreakerConfig::consecutive(failures)),
            rate: Some(RateLayer {
                rate: Rate::Strict(Quota::new(2, Duration::from_millis(50)).expect("a quota")),
                max_wait: Duration::ZERO,
            }),
            concurrency: ConcurrencyLayer::Bulkhead(BulkheadConfig::concurrent(1).expect("one is not none")),
            ..PolicyConfig::default()
        };
        let mut now = Instant::from_secs(1);
        let mut stack = PolicyStack::new(config, seed, now).expect("the settings are sound");
        let mut running = Vec::new();
        let (mut through_breaker, mut through_rate) = (0, 0);
        for step in steps {
            match step {
                Step::Call => {
                    stack.handle_call(now);
                }
                Step::Result(_, end) => {
                    if let Some(attempt) = running.pop() {
                        stack.handle_result(now, attempt, end).expect("it runs");
                    }
                }
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Cancel(_) | Step::ClockBack(_) | Step::Deadline | Step::Nonsense(_) => {}
            }
            while let Some(output) = stack.poll_output() {
                match output {
                    PolicyOutput::StartAttempt { attempt, .. } => {
                        running.push(attempt);
                        (through_breaker, through_rate) = (through_breaker + 1, through_rate + 1);
                    }
                    PolicyOutput::Settle { outcome: CallOutcome::Failed(CallFailure { error, .. }), .. } => match error {
                        CallError::RateLimited(_) => through_breaker += 1,
                        CallError::BulkheadFull(_) => {
                            (through_breaker, through_rate) = (through_breaker + 1, through_rate + 1);
                        }
                        _ => {}
                    },
                    PolicyOutput::Settle { .. } | PolicyOutput::CancelAttempt { .. } => {}
                }
            }
            let metrics = stack.metrics(now);
            let bulkhead = metrics.bulkhead.expect("there is one");
            prop_assert_eq!(bulkhead.started + bulkhead.refused, through_rate);
            let breaker = metrics.breaker.expect("there is one").totals;
            let ended = breaker.succeeded + breaker.failed + breaker.ignored + breaker.cancelled + breaker.late;
            prop_assert_eq!(ended + running.len() as u64, through_breaker);
        }
    }
}
