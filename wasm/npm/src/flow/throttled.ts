import { QuillworkError } from '../errors.js';
import { AbortWatch } from '../pool/abort-watch.js';
import { BESIDE } from '../embedded.js';
import { Attempt, type Attempted } from './attempt.js';
import { latency, type FlowLatency } from './latency.js';
import { Machine } from './machine.js';
import { abortSignal, known, millis, object, OF_CALL, whole } from './options.js';
import type { ExecuteOptions } from './stack.js';
import { throttledSettings, type ThrottledOptions } from './throttled-options.js';

/** What a caller says about one operation. */
export interface ThrottledExecuteOptions extends ExecuteOptions {
  /** 0 (nobody waits for it) to 10. Waiting operations gain a level each `ageing`. Default 5. */
  readonly priority?: number | undefined;
  /** What it counts against `maxPerSecond`, a whole number. 0 passes freely. Default 1. */
  readonly weight?: number | undefined;
  /** The longest that it may wait for its start, in milliseconds; then `ERR_QUEUE_EXPIRED`. Default: as long as it takes. */
  readonly maxWait?: number | undefined;
}

/** What throttled execution has to show. */
export interface ThrottledMetrics {
  /** Operations that run, those included whose callers have given them up. */
  readonly activeOperations: number;
  readonly queueLength: number;
  /** Operations that wait for a place in the queue, under overflow `'wait'`. */
  readonly waitingOutside: number;
  /** Operations done a second, over the last ten. */
  readonly operationsPerSecond: number;
  readonly isCooling: boolean;
  /** How long it rests yet, in milliseconds. */
  readonly coolingMs: number;
  /** Counts since it was made; how long operations of the last minute waited for their start and ran. */
  readonly performance: {
    readonly accepted: number;
    readonly refused: number;
    readonly started: number;
    readonly completed: number;
    readonly failed: number;
    readonly aborted: number;
    readonly expired: number;
    readonly dropped: number;
    readonly closed: number;
    readonly waitMs: FlowLatency | undefined;
    readonly runMs: FlowLatency | undefined;
  };
}

/** Runs operations within limits; what can't start waits, none is lost. */
export interface Throttled {
  /**
   * Runs an operation when its turn comes. Settles once: with its result, its error, the signal's reason, or why it was not run. An aborted
   * operation leaves the queue at once; one that runs keeps its place until it has really ended.
   */
  execute<Result>(fn: Attempted<Result>, options?: ThrottledExecuteOptions): Promise<Result>;
  /** The function, each call of which waits for its turn. */
  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
    options?: ThrottledExecuteOptions,
  ): (this: This, ...args: Arguments) => Promise<Result>;
  /** Starts nothing until `resume`. What runs goes on. */
  pause(): void;
  resume(): void;
  /** Changes how many run at once; where more run, they run to their end. */
  setMaxConcurrent(maxConcurrent: number): void;
  /** Takes nothing more and ends what waits with `ERR_CLOSED`. Resolves when nothing runs any more. */
  close(): Promise<void>;
  getMetrics(): ThrottledMetrics;
}

/** Throttled execution. Throws `ERR_INVALID_OPTION`. */
export function throttled(options: ThrottledOptions = {}): Throttled {
  return new CoreThrottled(options);
}

interface Operation {
  readonly run: Attempted<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  value: unknown;
  error: unknown;
  /** Whether core has started it: it keeps its number until it has really ended. */
  started: boolean;
  settled: boolean;
  /** What its function was given. */
  context: Attempt | undefined;
}

class CoreThrottled extends Machine implements Throttled {
  readonly #options: ThrottledOptions;
  readonly #watch = new AbortWatch((task) => this.input((exports, now) => exports.executor_abort(this.handle, now, task)));
  /** By number; numbers are used again. */
  readonly #operations: (Operation | undefined)[] = [];
  readonly #free: number[] = [];
  #running = 0;
  /** Who waits for the end. */
  #idle: (() => void)[] = [];

  constructor(options: ThrottledOptions) {
    super({
      settings: throttledSettings(options),
      make: (exports, now) => exports.executor_new(now),
      free: (exports, handle) => exports.executor_free(handle),
      drain: (exports, handle) => exports.executor_drain(handle),
      deadline: (exports, handle, now) => exports.executor_deadline(handle, now),
    });
    this.#options = options;
  }

  execute<Result>(run: Attempted<Result>, options: ThrottledExecuteOptions = {}): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const { signal, priority = 5, weight = 1, maxWait = Infinity } = object(OF_CALL, options);
      if (typeof run !== 'function') {
        throw new QuillworkError('ERR_INVALID_OPTION', `what is to be executed is a function, not ${String(run)}`);
      }
      whole('priority', priority, 0, 10);
      whole('weight', weight, 0, 2 ** 32 - 1);
      millis('maxWait', maxWait, 0);
      if (abortSignal(signal)?.aborted === true) {
        reject(signal?.reason);
        return;
      }
      const task = this.#free.pop() ?? this.#operations.length;
      const operation: Operation = {
        run,
        resolve: resolve as (value: unknown) => void,
        reject,
        signal,
        value: undefined,
        error: undefined,
        started: false,
        settled: false,
        context: undefined,
      };
      this.#operations[task] = operation;
      if (signal !== undefined) {
        this.#watch.add(signal, task);
      }
      this.input(
        (exports, now) => exports.executor_submit(this.handle, now, task, priority, weight, maxWait),
        (floats) => {
          const refusal = floats[BESIDE] ?? 0;
          if (refusal !== 0) {
            this.#forget(task, operation);
            reject(this.#refusal(refusal, weight));
          }
        },
      );
    });
  }

  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
    options: ThrottledExecuteOptions = {},
  ): (this: This, ...args: Arguments) => Promise<Result> {
    known('`wrap`', options, 'signal priority weight maxWait');
    const throttled = this;
    return function (...args) {
      return throttled.execute(() => fn.apply(this, args), options);
    };
  }

  pause(): void {
    this.input((exports, now) => exports.executor_pause(this.handle, now, 1));
  }

  resume(): void {
    this.input((exports, now) => exports.executor_pause(this.handle, now, 0));
  }

  setMaxConcurrent(maxConcurrent: number): void {
    const most = whole('maxConcurrent', maxConcurrent, 1, 2 ** 32 - 1);
    this.input((exports, now) => exports.executor_set_max_concurrent(this.handle, now, most));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.input((exports, now) => exports.executor_close(this.handle, now));
      this.#tellIdle();
    });
  }

  getMetrics(): ThrottledMetrics {
    const floats = this.read((exports, now) => exports.executor_metrics(this.handle, now));
    const at = (index: number): number => floats[index] ?? 0;
    const until = at(4);
    return {
      activeOperations: at(0),
      queueLength: at(1),
      waitingOutside: at(2),
      operationsPerSecond: at(3),
      isCooling: until !== Infinity,
      coolingMs: until === Infinity ? 0 : Math.max(0, until - this.clock.now()),
      performance: {
        accepted: at(5),
        refused: at(6),
        started: at(7),
        completed: at(8),
        failed: at(9),
        aborted: at(10),
        expired: at(11),
        dropped: at(12),
        closed: at(13),
        waitMs: latency(floats, 14),
        runMs: latency(floats, 18),
      },
    };
  }

  protected override take(records: Float64Array, at: number): void {
    const tag = (records[at] ?? 0) >>> 0;
    const task = (records[at + 1] ?? 0) >>> 0;
    const settlement = (records[at + 2] ?? 0) >>> 0;
    const operation = this.#operations[task];
    if (operation === undefined) {
      return;
    }
    if (tag === START) {
      operation.started = true;
      this.act(() => this.#start(task, operation));
    } else if (tag === CANCEL) {
      this.act(() => operation.context?.cancel(operation.signal?.reason));
    } else if (tag === SETTLE) {
      this.#settle(task, operation, settlement);
    }
  }

  protected override break(error: unknown): void {
    for (const [task, operation] of this.#operations.entries()) {
      if (operation?.settled === false) {
        this.#forget(task, operation);
        operation.reject(error);
      }
    }
    this.#running = 0;
    this.#tellIdle();
  }

  #start(task: number, operation: Operation): void {
    const context = new Attempt(1);
    operation.context = context;
    this.#running += 1;
    let result: unknown;
    try {
      result = operation.run(context);
    } catch (thrown) {
      operation.error = thrown;
      this.#done(task, 1);
      return;
    }
    Promise.resolve(result).then(
      (value) => {
        operation.value = value;
        this.#done(task, 0);
      },
      (thrown: unknown) => {
        operation.error = thrown;
        this.#done(task, 1);
      },
    );
  }

  #done(task: number, failed: number): void {
    this.#running -= 1;
    this.input((exports, now) => exports.executor_done(this.handle, now, task, failed));
    this.#release(task);
    this.#tellIdle();
  }

  #settle(task: number, operation: Operation, settlement: number): void {
    this.#forget(task, operation);
    if (settlement === COMPLETED) {
      operation.resolve(operation.value);
    } else if (settlement === FAILED) {
      operation.reject(operation.error);
    } else if (settlement === ABORTED) {
      operation.reject(operation.signal?.reason);
    } else if (settlement === EXPIRED) {
      operation.reject(new QuillworkError('ERR_QUEUE_EXPIRED', 'its turn did not come within `maxWait`'));
    } else if (settlement === DROPPED) {
      operation.reject(new QuillworkError('ERR_DROPPED', 'it made room for another in a full queue, as the option `overflow` says. Raise `maxQueued` to keep more'));
    } else {
      operation.reject(closed());
    }
  }

  #forget(task: number, operation: Operation): void {
    operation.settled = true;
    if (operation.signal !== undefined) {
      this.#watch.delete(operation.signal, task);
    }
    if (!operation.started) {
      this.#release(task);
    }
  }

  /** Its number may stand for another operation. */
  #release(task: number): void {
    this.#operations[task] = undefined;
    this.#free.push(task);
  }

  #tellIdle(): void {
    if (this.#idle.length > 0 && this.#running <= 0) {
      for (const resolve of this.#idle.splice(0)) {
        resolve();
      }
    }
  }

  #refusal(code: number, weight: number): QuillworkError {
    const { maxQueued = 1_000, maxWaiting = 10_000 } = this.#options;
    switch (code) {
      case 1:
        return new QuillworkError('ERR_QUEUE_FULL', `${maxQueued} operations wait already: execute less at once, or raise \`maxQueued\``);
      case 2:
        return new QuillworkError('ERR_QUEUE_FULL', `the queue is full and ${maxWaiting} operations wait outside: execute less at once`);
      case 3:
        return new QuillworkError('ERR_INVALID_OPTION', `a \`weight\` of ${weight} never starts: raise \`maxBurstSize\` or \`maxPerSecond\`, or split it`);
      default:
        return closed();
    }
  }
}

function closed(): QuillworkError {
  return new QuillworkError('ERR_CLOSED', 'it was closed and takes no more operations');
}

const START = 1;
const CANCEL = 3;
const SETTLE = 4;

const COMPLETED = 1;
const FAILED = 2;
const ABORTED = 3;
const EXPIRED = 4;
const DROPPED = 5;
