import { TerminateReason } from './driver.js';

/** A worker was lost and is replaced. */
export interface WorkerLost {
  readonly worker: number;
  readonly generation: number;
  readonly reason: 'failed' | 'boot-timeout' | 'silent' | 'ignored-abort';
  /** What the worker said, where it said anything. */
  readonly error: unknown;
}

/** A worker was replaced on purpose: see {@link RuntimeOptions.recycle}. */
export interface WorkerRecycled {
  readonly worker: number;
  readonly generation: number;
}

/** A task failed and is tried again. */
export interface TaskRetry {
  readonly task: string;
  /** What the attempt failed with. */
  readonly error: unknown;
  /** How long it waits before it is queued again. */
  readonly afterMs: number;
}

/** The number of workers changes. */
export interface PoolResize {
  readonly from: number;
  readonly to: number;
  /**
   * `queue`: what waits is worth further workers. `stranded`: tasks wait that no worker there is could run. `saturated`: the queue did not
   * become empty for a while. `minimum`: fewer workers than the fewest. `idle`: some were not needed. `cpu`: CPU runs short.
   */
  readonly reason: 'queue' | 'stranded' | 'saturated' | 'minimum' | 'idle' | 'cpu';
}

/** How many tasks wait. */
export interface QueueLevel {
  readonly queued: number;
}

/** A measure is taken or lifted for the sake of the machine. The pool does its part; caches are the app's to shrink. */
export interface PoolPressure {
  readonly measure: 'warn' | 'shrink-caches' | 'stop-growth' | 'shed' | 'limit-workers';
  /** Whether it is taken, or lifted. */
  readonly active: boolean;
  /** With `shed`, the lowest priority that is spared; with `limit-workers`, how many run tasks below priority 8. */
  readonly level: number | undefined;
  readonly cause: 'memory' | 'cpu' | 'memory-unknown' | 'cpu-unknown';
}

/** A measure by the core's numbers, from 1. */
export function pressure(action: number, level: number, cause: number): PoolPressure {
  return {
    measure: MEASURES[(action - 1) >> 1] ?? 'warn',
    active: action % 2 === 1,
    level: level === 0 ? undefined : level,
    cause: CAUSES[cause - 1] ?? 'memory',
  };
}

const MEASURES: readonly PoolPressure['measure'][] = ['warn', 'shrink-caches', 'stop-growth', 'shed', 'limit-workers'];
const CAUSES: readonly PoolPressure['cause'][] = ['memory', 'cpu', 'memory-unknown', 'cpu-unknown'];

/** Why a worker was lost, by the core's number. */
export function lossReason(reason: number): WorkerLost['reason'] {
  switch (reason) {
    case TerminateReason.BootTimeout:
      return 'boot-timeout';
    case TerminateReason.Silent:
      return 'silent';
    case TerminateReason.IgnoredAbort:
      return 'ignored-abort';
    default:
      return 'failed';
  }
}

/** Why the number of workers changes, by the core's number, from 1. */
export function resizeReason(reason: number): PoolResize['reason'] {
  return RESIZE_REASONS[reason - 1] ?? 'queue';
}

const RESIZE_REASONS: readonly PoolResize['reason'][] = ['queue', 'stranded', 'saturated', 'minimum', 'idle', 'cpu'];
