import { ANSWER_WORDS, MAX_ANSWERS, MAX_RECORDS, RECORD_WORDS, type Core, type RuntimeExports } from '../abi.js';
import type { QuillworkError } from '../errors.js';
import { afterPendingMessages, LATE_MS } from '../turn.js';
import type { Clock } from './clock.js';
import type { Offer } from './offers.js';
import { newPool, submitMany, submitTask, type PoolSettings, type TaskSpec } from './settings.js';

/** How the core ended a task. */
export const Settlement = {
  Completed: 1,
  Failed: 2,
  Aborted: 3,
  TimedOut: 4,
  Expired: 5,
  WorkerLost: 6,
  QueueFull: 7,
  NoCapableWorker: 8,
  WorkersUnavailable: 9,
  Closing: 10,
  Closed: 11,
  TooLarge: 12,
  Shed: 13,
  Dropped: 14,
  TooManyWaiting: 15,
  OnlyBannedWorkers: 16,
} as const;

/** Why the core ends a worker. */
export const TerminateReason = { Lost: 1, BootTimeout: 2, Silent: 3, IgnoredAbort: 4, Closing: 5, Retired: 6, Recycled: 7 } as const;

/** What the core wants done. An action may lead to inputs; they wait until all actions are done. */
export interface PoolActions {
  spawn(worker: number, generation: number): void;
  terminate(worker: number, generation: number, reason: number): void;
  dispatch(task: number, worker: number, generation: number, attempt: number): void;
  abortRunning(task: number, worker: number, generation: number): void;
  takeBack(task: number, worker: number, generation: number): void;
  probe(worker: number, generation: number): void;
  settle(task: number, settlement: number, detail: number): void;
  closed(): void;
  /** The number of workers changes. */
  resize(from: number, to: number, reason: number): void;
  /** A measure is taken or lifted for the sake of memory or CPU. */
  pressure(action: number, level: number, reason: number): void;
  /** A task failed and is tried again. */
  retry(task: number, afterMs: number): void;
  /** A strategy of the app's own is to choose a worker. */
  askStrategy(task: number): void;
  /** The queue has become full. */
  saturated(queued: number): void;
  /** The queue was full and has room again. */
  drained(queued: number): void;
  /** Takes in what workers have said and this thread was not yet told of. */
  hear(): void;
  /** The page was stopped, and its workers perhaps with it. Calls back when they had a chance to speak. */
  callRoll(then: () => void): void;
  /** The core itself failed: there will be no further output. */
  broken(error: QuillworkError): void;
}

/**
 * The drive loop: take one input, hand it in, drain the outputs until there are none, act on them, ask for the deadline,
 * wait for the next input or the deadline.
 */
export class Driver {
  readonly #core: Core;
  readonly #exports: RuntimeExports;
  readonly #clock: Clock;
  readonly #actions: PoolActions;
  readonly #pool: number;
  /** Inputs that came while outputs were acted on. */
  #waiting: (() => number)[] = [];
  #driving = false;
  #broken = false;
  #held = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = Infinity;
  /** What the clock says at least once the timer fires. */
  #timerTime = 0;
  #deadline = Infinity;
  /** Whether something was submitted in this turn of the event loop. */
  #turnIsOpen = false;
  /** How many tasks of one spec were submitted since, and not handed in: their ids are in the core's answers. */
  #gathered = 0;
  #gatheredSpec: TaskSpec | undefined;
  #gatheredAt = 0;
  readonly #onTurnEnd = (): void => {
    this.#turnIsOpen = false;
    this.#handInGathered();
  };
  readonly #onTimer = (): void => this.#timerFired();
  readonly #onTurn = (): void => this.#handleDeadline();

  /** Throws `ERR_INVALID_OPTION` where the core refuses the settings. */
  constructor(core: Core, clock: Clock, settings: PoolSettings, actions: PoolActions) {
    this.#core = core;
    this.#exports = core.exports;
    this.#clock = clock;
    this.#actions = actions;
    this.#pool = newPool(core, clock.now(), settings);
  }

  /** The handle of the pool, which knows of everything that was submitted. */
  get pool(): number {
    this.#handInGathered();
    return this.#pool;
  }

  /** Acts on the outputs of the new pool. */
  start(): void {
    this.#input(() => this.#exports.pool_drain(this.#pool));
  }

  /** The first task of a turn is handed in at once; those that are alike and follow it go in together, before anything else does. */
  submit(task: number, spec: TaskSpec): void {
    if (this.#driving || this.#broken) {
      this.#input(() => submitTask(this.#core, this.#pool, this.#clock.now(), task, spec));
      return;
    }
    if (this.#turnIsOpen && spec.plain && (this.#gathered === 0 || spec === this.#gatheredSpec)) {
      this.#gather(task, spec);
      return;
    }
    this.#handInGathered();
    this.#input(() => submitTask(this.#core, this.#pool, this.#clock.now(), task, spec));
    if (!this.#turnIsOpen) {
      this.#turnIsOpen = true;
      queueMicrotask(this.#onTurnEnd);
    }
  }

  #gather(task: number, spec: TaskSpec): void {
    if (this.#gathered === 0) {
      this.#gatheredSpec = spec;
      this.#gatheredAt = this.#clock.now();
    }
    this.#core.answers[this.#gathered] = task;
    this.#gathered += 1;
    if (this.#gathered === MAX_ANSWERS * ANSWER_WORDS) {
      this.#handInGathered();
    }
  }

  #handInGathered(): void {
    const [count, spec] = [this.#gathered, this.#gatheredSpec];
    if (count > 0 && spec !== undefined) {
      this.#gathered = 0;
      this.#input(() => this.#submitMany(0, count, spec));
    }
  }

  #submitMany(from: number, to: number, spec: TaskSpec): number {
    const count = submitMany(this.#core, this.#pool, this.#gatheredAt, from, to, spec);
    this.#restFollows(to, (next) => this.#submitMany(next, to, spec));
    return count;
  }

  abort(task: number): void {
    this.#input(() => this.#exports.pool_abort(this.#pool, this.#clock.now(), task));
  }

  workerReady(worker: number, generation: number, { capabilities, capacity, region }: Offer): void {
    this.#input(() =>
      this.#exports.pool_worker_ready(this.#pool, this.#clock.now(), worker, generation, capabilities, capacity, region),
    );
  }

  workerAlive(worker: number, generation: number): void {
    this.#input(() => this.#exports.pool_worker_alive(this.#pool, this.#clock.now(), worker, generation));
  }

  /** A worker is to be replaced once it has done what it has. */
  recycle(worker: number, generation: number): void {
    this.#input(() => this.#exports.pool_recycle(this.#pool, this.#clock.now(), worker, generation));
  }

  /** A task goes on; a sign of life of its worker, too. */
  progress(worker: number, generation: number, task: number): void {
    this.#input(() => this.#exports.pool_progress(this.#pool, this.#clock.now(), worker, generation, task));
  }

  /** The app's own strategy chose a worker, or nobody. */
  strategyAnswer(task: number, worker: number | undefined): void {
    const chosen = Number.isInteger(worker) ? (worker as number) >>> 0 : NOBODY;
    this.#input(() => this.#exports.pool_strategy_answer(this.#pool, this.#clock.now(), task, chosen));
  }

  /** How many candidates there are for a task that a strategy was asked for; the floats say who. No input. */
  candidates(task: number): number {
    return this.#exports.pool_candidates(this.#pool, this.#clock.now(), task);
  }

  /** A reading of the machine: shares of the budgets, `NaN` where one is not known. */
  resources(memoryRatio: number, cpuRatio: number): void {
    this.#input(() => this.#exports.pool_resources(this.#pool, this.#clock.now(), memoryRatio, cpuRatio));
  }

  workerLost(worker: number, generation: number): void {
    this.#input(() => this.#exports.pool_worker_lost(this.#pool, this.#clock.now(), worker, generation));
  }

  /** What a worker said in one message: pairs of a task and one of `Said`. */
  answers(worker: number, generation: number, said: readonly number[]): void {
    for (let at = 0; at < said.length; at += MAX_ANSWERS * ANSWER_WORDS) {
      const part = said.slice(at, at + MAX_ANSWERS * ANSWER_WORDS);
      this.#input(() => {
        this.#core.answers.set(part);
        return this.#handInAnswers(worker, generation, 0, part.length / ANSWER_WORDS);
      });
    }
  }

  /** As many as lead to no more outputs than fit. The others follow when these are acted on. */
  #handInAnswers(worker: number, generation: number, from: number, to: number): number {
    const count = this.#exports.pool_answers(this.#pool, this.#clock.now(), worker, generation, from, to);
    this.#restFollows(to, (next) => this.#handInAnswers(worker, generation, next, to));
    return count;
  }

  /** Of several inputs as many were handed in as led to no more outputs than fit. */
  #restFollows(to: number, handIn: (next: number) => number): void {
    const next = this.#core.floats[1] ?? to;
    if (next < to) {
      this.#waiting.unshift(() => handIn(next));
    }
  }

  /** Nothing that waits is started, or is again. */
  pause(paused: boolean): void {
    this.#input(() => this.#exports.pool_pause(this.#pool, this.#clock.now(), paused ? 1 : 0));
  }

  close(drain: boolean): void {
    this.#input(() => this.#exports.pool_close(this.#pool, this.#clock.now(), drain ? 1 : 0));
  }

  /** Whether the timer keeps a Node process alive. */
  hold(keepAlive: boolean): void {
    this.#held = keepAlive;
    const timer = this.#timer as { ref?(): void; unref?(): void } | undefined;
    timer?.[keepAlive ? 'ref' : 'unref']?.();
  }

  #input(handIn: () => number): void {
    if (this.#broken) {
      return;
    }
    if (this.#driving) {
      this.#waiting.push(handIn);
      return;
    }
    this.#handInGathered();
    this.#driving = true;
    this.#finish(this.#guard(handIn));
  }

  /** Acts on what an input led to, hands in what came meanwhile, and sets the timer. */
  #finish(count: number): void {
    try {
      this.#drain(count);
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        this.#drain(this.#guard(next));
      }
    } finally {
      this.#driving = false;
    }
    if (!this.#broken) {
      this.#arm();
    }
  }

  #drain(first: number): void {
    this.#act(first);
    for (let count = first; count === MAX_RECORDS; ) {
      count = this.#guard(() => this.#exports.pool_drain(this.#pool));
      this.#act(count);
    }
  }

  #guard(call: () => number): number {
    if (this.#broken) {
      return 0;
    }
    try {
      const count = call();
      this.#deadline = this.#core.floats[0] ?? Infinity;
      return count;
    } catch (thrown) {
      this.#fail(thrown);
      return 0;
    }
  }

  /** A trap means that the core's state is unknown: nothing may be asked of it any more. */
  #fail(thrown: unknown): void {
    this.#broken = true;
    this.#disarm();
    this.#actions.broken(this.#core.fault(thrown));
  }

  #act(count: number): void {
    const actions = this.#actions;
    for (let record = 0; record < count; record += 1) {
      const { words } = this.#core;
      const at = record * RECORD_WORDS;
      const task = words[at + 1] ?? 0;
      const worker = words[at + 2] ?? 0;
      const generation = words[at + 3] ?? 0;
      const detail = words[at + 4] ?? 0;
      switch (words[at]) {
        case 1:
          actions.spawn(worker, generation);
          break;
        case 2:
          actions.terminate(worker, generation, detail);
          break;
        case 3:
          actions.dispatch(task, worker, generation, detail);
          break;
        case 4:
          actions.abortRunning(task, worker, generation);
          break;
        case 5:
          actions.probe(worker, generation);
          break;
        case 6:
          actions.settle(task, worker, detail);
          break;
        case 7:
          actions.closed();
          break;
        case 8:
          actions.takeBack(task, worker, generation);
          break;
        case 9:
          actions.resize(worker, generation, detail);
          break;
        case 10:
          actions.pressure(task, worker, detail);
          break;
        case 11:
          actions.retry(task, detail);
          break;
        case 14:
          actions.saturated(detail);
          break;
        case 15:
          actions.drained(detail);
          break;
        case 16:
          actions.askStrategy(task);
          break;
        // The others tell a submitter that its task waits outside a full queue: its promise does so, too.
      }
    }
  }

  /** One timer, moved only where the deadline comes earlier: a timer that fires too early costs less than one per input. */
  #arm(): void {
    if (this.#deadline < this.#timerDue) {
      this.#disarm();
      const now = this.#clock.now();
      const delay = Math.min(Math.max(0, Math.ceil(this.#deadline - now)), MAX_DELAY_MS);
      this.#timerDue = this.#deadline;
      this.#timerTime = now + delay;
      this.#timer = setTimeout(this.#onTimer, delay);
      this.hold(this.#held);
    }
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDue = Infinity;
  }

  #timerFired(): void {
    const expected = this.#timerTime;
    const now = this.#clock.anchor(expected);
    const late = now - expected;
    // What it was set for may be over, and nothing else due yet.
    if (late <= LATE_MS || this.#deadline > now + LATE_MS) {
      this.#handleDeadline();
      return;
    }
    // The page was busy, hidden, asleep or stopped in a debugger. What workers said meanwhile may wait behind this timer, and must
    // count before anybody is given up for silence or its task for its time. Until then no other timer is wanted.
    this.#timer = undefined;
    this.#timerDue = 0;
    const isHidden = globalThis.document?.visibilityState === 'hidden';
    if (late <= (isHidden ? THROTTLED_MS : STOPPED_MS)) {
      afterPendingMessages(this.#onTurn);
    } else {
      // What waits behind the end of it counts, too: a worker that boots is not called, and the page may have stood still again.
      this.#actions.callRoll(() => afterPendingMessages(this.#onTurn));
    }
  }

  #handleDeadline(): void {
    this.#disarm();
    this.#actions.hear();
    this.#input(() => this.#exports.pool_deadline(this.#pool, this.#clock.now()));
  }
}

const MAX_DELAY_MS = 2 ** 31 - 1;
/** A thread whose timer comes later than this was perhaps stopped, and its workers with it: a machine that sleeps stops all of them. */
const STOPPED_MS = 250;
/** The timers of a hidden page come once a second, and its workers go on meanwhile. */
const THROTTLED_MS = 1_500;
/** Stands for no worker. */
const NOBODY = 2 ** 32 - 1;
