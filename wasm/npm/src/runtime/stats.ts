import type { Core } from '../abi.js';

/** p50, p95 and p99 over the last minute in milliseconds; `null` where nothing was observed. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** What a worker is doing. `draining`: it cleans up after a task that was aborted or timed out. */
export type WorkerState = 'booting' | 'ready' | 'busy' | 'draining' | 'dead';

/** A worker's place in the pool. */
export interface WorkerStats {
  readonly id: number;
  /** Which of the workers that filled the place one after the other, from 1. */
  readonly generation: number;
  readonly state: WorkerState;
  readonly capabilities: readonly string[];
  /** Whether it runs a task that is not settled. */
  readonly running: boolean;
  /** Tasks that ended here with a result or their own error. */
  readonly completed: number;
}

/** A pool at one instant. Counts are since the runtime was made. */
export interface PoolStats {
  readonly workers: readonly WorkerStats[];
  /** Tasks that wait. */
  readonly queued: number;
  /** Tasks that run. */
  readonly running: number;
  /** Ended with a result. */
  readonly completed: number;
  /** Ended with the task's own error. */
  readonly failed: number;
  readonly aborted: number;
  readonly timedOut: number;
  /** Ended because no worker was free in time. */
  readonly expired: number;
  readonly refused: number;
  /** Tasks that ended because their workers were lost. */
  readonly workerLost: number;
  /** Cut off by closing. */
  readonly closed: number;
  /** Tasks given to another worker after theirs was lost. */
  readonly redelivered: number;
  /** Workers that crashed, fell silent or did not start. */
  readonly workersLost: number;
  /** Share of the workers' time spent on tasks since the runtime was made, 0 to 1; `null` before a worker was ready. */
  readonly utilisation: number | null;
  /** From submission to a worker. */
  readonly waitMs: Quantiles;
  /** From a worker to its answer. */
  readonly runMs: Quantiles;
  /** From submission to the answer. */
  readonly responseMs: Quantiles;
}

/** The pool's counts, depths and times as the core tells them. */
export interface PoolNumbers {
  readonly completed: number;
  readonly failed: number;
  readonly aborted: number;
  readonly timedOut: number;
  readonly expired: number;
  readonly workerLost: number;
  readonly refused: number;
  readonly closed: number;
  readonly redelivered: number;
  readonly workersLost: number;
  readonly queued: number;
  readonly running: number;
  readonly workersUp: number;
  readonly workersBusy: number;
  readonly busyMs: number;
  readonly availableMs: number;
  readonly waitMs: Quantiles;
  readonly runMs: Quantiles;
  readonly responseMs: Quantiles;
}

/** Reads a pool's numbers. */
export function readPool(core: Core, pool: number, now: number): PoolNumbers {
  core.exports.pool_stats(pool, now);
  const { floats } = core;
  const at = (index: number): number => floats[index] ?? 0;
  return {
    completed: at(1),
    failed: at(2),
    aborted: at(3),
    timedOut: at(4),
    expired: at(5),
    workerLost: at(6),
    refused: at(7),
    closed: at(8),
    redelivered: at(9),
    workersLost: at(10),
    queued: at(12),
    running: at(13),
    workersUp: at(14),
    workersBusy: at(15),
    busyMs: at(16),
    availableMs: at(17),
    waitMs: quantiles(floats, 18),
    runMs: quantiles(floats, 21),
    responseMs: quantiles(floats, 24),
  };
}

/** Everything about a pool and its workers. */
export function poolStats(
  core: Core,
  pool: number,
  now: number,
  workers: number,
  capabilitiesOf: (worker: number) => readonly string[],
): PoolStats {
  const { busyMs, availableMs, workersUp: _up, workersBusy: _busy, ...numbers } = readPool(core, pool, now);
  return {
    workers: Array.from({ length: workers }, (_, id) => readWorker(core, pool, now, id, capabilitiesOf(id))),
    ...numbers,
    utilisation: availableMs > 0 ? busyMs / availableMs : null,
  };
}

function readWorker(core: Core, pool: number, now: number, id: number, capabilities: readonly string[]): WorkerStats {
  core.exports.pool_worker_stats(pool, now, id);
  const [generation = 0, state = 4, running = -1, completed = 0] = core.floats;
  return { id, generation, state: STATES[state] ?? 'dead', capabilities, running: running >= 0, completed };
}

function quantiles(floats: Float64Array, from: number): Quantiles {
  const at = (index: number): number | null => {
    const value = floats[index] ?? NaN;
    return Number.isNaN(value) ? null : value;
  };
  return { p50: at(from), p95: at(from + 1), p99: at(from + 2) };
}

const STATES: readonly WorkerState[] = ['booting', 'ready', 'busy', 'draining', 'dead'];
