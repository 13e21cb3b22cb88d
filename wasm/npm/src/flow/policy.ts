import { QuillworkError } from '../errors.js';
import type { Attempted } from './attempt.js';
import { BREAKER_LAYER_NAMES, breakerSettings, type BreakerSettings } from './breaker-options.js';
import {
  adaptiveSettings,
  bulkheadSettings,
  hedgeSettings,
  type AdaptiveLimitOptions,
  type BulkheadOptions,
  type HedgeOptions,
} from './limit-options.js';
import { known, millis, optionalFunction } from './options.js';
import { readPolicyMetrics, type PolicyMetrics } from './policy-metrics.js';
import { rateSettings, type RateOptions } from './rate-options.js';
import { budgetSettings, SharedBudget, type RetryBudget, type RetryBudgetOptions } from './retry-budget.js';
import { retrySettings, type RetrySettings } from './retry-options.js';
import { Stack, type ExecuteOptions } from './stack.js';
import { stackSettings } from './stack-settings.js';

/** What a policy takes for the caller's own fault, and what it knows of the other side's wishes. */
export interface FailureOptions {
  /**
   * `false` for an error that is the caller's own fault (a bad request): it is not tried again, says nothing against the service, and
   * has no fallback. Default: every error is a failure.
   */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
  /** How long the other side asked to be left alone, in milliseconds, which replaces the back-off; `undefined` where it didn't. */
  readonly retryAfter?: ((error: unknown) => number | undefined) | undefined;
}

/** The layers of a {@link policy}, outermost first; what is left out is absent. */
export interface PolicyOptions extends FailureOptions {
  /** What a caller gets in place of an error, refusals included. Not for the caller's own fault, nor for aborted calls. */
  readonly fallback?: ((error: unknown) => unknown) | undefined;
  /** How long the whole call may take, waits and retries included, in milliseconds; then `ERR_TIMEOUT`. */
  readonly totalDeadline?: number | undefined;
  readonly retry?: RetrySettings | undefined;
  /** What retries of all calls may cost together: of this policy's, or a {@link retryBudget} that others share. */
  readonly retryBudget?: RetryBudgetOptions | RetryBudget | undefined;
  readonly breaker?: (BreakerSettings & { readonly fallback?: ((error: QuillworkError) => unknown) | undefined }) | undefined;
  readonly hedge?: HedgeOptions | undefined;
  /** `maxWait`: how long an attempt may wait for its turn, in milliseconds, default 0; then `ERR_RATE_LIMITED`. */
  readonly rate?: (RateOptions & { readonly maxWait?: number | undefined }) | undefined;
  /** Not beside `adaptiveLimit`. */
  readonly bulkhead?: BulkheadOptions | undefined;
  readonly adaptiveLimit?: AdaptiveLimitOptions | undefined;
  /** How long each attempt may take from its start, in milliseconds; then `ERR_TIMEOUT`, which counts as a failure. */
  readonly timeout?: number | undefined;
}

/** Protection around calls. */
export interface Policy<Metrics = PolicyMetrics> {
  /**
   * Makes the call within the policy. Settles once: with the result, what the function threw last, why the policy refused or ended it, or
   * the signal's reason. `fn` may be called several times.
   */
  execute<Result>(fn: Attempted<Result>, options?: ExecuteOptions): Promise<Result>;
  /** The function within the policy. */
  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  ): (this: This, ...args: Arguments) => Promise<Result>;
  getMetrics(): Metrics;
}

/**
 * Several protections around a call, in one order whatever the order of the options:
 *
 * fallback > total deadline > retry (budget) > circuit breaker > hedge > rate limit > bulkhead or adaptive limit > time-out > the call
 *
 * What is outside decides about everything inside; docs/flow/composition.md argues it. Throws `ERR_INVALID_OPTION`.
 */
export function policy(options: PolicyOptions): Policy {
  return new CorePolicy(options);
}

/** @internal A stack of what the options name. */
export class CorePolicy implements Policy {
  readonly #stack: Stack;

  constructor(options: PolicyOptions) {
    known('a policy', options, 'isFailure retryAfter fallback totalDeadline retry retryBudget breaker hedge rate bulkhead adaptiveLimit timeout');
    const { retryBudget: budget } = options;
    const breaker = options.breaker && known('`breaker`', options.breaker, BREAKER_LAYER_NAMES);
    const rate = options.rate && known('`rate`', options.rate, 'limit interval burst strict maxWait');
    if (options.bulkhead !== undefined && options.adaptiveLimit !== undefined) {
      throw new QuillworkError('ERR_INVALID_OPTION', '`bulkhead` and `adaptiveLimit` both say how many calls run at a time: take one');
    }
    const shared = budget instanceof SharedBudget ? budget : undefined;
    const fallback = optionalFunction('fallback', options.fallback);
    const breakerFallback = optionalFunction('breaker.fallback', breaker?.fallback) as ((error: unknown) => unknown) | undefined;
    this.#stack = new Stack(
      stackSettings({
        fallback: fallback !== undefined,
        total: millis('totalDeadline', options.totalDeadline ?? Infinity, 1),
        execution: millis('timeout', options.timeout ?? Infinity, 1),
        retry: options.retry && retrySettings(options.retry),
        budget: shared?.settings ?? (budget && budgetSettings(budget as RetryBudgetOptions)),
        breaker: breaker && breakerSettings(breaker, breakerFallback !== undefined),
        hedge: options.hedge && hedgeSettings(options.hedge),
        rate: rate && [...rateSettings(rate), millis('rate.maxWait', rate.maxWait ?? 0, 0)],
        bulkhead: options.bulkhead && bulkheadSettings(options.bulkhead),
        adaptive: options.adaptiveLimit && adaptiveSettings(options.adaptiveLimit),
      }),
      {
        isFailure: optionalFunction('isFailure', options.isFailure),
        retryAfter: optionalFunction('retryAfter', options.retryAfter),
        fallback,
        breakerFallback,
      },
      shared,
    );
  }

  execute<Result>(fn: Attempted<Result>, options?: ExecuteOptions): Promise<Result> {
    return this.#stack.execute(fn, options);
  }

  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  ): (this: This, ...args: Arguments) => Promise<Result> {
    return this.#stack.wrap(fn);
  }

  /** Lets go of what core holds, once no call is open. */
  dispose(): void {
    this.#stack.dispose();
  }

  getMetrics(): PolicyMetrics {
    return readPolicyMetrics(this.#stack);
  }
}
