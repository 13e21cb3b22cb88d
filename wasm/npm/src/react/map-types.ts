import type { TaskOptions } from '../runtime/task-options.js';
import type { RunOptions } from '../runtime/task-options.js';
import type { TaskInput, TaskProgress, TaskResult } from '../tasks.js';
import type { TaskStatus } from './use-task.js';

/** How many items of a batch are submitted at a time unless told otherwise: more than a pool has workers. */
export const MAX_CONCURRENT_ITEMS = 64;

/** How far the newest run is. */
export interface MapProgress<Report> {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Those that succeeded or failed. */
  readonly settled: number;
  /** `settled` of `total`, 0 to 1; 1 of no items. */
  readonly ratio: number;
  /** What a task of the run reported last. */
  readonly report: Report | undefined;
}

/** An item that failed. */
export interface MapError<Input> {
  /** Its place among the items. */
  readonly index: number;
  readonly input: Input;
  /** What its task was rejected with, after all its retries. */
  readonly error: unknown;
}

/** What the component's tasks came to since it was mounted, or reset. */
export interface MapMetrics {
  readonly executions: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Ended by `cancel`, a newer run, an error of the same batch, or the component's end. */
  readonly cancelled: number;
  /** From submission to the answer, in milliseconds; `null` before the first. */
  readonly averageMs: number | null;
  readonly longestMs: number | null;
}

/** What came of an item, as of `Promise.allSettled`. */
export type BatchItem<Result> = PromiseSettledResult<Result>;

/** Settings of one batch. */
export interface BatchOptions<Report, OnError> {
  /** How many items are submitted at a time, 1 or more. Default 64: they keep every worker busy and leave room in the queue. */
  readonly concurrency?: number | undefined;
  /** Hears after each item how far the batch is. */
  readonly onProgress?: ((progress: MapProgress<Report>) => void) | undefined;
  /**
   * What the error of an item does. `throw`: it ends the batch, and rejects its promise. `collect`: the promise gives what came of each item,
   * as `Promise.allSettled` does. `skip`: it gives the results of the others, in their order. Default `throw`.
   */
  readonly onError?: OnError | undefined;
  /** Ends the batch. */
  readonly signal?: AbortSignal | undefined;
}

/** Settings of {@link useMapWorker}: what holds for each of its tasks, the time-out and the retries with it. */
export type MapWorkerOptions = TaskOptions;

/** A task, of which a component runs one or many at a time. */
export interface MapWorker<Task> {
  readonly status: TaskStatus;
  readonly progress: MapProgress<TaskProgress<Task>>;
  /** Results of the newest run, at the places of their items; `undefined` where there is none yet, or an error. */
  readonly results: readonly (TaskResult<Task> | undefined)[];
  /** Items of the newest run that failed, in the order in which they did. */
  readonly errors: readonly MapError<TaskInput<Task>>[];
  /** What ended the newest run; `undefined` unless `status` is `error`. */
  readonly error: unknown;
  readonly metrics: MapMetrics;
  /** Runs one item. Settles as `runtime.run` does; nobody needs to wait for it. */
  readonly execute: (input: TaskInput<Task>, options?: RunOptions<TaskProgress<Task>>) => Promise<TaskResult<Task>>;
  /** Runs many. A run that is under way is aborted: the component shows the newest only. Nobody needs to wait for it. */
  readonly executeBatch: ExecuteBatch<Task>;
  /** Ends the run that is under way, if any; what has come of it stays, and the status is `idle`. */
  readonly cancel: () => void;
  /** Ends it, and forgets results, errors and metrics. */
  readonly reset: () => void;
}

/** {@link MapWorker.executeBatch}: what it gives depends on `onError`. */
export interface ExecuteBatch<Task> {
  (
    items: Iterable<TaskInput<Task>>,
    options: BatchOptions<TaskProgress<Task>, 'collect'> & { readonly onError: 'collect' },
  ): Promise<BatchItem<TaskResult<Task>>[]>;
  (items: Iterable<TaskInput<Task>>, options?: BatchOptions<TaskProgress<Task>, 'throw' | 'skip'>): Promise<TaskResult<Task>[]>;
}
