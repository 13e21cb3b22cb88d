import { abortSignal, known, shown } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { MAX_CONCURRENT_ITEMS, type BatchItem, type BatchOptions, type MapError, type MapMetrics, type MapProgress } from './map-types.js';

/** What a component renders of its work. A new object for each change. */
export interface MapState {
  readonly status: 'idle' | 'running' | 'done' | 'error';
  readonly progress: MapProgress<unknown>;
  readonly results: readonly unknown[];
  readonly errors: readonly MapError<unknown>[];
  readonly error: unknown;
  readonly metrics: MapMetrics;
}

/** Runs one task: the runtime's `run` for a task and the options of the hook. */
export type RunItem = (input: unknown, signal: AbortSignal, onProgress: (report: unknown) => void) => Promise<unknown>;

const NO_PROGRESS: MapProgress<unknown> = { total: 0, succeeded: 0, failed: 0, settled: 0, ratio: 0, report: undefined };
const NO_METRICS: MapMetrics = { executions: 0, succeeded: 0, failed: 0, cancelled: 0, averageMs: null, longestMs: null };

/** What is rendered before anything has run, and on a server. */
export const IDLE: MapState = {
  status: 'idle',
  progress: NO_PROGRESS,
  results: [],
  errors: [],
  error: undefined,
  metrics: NO_METRICS,
};

/** One batch on its way. */
interface Batch {
  readonly controller: AbortController;
  readonly results: unknown[];
  readonly errors: MapError<unknown>[];
  readonly total: number;
  succeeded: number;
  report: unknown;
}

/**
 * The work of one component: one batch at a time, the newest. Changes are told at most once in {@link NEWS_MS}, the end of a batch at once:
 * thousands of tiny items must not render thousands of times.
 */
export class MapWork {
  readonly #listeners = new Set<() => void>();
  #state = IDLE;
  #batch: Batch | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #metrics = { executions: 0, succeeded: 0, failed: 0, cancelled: 0, spentMs: 0, longestMs: 0 };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): MapState => this.#state;

  /** Runs every item, and ends what ran before. Settles as `onError` says. */
  async run(
    items: Iterable<unknown>,
    run: RunItem,
    { concurrency, onProgress, onError = 'throw', signal }: BatchOptions<unknown, unknown>,
  ): Promise<BatchItem<unknown>[]> {
    if (typeof items?.[Symbol.iterator] !== 'function') {
      throw new QuillworkError('ERR_INVALID_OPTION', `the items are an array or something else to iterate, not ${shown(items)}`);
    }
    abortSignal(signal);
    const inputs = [...items];
    this.#abort('a newer run of the task began');
    const batch: Batch = {
      controller: new AbortController(),
      results: new Array<unknown>(inputs.length).fill(undefined),
      errors: [],
      total: inputs.length,
      succeeded: 0,
      report: undefined,
    };
    this.#batch = batch;
    const { controller } = batch;
    const onAbort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) {
      onAbort();
    }
    this.#show(batch, 'running');
    const settled = new Array<BatchItem<unknown>>(inputs.length);
    let next = 0;
    const lane = async (): Promise<void> => {
      try {
        while (next < inputs.length && !controller.signal.aborted) {
          const index = next;
          next += 1;
          settled[index] = await this.#runItem(batch, inputs[index], index, run, onError);
          onProgress?.(progressOf(batch));
        }
      } catch (thrown) {
        // Whichever of the app's functions threw, nothing of the batch goes on.
        controller.abort(thrown);
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency ?? MAX_CONCURRENT_ITEMS, inputs.length) }, lane));
    signal?.removeEventListener('abort', onAbort);
    if (!controller.signal.aborted) {
      this.#end(batch, 'done', undefined);
      return settled;
    }
    const { reason } = controller.signal;
    const byCaller = signal?.aborted === true;
    this.#end(batch, byCaller ? 'idle' : 'error', byCaller ? undefined : reason);
    throw reason;
  }

  /** Ends the batch that is under way; what has come of it stays. */
  cancel(reason: string): void {
    const batch = this.#batch;
    if (batch !== undefined) {
      this.#abort(reason);
      this.#show(batch, 'idle');
    }
  }

  /** Ends the batch that is under way and forgets everything. */
  reset(): void {
    this.#abort('the run was reset');
    this.#metrics = { executions: 0, succeeded: 0, failed: 0, cancelled: 0, spentMs: 0, longestMs: 0 };
    this.#publish(IDLE);
  }

  #abort(reason: string): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#batch;
    this.#batch = undefined;
    batch?.controller.abort(new DOMException(reason, 'AbortError'));
  }

  async #runItem(batch: Batch, input: unknown, index: number, run: RunItem, onError: unknown): Promise<BatchItem<unknown>> {
    const { signal } = batch.controller;
    const metrics = this.#metrics;
    const startedAt = performance.now();
    metrics.executions += 1;
    try {
      const value = await run(input, signal, (report) => {
        batch.report = report;
        this.#news(batch);
      });
      batch.results[index] = value;
      batch.succeeded += 1;
      metrics.succeeded += 1;
      return { status: 'fulfilled', value };
    } catch (error) {
      if (signal.aborted) {
        metrics.cancelled += 1;
        throw signal.reason;
      }
      metrics.failed += 1;
      batch.errors.push({ index, input, error });
      if (onError === 'throw') {
        throw error;
      }
      return { status: 'rejected', reason: error };
    } finally {
      const took = performance.now() - startedAt;
      metrics.spentMs += took;
      metrics.longestMs = Math.max(metrics.longestMs, took);
      this.#news(batch);
    }
  }

  #news(batch: Batch): void {
    if (this.#batch === batch && this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#batch === batch) {
          this.#show(batch, 'running');
        }
      }, NEWS_MS);
    }
  }

  #end(batch: Batch, status: MapState['status'], error: unknown): void {
    if (this.#batch === batch) {
      this.#batch = undefined;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#show(batch, status, error);
    } else {
      // It was cancelled, and what it had running has ended now.
      this.#publish({ ...this.#state, metrics: this.#metricsNow() });
    }
  }

  #show(batch: Batch, status: MapState['status'], error?: unknown): void {
    this.#publish({
      status,
      progress: progressOf(batch),
      results: [...batch.results],
      errors: [...batch.errors],
      error,
      metrics: this.#metricsNow(),
    });
  }

  #metricsNow(): MapMetrics {
    const { executions, succeeded, failed, cancelled, spentMs, longestMs } = this.#metrics;
    const ended = succeeded + failed + cancelled;
    return {
      executions,
      succeeded,
      failed,
      cancelled,
      averageMs: ended === 0 ? null : spentMs / ended,
      longestMs: ended === 0 ? null : longestMs,
    };
  }

  #publish(state: MapState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }
}

function progressOf({ total, succeeded, errors, report }: Batch): MapProgress<unknown> {
  const settled = succeeded + errors.length;
  return { total, succeeded, failed: errors.length, settled, ratio: total === 0 ? 1 : settled / total, report };
}

/** Refuses what is no way to run a batch. */
export function checkBatch(options: BatchOptions<unknown, unknown>): void {
  const { concurrency, onError } = known('executeBatch', options, 'concurrency onProgress onError signal');
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`concurrency\` is a whole number of 1 or more, not ${String(concurrency)}`);
  }
  if (onError !== undefined && onError !== 'throw' && onError !== 'collect' && onError !== 'skip') {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`onError\` is 'throw', 'collect' or 'skip', not ${String(onError)}`);
  }
}

/** A frame of the most common display. */
const NEWS_MS = 16;
