import type { Core } from '../abi.js';
import type { CacheStats } from '../cache.js';
import type { Clock } from '../pool/clock.js';
import { readPool, type PoolNumbers } from '../runtime/stats.js';
import { FrameMeter } from './fps.js';
import { readHeap } from './heap.js';
import { LongTaskMeter } from './longtask.js';
import type { CacheSample, Latency, PageSample, PoolSample } from './wire.js';

/** What the sampler reads. */
export interface Sampled {
  readonly core: Core;
  readonly pool: number;
  readonly clock: Clock;
  /** All caches together. */
  cacheTotals(): Omit<CacheStats, 'insertions' | 'expirations'>;
}

/** Turns totals and meters into one sample per interval. */
export class Sampler {
  readonly #sampled: Sampled;
  readonly #frames = new FrameMeter();
  readonly #longTasks = new LongTaskMeter();
  #takenAt = performance.now();
  #pool: PoolNumbers;
  #cache: ReturnType<Sampled['cacheTotals']>;

  constructor(sampled: Sampled) {
    this.#sampled = sampled;
    this.#pool = this.#readPool();
    this.#cache = sampled.cacheTotals();
  }

  /** Starts the meters, and with them a new interval. */
  start(): void {
    this.#frames.start();
    this.#longTasks.start();
    this.#takenAt = performance.now();
  }

  /** Stops the meters. */
  stop(): void {
    this.#frames.stop();
    this.#longTasks.stop();
  }

  /** The sample of the time since the last one. */
  take(): PageSample {
    const takenAt = performance.now();
    const intervalMillis = Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, takenAt - this.#takenAt));
    this.#takenAt = takenAt;
    const heap = readHeap();
    return {
      atUnixMillis: Date.now(),
      intervalMillis,
      ...this.#frames.take(intervalMillis),
      longTasks: this.#longTasks.take(),
      heapUsedBytes: heap.usedBytes,
      heapLimitBytes: heap.limitBytes,
      wasmBytes: this.#sampled.core.bytes,
      pool: this.#takePool(),
      cache: this.#takeCache(),
      response: this.#takeResponse(),
    };
  }

  #readPool(): PoolNumbers {
    const { core, pool, clock } = this.#sampled;
    return readPool(core, pool, clock.now());
  }

  #takePool(): PoolSample {
    const before = this.#pool;
    const now = this.#readPool();
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
    const { core, pool } = this.#sampled;
    const pairs = core.exports.pool_take_responses(pool);
    const [count = 0, sumMillis = 0, minMillis = 0, maxMillis = 0, relativeAccuracy = 0, zeros = 0] = core.floats;
    if (count === 0) {
      return null;
    }
    const buckets = Array.from({ length: pairs }, (_, pair): [number, number] => {
      const at = 6 + 2 * pair;
      return [core.floats[at] ?? 0, core.floats[at + 1] ?? 0];
    });
    return { count, sumMillis, minMillis, maxMillis, relativeAccuracy, zeros, buckets };
  }
}

/** What the coarsest of clocks in browsers tells apart. Two samples may be taken within one tick: the page is closed right after one. */
const SHORTEST_INTERVAL_MS = 1;
/** A host takes no longer ones: a page that slept for days tells of its last hour. */
const LONGEST_INTERVAL_MS = 3_600_000;
