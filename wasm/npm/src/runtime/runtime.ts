import { Core } from '../abi.js';
import { CoreCache, type Cache, type CacheOptions } from '../cache.js';
import { abortSignal, array, known, optionalFunction, whole } from '../checks.js';
import { QuillworkError } from '../errors.js';
import type { PoolPressure, PoolResize, QueueLevel, TaskRetry, WorkerLost, WorkerRecycled } from '../pool/events.js';
import { checkBinding, type CheckedBinding } from '../pool/binding.js';
import { EarlyStart } from '../pool/early-start.js';
import { Pool, type PoolEvents, type WorkerDevice } from '../pool/pool.js';
import { OfferNames } from '../pool/capabilities.js';
import { closedError } from '../pool/settle.js';
import { needsFull, type PoolSettings } from '../pool/settings.js';
import { BufferedStream, type StreamSink, type TaskStream } from '../pool/stream.js';
import { PendingTask } from '../pool/task-table.js';
import { loadRing } from '../ring/load.js';
import type { OpenRing } from '../ring/page-ring.js';
import type { StartTelemetry } from '../telemetry/pooled.js';
import type { PageTelemetry, Telemetry } from '../telemetry/telemetry.js';
import type {
  StreamName,
  TaskInput,
  TaskItem,
  TaskMap,
  TaskName,
  TaskProgress,
  TaskResult,
  TaskReturn,
  UntypedTasks,
} from '../tasks.js';
import { callSafely, Emitter } from './emitter.js';
import { loadModule } from './load.js';
import { MAP_NAMES, mapTasks, type MapOptions } from './map.js';
import { poolSettings, RUNTIME_NAMES, type RuntimeOptions } from './options.js';
import { readRecording, type Recording } from './recording.js';
import { budgetSettings, ResourceFeed, type BudgetSettings } from './resources.js';
import { poolStats, type PoolStats } from './stats.js';
import { RUN_NAMES, STREAM_NAMES, TaskTypes, type RunOptions, type StreamOptions } from './task-options.js';

/** What {@link Runtime.on} tells of. */
export interface RuntimeEventMap {
  /** Once a second. */
  stats: PoolStats;
  /** A worker failed and is replaced. */
  workerlost: WorkerLost;
  /** A worker has made room for another one, as the option `recycle` says. */
  recycle: WorkerRecycled;
  /** A task failed and is tried again later. */
  retry: TaskRetry;
  /** The number of workers changes. */
  resize: PoolResize;
  /** Memory or CPU run short, or do so no longer: see {@link RuntimeOptions.budgets}. */
  pressure: PoolPressure;
  /** The queue has become full; once until it has drained. */
  saturated: QueueLevel;
  /** The queue was full and has fallen to half of `maxQueue`. */
  drained: QueueLevel;
  /** `pause()` was called, or `resume()`: nothing that waits is started, or is again. */
  pause: undefined;
  resume: undefined;
  /** The runtime is closed. */
  close: undefined;
}

/** What {@link Runtime.run} takes after the task's name: the input may be left out where the task needs none. */
export type RunArguments<Task> = undefined extends TaskInput<Task>
  ? [input?: TaskInput<Task>, options?: RunOptions<TaskProgress<Task>>]
  : [input: TaskInput<Task>, options?: RunOptions<TaskProgress<Task>>];

/** What {@link Runtime.stream} takes after the task's name. */
export type StreamArguments<Task> = undefined extends TaskInput<Task>
  ? [input?: TaskInput<Task>, options?: StreamOptions<TaskProgress<Task>>]
  : [input: TaskInput<Task>, options?: StreamOptions<TaskProgress<Task>>];

/** A pool of workers and what belongs to it. Made by {@link createRuntime}. */
export interface Runtime<Tasks = UntypedTasks> {
  /**
   * Runs a task on a worker. The input is copied when the task is sent: don't change it before the promise settles.
   *
   * Rejects with the task's own error; with `signal.reason` where it was aborted; else with a {@link QuillworkError} whose
   * `code` says why.
   */
  run<Name extends TaskName<Tasks>>(
    task: Name,
    ...args: RunArguments<Tasks[Name]>
  ): Promise<TaskResult<Tasks[Name]>>;
  /**
   * Runs a task that is a generator (`async *chapters(input) { yield ... }`) and gives what it yields, as it is asked for. Leaving a
   * `for await` early ends the task. `timeoutMs` counts for the task as a whole, and waiting for its reader counts with it.
   */
  stream<Name extends StreamName<Tasks>>(
    task: Name,
    ...args: StreamArguments<Tasks[Name]>
  ): TaskStream<TaskItem<Tasks[Name]>, TaskReturn<Tasks[Name]>>;
  /**
   * Runs a task for each of many items, a bounded number at a time, and gives the results in their order. The first failure aborts the rest
   * and rejects. Items may come from a generator: they are taken as they are needed.
   */
  map<Name extends TaskName<Tasks>>(
    task: Name,
    items: Iterable<TaskInput<Tasks[Name]>> | AsyncIterable<TaskInput<Tasks[Name]>>,
    options?: MapOptions<TaskInput<Tasks[Name]>, TaskResult<Tasks[Name]>, TaskProgress<Tasks[Name]>>,
  ): Promise<TaskResult<Tasks[Name]>[]>;
  /**
   * Resolves when as many workers as there are at least have loaded, and have warmed up. Rejects with `ERR_WORKER_LOAD` where one can't be
   * started. Tasks need not wait for it: they wait in the queue.
   */
  ready(): Promise<void>;
  /** Resolves when there is no unsettled task. While the runtime is paused, what waits keeps it waiting. */
  idle(): Promise<void>;
  /**
   * Starts nothing that waits until `resume()`: for a page that is busy with something else, or a service that is down. What runs goes on,
   * what was given to a worker ahead comes back unless it has started, and new tasks are taken in until the queue is full. Time goes on, too:
   * `timeoutMs`, `queueTtlMs` and the waits of retries count. Without effect while it is paused or closed. `close({ drain: true })` resumes.
   */
  pause(): void;
  /** Starts what waits. Without effect where the runtime isn't paused. */
  resume(): void;
  /** The pool now. */
  stats(): PoolStats;
  /** Which workers carry `gpu`, and what each computes on once it has called `compute()`: adapter, back end, memory, or why the CPU. */
  devices(): WorkerDevice[];
  /** What was recorded of the pool until now. Throws `ERR_INVALID_OPTION` unless the runtime was made with `record`. */
  recording(): Recording;
  /** The cache of this name, made when first asked for; later options for it are not looked at. */
  cache<Key extends string = string, Value = unknown>(name: string, options: CacheOptions): Cache<Key, Value>;
  /** Listens; the function returned stops it. */
  on<Name extends keyof RuntimeEventMap>(event: Name, listener: (event: RuntimeEventMap[Name]) => void): () => void;
  /** What is measured of the page; `undefined` where the `telemetry` option is off. */
  readonly telemetry: Telemetry | undefined;
  /** Ends a worker as a crash would: its task is redelivered, another worker takes its place. `false` where there is none just now. */
  killWorker(id: number): boolean;
  /**
   * Ends the runtime. Unsettled tasks reject with `ERR_CLOSED`, or are finished first with `drain`. Calling it again is harmless, and
   * `close()` after `close({ drain: true })` cuts the draining short.
   */
  close(options?: { readonly drain?: boolean }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  /** As `close()`, without waiting for its end. */
  [Symbol.dispose](): void;
}

/**
 * Starts a runtime: loads `runtime.wasm`, or `runtime-full.wasm` for early `binding` and `record`, and starts the workers, which boot while the page goes on.
 *
 * ```ts
 * const runtime = await createRuntime<Tasks>({
 *   worker: () => new Worker(new URL('./tasks.js', import.meta.url), { type: 'module' }),
 * });
 * const sum = await runtime.run('sum', { numbers: [1, 2, 3] });
 * ```
 *
 * @throws QuillworkError `ERR_INVALID_OPTION` or `ERR_WASM_LOAD`.
 */
export async function createRuntime<Tasks extends TaskMap<Tasks> = UntypedTasks>(
  options: RuntimeOptions<Tasks>,
): Promise<Runtime<Tasks>> {
  known('createRuntime', options, RUNTIME_NAMES);
  const binding = checkBinding(options.binding ?? 'late');
  const settings = poolSettings(options, binding);
  const budgets = options.budgets ? budgetSettings(options.budgets) : undefined;
  const { telemetry: asked } = options;
  const startTelemetry = asked ? (await import('../telemetry/pooled.js')).pooledTelemetry(asked) : undefined;
  const early = new EarlyStart(options.worker, settings.minWorkers);
  const ring = loadRing();
  try {
    // Bundlers must see both addresses.
    const module = needsFull(settings)
      ? await loadModule('runtime-full.wasm', options.wasm ?? new URL('./runtime-full.wasm', import.meta.url))
      : await loadModule('runtime.wasm', options.wasm ?? new URL('./runtime.wasm', import.meta.url));
    return new CoreRuntime<Tasks>(new Core(module), settings, binding.choose, options, budgets, startTelemetry, early, await ring);
  } finally {
    early.discard();
  }
}

/** Engines that don't know the symbol yet leave it to libraries to agree on one. */
const ASYNC_DISPOSE: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

class CoreRuntime<Tasks extends TaskMap<Tasks>> implements Runtime<Tasks> {
  readonly telemetry: PageTelemetry | undefined;
  readonly #core: Core;
  readonly #pool: Pool;
  readonly #types: TaskTypes;
  /** How many tasks all workers run at a time. */
  readonly #places: number;
  readonly #events = new Emitter<RuntimeEventMap>();
  readonly #caches = new Map<string, CoreCache<never, unknown>>();
  readonly #resources: ResourceFeed | undefined;
  readonly #closed: Promise<void>;
  #onClosed: () => void = () => undefined;
  #closing = false;
  #paused = false;
  #finalStats: PoolStats | undefined;
  #statsTimer: ReturnType<typeof setInterval> | undefined;

  constructor(
    core: Core,
    settings: PoolSettings,
    choose: CheckedBinding['choose'],
    { worker, warmUp, offer, recycle, retry, types }: RuntimeOptions<Tasks>,
    budgets: BudgetSettings | undefined,
    startTelemetry: StartTelemetry | undefined,
    early: EarlyStart,
    openRing: OpenRing | undefined,
  ) {
    this.#core = core;
    this.#places = settings.workers * settings.concurrency;
    this.#closed = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    const names = new OfferNames();
    this.#types = new TaskTypes(types ?? {}, names);
    const events: PoolEvents = {
      onWorkerLost: (event) => this.#emitSoon('workerlost', event),
      onRecycle: (event) => this.#emitSoon('recycle', event),
      onRetry: (event) => this.#emitSoon('retry', event),
      onResize: (event) => this.#emitSoon('resize', event),
      onPressure: (event) => this.#emitSoon('pressure', event),
      onSaturated: (event) => this.#emitSoon('saturated', event),
      onDrained: (event) => this.#emitSoon('drained', event),
      onClosed: () => queueMicrotask(() => this.#finish()),
    };
    this.#pool = new Pool(core, settings, worker, names, events, { warmUp, offer, choose, recycle, shouldRetry: retry?.shouldRetry, early, openRing });
    this.#resources =
      budgets === undefined
        ? undefined
        : new ResourceFeed(budgets, () => core.bytes, (memory, cpu) => this.#pool.driver.resources(memory, cpu));
    this.telemetry = startTelemetry?.(core, this.#pool.driver.pool, this.#pool.clock, this.#caches, () => this.#types.names);
  }

  run<Name extends TaskName<Tasks>>(
    task: Name,
    ...[input, options]: RunArguments<Tasks[Name]>
  ): Promise<TaskResult<Tasks[Name]>> {
    try {
      if (this.#closing) {
        throw closedError(`task "${task}"`);
      }
      if (options !== undefined) {
        abortSignal(known('`run`', options, RUN_NAMES).signal)?.throwIfAborted();
      }
      return this.#pool.submit(this.#task(task, input, options, undefined)) as Promise<TaskResult<Tasks[Name]>>;
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  stream<Name extends StreamName<Tasks>>(
    task: Name,
    ...[input, options = {}]: StreamArguments<Tasks[Name]>
  ): TaskStream<TaskItem<Tasks[Name]>, TaskReturn<Tasks[Name]>> {
    const { highWaterMark = 16, signal, ...rest } = known('`stream`', options, STREAM_NAMES);
    whole('highWaterMark', highWaterMark, 1, 1 << 20);
    return new BufferedStream(highWaterMark, abortSignal(signal), (sink, stop) => {
      if (this.#closing) {
        return Promise.reject(closedError(`task "${task}"`));
      }
      stop.throwIfAborted();
      const once = { ...rest, retries: 0, redeliver: false, signal: stop };
      return this.#pool.submit(this.#task(task, input, once, sink));
    });
  }

  map<Name extends TaskName<Tasks>>(
    task: Name,
    items: Iterable<TaskInput<Tasks[Name]>> | AsyncIterable<TaskInput<Tasks[Name]>>,
    options: MapOptions<TaskInput<Tasks[Name]>, TaskResult<Tasks[Name]>, TaskProgress<Tasks[Name]>> = {},
  ): Promise<TaskResult<Tasks[Name]>[]> {
    try {
      const { inFlight = 2 * this.#places, signal, transfer, onProgress, onResult, ...each } = known('`map`', options, MAP_NAMES);
      const run = async (input: TaskInput<Tasks[Name]>, index: number, stop: AbortSignal): Promise<TaskResult<Tasks[Name]>> => {
        const request: RunOptions<TaskProgress<Tasks[Name]>> = {
          ...each,
          ...(transfer === undefined ? {} : { transfer: transfer(input, index) }),
          ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress(progress, index) }),
          signal: stop,
        };
        const result = await this.run(task, ...([input, request] as unknown as RunArguments<Tasks[Name]>));
        onResult?.(result, index);
        return result;
      };
      optionalFunction('transfer', transfer);
      return mapTasks(items, whole('inFlight', inFlight, 1, 1 << 20), abortSignal(signal), run);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  ready(): Promise<void> {
    return this.#closing ? Promise.reject(closedError('waiting for workers')) : this.#pool.ready();
  }

  idle(): Promise<void> {
    return this.#pool.idle();
  }

  pause(): void {
    this.#setPaused(true);
  }

  resume(): void {
    this.#setPaused(false);
  }

  stats(): PoolStats {
    if (this.#pool.fault !== undefined) {
      throw this.#pool.fault;
    }
    return this.#finalStats ?? this.#readStats();
  }

  devices(): WorkerDevice[] {
    return this.#pool.devices();
  }

  recording(): Recording {
    if (this.#pool.fault !== undefined) {
      throw this.#pool.fault;
    }
    return readRecording(this.#core, this.#pool.driver.pool);
  }

  cache<Key extends string = string, Value = unknown>(name: string, options: CacheOptions): Cache<Key, Value> {
    let cache = this.#caches.get(name);
    if (cache === undefined) {
      cache = new CoreCache<never, unknown>(this.#core, this.#pool.clock, known('`cache`', options, 'maxEntries ttlMs'));
      this.#caches.set(name, cache);
    }
    // The name stands for the types: who shares a cache agrees on them.
    return cache as unknown as Cache<Key, Value>;
  }

  on<Name extends keyof RuntimeEventMap>(event: Name, listener: (event: RuntimeEventMap[Name]) => void): () => void {
    const off = this.#events.on(event, listener);
    this.#tickStats();
    return () => {
      off();
      this.#tickStats();
    };
  }

  killWorker(id: number): boolean {
    return this.#pool.kill(id);
  }

  close(options: { readonly drain?: boolean } = {}): Promise<void> {
    let drain: boolean;
    try {
      drain = known('`close`', options, 'drain').drain ?? false;
    } catch (thrown) {
      return Promise.reject(thrown);
    }
    if (drain) {
      this.#setPaused(false);
    }
    this.#closing = true;
    this.#pool.driver.close(drain);
    return this.#closed;
  }

  [ASYNC_DISPOSE](): Promise<void> {
    return this.close();
  }

  [DISPOSE](): void {
    void this.close();
  }

  #task(name: string, input: unknown, options: RunOptions<never> | undefined, stream: StreamSink | undefined): PendingTask {
    if (options === undefined) {
      return new PendingTask(name, input, this.#types.spec(name, undefined), undefined, undefined, undefined, stream);
    }
    const { transfer, signal, onProgress } = options;
    optionalFunction('onProgress', onProgress);
    const moved = transfer === undefined || array('transfer', 'what is moved into the worker', transfer).length === 0 ? undefined : transfer;
    return new PendingTask(name, input, this.#types.spec(name, options), moved, signal, onProgress, stream);
  }

  #setPaused(paused: boolean): void {
    if (paused !== this.#paused && !this.#closing) {
      this.#paused = paused;
      this.#pool.driver.pause(paused);
      this.#emitSoon(paused ? 'pause' : 'resume', undefined);
    }
  }

  #readStats(): PoolStats {
    const { driver, clock } = this.#pool;
    return poolStats(this.#core, driver.pool, clock.now(), {
      capabilitiesOf: (worker) => this.#pool.capabilitiesOf(worker),
      tasks: this.#types.names,
    });
  }

  /** Listeners hear of it when all is done that the core wanted done. */
  #emitSoon<Name extends keyof RuntimeEventMap>(name: Name, event: RuntimeEventMap[Name]): void {
    if (this.#events.has(name)) {
      queueMicrotask(() => this.#events.emit(name, event));
    }
  }

  /** A timer while anybody listens, which keeps no Node process alive. */
  #tickStats(): void {
    const wanted = this.#events.has('stats') && !this.#closing;
    if (wanted && this.#statsTimer === undefined) {
      this.#statsTimer = setInterval(() => this.#events.emit('stats', this.stats()), STATS_INTERVAL_MS);
      (this.#statsTimer as { unref?(): void }).unref?.();
    } else if (!wanted) {
      clearInterval(this.#statsTimer);
      this.#statsTimer = undefined;
    }
  }

  #finish(): void {
    this.#closing = true;
    clearInterval(this.#statsTimer);
    this.#resources?.stop();
    const fault = this.#pool.fault;
    // Whatever the page's own functions do on the way, nobody waits for the end in vain.
    callSafely(() => (fault === undefined ? this.telemetry?.close() : this.telemetry?.abandon()));
    if (fault === undefined) {
      this.#finalStats = this.#readStats();
    }
    this.#events.emit('close', undefined);
    this.#onClosed();
  }
}

const STATS_INTERVAL_MS = 1_000;
