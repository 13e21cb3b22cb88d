import { MAGIC, STRIDE } from './messages.js';

/** Sends a message; throws where it can't be cloned. */
export type Post = (message: readonly unknown[], transfer: readonly object[]) => void;

/** Told of a record that can't be cloned. Everything else is sent. */
export type Refuse = (kind: number, id: number, b: unknown, thrown: unknown) => void;

/** One direction of a line between page and worker: coalesces what one microtask has to say into one message. */
export class Outbox {
  readonly #post: Post;
  readonly #refuse: Refuse;
  #records: unknown[] = [MAGIC];
  /** What to move, by the place of its record; most messages move nothing. */
  #transfers: Map<number, readonly object[]> | undefined;
  #scheduled = false;
  readonly #onMicrotask = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  constructor(post: Post, refuse: Refuse) {
    this.#post = (message, transfer) => {
      refuseDetached(transfer);
      post(message, transfer);
    };
    this.#refuse = refuse;
  }

  /** Sends at the end of the microtask. */
  push(kind: number, id: number, a: unknown, b: unknown, transfer?: readonly object[]): void {
    if (transfer !== undefined && transfer.length > 0) {
      (this.#transfers ??= new Map()).set(this.#records.length, transfer);
    }
    this.#records.push(kind, id, a, b);
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#onMicrotask);
    }
  }

  /** Sends what waits, then this, at once. Throws where this can't be cloned. */
  sendNow(kind: number, id: number, a: unknown, transfer: readonly object[] = []): void {
    this.flush();
    this.#post([MAGIC, kind, id, a, undefined], transfer);
  }

  /** Sends what waits, at once. */
  flush(): void {
    const records = this.#records;
    if (records.length === 1) {
      return;
    }
    const transfers = this.#transfers;
    this.#records = [MAGIC];
    this.#transfers = undefined;
    try {
      this.#post(records, transfers === undefined ? [] : [...transfers.values()].flat());
    } catch (thrown) {
      if (records.length === 1 + STRIDE) {
        this.#refuse(records[1] as number, records[2] as number, records[4], thrown);
      } else {
        this.#sendOneByOne(records, transfers);
      }
    }
  }

  /** Something in the batch can't be cloned, and nothing of it was sent: the rest must not suffer for it. */
  #sendOneByOne(records: readonly unknown[], transfers: Map<number, readonly object[]> | undefined): void {
    for (let at = 1; at < records.length; at += STRIDE) {
      try {
        this.#post([MAGIC, ...records.slice(at, at + STRIDE)], transfers?.get(at) ?? []);
      } catch (thrown) {
        this.#refuse(records[at] as number, records[at + 1] as number, records[at + 3], thrown);
      }
    }
  }
}

/**
 * Node moves a buffer that is gone already as an empty one; browsers refuse, and so does this.
 *
 * @throws DOMException `DataCloneError`.
 */
export function refuseDetached(transfer: readonly object[]): void {
  for (const item of transfer) {
    if (item instanceof ArrayBuffer && item.byteLength === 0 && isDetached(item)) {
      throw new DOMException('a buffer was moved before', 'DataCloneError');
    }
  }
}

function isDetached(buffer: ArrayBuffer): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
