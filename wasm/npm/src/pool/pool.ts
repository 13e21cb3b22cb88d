import { describe, QuillworkError } from '../errors.js';
import { Said, type Core } from '../abi.js';
import type { ComputeInfo } from '../compute/types.js';
import type { OpenRing } from '../ring/page-ring.js';
import { callSafely } from '../runtime/emitter.js';
import { AbortWatch } from './abort-watch.js';
import { candidates, type CustomBinding } from './binding.js';
import type { OfferNames } from './capabilities.js';
import { Clock } from './clock.js';
import { Driver, TerminateReason, type PoolActions } from './driver.js';
import type { EarlyStart } from './early-start.js';
import { lossReason, pressure, resizeReason, type PoolPressure, type PoolResize, type QueueLevel, type TaskRetry, type WorkerLost, type WorkerRecycled } from './events.js';
import { offers, type Offer, type WorkerOffer } from './offers.js';
import { Readiness } from './readiness.js';
import { Recycling, type RecycleOptions } from './recycling.js';
import { RollCall } from './roll-call.js';
import type { PoolSettings } from './settings.js';
import { abortReason, closedError, settle, timeoutError, type SettlementContext } from './settle.js';
import { loadError, type WorkerSource } from './spawn.js';
import { nobodyWaits, TaskTable, type PendingTask } from './task-table.js';
import { Line, type LineEvents } from './transport.js';

/** What a pool tells its owner. */
export interface PoolEvents {
  onWorkerLost(event: WorkerLost): void;
  onRecycle(event: WorkerRecycled): void;
  onRetry(event: TaskRetry): void;
  onResize(event: PoolResize): void;
  onPressure(event: PoolPressure): void;
  onSaturated(event: QueueLevel): void;
  onDrained(event: QueueLevel): void;
  onClosed(): void;
}

/** A task that each new worker runs before it is given any other. */
export interface WarmUp<Name extends string = string> {
  readonly task: Name;
  readonly input?: unknown;
}

/** A worker that carries the capability `gpu`, or that computes. */
export interface WorkerDevice {
  readonly worker: number;
  readonly generation: number;
  readonly capabilities: readonly string[];
  /** What its `compute()` found, as it last said; `undefined` before it was called there. */
  readonly info: ComputeInfo | undefined;
}

/** What few pools are given. */
export interface PoolExtras {
  readonly warmUp?: WarmUp | undefined;
  readonly offer?: ((worker: number) => WorkerOffer) | undefined;
  readonly choose?: CustomBinding['choose'] | undefined;
  readonly shouldRetry?: ((error: unknown, task: string) => boolean) | undefined;
  readonly recycle?: RecycleOptions | undefined;
  /** Workers that were started before the pool was made. */
  readonly early?: EarlyStart | undefined;
  /** Opens lines through shared memory, where there can be some. */
  readonly openRing?: OpenRing | undefined;
}

/** Workers, payloads and promises; the core decides about them by number. */
export class Pool implements PoolActions, LineEvents {
  readonly #names: OfferNames;
  readonly #offers: readonly Offer[];
  readonly driver: Driver;
  readonly clock = new Clock();
  readonly #settings: PoolSettings;
  readonly #source: WorkerSource;
  readonly #early: EarlyStart | undefined;
  readonly #openRing: OpenRing | undefined;
  readonly #events: PoolEvents;
  readonly #tasks = new TaskTable();
  readonly #lines: (Line | undefined)[] = [];
  readonly #aborts = new AbortWatch((id) => this.driver.abort(id));
  readonly #readiness: Readiness;
  readonly #warmUp: WarmUp | undefined;
  readonly #recycling: Recycling | undefined;
  readonly #choose: CustomBinding['choose'] | undefined;
  readonly #shouldRetry: PoolExtras['shouldRetry'];
  readonly #core: Core;
  /** Who waits until there is no unsettled task. */
  readonly #whenIdle: (() => void)[] = [];
  #rollCall: RollCall<Line> | undefined;
  #lastLoss: unknown;
  readonly #explain: SettlementContext = {
    capabilityNames: (bits) => this.#names.names(bits),
    lastLoss: () => this.#lastLoss,
  };
  #broken: QuillworkError | undefined;

  constructor(
    core: Core,
    settings: PoolSettings,
    source: WorkerSource,
    names: OfferNames,
    events: PoolEvents,
    { warmUp, offer, choose, recycle, shouldRetry, early, openRing }: PoolExtras = {},
  ) {
    this.#readiness = new Readiness(settings.minWorkers);
    this.#warmUp = warmUp;
    this.#choose = choose;
    this.#shouldRetry = shouldRetry;
    this.#recycling = recycle && new Recycling(recycle, (line) => this.driver.recycle(line.worker, line.generation));
    this.#core = core;
    this.#names = names;
    this.#offers = offers(settings, names, offer);
    this.#settings = settings;
    this.#source = source;
    this.#early = early;
    this.#openRing = openRing;
    this.#events = events;
    this.driver = new Driver(core, this.clock, settings, this);
    this.driver.start();
  }

  /** Runs a task. */
  submit(task: PendingTask): Promise<unknown> {
    const promise = new Promise(keepSettlers);
    task.resolve = resolveLast;
    task.reject = rejectLast;
    // They hold on to the promise, and that to its result.
    resolveLast = rejectLast = nobodyWaits;
    if (this.#broken !== undefined) {
      task.reject(this.#broken);
      return promise;
    }
    const id = this.#tasks.reserve();
    task.id = id;
    this.#tasks.put(task);
    if (task.signal !== undefined) {
      this.#aborts.add(task.signal, id);
    }
    if (this.#tasks.size === 1) {
      this.#hold();
    }
    this.driver.submit(id, task.spec);
    return promise;
  }

  /** Why the pool can't be used any more, where its core failed. */
  get fault(): QuillworkError | undefined {
    return this.#broken;
  }

  /** Resolves when the workers that the pool keeps at least are up. */
  async ready(): Promise<void> {
    if (this.#broken !== undefined) {
      throw this.#broken;
    }
    try {
      const ready = this.#readiness.wait();
      this.#hold();
      await ready;
    } finally {
      this.#hold();
    }
  }

  /** Resolves when there is no unsettled task. */
  idle(): Promise<void> {
    return this.#tasks.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Ends a worker as a crash would. `false` where there is none in this place just now. */
  kill(worker: number): boolean {
    const line = this.#lines[worker];
    if (line === undefined) {
      return false;
    }
    line.terminate();
    this.onLost(line, new Error(`worker ${worker} was killed`));
    return true;
  }

  /** Names of what the worker in this place can do. */
  capabilitiesOf(worker: number): string[] {
    return this.#names.names(this.#offer(worker).capabilities);
  }

  /** What the workers said that they compute on, and those that are there for it. */
  devices(): WorkerDevice[] {
    const lines = this.#lines.filter((line) => line !== undefined);
    const devices = lines.map(({ worker, generation, device }) => ({ worker, generation, capabilities: this.capabilitiesOf(worker), info: device }));
    return devices.filter(({ capabilities, info }) => capabilities.includes('gpu') || info !== undefined);
  }

  // What the core wants done.

  spawn(worker: number, generation: number): void {
    try {
      const line = new Line(worker, generation, this.#source, this.#early, this.capabilitiesOf(worker), this.#offer(worker).capacity, this.#openRing, this);
      line.hold(this.#isAwaited);
      this.#lines[worker] = line;
    } catch (thrown) {
      this.#lastLoss = loadError(this.#source, thrown);
      this.driver.workerLost(worker, generation);
    }
  }

  terminate(worker: number, generation: number, reason: number): void {
    const line = this.#lineOf(worker, generation);
    this.#lines[worker] = undefined;
    if (line !== undefined) {
      line.terminate();
      this.#rollCall?.heard(line);
    }
    if (reason === TerminateReason.Recycled) {
      this.#events.onRecycle({ worker, generation });
    }
    if (ON_PURPOSE.has(reason)) {
      return;
    }
    this.#lastLoss = this.#lossError(reason, line);
    this.#readiness.down(worker, this.#lastLoss);
    this.#events.onWorkerLost({ worker, generation, reason: lossReason(reason), error: this.#lastLoss });
  }

  dispatch(id: number, worker: number, generation: number, attempt: number): void {
    const task = this.#tasks.get(id);
    const line = this.#lineOf(worker, generation);
    if (task === undefined || line === undefined) {
      return;
    }
    task.line = line;
    task.stream?.opened((items) => line.more(id, items));
    if (!line.run(task, attempt)) {
      this.#fail(line, id, this.#unknown(line, task.name));
    }
  }

  abortRunning(id: number, worker: number, generation: number): void {
    const task = this.#tasks.get(id);
    const line = this.#lineOf(worker, generation);
    if (task !== undefined && line !== undefined) {
      line.abort(id, task.signal?.aborted === true ? abortReason(task) : timeoutError(task));
    }
  }

  takeBack(id: number, worker: number, generation: number): void {
    this.#lineOf(worker, generation)?.takeBack(id);
  }

  probe(worker: number, generation: number): void {
    this.#lineOf(worker, generation)?.ping();
  }

  settle(id: number, settlement: number, detail: number): void {
    const task = this.#tasks.take(id);
    if (task === undefined) {
      return;
    }
    this.#forget(task);
    settle(task, settlement, detail, this.#explain);
  }

  resize(from: number, to: number, reason: number): void {
    this.#events.onResize({ from, to, reason: resizeReason(reason) });
  }

  pressure(action: number, level: number, cause: number): void {
    this.#events.onPressure(pressure(action, level, cause));
  }

  retry(id: number, afterMs: number): void {
    const task = this.#tasks.get(id);
    if (task !== undefined) {
      this.#events.onRetry({ task: task.name, error: task.outcome, afterMs });
      task.outcome = undefined;
    }
  }

  askStrategy(id: number): void {
    const task = this.#tasks.get(id);
    if (task === undefined || this.#choose === undefined) {
      return;
    }
    const count = this.driver.candidates(id);
    const { name, input, spec } = task;
    const asked = { name, input, priority: spec.priority };
    const answer = (worker: number | undefined): void => this.driver.strategyAnswer(id, worker);
    const failed = (thrown: unknown): void => {
      callSafely(() => {
        throw thrown;
      });
      answer(undefined);
    };
    try {
      const chosen = this.#choose(asked, candidates(this.#core.floats, count, this.#names));
      if (typeof chosen === 'object') {
        chosen.then(answer, failed);
      } else {
        answer(chosen);
      }
    } catch (thrown) {
      failed(thrown);
    }
  }

  saturated(queued: number): void {
    this.#events.onSaturated({ queued });
  }

  drained(queued: number): void {
    this.#events.onDrained({ queued });
  }

  closed(): void {
    this.#readiness.fail(closedError('waiting for workers'));
    this.#events.onClosed();
  }

  hear(): void {
    for (const line of this.#lines) {
      line?.hear();
    }
  }

  callRoll(then: () => void): void {
    const lines = this.#lines.filter((line) => line?.ready === true) as Line[];
    for (const line of lines) {
      line.ping();
    }
    this.#rollCall = new RollCall(lines, ROLL_CALL_MS, then);
  }

  broken(error: QuillworkError): void {
    this.#broken = error;
    for (const line of this.#lines) {
      line?.terminate();
    }
    this.#lines.length = 0;
    for (const task of this.#tasks.takeAll()) {
      this.#forget(task);
      task.reject(error);
    }
    this.#readiness.fail(error);
    this.#events.onClosed();
  }

  // What workers tell.

  onReady(line: Line): void {
    if (this.#warmUp === undefined) {
      this.#up(line);
    } else if (!line.warmUp(this.#warmUp.task, this.#warmUp.input)) {
      this.onWarm(line, { error: this.#unknown(line, this.#warmUp.task) });
    }
  }

  onWarm(line: Line, failure: { readonly error: unknown } | undefined): void {
    if (failure === undefined) {
      this.#up(line);
      return;
    }
    line.lostBy = new QuillworkError(
      'ERR_WORKER_LOAD',
      `the task "${this.#warmUp?.task}" that warms a new worker up failed (${describe(failure.error)})`,
      { cause: failure.error },
    );
    this.onLost(line, failure.error);
  }

  onAlive(line: Line, heapBytes?: number): void {
    this.driver.workerAlive(line.worker, line.generation);
    this.#rollCall?.heard(line);
    if (heapBytes !== undefined) {
      this.#recycling?.heap(line, heapBytes);
    }
  }

  onOutcome(line: Line, id: number, outcome: unknown): void {
    const task = this.#tasks.get(id);
    if (task?.line === line) {
      task.outcome = outcome;
      task.line = undefined;
    }
  }

  onAnswers(line: Line, said: readonly number[]): void {
    this.driver.answers(line.worker, line.generation, this.#shouldRetry === undefined ? said : this.#judged(said, this.#shouldRetry));
    this.#recycling?.answered(line, said.length / 2);
  }

  onProgress(line: Line, id: number, value: unknown): void {
    this.driver.progress(line.worker, line.generation, id);
    this.#rollCall?.heard(line);
    const task = this.#tasks.get(id);
    if (task?.line === line && task.onProgress !== undefined) {
      callSafely(() => task.onProgress?.(value as never));
    }
  }

  onItem(line: Line, id: number, item: unknown): void {
    this.driver.progress(line.worker, line.generation, id);
    this.#rollCall?.heard(line);
    const task = this.#tasks.get(id);
    if (task?.line === line) {
      task.stream?.push(item);
    }
  }

  onRefused(line: Line, id: number, thrown: unknown): void {
    const name = this.#tasks.get(id)?.name ?? '';
    this.#fail(
      line,
      id,
      new QuillworkError(
        'ERR_NOT_CLONEABLE',
        `the input of task "${name}" can't be sent to a worker (${describe(thrown)}): pass plain data, and list each buffer to move once`,
        { cause: thrown },
      ),
    );
  }

  onGarbled(line: Line, there: readonly number[] | undefined): void {
    const lost = this.#tasks.at(line).filter((task) => there?.includes(task.id) !== true);
    if (lost.length === 0) {
      // A message of the app's own.
      return;
    }
    const error = new QuillworkError(
      'ERR_NOT_CLONEABLE',
      'a message between page and worker could not be deserialised (a SharedArrayBuffer or a WebAssembly.Module outside of its process?)',
    );
    // A task that alone was in the message ends with it, and is not sent again. It is given up before the worker is, so that it gets no
    // other task in between. Of several nobody knows which it was: they are redelivered, each alone.
    const [only] = lost;
    if (only !== undefined && lost.length === 1) {
      only.failure = error;
      this.driver.abort(only.id);
    }
    this.onLost(line, error);
  }

  onLost(line: Line, thrown: unknown): void {
    line.lostBy ??= line.ready ? (thrown ?? new Error('the worker failed and gave no reason')) : loadError(this.#source, thrown);
    this.driver.workerLost(line.worker, line.generation);
  }

  #up(line: Line): void {
    this.driver.workerReady(line.worker, line.generation, this.#offer(line.worker));
    this.#readiness.up(line);
  }

  #unknown(line: Line, name: string): QuillworkError {
    return new QuillworkError(
      'ERR_UNKNOWN_TASK',
      `the worker exposes no task "${name}", but ${line.names.map((known) => `"${known}"`).join(', ')}`,
    );
  }

  /** A task can't be handed over, now or later: it ends, however many attempts it has. */
  #fail(line: Line, id: number, error: QuillworkError): void {
    this.onOutcome(line, id, error);
    this.onAnswers(line, [id, Said.FailedForGood]);
  }

  /** What a worker said, and which failures are not worth another attempt. */
  #judged(said: readonly number[], shouldRetry: (error: unknown, task: string) => boolean): readonly number[] {
    return said.map((word, at) => {
      const task = at % 2 === 1 && word === Said.Failed ? this.#tasks.get(said[at - 1] ?? 0) : undefined;
      if (task === undefined || task.spec.attempts === 1 || task.line !== undefined) {
        return word;
      }
      try {
        return shouldRetry(task.outcome, task.name) ? word : Said.FailedForGood;
      } catch (thrown) {
        task.outcome = thrown;
        return Said.FailedForGood;
      }
    });
  }

  #forget(task: PendingTask): void {
    if (task.signal !== undefined) {
      this.#aborts.delete(task.signal, task.id);
    }
    if (this.#tasks.size === 0) {
      this.#hold();
      for (const idle of this.#whenIdle.splice(0)) {
        idle();
      }
    }
  }

  /** A Node process lives on while somebody waits for something here, and no longer. */
  #hold(): void {
    for (const line of this.#lines) {
      line?.hold(this.#isAwaited);
    }
    this.driver.hold(this.#isAwaited);
  }

  get #isAwaited(): boolean {
    return this.#tasks.size > 0 || this.#readiness.isAwaited;
  }

  #lossError(reason: number, line: Line | undefined): unknown {
    const { leaseMs, bootTimeoutMs, abortGraceMs } = this.#settings;
    switch (reason) {
      case TerminateReason.BootTimeout:
        return loadError(this.#source, new Error(`it did not call expose() within bootTimeoutMs of ${bootTimeoutMs}`));
      case TerminateReason.Silent:
        return new Error(`the worker gave no sign of life within leaseMs of ${leaseMs}`);
      case TerminateReason.IgnoredAbort:
        return new Error(`the worker went on with an ended task for longer than abortGraceMs of ${abortGraceMs}`);
      default:
        // Without a line its construction threw, and that is the last loss.
        return line === undefined ? this.#lastLoss : line.lostBy;
    }
  }

  #lineOf(worker: number, generation: number): Line | undefined {
    const line = this.#lines[worker];
    return line?.generation === generation ? line : undefined;
  }

  #offer(worker: number): Offer {
    const offer = this.#offers[worker];
    if (offer === undefined) {
      throw new QuillworkError('ERR_INTERNAL', `worker ${worker} is none of this pool. Please report this`);
    }
    return offer;
  }
}

/** What settles the promise that was made last. One function takes it from all promises: one for each would be an object more. */
let resolveLast: (value: unknown) => void = nobodyWaits;
let rejectLast: (reason: unknown) => void = nobodyWaits;
const keepSettlers = (resolve: (value: unknown) => void, reject: (reason: unknown) => void): void => {
  resolveLast = resolve;
  rejectLast = reject;
};

/** How long a worker that was perhaps stopped together with the page may take to answer. */
const ROLL_CALL_MS = 250;

const ON_PURPOSE: ReadonlySet<number> = new Set([TerminateReason.Closing, TerminateReason.Retired, TerminateReason.Recycled]);
