import { byteLength, type BatchQueue } from './batch-queue.js';
import { OfflineStore } from './offline-store.js';
import type { Poster } from './post.js';
import { encodeBatch, type PageBatch, type PageSource } from './wire.js';

/**
 * Moves what can't be delivered from memory into IndexedDB, where it outlives the page, and delivers what is there when the host is back: under
 * the source and the id that it was made with, so that the host counts it once.
 */
export class OfflineQueue {
  readonly #store: OfflineStore;
  readonly #queue: BatchQueue;
  readonly #poster: Poster;
  readonly #source: PageSource;
  #busy = false;
  /** There may be something to deliver: something was kept, by this load of the page or by an earlier one. */
  #mayHold = true;
  #notBefore = 0;
  /** What is being done in the database. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(maxBytes: number, queue: BatchQueue, poster: Poster, source: PageSource) {
    this.#store = new OfflineStore(maxBytes);
    this.#queue = queue;
    this.#poster = poster;
    this.#source = source;
  }

  /** The host is away: keeps a batch of what waits, once it is worth it. */
  spill(): void {
    if (this.#busy || this.#queue.size < WORTH_KEEPING) {
      return;
    }
    const batch = this.#queue.next();
    if (batch === undefined) {
      return;
    }
    this.#run(async () => {
      await this.#keep(batch);
      this.#queue.acknowledge(batch.batchId);
    });
  }

  /** The page goes while the host is away: keeps everything. Browsers finish what was begun. */
  spillAll(batches: readonly PageBatch[]): void {
    this.#work = Promise.allSettled([this.#work, ...batches.map((batch) => this.#keep(batch))]);
  }

  /** The host is there: delivers what is kept, one batch after the other. */
  drain(): void {
    if (this.#busy || !this.#mayHold || performance.now() < this.#notBefore) {
      return;
    }
    this.#run(async () => {
      for (;;) {
        const stored = await this.#store.oldest();
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
        await this.#store.delete(stored.batch.batchId);
      }
    });
  }

  /** Forgets everything. */
  clear(): void {
    this.#store.clear().catch(() => undefined);
  }

  /** Lets go of the database: an open one keeps a page out of the back/forward cache. */
  close(): void {
    void this.#work.then(() => this.#store.close());
  }

  async #keep(batch: PageBatch): Promise<void> {
    this.#mayHold = true;
    const bytes = byteLength(JSON.stringify(batch));
    this.#queue.countDropped(await this.#store.put({ source: this.#source, batch, bytes, storedAt: Date.now() }));
  }

  #run(work: () => Promise<void>): void {
    this.#busy = true;
    this.#work = work()
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
