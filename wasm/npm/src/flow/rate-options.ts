import { QuillworkError } from '../errors.js';
import { Gcra, SlidingLog, type Limiter } from './limiter.js';
import { whole } from './options.js';

/** So much in a time. */
export interface RateOptions {
  /** How much in each interval. */
  readonly limit: number;
  /** In milliseconds. Default 1,000. */
  readonly interval?: number | undefined;
  /** How much at once after a pause; 1 spaces evenly. Default `limit`. Without meaning for a `strict` limit. */
  readonly burst?: number | undefined;
  /**
   * `false`: a steady rate with a burst on top (GCRA), in constant memory; one interval can see `burst + limit`. `true`: no rolling
   * window of `interval` ever holds more than `limit` (a log of what was admitted), for where somebody counts. Default `false`.
   */
  readonly strict?: boolean | undefined;
}

/** Whether strict, limit, interval in milliseconds, burst: as `flow.wasm` reads them. Throws `ERR_INVALID_OPTION`. */
export function rateSettings(options: RateOptions): readonly [number, number, number, number] {
  const limit = whole('limit', options.limit, 1, 2 ** 32 - 1);
  const interval = options.interval ?? 1_000;
  if (!(interval > 0 && interval < Infinity)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`interval\` is above 0 milliseconds, not ${String(interval)}`);
  }
  if (limit > interval * NANOS) {
    throw new QuillworkError('ERR_INVALID_OPTION', 'a limit is at most 1 a nanosecond: lengthen `interval`, or count in larger units');
  }
  return [options.strict === true ? 1 : 0, limit, interval, whole('burst', options.burst ?? limit, 1, 2 ** 32 - 1)];
}

/** A limiter of these settings. */
export function limiterOf([strict, limit, interval, burst]: ReturnType<typeof rateSettings>): Limiter {
  const period = Math.round(interval * NANOS);
  return strict === 1 ? new SlidingLog(limit, period) : new Gcra(limit, period, burst);
}

/** Of a millisecond. */
export const NANOS = 1_000_000;
