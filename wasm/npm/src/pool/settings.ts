import type { Core } from '../abi.js';
import { QuillworkError } from '../errors.js';

/** What is done with one task too many, as the core numbers it. */
export const Overflow = { Reject: 0, DropOldest: 1, DropLowest: 2, Wait: 3 } as const;

/** How a wait before a retry is spread, as the core numbers it. */
export const Jitter = { None: 0, Full: 1, Decorrelated: 2 } as const;

/** A pool's settings: checked numbers, every default filled in. */
export interface PoolSettings {
  /** The most workers. */
  readonly workers: number;
  readonly minWorkers: number;
  readonly idleAfterMs: number;
  /** How many tasks a worker runs at a time, by complexity. */
  readonly concurrency: number;
  readonly gpu: boolean;
  readonly maxQueue: number;
  /** One of {@link Overflow}. */
  readonly overflow: number;
  readonly maxWaiting: number;
  readonly maxRedeliveries: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  readonly retryFactor: number;
  /** One of {@link Jitter}. */
  readonly retryJitter: number;
  readonly seed: number;
  readonly ageingMs: number;
  readonly prefetchMs: number;
  readonly leaseMs: number;
  readonly bootTimeoutMs: number;
  readonly abortGraceMs: number;
  /** Shares of the memory budget from which to warn, shrink and shed, and of the CPU from which to use fewer workers. */
  readonly warnMemory: number;
  readonly shrinkMemory: number;
  readonly shedMemory: number;
  readonly maxCpu: number;
  /** How many bytes of log to record, or 0. */
  readonly recordBytes: number;
  /** 0 for late binding, else the number of a strategy, counted from 1. */
  readonly binding: number;
  readonly stealAfterMs: number;
  /** How long to wait for the app's own strategy, or 0 where it has none. */
  readonly answerWithinMs: number;
}

/** What the core is told about a task. */
export interface TaskSpec {
  readonly type: number;
  readonly priority: number;
  readonly required: number;
  readonly timeoutMs: number;
  readonly queueTtlMs: number;
  readonly redeliverable: boolean;
  readonly complexity: number;
  /** The first execution and the retries. */
  readonly attempts: number;
  /** The region that should run it, counted from 1, or 0. */
  readonly region: number;
  readonly patienceMs: number;
  /** What a consistent hash goes by, a whole number below 2^53, or `NaN`. */
  readonly key: number;
  /** How many tasks of its type may be at workers, or 0. */
  readonly typeLimit: number;
  /** Workers that should run it, and that must not. */
  readonly affinity: readonly number[];
  readonly antiAffinity: readonly number[];
  /** Whether everything from the complexity on is as usual. */
  readonly plain: boolean;
}

/** Whether a pool needs `runtime-full.wasm`: it binds early, or is recorded. */
export function needsFull({ binding, recordBytes }: PoolSettings): boolean {
  return binding !== 0 || recordBytes > 0;
}

/** Makes a pool and returns its handle. Throws `ERR_INVALID_OPTION` where the core refuses the settings, or its module lacks what they need. */
export function newPool(core: Core, now: number, settings: PoolSettings): number {
  if (needsFull(settings) && !core.isFull) {
    throw new QuillworkError(
      'ERR_INVALID_OPTION',
      '`binding` and `record` need `runtime-full.wasm`, and the option `wasm` gives `runtime.wasm`: let it give that one, or leave it out',
    );
  }
  write(core, [
    settings.workers,
    settings.minWorkers,
    settings.idleAfterMs,
    settings.maxQueue,
    settings.overflow,
    settings.maxWaiting,
    settings.maxRedeliveries,
    settings.retryBaseMs,
    settings.retryMaxMs,
    settings.retryFactor,
    settings.retryJitter,
    settings.seed,
    settings.ageingMs,
    settings.prefetchMs,
    settings.leaseMs,
    settings.bootTimeoutMs,
    settings.abortGraceMs,
    settings.warnMemory,
    settings.shrinkMemory,
    settings.shedMemory,
    settings.maxCpu,
    settings.recordBytes,
    settings.binding,
    settings.stealAfterMs,
    settings.answerWithinMs,
  ]);
  const pool = core.exports.pool_new(now);
  if (pool === 0) {
    throw new QuillworkError('ERR_INVALID_OPTION', core.text());
  }
  return pool;
}

/** Hands a task in: in one call of plain numbers where there is nothing special about it. */
export function submitTask(core: Core, pool: number, now: number, id: number, spec: TaskSpec): number {
  const { type, priority, required, timeoutMs, queueTtlMs } = spec;
  const redeliver = spec.redeliverable ? 1 : 0;
  if (spec.plain) {
    return core.exports.pool_submit(pool, now, id, type, priority, required, timeoutMs, queueTtlMs, redeliver);
  }
  const { complexity, attempts, region, patienceMs, key, typeLimit, affinity, antiAffinity } = spec;
  write(core, [
    ...[type, priority, required, timeoutMs, queueTtlMs, redeliver, complexity, attempts],
    ...[region, patienceMs, key, typeLimit, affinity.length, antiAffinity.length],
    ...affinity,
    ...antiAffinity,
  ]);
  return core.exports.pool_submit_spec(pool, now, id);
}

/** Hands in tasks of a spec that is plain, as many as lead to no more outputs than fit. Their ids are in the core's answers. */
export function submitMany(core: Core, pool: number, now: number, from: number, to: number, spec: TaskSpec): number {
  const { type, priority, required, timeoutMs, queueTtlMs } = spec;
  return core.exports.pool_submit_many(pool, now, from, to, type, priority, required, timeoutMs, queueTtlMs, spec.redeliverable ? 1 : 0);
}

function write(core: Core, numbers: readonly number[]): void {
  core.floats.set(numbers);
}
