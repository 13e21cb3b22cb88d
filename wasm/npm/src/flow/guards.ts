import { QuillworkError } from '../errors.js';
import type { Attempted } from './attempt.js';
import type { AdaptiveLimitOptions, BulkheadOptions, HedgeOptions } from './limit-options.js';
import { known, millis, optionalFunction } from './options.js';
import { CorePolicy, type FailureOptions, type Policy } from './policy.js';
import type { PolicyMetrics } from './policy-metrics.js';
import type { RetryBudget } from './retry-budget.js';
import type { RetrySettings } from './retry-options.js';
import type { ExecuteOptions } from './stack.js';

/** A policy whose metrics have this layer. */
type With<Layer extends keyof PolicyMetrics> = Policy<PolicyMetrics & Required<Pick<PolicyMetrics, Layer>>>;

/**
 * Bounds how many calls run at a time, so that one slow service can't take everything. Refuses with `ERR_QUEUE_FULL`. A call that was
 * aborted keeps its place until its function has really ended, since it uses what the bulkhead protects until then.
 */
export function bulkhead(options: BulkheadOptions = {}): With<'bulkhead'> {
  return new CorePolicy({ bulkhead: options }) as unknown as With<'bulkhead'>;
}

/** Ends calls that take longer, in milliseconds, with `ERR_TIMEOUT`, and aborts the signal that the function was given. */
export function timeout(ms: number): Policy {
  return new CorePolicy({ timeout: millis('ms', ms, 1) });
}

/**
 * Makes slow calls a second time, and takes the answer that comes first; the other's signal is aborted. For calls that may be made twice.
 */
export function hedge(options: HedgeOptions & FailureOptions = {}): With<'hedge'> {
  const { isFailure, retryAfter, ...settings } = known('hedge', options, 'delay maxHedges budget isFailure retryAfter');
  return new CorePolicy({ hedge: settings, isFailure, retryAfter }) as unknown as With<'hedge'>;
}

/** Finds out how many calls a service takes at a time, and refuses more with `ERR_OVERLOADED`. Every error counts as a dropped call. */
export function adaptiveLimit(options: AdaptiveLimitOptions & FailureOptions = {}): With<'adaptiveLimit'> {
  const { isFailure, retryAfter, ...settings } = known(
    'adaptiveLimit',
    options,
    'floor ceiling initial dropFactor algorithm tooSlow tolerance smoothing window minSamples baselineHalfLife probeEvery isFailure retryAfter',
  );
  return new CorePolicy({ adaptiveLimit: settings, isFailure, retryAfter }) as unknown as With<'adaptiveLimit'>;
}

/** Settings of {@link retry}. */
export interface RetryOptions extends RetrySettings, ExecuteOptions {
  /** How long the call may take in all, waits included, in milliseconds; then `ERR_TIMEOUT`. Default: as long as it takes. */
  readonly totalDeadline?: number | undefined;
  /** `false` for an error that would come again: it is not tried again. Default: every error may pass. */
  readonly shouldRetry?: ((error: unknown) => boolean) | undefined;
  /** How long the other side asked to be left alone, in milliseconds, which replaces the back-off; `undefined` where it didn't. */
  readonly retryAfter?: ((error: unknown) => number | undefined) | undefined;
  /** What retries of all calls of the same service may cost together. Default: no bound. */
  readonly budget?: RetryBudget | undefined;
}

/**
 * Calls a function until it succeeds: waits longer after each failure, spread at random. Rejects with the last error. A wait for a retry
 * keeps a Node process alive. For many calls of one service, make a {@link policy} with `retry`, or share a {@link retryBudget}.
 */
export function retry<Result>(fn: Attempted<Result>, options: RetryOptions = {}): Promise<Result> {
  try {
    const { signal, totalDeadline, shouldRetry, retryAfter, budget, ...settings } = known(
      'retry',
      options,
      'attempts base cap factor jitter maxRetryAfter totalDeadline shouldRetry retryAfter budget signal',
    );
    if (typeof fn !== 'function') {
      throw new QuillworkError('ERR_INVALID_OPTION', `retry's first argument is the function to call, not ${String(fn)}`);
    }
    optionalFunction('shouldRetry', shouldRetry);
    const calls = new CorePolicy({ retry: settings, totalDeadline, isFailure: shouldRetry, retryAfter, retryBudget: budget });
    return calls.execute(fn, { signal }).finally(() => calls.dispose());
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}
