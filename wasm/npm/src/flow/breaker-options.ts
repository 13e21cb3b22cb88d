import { QuillworkError } from '../errors.js';
import { known, millis, share, whole } from './options.js';

/** What {@link CircuitBreakerOptions} are called, and what those of a breaker in a policy are. */
export const BREAKER_NAMES =
  'consecutiveFailures window minCalls failureRatio slowRatio slowCall trials trialDeadline openTime openTimeFactor openTimeCap fallback isFailure';
export const BREAKER_LAYER_NAMES =
  'consecutiveFailures window minCalls failureRatio slowRatio slowCall trials trialDeadline openTime openTimeFactor openTimeCap fallback';

/** Over which calls a breaker measures its ratios. */
export type BreakerWindow =
  /** The last so many calls, however old. For steady traffic. */
  | { readonly calls: number }
  /** The last `bucketMs` times `buckets` of time. For traffic that comes and goes: what is old is forgotten. */
  | { readonly bucketMs: number; readonly buckets: number };

/** When a breaker opens, and how it finds out whether it may close. */
export interface BreakerSettings {
  /** So many failures in a row open it, whatever the window says. Default: no such rule. */
  readonly consecutiveFailures?: number | undefined;
  /** Over what the ratios are measured. Default `{ calls: 100 }`; `false`: only failures in a row count. */
  readonly window?: BreakerWindow | false | undefined;
  /** With fewer calls in the window the ratios say nothing. Default 20. */
  readonly minCalls?: number | undefined;
  /** This share of failed calls and more opens it, above 0 and at most 1. Default 0.5. */
  readonly failureRatio?: number | undefined;
  /** This share of slow calls and more opens it, above 0 and at most 1. Default 1. */
  readonly slowRatio?: number | undefined;
  /** A call that took longer is slow, in milliseconds. Default: no call is. */
  readonly slowCall?: number | undefined;
  /** How many trial calls half-open lets through. Default 3. */
  readonly trials?: number | undefined;
  /** How long trials may be out before the service counts as still failing, in milliseconds. Default 30,000. */
  readonly trialDeadline?: number | undefined;
  /** How long it stays open the first time, in milliseconds. Default 5,000. */
  readonly openTime?: number | undefined;
  /** By how much longer it stays open after each failed round of trials. Default 2; 1 keeps it the same. */
  readonly openTimeFactor?: number | undefined;
  /** The longest that it stays open, in milliseconds. Default 60,000, or `openTime` where that is longer. */
  readonly openTimeCap?: number | undefined;
}

/** A breaker's settings as `flow.wasm` reads them. */
export function breakerSettings(options: BreakerSettings, fallback: boolean): readonly number[] {
  const { consecutiveFailures, window, openTime = 5_000 } = options;
  const base = millis('openTime', openTime, 1);
  return [
    consecutiveFailures === undefined ? 0 : whole('consecutiveFailures', consecutiveFailures, 1, 2 ** 32 - 1),
    ...windowSettings(window ?? { calls: 100 }),
    whole('minCalls', options.minCalls ?? Math.min(20, window !== undefined && window !== false && 'calls' in window ? window.calls : 20), 0, 2 ** 32 - 1),
    share('failureRatio', options.failureRatio ?? 0.5),
    share('slowRatio', options.slowRatio ?? 1),
    millis('slowCall', options.slowCall ?? Infinity, 0),
    whole('trials', options.trials ?? 3, 1, 2 ** 32 - 1),
    millis('trialDeadline', options.trialDeadline ?? 30_000, 1),
    base,
    whole('openTimeFactor', options.openTimeFactor ?? 2, 1, 1_000),
    millis('openTimeCap', options.openTimeCap ?? Math.max(60_000, base), 1),
    fallback ? 1 : 0,
  ];
}

/** Kind, calls or buckets, length of a bucket. */
function windowSettings(window: BreakerWindow | false): readonly number[] {
  if (window === false) {
    return [0, 0, 0];
  }
  if (typeof window !== 'object' || window === null) {
    throw new QuillworkError('ERR_INVALID_OPTION', '`window` is { calls }, { bucketMs, buckets }, or false');
  }
  known('`window`', window, 'calls bucketMs buckets');
  return 'calls' in window
    ? [1, whole('window.calls', window.calls, 1, 2 ** 20), 0]
    : [2, whole('window.buckets', window.buckets, 1, 2 ** 12), millis('window.bucketMs', window.bucketMs, 1)];
}
