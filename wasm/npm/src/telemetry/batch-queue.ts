import { randomId } from './random-id.js';
import type { PageBatch, PageSample } from './wire.js';

/**
 * Samples on their way to the host, bounded. At most one batch is under way; it keeps its id until the host has it, so that the
 * host counts it once however often it is sent.
 */
export class BatchQueue {
  readonly #maxSamples: number;
  readonly #approve: Approval;
  #waiting: PageSample[] = [];
  #underWay: PageBatch | undefined;
  #sequence = 0;
  #dropped = 0;

  /** `approve` sees each batch once, when it is made. */
  constructor(maxSamples = MAX_SAMPLES, approve: Approval = (batch) => batch) {
    this.#maxSamples = maxSamples;
    this.#approve = approve;
  }

  /** Samples that the host doesn't have yet. */
  get size(): number {
    return this.#waiting.length + (this.#underWay?.samples.length ?? 0);
  }

  /** Adds a sample. Where there is no room the oldest one goes, and is counted. */
  push(sample: PageSample): void {
    this.#waiting.push(sample);
    while (this.size > this.#maxSamples && this.#waiting.length > 0) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
  }

  /** The batch to send now: the one under way, or else a new one; `undefined` where there is nothing. */
  next(): PageBatch | undefined {
    while (this.#underWay === undefined && this.#waiting.length > 0) {
      this.#underWay = this.#make(this.#waiting.splice(0, fitting(this.#waiting)));
    }
    return this.#underWay;
  }

  /** The host has a batch. Returns whether it was the one under way. */
  acknowledge(batchId: string): boolean {
    if (this.#underWay?.batchId !== batchId) {
      return false;
    }
    this.#underWay = undefined;
    return true;
  }

  /** The host will never take this batch: its samples are dropped, and counted. Returns whether it was the one under way. */
  refuse(batchId: string): boolean {
    const refused = this.#underWay;
    if (!this.acknowledge(batchId)) {
      return false;
    }
    this.countDropped((refused?.samples.length ?? 0) + (refused?.droppedSamples ?? 0));
    return true;
  }

  /** Samples were lost elsewhere: the next batch tells. */
  countDropped(samples: number): void {
    this.#dropped += samples;
  }

  /** Drops everything: there will be no host. */
  clear(): void {
    this.#waiting = [];
    this.#underWay = undefined;
  }

  /**
   * Everything that the host doesn't have yet, for the page is going away: first the newest, which may be an empty batch, then the
   * batch under way, then the older ones. None but the one under way is larger than `maxBytes` as JSON.
   */
  takeAll(maxBytes: number): PageBatch[] {
    const chunks: PageSample[][] = [[]];
    let bytes = 0;
    let next = Infinity;
    for (const sample of this.#waiting.splice(0).reverse()) {
      const size = byteLength(JSON.stringify(sample)) + 1;
      if ((bytes + size > maxBytes - ENVELOPE_BYTES && bytes > 0) || sample.atUnixMillis > next) {
        chunks.push([]);
        bytes = 0;
      }
      bytes += size;
      next = sample.atUnixMillis;
      chunks.at(-1)?.unshift(sample);
    }
    const [newest, ...older] = chunks.map((samples) => this.#make(samples));
    const underWay = this.#underWay;
    this.#underWay = undefined;
    return [newest, underWay, ...older].filter((batch) => batch !== undefined);
  }

  /** Puts batches that were taken and not delivered back. */
  putBack(batches: readonly PageBatch[]): void {
    const samples = batches.flatMap((batch) => batch.samples);
    this.#waiting.unshift(...samples.sort((a, b) => a.atUnixMillis - b.atUnixMillis));
    this.countDropped(batches.reduce((sum, { droppedSamples }) => sum + droppedSamples, 0));
  }

  #make(samples: readonly PageSample[]): PageBatch | undefined {
    const made = { batchId: randomId(), sequence: this.#sequence + 1, samples, droppedSamples: this.#dropped };
    // A goodbye without samples tells nothing that an app could mind.
    const approved = samples.length === 0 ? made : this.#approve(made);
    if (approved === undefined) {
      this.#dropped += samples.length;
      return undefined;
    }
    this.#sequence += 1;
    this.#dropped = 0;
    return { ...made, samples: approved.samples };
  }
}

/** Gives a batch as it may be sent, or `undefined` where it may not. */
export type Approval = (batch: PageBatch) => PageBatch | undefined;

/** Ten minutes of seconds, and what a host takes in one batch. */
const MAX_SAMPLES = 600;
const MAX_BATCH = 60;
/** So that the batch under way fits into a beacon, too. */
const MAX_BATCH_BYTES = 55_000;
/** What is around the samples of a batch, with a name of 120 characters of four bytes each. */
const ENVELOPE_BYTES = 1_000;

/** How many of the first samples are in the order of time. A clock that is set back begins another batch: in one, a host takes only that. */
function inOrder(samples: readonly PageSample[]): number {
  const end = samples.findIndex((sample, at) => sample.atUnixMillis < (samples[at - 1]?.atUnixMillis ?? 0));
  return end < 0 ? samples.length : end;
}

/** How many of the first samples a batch takes, at least one. */
function fitting(samples: readonly PageSample[]): number {
  const most = Math.min(MAX_BATCH, inOrder(samples));
  let bytes = 0;
  for (let count = 0; count < most && most > 1; count += 1) {
    bytes += byteLength(JSON.stringify(samples[count])) + 1;
    if (bytes > MAX_BATCH_BYTES) {
      return Math.max(1, count);
    }
  }
  return most;
}

/** Of a text in UTF-8. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
