import { QuillworkError } from '../errors.js';
import { AbortWatch } from '../pool/abort-watch.js';
import { BESIDE } from '../embedded.js';
import { callSafely } from '../runtime/emitter.js';
import { Attempt, type AttemptContext } from './attempt.js';
import { batchSettings, type BatchOptions } from './batch-options.js';
import { readBatchMetrics, type BatchMetrics } from './batch-metrics.js';
import { Machine } from './machine.js';
import { abortSignal, known, object, OF_CALL } from './options.js';
import type { ExecuteOptions } from './stack.js';
import { judge, SUCCEEDED } from './verdict.js';

/**
 * Processes a batch: gives one result for each item, in the order of the items. A result that is an `Error` fails its item alone; what is
 * thrown fails all of them.
 */
export type BatchProcess<Item, Result> = (
  items: Item[],
  context: AttemptContext,
) => readonly (Result | Error)[] | PromiseLike<readonly (Result | Error)[]>;

/** Gathers items into batches. */
export interface Batcher<Item, Result> {
  /** Adds an item. Settles once: with its result, its error, the signal's reason, or why it was not processed. */
  add(item: Item, options?: ExecuteOptions): Promise<Result>;
  /** Resolves when there is room for items again; at once where none was refused. */
  ready(): Promise<void>;
  /** Processes what was gathered now. Resolves when all that was added so far has settled, well or not. */
  flush(): Promise<void>;
  /**
   * Takes no more items. Those that there are are processed, or given up with `ERR_CLOSED` where `drain` is `false`. Resolves when all have
   * settled.
   */
  close(options?: { readonly drain?: boolean }): Promise<void>;
  getMetrics(): BatchMetrics;
}

/** Many small things done as few large ones. Throws `ERR_INVALID_OPTION`. */
export function batch<Item, Result>(process: BatchProcess<Item, Result>, options: BatchOptions<Item> = {}): Batcher<Item, Result> {
  if (typeof process !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `batch's first argument is the function that processes items, not ${String(process)}`);
  }
  return new CoreBatcher(process, options);
}

interface Entry<Item, Result> {
  readonly id: number;
  readonly item: Item;
  readonly place: number;
  readonly signal: AbortSignal | undefined;
  readonly promise: Promise<Result>;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** A batch from its first item to the end of its last. */
interface Gathered<Item, Result> {
  readonly number: number;
  readonly entries: Map<number, Entry<Item, Result>>;
  items: number;
  /** Of the processing that ended last. */
  results: readonly (Result | Error)[];
  /** What stands for a result that could not be judged. */
  judged: ReadonlyMap<number, unknown>;
  error: unknown;
}

class CoreBatcher<Item, Result> extends Machine implements Batcher<Item, Result> {
  readonly #process: BatchProcess<Item, Result>;
  readonly #options: BatchOptions<Item>;
  readonly #batches = new Map<number, Gathered<Item, Result>>();
  /** Processings under way, by batch; core has one of each at a time, but a cancelled one may still run. */
  readonly #runs = new Map<string, Attempt>();
  readonly #owners = new Map<number, { readonly batch: number; readonly place: number }>();
  readonly #watch = new AbortWatch((id) => this.#abort(id));
  /** Numbers for the keys of the batch that is being gathered. */
  #keys = new Map<unknown, number>();
  #keysOf = -1;
  #nextKey = 0;
  #nextId = 0;
  #touched = new Set<Gathered<Item, Result>>();
  #full: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #closing: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(process: BatchProcess<Item, Result>, options: BatchOptions<Item>) {
    const seed = Math.floor(Math.random() * 2 ** 53);
    super({
      settings: batchSettings(options),
      make: (exports) => exports.batch_new(seed),
      free: (exports, handle) => exports.batch_free(handle),
      drain: (exports, handle) => exports.batch_drain(handle),
      deadline: (exports, handle, now) => exports.batch_deadline(handle, now),
    });
    this.#process = process;
    this.#options = options;
  }

  add(item: Item, options: ExecuteOptions = {}): Promise<Result> {
    let signal: AbortSignal | undefined;
    let bytes: number;
    let cut: number;
    let key: unknown;
    try {
      signal = abortSignal(object(OF_CALL, options).signal);
      if (signal?.aborted === true) {
        throw signal.reason;
      }
      bytes = this.#bytes(item);
      cut = CUTS.get(this.#options.predicate?.(item) ?? false) ?? 0;
      key = this.#options.key?.(item);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    const { promise, resolve, reject } = deferred<Result>();
    const id = this.#nextId;
    this.#nextId += 1;
    const keyNumber = key === undefined ? NO_KEY : (this.#keys.get(key) ?? this.#nextKey);
    let answered = false;
    this.input(
      (exports, now) => exports.batch_item(this.handle, now, keyNumber, bytes, cut),
      (floats) => {
        answered = true;
        const refusal = (floats[BESIDE] ?? 0) >>> 0;
        const number = floats[BESIDE + 1] ?? 0;
        const place = (floats[BESIDE + 2] ?? 0) >>> 0;
        if (refusal !== 0) {
          reject(this.#refusal(refusal));
          return;
        }
        const batch = this.#batch(number);
        batch.entries.set(place, { id, item, place, signal, promise, resolve, reject });
        batch.items = Math.max(batch.items, place + 1);
        this.#owners.set(id, { batch: number, place });
        this.#keepKey(number, key, keyNumber);
        if (signal !== undefined) {
          this.#watch.add(signal, id);
        }
      },
    );
    if (!answered) {
      reject(this.core.fault(undefined));
    }
    return promise;
  }

  ready(): Promise<void> {
    return this.#full?.promise ?? Promise.resolve();
  }

  async flush(): Promise<void> {
    const waiting = [...this.#batches.values()].flatMap(({ entries }) => [...entries.values()].map(({ promise }) => promise));
    this.input((exports, now) => exports.batch_flush(this.handle, now));
    await Promise.allSettled(waiting);
  }

  close(options: { readonly drain?: boolean } = {}): Promise<void> {
    let drain: boolean;
    try {
      drain = known('`close`', options, 'drain').drain ?? true;
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    this.#closing ??= deferred<void>();
    this.input((exports, now) => exports.batch_close(this.handle, now, drain ? 1 : 0));
    return this.#closing.promise;
  }

  getMetrics(): BatchMetrics {
    return readBatchMetrics(this.read((exports, now) => exports.batch_metrics(this.handle, now)));
  }

  protected override take(records: Float64Array, at: number): void {
    const tag = (records[at] ?? 0) >>> 0;
    const number = records[at + 1] ?? 0;
    const second = (records[at + 2] ?? 0) >>> 0;
    const third = (records[at + 3] ?? 0) >>> 0;
    const index = (records[at + 4] ?? 0) | 0;
    const reason = (records[at + 6] ?? 0) >>> 0;
    const batch = this.#batches.get(number);
    if (tag === PROCESS && batch !== undefined) {
      this.#prepare(batch, second, third);
    } else if (tag === CANCEL) {
      this.act(() => this.#runs.get(runKey(number, second))?.cancel(new QuillworkError('ERR_ABORTED', 'nobody waits for this batch any more')));
    } else if (tag === SETTLE && batch !== undefined) {
      this.#settle(batch, second, third, index, reason);
    } else if (tag === DRAINED) {
      this.#full?.resolve();
      this.#full = undefined;
    } else if (tag === CLOSED) {
      this.#full?.resolve();
      this.#closing?.resolve();
    }
  }

  protected override taken(): void {
    const { onProgress } = this.#options;
    for (const { number, items, entries } of this.#touched) {
      if (onProgress !== undefined) {
        const progress = { batch: number, settled: items - entries.size, items };
        this.act(() => callSafely(() => onProgress(progress)));
      }
    }
    this.#touched.clear();
  }

  protected override break(error: unknown): void {
    for (const batch of this.#batches.values()) {
      for (const entry of batch.entries.values()) {
        this.#forget(batch, entry);
        entry.reject(error);
      }
    }
    this.#full?.resolve();
    this.#closing?.resolve();
  }

  /** Reads which items are to be processed, while core still says so. */
  #prepare(batch: Gathered<Item, Result>, attempt: number, items: number): void {
    this.core.reserve(items);
    const count = this.core.call((exports) => exports.batch_run_items(this.handle, batch.number, attempt));
    const list = Array.from(this.core.floats.subarray(0, count), (place) => batch.entries.get(place)?.item as Item);
    this.act(() => this.#start(batch, attempt, list));
  }

  #start(batch: Gathered<Item, Result>, attempt: number, items: Item[]): void {
    const context = new Attempt(attempt);
    this.#runs.set(runKey(batch.number, attempt), context);
    const count = items.length;
    new Promise<readonly (Result | Error)[]>((resolve) => resolve(this.#process(items, context))).then(
      (results) => this.#ended(batch, attempt, results, count),
      (thrown: unknown) => this.#failed(batch, attempt, thrown),
    );
  }

  #ended(batch: Gathered<Item, Result>, attempt: number, results: readonly (Result | Error)[], expected: number): void {
    this.#runs.delete(runKey(batch.number, attempt));
    // What is no list has no result for anybody.
    const list: readonly (Result | Error)[] = Array.isArray(results) ? results : [];
    const judged = new Map<number, unknown>();
    const outcomes = list.flatMap((result, index) => {
      if (!(result instanceof Error)) {
        return [SUCCEEDED, 0];
      }
      const verdict = judge(result, { isFailure: this.#options.shouldRetry, retryAfter: this.#options.retryAfter });
      judged.set(index, verdict.error);
      return [verdict.end, verdict.retryAfterMs];
    });
    batch.results = list;
    batch.judged = judged;
    const got = Array.isArray(results) ? `${list.length} results` : String(results);
    batch.error = list.length === expected ? [...judged.values()][0] : new QuillworkError('ERR_BATCH_RESULTS', wrongResults(expected, got));
    this.input((exports, now) => {
      this.core.reserve(outcomes.length).set(outcomes);
      return exports.batch_results(this.handle, now, batch.number, attempt, list.length);
    });
  }

  #failed(batch: Gathered<Item, Result>, attempt: number, thrown: unknown): void {
    this.#runs.delete(runKey(batch.number, attempt));
    const verdict = judge(thrown, { isFailure: this.#options.shouldRetry, retryAfter: this.#options.retryAfter });
    batch.error = verdict.error;
    this.input((exports, now) => exports.batch_failure(this.handle, now, batch.number, attempt, verdict.end, verdict.retryAfterMs));
  }

  #settle(batch: Gathered<Item, Result>, place: number, settlement: number, index: number, reason: number): void {
    const entry = batch.entries.get(place);
    if (entry === undefined) {
      return;
    }
    this.#forget(batch, entry);
    this.#touched.add(batch);
    if (settlement === SUCCESS) {
      entry.resolve(batch.results[index] as Result);
    } else if (settlement === FAILURE) {
      entry.reject(index < 0 || reason === WRONG_COUNT ? batch.error : batch.judged.get(index));
    } else if (settlement === ABORTED) {
      entry.reject(entry.signal?.reason);
    } else {
      entry.reject(closed());
    }
  }

  #forget(batch: Gathered<Item, Result>, entry: Entry<Item, Result>): void {
    batch.entries.delete(entry.place);
    this.#owners.delete(entry.id);
    if (entry.signal !== undefined) {
      this.#watch.delete(entry.signal, entry.id);
    }
    if (batch.entries.size === 0) {
      this.#batches.delete(batch.number);
    }
  }

  #abort(id: number): void {
    const owner = this.#owners.get(id);
    if (owner !== undefined) {
      this.input((exports, now) => exports.batch_abort(this.handle, now, owner.batch, owner.place));
    }
  }

  #batch(number: number): Gathered<Item, Result> {
    let batch = this.#batches.get(number);
    if (batch === undefined) {
      batch = { number, entries: new Map(), items: 0, results: [], judged: new Map(), error: undefined };
      this.#batches.set(number, batch);
    }
    return batch;
  }

  #bytes(item: Item): number {
    const bytes = this.#options.sizeOf?.(item) ?? 0;
    if (!(bytes >= 0)) {
      throw new QuillworkError('ERR_INVALID_OPTION', `\`sizeOf\` gives 0 bytes or more, not ${String(bytes)}`);
    }
    return Math.ceil(bytes);
  }

  /** Keys mean something within one batch only. */
  #keepKey(batch: number, key: unknown, keyNumber: number): void {
    if (batch !== this.#keysOf) {
      this.#keysOf = batch;
      this.#keys = new Map();
    }
    if (key !== undefined) {
      this.#keys.set(key, keyNumber);
      this.#nextKey = Math.max(this.#nextKey, keyNumber + 1);
    }
  }

  #refusal(code: number): QuillworkError {
    if (code !== 1) {
      return closed();
    }
    this.#full ??= deferred<void>();
    const { maxQueued = 10_000 } = this.#options;
    return new QuillworkError('ERR_QUEUE_FULL', `${maxQueued} items are unsettled, as many as may be: wait for \`ready()\`, or raise \`maxQueued\``);
  }
}

function deferred<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void; readonly reject: (error: unknown) => void } {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<Value>((fulfil, refuse) => {
    [resolve, reject] = [fulfil, refuse];
  });
  return { promise, resolve, reject };
}

function runKey(batch: number, attempt: number): string {
  return `${batch}/${attempt}`;
}

function closed(): QuillworkError {
  return new QuillworkError('ERR_CLOSED', 'the batcher was closed and takes no more items');
}

function wrongResults(expected: number, got: string): string {
  return `the batch function was given ${expected} items and gave ${got}: it must give an array with one result for each item, in order`;
}

const PROCESS = 1;
const CANCEL = 2;
const SETTLE = 3;
const DRAINED = 4;
const CLOSED = 5;

const SUCCESS = 1;
const FAILURE = 2;
const ABORTED = 3;

const WRONG_COUNT = 7;
const NO_KEY = -1;
const CUTS: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ['before', 1],
  ['after', 2],
  [true, 2],
]);
