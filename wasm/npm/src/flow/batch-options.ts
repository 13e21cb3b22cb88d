import { QuillworkError } from '../errors.js';
import { known, millis, optionalFunction, whole } from './options.js';
import { retrySettings, type Jitter } from './retry-options.js';

/** How far a batch is. */
export interface BatchProgress {
  /** Counts the batches of a batcher from 0. */
  readonly batch: number;
  /** Its settled items. */
  readonly settled: number;
  /** All items that it was given, those that share a key each. */
  readonly items: number;
}

/** Settings of {@link batch}. */
export interface BatchOptions<Item> {
  /** A batch is processed once it holds so many items; items of the same key count once. Default 100. */
  readonly maxSize?: number | undefined;
  /**
   * ... or so long after its first item came, in milliseconds. 0 gathers what comes in one turn of the event loop; `Infinity` leaves it to the
   * other limits and `flush`. Default 5.
   */
  readonly maxDelay?: number | undefined;
  /** ... or where the next item would make it larger than this. A larger item is a batch of its own. Needs `sizeOf`. Default: no matter. */
  readonly maxBytes?: number | undefined;
  /** How large an item is. */
  readonly sizeOf?: ((item: Item) => number) | undefined;
  /** ... or where this says so: `'before'` an item or `'after'` it; `true` is after it. */
  readonly predicate?: ((item: Item) => boolean | 'before' | 'after') | undefined;
  /** Items of one batch with the same key are processed once and share the result. `undefined` is no key. */
  readonly key?: ((item: Item) => unknown) | undefined;
  /** How many batches are processed at a time; the oldest goes first. Default 1. */
  readonly concurrency?: number | undefined;
  /** How many items may be unsettled in all; more are refused with `ERR_QUEUE_FULL`. Default 10,000. */
  readonly maxQueued?: number | undefined;
  /** How often what failed is processed again. Default 0. */
  readonly retryAttempts?: number | undefined;
  /** The wait before it is, in milliseconds. Default 100. */
  readonly retryDelay?: number | undefined;
  /** By how much each wait is longer than the one before, 1 or more, up to 60 seconds. Default 1. */
  readonly retryFactor?: number | undefined;
  /** How waits are spread. Default `'none'`. */
  readonly jitter?: Jitter | undefined;
  /**
   * `false`: only items that failed are processed again, the others settle at once. `true`: a batch succeeds or fails as a whole, as a
   * transaction does. Default `false`.
   */
  readonly wholeBatch?: boolean | undefined;
  /** `false` for an error that would come again. Default: every error may pass. */
  readonly shouldRetry?: ((error: unknown) => boolean) | undefined;
  /** How long the other side asked to be left alone, in milliseconds, which replaces `retryDelay`. */
  readonly retryAfter?: ((error: unknown) => number | undefined) | undefined;
  /** Hears of a batch whenever items of it have settled. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined;
}

/** As `flow.wasm` reads them. Throws `ERR_INVALID_OPTION`. */
export function batchSettings<Item>(options: BatchOptions<Item>): readonly number[] {
  const { maxBytes } = known(
    'batch',
    options,
    'maxSize maxDelay maxBytes sizeOf predicate key concurrency maxQueued retryAttempts retryDelay retryFactor jitter wholeBatch shouldRetry retryAfter onProgress',
  );
  for (const name of ['sizeOf', 'predicate', 'key', 'shouldRetry', 'retryAfter', 'onProgress'] as const) {
    optionalFunction(name, options[name]);
  }
  if (maxBytes !== undefined && options.sizeOf === undefined) {
    throw new QuillworkError('ERR_INVALID_OPTION', '`maxBytes` needs `sizeOf`, which says how large an item is');
  }
  const retries = whole('retryAttempts', options.retryAttempts ?? 0, 0, 2 ** 31);
  const delay = millis('retryDelay', options.retryDelay ?? 100, 0);
  return [
    whole('maxSize', options.maxSize ?? 100, 1, 2 ** 24),
    maxBytes === undefined ? 0 : whole('maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER),
    millis('maxDelay', options.maxDelay ?? 5, 0),
    whole('concurrency', options.concurrency ?? 1, 1, 2 ** 24),
    whole('maxQueued', options.maxQueued ?? 10_000, 1, 2 ** 24),
    ...retrySettings({
      attempts: retries + 1,
      base: delay,
      cap: Math.max(60_000, delay),
      factor: options.retryFactor ?? 1,
      jitter: options.jitter ?? 'none',
    }),
    options.wholeBatch === true ? 1 : 0,
  ];
}
