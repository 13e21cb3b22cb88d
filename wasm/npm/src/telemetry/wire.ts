/**
 * What goes over the wire to a Quillwork host: the TypeScript of `protocol/src/page.rs` and `protocol/src/socket.rs`. Absent is
 * not zero: a value that nobody observed is `null`. The files in `protocol/fixtures` hold both sides to it.
 */

import type { CustomMetric, Dropped, LongAnimationFrames, PageErrors, SpanRecord, WebVital } from './signals.js';

/** Version of the messages. */
export const PROTOCOL_VERSION = 1;

/** Who sends: one page load. */
export interface PageSource {
  readonly id: string;
  readonly name: string;
}

/** Tasks of 50 ms and more on the main thread. */
export interface LongTasks {
  readonly count: number;
  readonly totalMillis: number;
  readonly maxMillis: number;
  /** `true` where the browser tells of none and they follow from frames that came late. */
  readonly estimated?: boolean;
}

/** The pool at the end of an interval, and what ended in it. */
export interface PoolSample {
  /** Workers that are ready or busy. */
  readonly workers: number;
  readonly busy: number;
  readonly queued: number;
  /** Share of the workers' time spent on tasks, 0 to 1; `null` without workers. */
  readonly utilisationRatio: number | null;
  readonly completed: number;
  readonly failed: number;
  readonly aborted: number;
  readonly timedOut: number;
  /** Ended because workers were lost too often. */
  readonly crashed: number;
  /** Refused, expired in the queue or cut off by closing. */
  readonly refused: number;
  readonly redelivered: number;
  readonly workersLost: number;
}

/** Cache use in an interval, all caches together. */
export interface CacheSample {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly entries: number;
}

/** Latencies as a mergeable sketch (DDSketch). */
export interface Latency {
  readonly count: number;
  readonly sumMillis: number;
  readonly minMillis: number;
  readonly maxMillis: number;
  readonly relativeAccuracy: number;
  readonly zeros: number;
  /** Pairs of bucket index and count, ascending. */
  readonly buckets: readonly (readonly [index: number, count: number])[];
}

/** How long tasks of one type ran, whatever came of them. */
export interface TaskTypeRuns {
  /** What the app calls them; `(others)` for those beyond the 32 that a page tells apart. */
  readonly taskType: string;
  readonly runs: Latency;
}

/** One sampling interval. Counts are of the interval, not totals. */
export interface PageSample {
  /** End of the interval on the page's wall clock. */
  readonly atUnixMillis: number;
  readonly intervalMillis: number;
  /** Whether the page was visible for all of it. Frames of a hidden page are not observed. */
  readonly visible: boolean;
  readonly framesPerSecond: number | null;
  /** Refresh rate of the display as measured. */
  readonly displayHertz: number | null;
  /** Share of the display's frames that were missed, 0 to 1. */
  readonly droppedFrameRatio: number | null;
  /** 1 % low: the rate of the slowest hundredth of the last 600 frames. */
  readonly lowFramesPerSecond: number | null;
  /** Estimated where the browser doesn't tell; `null` where there are no frames either. */
  readonly longTasks: LongTasks | null;
  /** `null` where the browser doesn't tell. */
  readonly longAnimationFrames: LongAnimationFrames | null;
  /** The vitals that are known by now; left out where none is. */
  readonly webVitals?: readonly WebVital[];
  /** `null` where the browser doesn't tell. */
  readonly heapUsedBytes: number | null;
  readonly heapLimitBytes: number | null;
  /** Memory of the page with its workers and frames, where the page is cross-origin isolated and the browser tells. */
  readonly userAgentMemoryBytes: number | null;
  /** WebAssembly memory of the runtime. */
  readonly wasmBytes: number;
  /** Time of passes on the GPU, by its own clock; `null` where none was measured. */
  readonly gpuMillis: number | null;
  /** An estimate: collections of garbage that were noticed, young and full ones alike. */
  readonly garbageCollectionsEstimate: number | null;
  readonly pool: PoolSample;
  readonly cache: CacheSample;
  /** From submission to the answer, of tasks that ended in this interval; `null` where none did. */
  readonly response: Latency | null;
  /** Run times of the tasks that ended in this interval by type; left out where none ran. */
  readonly taskTypes?: readonly TaskTypeRuns[];
  /** Errors that nobody caught; `null` where there were none. */
  readonly errors: PageErrors | null;
  /** Metrics of the app's own that have a value; left out where none has. */
  readonly metrics?: readonly CustomMetric[];
  /** Spans that ended; left out where none did. */
  readonly spans?: readonly SpanRecord[];
  /** What was too much to send; `null` where nothing was. */
  readonly dropped: Dropped | null;
  /** Share of the main thread's time that measuring and reporting took, 0 to 1, as they measured it themselves. */
  readonly telemetryCostRatio: number | null;
}

/** Samples since the last batch. */
export interface PageBatch {
  readonly batchId: string;
  /** Counts the batches of this source from 1. */
  readonly sequence: number;
  readonly samples: readonly PageSample[];
  /** Samples dropped since the last batch because the queue was full. */
  readonly droppedSamples: number;
}

/** What a host says to a page. */
export type ServerMessage =
  | { readonly type: 'welcome' }
  | { readonly type: 'ack'; readonly batchId: string }
  | { readonly type: 'tick' };

/** First message of a connection. */
export function encodeHello(source: PageSource, token: string | undefined): string {
  return JSON.stringify({
    type: 'hello',
    version: PROTOCOL_VERSION,
    role: 'page',
    source: { id: source.id, name: source.name },
    ...(token === undefined ? undefined : { token }),
  });
}

/** A batch as a message of the socket. */
export function encodeBatchMessage(source: PageSource, batch: PageBatch, sentAtUnixMillis: number, closing: boolean): string {
  return JSON.stringify({ type: 'batch', ...batchFields(source, batch, sentAtUnixMillis, closing) });
}

/** A batch as the body of a beacon. */
export function encodeBatch(source: PageSource, batch: PageBatch, sentAtUnixMillis: number, closing: boolean): string {
  return JSON.stringify(batchFields(source, batch, sentAtUnixMillis, closing));
}

/** What a host says, or `undefined` where it is nothing that this version knows. */
export function decodeServerMessage(text: unknown): ServerMessage | undefined {
  try {
    const message: unknown = JSON.parse(String(text));
    if (typeof message !== 'object' || message === null || !('type' in message)) {
      return undefined;
    }
    if (message.type === 'welcome' || message.type === 'tick') {
      return { type: message.type };
    }
    return message.type === 'ack' && 'batchId' in message && typeof message.batchId === 'string'
      ? { type: 'ack', batchId: message.batchId }
      : undefined;
  } catch {
    return undefined;
  }
}

function batchFields(source: PageSource, batch: PageBatch, sentAtUnixMillis: number, closing: boolean): object {
  return {
    version: PROTOCOL_VERSION,
    source: { id: source.id, name: source.name },
    batchId: batch.batchId,
    sequence: batch.sequence,
    sentAtUnixMillis,
    samples: batch.samples,
    droppedSamples: batch.droppedSamples,
    closing,
  };
}
