/** Flow control: fewer calls, later, together, again, or not at all. */
export type { AttemptContext, Attempted } from './attempt.js';
export type { BatchMetrics } from './batch-metrics.js';
export type { BatchOptions, BatchProgress } from './batch-options.js';
export { batch, type Batcher, type BatchProcess } from './batch.js';
export type { BreakerSettings, BreakerWindow } from './breaker-options.js';
export {
  circuitBreaker,
  type BreakerCause,
  type BreakerCounts,
  type BreakerMode,
  type BreakerOverride,
  type BreakerState,
  type CircuitBreaker,
  type CircuitBreakerEvents,
  type CircuitBreakerMetrics,
  type CircuitBreakerOptions,
} from './circuit-breaker.js';
export { debounceAsync, throttleAsync, type DebouncedAsync } from './debounce-async.js';
export { debounce, type DebounceControl, type Debounced, type DebounceMetrics, type DebounceOptions } from './debounce.js';
export { adaptiveLimit, bulkhead, hedge, retry, timeout, type RetryOptions } from './guards.js';
export { keyedRateLimit, type KeyedRateLimiter, type KeyedRateOptions } from './keyed-rate-limit.js';
export type { AdaptiveLimitOptions, BulkheadOptions, HedgeOptions } from './limit-options.js';
export type { AdaptiveLimitMetrics, BulkheadMetrics, PolicyMetrics } from './policy-metrics.js';
export { policy, type FailureOptions, type Policy, type PolicyOptions } from './policy.js';
export {
  rateLimit,
  rateLimited,
  type AcquireOptions,
  type RateLimiter,
  type RateLimitMetrics,
  type Reservation,
} from './rate-limit.js';
export type { RateOptions } from './rate-options.js';
export { retryBudget, type RetryBudget, type RetryBudgetMetrics, type RetryBudgetOptions } from './retry-budget.js';
export type { Jitter, RetrySettings } from './retry-options.js';
export type { ExecuteOptions } from './stack.js';
export type { FlowLatency } from './latency.js';
export type { ThrottledOptions, ThrottledOverflow } from './throttled-options.js';
export { throttled, type Throttled, type ThrottledExecuteOptions, type ThrottledMetrics } from './throttled.js';
export { throttle, type ThrottleOptions } from './throttle.js';
