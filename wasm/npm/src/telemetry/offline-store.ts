import type { PageBatch, PageSource } from './wire.js';

/** A batch that could not be delivered. */
export interface StoredBatch {
  readonly source: PageSource;
  readonly batch: PageBatch;
  readonly bytes: number;
  /** On the page's wall clock: what is older goes first. */
  readonly storedAt: number;
}

/** Batches in IndexedDB, the oldest first, bounded by their bytes. All its promises reject where the browser keeps nothing. */
export class OfflineStore {
  readonly #maxBytes: number;
  #database: Promise<IDBDatabase> | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Keeps a batch. Where there is no room the oldest go; returns how many samples those had. */
  async put(stored: StoredBatch): Promise<number> {
    const store = await this.#store('readwrite');
    store.put(stored, stored.batch.batchId);
    // The keys are random: the order is that of the index.
    const all = (await settled(store.index(BY_TIME).getAll())) as StoredBatch[];
    let bytes = all.reduce((sum, { bytes: size }) => sum + size, 0);
    let dropped = 0;
    for (const { batch, bytes: size } of all) {
      if (bytes <= this.#maxBytes) {
        break;
      }
      bytes -= size;
      dropped += batch.samples.length + batch.droppedSamples;
      store.delete(batch.batchId);
    }
    await completed(store.transaction);
    return dropped;
  }

  /** The oldest batch; `undefined` where there is none. */
  async oldest(): Promise<StoredBatch | undefined> {
    const store = await this.#store('readonly');
    const [oldest] = (await settled(store.index(BY_TIME).getAll(null, 1))) as StoredBatch[];
    return oldest;
  }

  async delete(batchId: string): Promise<void> {
    const store = await this.#store('readwrite');
    store.delete(batchId);
    await completed(store.transaction);
  }

  async clear(): Promise<void> {
    const store = await this.#store('readwrite');
    store.clear();
    await completed(store.transaction);
  }

  /** Lets go of the database, after what was begun. It is opened again when it is needed. */
  close(): void {
    this.#database?.then((database) => database.close()).catch(() => undefined);
    this.#database = undefined;
  }

  async #store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    return (await this.#connect()).transaction(STORE, mode).objectStore(STORE);
  }

  #connect(): Promise<IDBDatabase> {
    if (this.#database === undefined) {
      const opening = open();
      this.#database = opening;
      opening.catch(() => {
        if (this.#database === opening) {
          this.#database = undefined;
        }
      });
    }
    return this.#database;
  }
}

function open(): Promise<IDBDatabase> {
  if (typeof indexedDB === 'undefined') {
    return Promise.reject(new Error('there is no IndexedDB'));
  }
  const request = indexedDB.open('quillwork-telemetry', 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(STORE).createIndex(BY_TIME, 'storedAt');
  };
  return settled(request).then((database) => {
    // Another tab with a newer version must not wait for this one.
    database.onversionchange = () => database.close();
    return database;
  });
}

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB refused'));
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB gave up'));
  });
}

const STORE = 'batches';
const BY_TIME = 'byTime';
