import type { Core } from '../abi.js';
import type { CacheStats } from '../cache.js';
import type { Clock } from '../pool/clock.js';
import { readPool, type PoolNumbers } from '../runtime/stats.js';
import type { PageMeters } from './page-meters.js';
import type { CacheSample, Latency, PageSample, PoolSample, TaskTypeRuns } from './wire.js';

/** What the sampler reads. */
export interface Sampled {
  readonly core: Core;
  readonly pool: number;
  readonly clock: Clock;
  /** By the core's number of a task type. */
  taskNames(): readonly string[];
  /** All caches together. */
  cacheTotals(): Omit<CacheStats, 'insertions' | 'expirations'>;
}

/** Turns totals and meters into one sample per interval. */
export class Sampler {
  readonly #meters: PageMeters;
  /** `undefined` on a page without a pool. */
  readonly #sampled: Sampled | undefined;
  #takenAt = performance.now();
  #pool: PoolNumbers | undefined;
  #cache: ReturnType<Sampled['cacheTotals']> | undefined;

  constructor(meters: PageMeters, sampled: Sampled | undefined) {
    this.#meters = meters;
    this.#sampled = sampled;
    this.#pool = sampled === undefined ? undefined : readNumbers(sampled);
    this.#cache = sampled?.cacheTotals();
  }

  /** Starts the meters, and with them a new interval. */
  start(): void {
    this.#meters.start();
    // The core gathers run times from now on; those of before are forgotten.
    this.#takeTaskTypes();
    this.#takenAt = performance.now();
  }

  /** Stops the meters. */
  stop(): void {
    this.#meters.stop();
  }

  /** The sample of the time since the last one. */
  take(): PageSample {
    const takenAt = performance.now();
    const intervalMillis = Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, takenAt - this.#takenAt));
    this.#takenAt = takenAt;
    return {
      atUnixMillis: Date.now(),
      intervalMillis,
      ...this.#meters.take(intervalMillis, this.#takeTaskTypes()),
      wasmBytes: this.#sampled?.core.bytes ?? 0,
      pool: this.#takePool(),
      cache: this.#takeCache(),
      response: this.#takeResponse(),
    };
  }

  #takePool(): PoolSample {
    const before = this.#pool;
    if (this.#sampled === undefined || before === undefined) {
      return NO_POOL;
    }
    const now = readNumbers(this.#sampled);
    this.#pool = now;
    const available = now.availableMs - before.availableMs;
    return {
      workers: now.workersUp,
      busy: now.workersBusy,
      queued: now.queued,
      utilisationRatio: available > 0 ? Math.min(1, (now.busyMs - before.busyMs) / available) : null,
      completed: now.completed - before.completed,
      failed: now.failed - before.failed,
      aborted: now.aborted - before.aborted,
      timedOut: now.timedOut - before.timedOut,
      crashed: now.workerLost - before.workerLost,
      refused: now.refused + now.expired + now.closed - before.refused - before.expired - before.closed,
      redelivered: now.redelivered - before.redelivered,
      workersLost: now.workersLost - before.workersLost,
    };
  }

  #takeCache(): CacheSample {
    const before = this.#cache;
    if (this.#sampled === undefined || before === undefined) {
      return NO_CACHE;
    }
    const now = this.#sampled.cacheTotals();
    this.#cache = now;
    return {
      hits: now.hits - before.hits,
      misses: now.misses - before.misses,
      evictions: now.evictions - before.evictions,
      entries: now.entries,
    };
  }

  #takeResponse(): Latency | null {
    if (this.#sampled === undefined) {
      return null;
    }
    const { core, pool } = this.#sampled;
    return readLatency(core, 0, core.exports.pool_take_responses(pool));
  }

  /** Those that took the most time first. */
  #takeTaskTypes(): TaskTypeRuns[] {
    if (this.#sampled === undefined) {
      return [];
    }
    const { core, pool, taskNames } = this.#sampled;
    const names = taskNames();
    const taken: TaskTypeRuns[] = [];
    for (let place = 0; ; place += 1) {
      const pairs = core.exports.pool_take_runs(pool, place);
      if (pairs < 0) {
        return taken.sort((a, b) => b.runs.sumMillis - a.runs.sumMillis);
      }
      const taskType = shownName(names[core.floats[0] ?? -1]);
      const runs = readLatency(core, 1, pairs);
      if (runs !== null) {
        taken.push({ taskType, runs });
      }
    }
  }
}

/** A sketch that the core wrote, `null` where it is empty. */
function readLatency(core: Core, first: number, pairs: number): Latency | null {
  const { floats } = core;
  const [count = 0, sumMillis = 0, minMillis = 0, maxMillis = 0, relativeAccuracy = 0, zeros = 0] = floats.subarray(first);
  if (count === 0) {
    return null;
  }
  const buckets = Array.from({ length: pairs }, (_, pair): [number, number] => {
    const at = first + 6 + 2 * pair;
    return [floats[at] ?? 0, floats[at + 1] ?? 0];
  });
  return { count, sumMillis, minMillis, maxMillis, relativeAccuracy, zeros, buckets };
}

/** As a host takes it: well-formed, without control characters, and not too long. */
function shownName(name = '(others)'): string {
  const characters = [...name.replace(/[\p{Cc}\p{Cs}]/gu, '\uFFFD')];
  return characters.slice(0, LONGEST_NAME).join('') || '(unnamed)';
}

function readNumbers({ core, pool, clock }: Sampled): PoolNumbers {
  return readPool(core, pool, clock.now());
}

const NO_POOL: PoolSample = {
  workers: 0,
  busy: 0,
  queued: 0,
  utilisationRatio: null,
  completed: 0,
  failed: 0,
  aborted: 0,
  timedOut: 0,
  crashed: 0,
  refused: 0,
  redelivered: 0,
  workersLost: 0,
};
const NO_CACHE: CacheSample = { hits: 0, misses: 0, evictions: 0, entries: 0 };
/** Characters that a host takes of a task type's name. */
const LONGEST_NAME = 120;
/** What the coarsest of clocks in browsers tells apart. Two samples may be taken within one tick: the page is closed right after one. */
const SHORTEST_INTERVAL_MS = 1;
/** A host takes no longer ones: a page that slept for days tells of its last hour. */
const LONGEST_INTERVAL_MS = 3_600_000;
