/** Flow control: fewer calls, later, together, again, or not at all. */
export type { AttemptContext, Attempted } from './attempt.js';
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
export type { ExecuteOptions } from './stack.js';
export { throttle, type ThrottleOptions } from './throttle.js';
