import type { StoredBatch } from './offline-store.js';

/**
 * Batches of pages that went, in `localStorage`: what a page writes there while it goes is kept. A transaction of IndexedDB that is begun then
 * may be given up with the page. They stay only until a load of the page has moved them.
 */
export class LeavingStore {
  /** Keeps batches, the first first; returns those that there was no room for. */
  put(batches: readonly StoredBatch[]): StoredBatch[] {
    const storage = local();
    if (storage === undefined) {
      return [...batches];
    }
    let room = MOST - keys(storage).reduce((sum, key) => sum + (storage.getItem(key)?.length ?? 0), 0);
    return batches.filter((stored) => {
      const text = JSON.stringify(stored);
      if (text.length > room) {
        return true;
      }
      try {
        storage.setItem(PREFIX + stored.batch.batchId, text);
      } catch {
        // The app has used the origin's room.
        return true;
      }
      room -= text.length;
      return false;
    });
  }

  /** Any batch that is kept; `undefined` where there is none. */
  any(): StoredBatch | undefined {
    const storage = local();
    while (storage !== undefined) {
      const [key] = keys(storage);
      if (key === undefined) {
        break;
      }
      const stored = parsed(storage.getItem(key));
      if (stored !== undefined && PREFIX + stored.batch.batchId === key) {
        return stored;
      }
      storage.removeItem(key);
    }
    return undefined;
  }

  delete(batchId: string): void {
    local()?.removeItem(PREFIX + batchId);
  }

  clear(): void {
    const storage = local();
    for (const key of keys(storage)) {
      storage?.removeItem(key);
    }
  }
}

function keys(storage: Storage | undefined): string[] {
  return Object.keys(storage ?? {}).filter((key) => key.startsWith(PREFIX));
}

function parsed(text: string | null): StoredBatch | undefined {
  try {
    const stored = JSON.parse(text ?? '') as StoredBatch;
    const { source, batch, bytes, storedAt } = stored;
    // A count that is none would make every later count of this page none, too.
    const isWhole = [batch.sequence, batch.droppedSamples, bytes, storedAt].every(Number.isSafeInteger);
    return isWhole && typeof source.id === 'string' && Array.isArray(batch.samples) ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` where the browser keeps nothing for this page, and outside of pages. */
function local(): Storage | undefined {
  try {
    return typeof window === 'undefined' ? undefined : window.localStorage;
  } catch {
    return undefined;
  }
}

const PREFIX = 'quillwork-telemetry/';
/** Characters, of all batches together: an origin has some five million. */
const MOST = 500_000;
