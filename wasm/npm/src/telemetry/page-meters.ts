import { byteLength } from './batch-queue.js';
import type { Cost } from './cost.js';
import { ErrorMeter } from './error-meter.js';
import { FrameMeter } from './fps.js';
import { GarbageMeter } from './garbage.js';
import { readHeap } from './heap.js';
import { LongFrameMeter } from './long-frames.js';
import { LongTaskMeter } from './longtask.js';
import { MetricBook } from './metric-book.js';
import { SpanBook } from './span-book.js';
import type { CustomMetric, PageErrors, SpanRecord } from './signals.js';
import { UserAgentMemoryMeter } from './user-agent-memory.js';
import { VitalMeter } from './vitals.js';
import type { PageSample, TaskTypeRuns } from './wire.js';

/** The part of a sample that is the page's, not the pool's. */
type PagePart = Omit<PageSample, 'atUnixMillis' | 'intervalMillis' | 'wasmBytes' | 'pool' | 'cache' | 'response'>;

/** Everything that is measured of the page itself. */
export class PageMeters {
  readonly errors: ErrorMeter;
  readonly metrics = new MetricBook();
  readonly spans = new SpanBook();
  readonly #cost: Cost;
  readonly #frames: FrameMeter;
  readonly #longTasks: LongTaskMeter;
  readonly #longFrames: LongFrameMeter;
  readonly #vitals: VitalMeter;
  readonly #memory = new UserAgentMemoryMeter();
  readonly #garbage = new GarbageMeter();
  #gpuMillis: number | null = null;

  constructor(cost: Cost, fullErrors: boolean) {
    this.#cost = cost;
    this.#frames = new FrameMeter(cost);
    this.#longTasks = new LongTaskMeter(cost);
    this.#longFrames = new LongFrameMeter(cost);
    this.#vitals = new VitalMeter(cost);
    this.errors = new ErrorMeter(cost, fullErrors);
  }

  /** Starts measuring. What the app noted while nothing was measured is forgotten. */
  start(): void {
    this.#takeBounded();
    for (const meter of this.#all()) {
      meter.start();
    }
  }

  stop(): void {
    for (const meter of this.#all()) {
      meter.stop();
    }
  }

  /** Time that a pass took on the GPU. */
  addGpuTime(millis: number): void {
    this.#gpuMillis = (this.#gpuMillis ?? 0) + millis;
  }

  /** What was measured in the interval that ends now, with the pool's run times, which share the room of a sample. */
  take(intervalMs: number, runs: readonly TaskTypeRuns[] = []): PagePart {
    const heap = readHeap();
    const vitals = this.#vitals.read();
    const { errors, taskTypes, metrics, spans, dropped } = this.#takeBounded(runs);
    const gpuMillis = this.#gpuMillis;
    this.#gpuMillis = null;
    return {
      ...this.#frames.take(intervalMs),
      longTasks: this.#longTasks.take(),
      longAnimationFrames: this.#longFrames.take(),
      ...(vitals.length === 0 ? {} : { webVitals: vitals }),
      heapUsedBytes: heap.usedBytes,
      heapLimitBytes: heap.limitBytes,
      userAgentMemoryBytes: this.#memory.read(),
      gpuMillis: gpuMillis === null ? null : Math.min(gpuMillis, LONGEST_GPU_MS),
      garbageCollectionsEstimate: this.#garbage.take(),
      errors,
      ...(taskTypes.length === 0 ? {} : { taskTypes }),
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(spans.length === 0 ? {} : { spans }),
      dropped,
      telemetryCostRatio: this.#cost.take(intervalMs),
    };
  }

  /** Errors first, then task types, metrics and spans, as far as one sample has room for them. */
  #takeBounded(
    runs: readonly TaskTypeRuns[] = [],
  ): Pick<PagePart, 'errors' | 'dropped'> & { taskTypes: TaskTypeRuns[]; metrics: CustomMetric[]; spans: SpanRecord[] } {
    const all = this.errors.take();
    let room = EXTRA_BYTES;
    const fits = (item: unknown): boolean => {
      const left = room - byteLength(JSON.stringify(item)) - 1;
      room = left < 0 ? room : left;
      return left >= 0;
    };
    const records = all?.records.filter(fits) ?? [];
    const errors: PageErrors | null = all === null ? null : { ...all, records };
    const taskTypes = runs.filter(fits);
    const known = this.metrics.take();
    const metrics = known.filter(fits);
    const ended = this.spans.take();
    const spans = ended.filter(fits);
    const dropped = {
      metrics: this.metrics.takeDropped() + known.length - metrics.length,
      spans: this.spans.takeDropped() + ended.length - spans.length,
      errors: this.errors.takeDropped() + (all?.records.length ?? 0) - records.length,
      taskTypes: runs.length - taskTypes.length,
    };
    const isWhole = Object.values(dropped).every((count) => count === 0);
    return { errors, taskTypes, metrics, spans, dropped: isWhole ? null : dropped };
  }

  #all(): readonly { start(): void; stop(): void }[] {
    return [this.#frames, this.#longTasks, this.#longFrames, this.#vitals, this.#memory, this.#garbage, this.errors];
  }
}

/** Of a sample, so that one fits into a beacon whatever the app measures. */
const EXTRA_BYTES = 40_000;
/** A host takes no longer ones. */
const LONGEST_GPU_MS = 3_600_000;
