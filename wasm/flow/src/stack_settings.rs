//! A stack's layers as the caller writes them, outermost first. Each layer that may be absent begins with a flag.

use core::num::NonZeroU32;

use quillwork_core::flow::Fallback;
use quillwork_core::flow::adaptive_limit::{AdaptiveLimitConfig, GradientConfig, LimitAlgorithm};
use quillwork_core::flow::breaker::{BreakerConfig, OpenTime, Window};
use quillwork_core::flow::bulkhead::BulkheadConfig;
use quillwork_core::flow::hedge::{HedgeConfig, HedgeDelay};
use quillwork_core::flow::policy::{ConcurrencyLayer, PolicyConfig, RateLayer};
use quillwork_core::flow::rate_limit::{Quota, QuotaError, Rate};
use quillwork_core::flow::retry::{Backoff, Jitter, RetryBudgetConfig, RetryPolicy};
use quillwork_core::flow::timeout::TimeoutConfig;

use quillwork_abi::settings::Settings;

/// The fallback of the whole stack.
pub(crate) const STACK_FALLBACK: Fallback = Fallback::Call(0);
/// The fallback of its breaker.
pub(crate) const BREAKER_FALLBACK: Fallback = Fallback::Call(1);

/// fallback?, total, execution, retry?, budget?, breaker?, hedge?, rate?, then 0, 1 with a bulkhead, or 2 with an adaptive limit.
pub(crate) fn policy(settings: &mut Settings<'_>) -> Result<PolicyConfig, QuotaError> {
    let fallback = fallback(settings, STACK_FALLBACK);
    let timeout = TimeoutConfig { total: settings.limit(), execution: settings.limit() };
    Ok(PolicyConfig {
        fallback,
        timeout,
        retry: settings.flag().then(|| retry(settings)),
        retry_budget: settings.flag().then(|| budget(settings)),
        breaker: settings.flag().then(|| breaker(settings)),
        hedge: settings.flag().then(|| hedge(settings)),
        rate: if settings.flag() {
            Some(RateLayer { rate: rate(settings)?, max_wait: settings.duration() })
        } else {
            None
        },
        concurrency: match settings.count() {
            0 => ConcurrencyLayer::Unlimited,
            1 => ConcurrencyLayer::Bulkhead(bulkhead(settings)),
            _ => ConcurrencyLayer::Adaptive(adaptive(settings)),
        },
    })
}

/// attempts, base, cap, factor, jitter (0 none, 1 full, 2 decorrelated), total deadline, longest wish that is followed.
pub(crate) fn retry(settings: &mut Settings<'_>) -> RetryPolicy {
    RetryPolicy {
        max_attempts: at_least_one(settings),
        backoff: Backoff {
            base: settings.duration(),
            cap: settings.duration(),
            factor: settings.number(),
            jitter: match settings.count() {
                0 => Jitter::None,
                1 => Jitter::Full,
                _ => Jitter::Decorrelated,
            },
        },
        deadline: settings.limit(),
        max_retry_after: settings.duration(),
    }
}

/// deposit ratio, reserve per second, most that is saved.
pub(crate) fn budget(settings: &mut Settings<'_>) -> RetryBudgetConfig {
    RetryBudgetConfig {
        deposit_ratio: settings.number(),
        reserve_per_second: settings.count(),
        max_saved: settings.count(),
    }
}

/// failures in a row (0: no such rule), window (0 none, 1 calls, 2 time), calls or buckets, bucket, min calls, failure ratio, slow
/// ratio, slow call, trials, trial deadline, open time's base, factor, cap, fallback?.
fn breaker(settings: &mut Settings<'_>) -> BreakerConfig {
    let consecutive = settings.count();
    let (kind, size, bucket) = (settings.count(), settings.count(), settings.duration());
    BreakerConfig {
        consecutive_failures: (consecutive > 0).then_some(consecutive),
        window: match kind {
            0 => None,
            1 => Some(Window::Calls(size)),
            _ => Some(Window::Time { bucket, buckets: size }),
        },
        min_calls: settings.count(),
        failure_ratio: settings.number(),
        slow_ratio: settings.number(),
        slow_call: settings.limit(),
        trials: settings.count(),
        trial_deadline: settings.limit(),
        open_time: OpenTime { base: settings.duration(), factor: settings.count(), cap: settings.duration() },
        fallback: fallback(settings, BREAKER_FALLBACK),
    }
}

/// quantile?, delay or least delay, share, samples, hedges, budget.
fn hedge(settings: &mut Settings<'_>) -> HedgeConfig {
    let quantile = settings.flag();
    let (delay, share, samples) = (settings.duration(), settings.number(), settings.count());
    HedgeConfig {
        delay: if quantile {
            HedgeDelay::Quantile { q: share, min_samples: u64::from(samples), at_least: delay }
        } else {
            HedgeDelay::Fixed(delay)
        },
        max_hedges: u8::try_from(settings.count()).unwrap_or(u8::MAX),
        budget: budget(settings),
    }
}

/// strict?, weight, period, burst (without meaning where strict).
pub(crate) fn rate(settings: &mut Settings<'_>) -> Result<Rate, QuotaError> {
    let strict = settings.flag();
    let quota = Quota::new(settings.count(), settings.duration())?;
    let burst = settings.count();
    Ok(if strict { Rate::Strict(quota) } else { Rate::Steady(quota.with_burst(burst)?) })
}

/// at a time, in the queue, longest wait.
fn bulkhead(settings: &mut Settings<'_>) -> BulkheadConfig {
    BulkheadConfig {
        max_concurrent: at_least_one(settings),
        max_queued: settings.count(),
        max_wait: settings.limit(),
    }
}

/// floor, ceiling, initial, drop factor, gradient?, then of a gradient tolerance, smoothing, window, samples, half-life, probe every;
/// else what is too slow.
fn adaptive(settings: &mut Settings<'_>) -> AdaptiveLimitConfig {
    AdaptiveLimitConfig {
        floor: settings.count(),
        ceiling: settings.count(),
        initial: settings.count(),
        drop_factor: settings.number(),
        algorithm: if settings.flag() {
            LimitAlgorithm::Gradient(GradientConfig {
                tolerance: settings.number(),
                smoothing: settings.number(),
                window: settings.duration(),
                min_samples: settings.count(),
                baseline_half_life: settings.duration(),
                probe_every: settings.limit(),
            })
        } else {
            LimitAlgorithm::Aimd { too_slow: settings.limit() }
        },
    }
}

fn fallback(settings: &mut Settings<'_>, this: Fallback) -> Fallback {
    if settings.flag() { this } else { Fallback::Fail }
}

fn at_least_one(settings: &mut Settings<'_>) -> NonZeroU32 {
    NonZeroU32::new(settings.count()).expect("the caller refuses zero with an error of its own")
}
