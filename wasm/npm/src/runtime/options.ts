import { known, millis, object, optionalFunction, shown, whole } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { hardwareThreads } from '../node.js';
import type { WarmUp } from '../pool/pool.js';
import type { Binding, CheckedBinding } from '../pool/binding.js';
import type { WorkerOffer } from '../pool/offers.js';
import { Jitter, Overflow, type PoolSettings } from '../pool/settings.js';
import type { RecycleOptions } from '../pool/recycling.js';
import type { WorkerSource } from '../pool/spawn.js';
import type { TaskName, UntypedTasks } from '../tasks.js';
import type { TelemetryOptions } from '../telemetry/options.js';
import type { WasmSource } from './load.js';
import type { RecordOptions } from './recording.js';
import { thresholds, type BudgetOptions } from './resources.js';
import { TYPE_NAMES, type TypeOptions } from './task-options.js';

/** Settings of a runtime. Only `worker` must be given. */
export interface RuntimeOptions<Tasks = UntypedTasks> {
  /**
   * How to start a worker. A function suits bundlers, which must see the address:
   * `() => new Worker(new URL('./tasks.js', import.meta.url), { type: 'module' })`. In Node it may return a `Worker` of
   * `node:worker_threads`. A URL, or a string that is one, is started as a module worker, in Node as a worker thread.
   */
  readonly worker: WorkerSource;
  /**
   * How many workers, 1 to 64, or between how many their number follows the work. Default: one less than the machine runs threads at
   * once, at least 1, at most 8.
   */
  readonly workers?: number | WorkerRange;
  /**
   * How many tasks a worker runs at a time, 1 to 1,024, where they wait for something (a request, a database) more than they compute. A
   * task counts as many times as its `complexity` says. Default 1.
   */
  readonly concurrency?: number;
  /** Whether the first worker carries the capability `gpu`, so that one device serves all who need it. Default `true`. */
  readonly gpu?: boolean;
  /**
   * A task that each new worker runs before it is given any other, to load or compile what the others need. It counts with
   * `bootTimeoutMs`; where it fails, the worker is replaced.
   */
  readonly warmUp?: WarmUp<TaskName<Tasks>>;
  /** What each worker offers, by its number from 0: capabilities of its own, how much it runs at a time, its region. */
  readonly offer?: (worker: number) => WorkerOffer;
  /**
   * When tasks are given their worker. `late`: when one is free, which is best for workers that are alike. A strategy (`'least-loaded'`,
   * `new LeastLoadedStrategy()`), or more about it: when they are submitted, where the choice knows something that a free worker doesn't. A
   * strategy or a function of the app's own may choose, too. Default `late`.
   */
  readonly binding?: Binding;
  /** What holds for every task of a name unless `Runtime.run` is told otherwise. */
  readonly types?: { readonly [Name in TaskName<Tasks>]?: TypeOptions };
  /** How many tasks may wait for a worker. Default 10,000. */
  readonly maxQueue?: number;
  /**
   * What happens to one waiting task too many. `reject`: it is refused with `ERR_QUEUE_FULL`. `drop-oldest`: the one that came first
   * ends with `ERR_DROPPED`, for work of which only the newest matters. `drop-lowest`: the one that would start last does. `wait`: it waits
   * outside the queue, up to `maxWaiting` of them. Default `reject`.
   */
  readonly overflow?: 'reject' | 'drop-oldest' | 'drop-lowest' | 'wait';
  /** How many tasks wait outside a full queue with `overflow: 'wait'`; more are refused with `ERR_QUEUE_FULL`. Default 10,000. */
  readonly maxWaiting?: number;
  /** How often a task is given to another worker after one was lost with it. Default 2: three executions at most. */
  readonly maxRedeliveries?: number;
  /** The wait before a task that failed is tried again: see `retries`. */
  readonly retry?: RuntimeRetryOptions;
  /** What the spread of waits follows from, 0 to 4,294,967,295: with the same seed the same happens again. Default: another each time. */
  readonly seed?: number;
  /** The waiting time that is worth one level of priority, 1 ms to an hour, so that nothing starves. Default 1,000. */
  readonly ageingMs?: number;
  /**
   * How much a busy worker may be given ahead, in milliseconds of measured run time, 0 to 1,000: short tasks then start without a way to
   * the page and back in between. A task that was given ahead moves on to a worker that has nothing to do, and never waits behind one
   * that is known to be longer. Default 1, which concerns tasks of less than a millisecond only; 0 gives nothing ahead.
   */
  readonly prefetchMs?: number;
  /**
   * How long a worker may give no sign of life before it is replaced and its tasks redelivered. Any message is one;
   * idle workers are asked. A task that keeps its worker's event loop busy for longer must call `ctx.progress` now and then. 100 ms
   * or more, or `Infinity` to never give a worker up for its silence. Default 60,000.
   */
  readonly leaseMs?: number;
  /** When workers are replaced though nothing is wrong with them, against what leaks in them. Default: never. */
  readonly recycle?: RecycleOptions;
  /** How long a worker may take to load its module. Default 10,000. */
  readonly bootTimeoutMs?: number;
  /** How long a task may go on after its signal was aborted before its worker is terminated. Default 1,000. */
  readonly abortGraceMs?: number;
  /** Takes care of the machine's memory and CPU: see the `pressure` event. Default: off. `{}` is the usual budgets. */
  readonly budgets?: false | BudgetOptions;
  /** Keeps a log of what happens to the pool, for `Runtime.recording`. Loads `runtime-full.wasm`, as early `binding` does. Default `false`. */
  readonly record?: boolean | RecordOptions;
  /**
   * Where `runtime.wasm` is, or its bytes, or the compiled module; with `binding` or `record` it is `runtime-full.wasm`. Default: beside this
   * package's JavaScript.
   */
  readonly wasm?: WasmSource;
  /** Measures the page and reports to a Quillwork host. Default: off. `{}` reports to the host that serves the page. */
  readonly telemetry?: false | TelemetryOptions;
}

/** A number of workers that follows the work. */
export interface WorkerRange {
  /** The fewest, at least 1. Default 1. */
  readonly min?: number;
  /** The most, at most 64. Default: one less than the machine runs threads at once, at least `min`, at most 8. */
  readonly max?: number;
  /**
   * A worker that was not needed for so long is ended, 1 ms or more. Where it was soon needed again the wait doubles, up to five minutes.
   * Default 10,000.
   */
  readonly idleAfterMs?: number;
}

/** How the waits between the attempts of a task grow. */
export interface RuntimeRetryOptions {
  /** The wait after the first failure. Default 100. */
  readonly baseMs?: number;
  /** The longest wait, at least `baseMs`. Default 10,000, or `baseMs` where that is longer. */
  readonly maxMs?: number;
  /** By how much each wait is longer than the one before, 1 or more. Default 2. */
  readonly factor?: number;
  /**
   * How a wait is spread, so that what failed together does not come back together. `full`: anything up to it. `decorrelated`: between
   * `baseMs` and three times the wait before. `none`: not at all. Default `full`.
   */
  readonly jitter?: 'none' | 'full' | 'decorrelated';
  /**
   * Whether a task that failed with this error is worth another attempt. Asked only of tasks that may have one. Where it throws, the task rejects
   * with that. Default: always.
   */
  readonly shouldRetry?: (error: unknown, task: string) => boolean;
}

/** What {@link RuntimeOptions} are called. */
export const RUNTIME_NAMES =
  'worker workers concurrency gpu warmUp offer binding types maxQueue overflow maxWaiting maxRedeliveries retry seed ageingMs prefetchMs leaseMs recycle bootTimeoutMs abortGraceMs budgets record wasm telemetry';

/** Checks the numbers and fills in defaults. Throws `ERR_INVALID_OPTION` with the option's name and range. */
export function poolSettings(options: RuntimeOptions<never>, binding: CheckedBinding): PoolSettings {
  checkParts(options);
  if (typeof options.worker !== 'function' && typeof options.worker !== 'string' && !(options.worker instanceof URL)) {
    throw new QuillworkError(
      'ERR_INVALID_OPTION',
      "createRuntime needs `worker`: a URL, or () => new Worker(new URL('./tasks.js', import.meta.url), { type: 'module' })",
    );
  }
  return {
    ...workerSettings(options.workers),
    ...retrySettings(known('`retry`', options.retry ?? {}, 'baseMs maxMs factor jitter shouldRetry')),
    concurrency: whole('concurrency', options.concurrency ?? 1, 1, MAX_CONCURRENCY),
    gpu: options.gpu ?? true,
    maxQueue: whole('maxQueue', options.maxQueue ?? 10_000, 0, 1 << 24),
    overflow: choice('overflow', options.overflow ?? 'reject', OVERFLOWS),
    maxWaiting: whole('maxWaiting', options.maxWaiting ?? 10_000, 0, 1 << 24),
    maxRedeliveries: whole('maxRedeliveries', options.maxRedeliveries ?? 2, 0, 1_000),
    seed: whole('seed', options.seed ?? Math.floor(Math.random() * 2 ** 32), 0, 2 ** 32 - 1),
    ageingMs: finiteMillis('ageingMs', options.ageingMs ?? 1_000, 1, 3_600_000),
    prefetchMs: finiteMillis('prefetchMs', options.prefetchMs ?? 1, 0, 1_000),
    leaseMs: millis('leaseMs', options.leaseMs ?? 60_000, 100),
    bootTimeoutMs: millis('bootTimeoutMs', options.bootTimeoutMs ?? 10_000, 1),
    abortGraceMs: millis('abortGraceMs', options.abortGraceMs ?? 1_000, 0),
    ...thresholds(options.budgets || {}),
    ...binding.settings,
    recordBytes: recordBytes(options.record ?? false),
  };
}

/** Throws where something is of another kind than it should be: nobody else looks at it before it matters. */
function checkParts({ offer, recycle, types, warmUp }: RuntimeOptions<never>): void {
  optionalFunction('offer', offer);
  known('`recycle`', recycle ?? {}, 'afterTasks aboveHeapBytes');
  for (const [name, type] of Object.entries<TypeOptions | undefined>(object('`types` is', types ?? {}))) {
    known(`\`types.${name}\``, type ?? {}, TYPE_NAMES);
  }
  if (warmUp !== undefined && typeof (warmUp as WarmUp | null)?.task !== 'string') {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`warmUp\` is the task that a new worker runs first, { task, input }, not ${shown(warmUp)}`);
  }
  known('`warmUp`', (warmUp ?? {}) as Partial<WarmUp>, 'task input');
}

function workerSettings(
  workers: number | WorkerRange | undefined,
): Pick<PoolSettings, 'workers' | 'minWorkers' | 'idleAfterMs'> {
  const usual = Math.min(8, Math.max(1, hardwareThreads() - 1));
  if (typeof workers !== 'object' || workers === null) {
    const all = whole('workers', workers ?? usual, 1, MAX_WORKERS);
    return { workers: all, minWorkers: all, idleAfterMs: 10_000 };
  }
  const { min = 1, max, idleAfterMs = 10_000 } = known('`workers`', workers, 'min max idleAfterMs');
  const minWorkers = whole('workers.min', min, 1, MAX_WORKERS);
  return {
    workers: whole('workers.max', max ?? Math.max(usual, minWorkers), minWorkers, MAX_WORKERS),
    minWorkers,
    idleAfterMs: millis('workers.idleAfterMs', idleAfterMs, 1),
  };
}

function retrySettings({
  baseMs = 100,
  maxMs = Math.max(10_000, baseMs),
  factor = 2,
  jitter = 'full',
  shouldRetry,
}: RuntimeRetryOptions): Pick<PoolSettings, 'retryBaseMs' | 'retryMaxMs' | 'retryFactor' | 'retryJitter'> {
  if (!(Number.isFinite(factor) && factor >= 1)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`retry.factor\` is a number of 1 or more, not ${String(factor)}`);
  }
  if (shouldRetry !== undefined && typeof shouldRetry !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', '`retry.shouldRetry` is a function that says whether an error is worth another attempt');
  }
  return {
    // From nothing, decorrelated waits stay nothing.
    retryBaseMs: finiteMillis('retry.baseMs', baseMs, jitter === 'decorrelated' ? 1 : 0, MAX_RETRY_MS),
    retryMaxMs: finiteMillis('retry.maxMs', maxMs, baseMs, MAX_RETRY_MS),
    retryFactor: factor,
    retryJitter: choice('retry.jitter', jitter, JITTERS),
  };
}

function recordBytes(record: boolean | RecordOptions): number {
  if (record === false) {
    return 0;
  }
  const { maxBytes = 1 << 24 } = record === true ? {} : known('`record`', record, 'maxBytes');
  return whole('record.maxBytes', maxBytes, 1_024, 1 << 30);
}

/** Milliseconds of `least..=most`, or `ERR_INVALID_OPTION`. */
function finiteMillis(name: string, value: number, least: number, most: number): number {
  if (!(typeof value === 'number' && value >= least && value <= most)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is ${least} to ${most} milliseconds, not ${shown(value)}`);
  }
  return value;
}

/** What a word stands for, or `ERR_INVALID_OPTION`. */
function choice<Word extends string>(name: string, word: Word, meanings: Readonly<Record<Word, number>>): number {
  if (!Object.hasOwn(meanings, word)) {
    const words = Object.keys(meanings).map((known) => `'${known}'`);
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is one of ${words.join(', ')}, not ${String(word)}`);
  }
  return meanings[word];
}

const OVERFLOWS = {
  reject: Overflow.Reject,
  'drop-oldest': Overflow.DropOldest,
  'drop-lowest': Overflow.DropLowest,
  wait: Overflow.Wait,
} as const;
const JITTERS = { none: Jitter.None, full: Jitter.Full, decorrelated: Jitter.Decorrelated } as const;
const MAX_WORKERS = 64;
/** The largest capacity of a worker in the core. */
export const MAX_CONCURRENCY = 1_024;
const MAX_RETRY_MS = 86_400_000;
