import type { Core } from '../abi.js';

/** Times in milliseconds over the last minute; `null` where nothing was observed. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** What a worker is doing. `draining`: it cleans up after a task that was aborted or timed out. `retired`: there is none just now. */
export type WorkerState = 'booting' | 'ready' | 'busy' | 'draining' | 'dead' | 'retired';

/** A worker's place in the pool. */
export interface WorkerStats {
  readonly id: number;
  /** Which of the workers that filled the place one after the other, from 1. */
  readonly generation: number;
  readonly state: WorkerState;
  readonly capabilities: readonly string[];
  /** Whether it runs a task that is not settled. */
  readonly running: boolean;
  /** How many tasks it was given and has not answered. */
  readonly held: number;
  /** What the complexities of those that have started add up to, and may. */
  readonly load: number;
  readonly capacity: number;
  /** Tasks that ended here with a result or their own error. */
  readonly completed: number;
  /** Executions that failed or timed out here. */
  readonly failures: number;
  /** By its recent failures and how long its tasks take against those of others. */
  readonly health: 'healthy' | 'degraded' | 'suspect' | 'lost';
  /** Whether it is given nothing for a while because it failed again and again. */
  readonly resting: boolean;
  readonly runMs: Quantiles;
  /** Share of the last minute that it spent on tasks, 0 to 1; `null` where it was not there. */
  readonly utilisation: number | null;
}

/** The tasks of one name. */
export interface TypeStats {
  /** The name; `undefined` for all those together that came after the first 32. */
  readonly task: string | undefined;
  /** Executions that ended since the runtime was made, and those of them that failed. */
  readonly executions: number;
  readonly failures: number;
  /** From submission to the first start. */
  readonly waitMs: Quantiles;
  readonly runMs: Quantiles;
}

/** A pool at one instant. Counts are since the runtime was made. */
export interface PoolStats extends Omit<PoolNumbers, 'busyMs' | 'availableMs'> {
  readonly workers: readonly WorkerStats[];
  /** By the name of the task, in the order in which they were first run. */
  readonly types: readonly TypeStats[];
  /** Share of the workers' time spent on tasks since the runtime was made, 0 to 1; `null` before a worker was ready. */
  readonly utilisation: number | null;
}

/** The pool's counts, depths and times as the core tells them. */
export interface PoolNumbers {
  readonly submitted: number;
  /** Ended with a result. */
  readonly completed: number;
  /** Ended with the task's own error. */
  readonly failed: number;
  readonly aborted: number;
  readonly timedOut: number;
  /** Ended because no worker was free in time. */
  readonly expired: number;
  /** Tasks that ended because their workers were lost. */
  readonly workerLost: number;
  /** Ended to make room for others in a full queue. */
  readonly dropped: number;
  readonly refused: number;
  /** Cut off by closing. */
  readonly closed: number;
  /** Tasks given to another worker after theirs was lost. */
  readonly redelivered: number;
  /** Attempts that failed and were followed by another. */
  readonly retried: number;
  /** Tasks that were taken back from a busy worker for an idle one. */
  readonly takenBack: number;
  /** Workers that crashed, fell silent or did not start. */
  readonly workersLost: number;
  /** Workers that were replaced by the option `recycle`. */
  readonly workersRecycled: number;
  /** Workers that were ended because a task went on after it was aborted. */
  readonly workersOverdue: number;
  /** Tasks that wait for a worker. */
  readonly queued: number;
  /** Of these, those that would be kept from a free worker: their type is at its `maxConcurrent`, or the pool is paused. */
  readonly heldBack: number;
  /** Whether the pool is paused. */
  readonly paused: boolean;
  /** Of those that wait, the ones outside a full queue. */
  readonly parked: number;
  /** Tasks that wait for their next attempt. */
  readonly delayed: number;
  /** Tasks that run. */
  readonly running: number;
  /** Tasks that were given to a worker ahead of their time. */
  readonly prefetched: number;
  /** Workers that are ready, busy or draining. */
  readonly workersUp: number;
  /** Workers that run a task or clean up after one. */
  readonly workersBusy: number;
  readonly busyMs: number;
  readonly availableMs: number;
  /** From submission to a worker. */
  readonly waitMs: Quantiles;
  /** From a worker to its answer. */
  readonly runMs: Quantiles;
  /** From submission to the answer. */
  readonly responseMs: Quantiles;
  /** Executions that ended, by second of the last minute. */
  readonly throughputPerSec: number;
  /** The most that waited at a time in the last minute. */
  readonly maxQueued: number;
  /** Answers of the app's own strategy ({@link CustomBinding}) that did not come in time, named no candidate, or came too late. */
  readonly answersMissing: number;
  readonly answersInvalid: number;
  readonly answersStale: number;
}

/** Reads a pool's numbers. */
export function readPool(core: Core, pool: number, now: number): PoolNumbers {
  core.exports.pool_stats(pool, now);
  const { floats } = core;
  const at = (index: number): number => floats[index] ?? 0;
  return {
    submitted: at(0),
    completed: at(1),
    failed: at(2),
    aborted: at(3),
    timedOut: at(4),
    expired: at(5),
    workerLost: at(6),
    dropped: at(7),
    refused: at(8),
    closed: at(9),
    redelivered: at(10),
    retried: at(11),
    takenBack: at(13),
    workersLost: at(14),
    workersOverdue: at(15),
    queued: at(16),
    parked: at(17),
    delayed: at(18),
    running: at(19),
    prefetched: at(20),
    workersUp: at(22),
    workersBusy: at(23),
    busyMs: at(24),
    availableMs: at(25),
    waitMs: quantiles(floats, 26),
    runMs: quantiles(floats, 30),
    responseMs: quantiles(floats, 34),
    throughputPerSec: at(38),
    maxQueued: at(40),
    answersMissing: at(41),
    answersInvalid: at(42),
    answersStale: at(43),
    workersRecycled: at(44),
    heldBack: at(45),
    paused: at(46) === 1,
  };
}

/** What the numbers of the core stand for. */
export interface Names {
  capabilitiesOf(worker: number): readonly string[];
  /** Task names by type. */
  readonly tasks: readonly string[];
}

/** Everything about a pool and its workers. */
export function poolStats(core: Core, pool: number, now: number, names: Names): PoolStats {
  const { busyMs, availableMs, ...numbers } = readPool(core, pool, now);
  return {
    ...numbers,
    workers: readWorkers(core, pool, now, names),
    types: readTypes(core, pool, now, names),
    utilisation: availableMs > 0 ? busyMs / availableMs : null,
  };
}

function readWorkers(core: Core, pool: number, now: number, { capabilitiesOf }: Names): WorkerStats[] {
  const count = core.exports.pool_worker_stats(pool, now);
  const { floats } = core;
  return Array.from({ length: count }, (_, id) => {
    const first = id * WORKER_FLOATS;
    const at = (index: number): number => floats[first + index] ?? 0;
    return {
      id,
      generation: at(0),
      state: STATES[at(1)] ?? 'dead',
      capabilities: capabilitiesOf(id),
      running: at(17) === 1,
      held: at(2),
      load: at(3),
      // Before it has told for the first time.
      capacity: known(at(4)) ?? 1,
      completed: at(5),
      failures: at(15),
      health: HEALTH[at(6)] ?? 'healthy',
      resting: at(7) !== Infinity,
      runMs: quantiles(floats, first + 10),
      utilisation: known(at(16)),
    };
  });
}

function readTypes(core: Core, pool: number, now: number, { tasks }: Names): TypeStats[] {
  const count = core.exports.pool_type_stats(pool, now);
  const { floats } = core;
  return Array.from({ length: count }, (_, index) => {
    const first = index * TYPE_FLOATS;
    return {
      task: tasks[floats[first] ?? -1],
      executions: floats[first + 9] ?? 0,
      failures: floats[first + 10] ?? 0,
      waitMs: quantiles(floats, first + 1),
      runMs: quantiles(floats, first + 5),
    };
  });
}

function quantiles(floats: Float64Array, from: number): Quantiles {
  const at = (index: number): number | null => known(floats[index] ?? NaN);
  return { p50: at(from), p95: at(from + 1), p99: at(from + 2), max: at(from + 3) };
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

const STATES: readonly WorkerState[] = ['booting', 'ready', 'busy', 'draining', 'dead', 'retired'];
const HEALTH: readonly WorkerStats['health'][] = ['healthy', 'degraded', 'suspect', 'lost'];
const WORKER_FLOATS = 18;
const TYPE_FLOATS = 11;
