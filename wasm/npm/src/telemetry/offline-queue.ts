import { byteLength, type BatchQueue } from './batch-queue.js';
import { LeavingStore } from './leaving-store.js';
import { OfflineStore, type StoredBatch } from './offline-store.js';
import type { Poster } from './post.js';
import { encodeBatch, type PageBatch, type PageSource } from './wire.js';

/**
 * Moves what can't be delivered from memory to where it outlives the page, and delivers what is there when the host is back: under the source
 * and the id that it was made with, so that the host counts it once.
 */
export class OfflineQueue {
  readonly #store: OfflineStore;
  readonly #left = new LeavingStore();
  readonly #queue: BatchQueue;
  readonly #poster: Poster;
  readonly #source: PageSource;
  #busy = false;
  /** There may be something to deliver: something was kept, by this load of the page or by an earlier one. */
  #mayHold = true;
  /** A page that went may have left something that isn't among the rest yet. */
  #mayHaveLeft = true;
  #notBefore = 0;

  constructor(maxBytes: number, queue: BatchQueue, poster: Poster, source: PageSource) {
    this.#store = new OfflineStore(maxBytes);
    this.#queue = queue;
    this.#poster = poster;
    this.#source = source;
  }

  /** The host is away: keeps a batch of what waits, once it is worth it. */
  spill(): void {
    if (this.#busy) {
      return;
    }
    const batch = this.#queue.size < WORTH_KEEPING ? undefined : this.#queue.next();
    if (batch === undefined && !this.#mayHaveLeft) {
      return;
    }
    this.#mayHaveLeft = false;
    this.#run(async () => {
      if (batch !== undefined) {
        await this.#keep(this.#stored(batch));
        this.#queue.acknowledge(batch.batchId);
      }
      // What pages that went have left joins the rest, which is bounded.
      for (let left = this.#left.any(); left !== undefined; left = this.#left.any()) {
        await this.#keep(left);
        this.#left.delete(left.batch.batchId);
      }
    });
  }

  /** The page goes while the host is away: keeps everything. Returns the batches that there was no room for. */
  spillAll(batches: readonly PageBatch[]): PageBatch[] {
    this.#mayHaveLeft = true;
    const told = batches.filter(({ samples, droppedSamples }) => samples.length > 0 || droppedSamples > 0);
    return this.#left.put(told.map((batch) => this.#stored(batch))).map(({ batch }) => batch);
  }

  /** The host is there: delivers what is kept, one batch after the other. */
  drain(): void {
    if (this.#busy || !this.#mayHold || performance.now() < this.#notBefore) {
      return;
    }
    this.#run(async () => {
      for (;;) {
        const left = this.#left.any();
        const stored = left ?? (await this.#store.oldest());
        if (stored === undefined) {
          this.#mayHold = false;
          return;
        }
        // Marked as closing: that load of the page is over, or tells the rest by itself.
        const closing = stored.source.id !== this.#source.id;
        const posted = await this.#poster.post(encodeBatch(stored.source, stored.batch, Date.now(), closing));
        if (posted.outcome === 'later') {
          this.#notBefore = performance.now() + (posted.retryAfterMs ?? RETRY_MS);
          return;
        }
        if (posted.outcome !== 'taken') {
          this.#queue.countDropped(stored.batch.samples.length + stored.batch.droppedSamples);
        }
        if (left === undefined) {
          await this.#store.delete(stored.batch.batchId);
        }
        this.#left.delete(stored.batch.batchId);
      }
    });
  }

  /** Forgets everything. */
  clear(): void {
    this.#left.clear();
    this.#store.clear().catch(() => undefined);
  }

  /** Lets go of the database: an open one keeps a page out of the back/forward cache. */
  close(): void {
    this.#store.close();
  }

  async #keep(stored: StoredBatch): Promise<void> {
    this.#queue.countDropped(await this.#store.put(stored));
  }

  #stored(batch: PageBatch): StoredBatch {
    this.#mayHold = true;
    return { source: this.#source, batch, bytes: byteLength(JSON.stringify(batch)), storedAt: Date.now() };
  }

  #run(work: () => Promise<void>): void {
    this.#busy = true;
    work()
      // The browser keeps nothing for this page: what waits goes on waiting in memory.
      .catch(() => undefined)
      .finally(() => {
        this.#busy = false;
      });
  }
}

/** Samples. */
const WORTH_KEEPING = 5;
const RETRY_MS = 5_000;
