import { eachRecord, MAGIC } from './messages.js';

/** Sends a message; throws where it can't be cloned. */
export type Post = (message: readonly unknown[], transfer: readonly object[]) => void;

/** Told of a record that can't be cloned. Everything else is sent. */
export type Refuse = (kind: number, id: number, a: number | undefined, thrown: unknown) => void;

/** One direction of a line between page and worker: coalesces what one microtask has to say into one message. */
export class Outbox {
  readonly #post: Post;
  readonly #refuse: Refuse;
  #message: unknown[] = [MAGIC];
  /** What the records of the last group have in common, and how many there are. */
  #kind = 0;
  #a: number | undefined;
  #isBare = false;
  #count = 0;
  /** Where the last group's count stands. */
  #countAt = 0;
  /** Records in the message. */
  #size = 0;
  /** What to move, by the number of its record; most messages move nothing. */
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

  /** Whether nothing waits to be sent. */
  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Sends at the end of the microtask. */
  push(kind: number, id: number, a: number | undefined, b: unknown, transfer?: readonly object[]): void {
    if (transfer !== undefined && transfer.length > 0) {
      (this.#transfers ??= new Map()).set(this.#size, transfer);
    }
    this.#size += 1;
    const message = this.#message;
    const isBare = b === undefined;
    if (this.#count > 0 && kind === this.#kind && a === this.#a && isBare === this.#isBare) {
      this.#count += 1;
      message[this.#countAt] = isBare ? -this.#count : this.#count;
    } else {
      message.push(kind, a, isBare ? -1 : 1);
      this.#kind = kind;
      this.#a = a;
      this.#isBare = isBare;
      this.#count = 1;
      this.#countAt = message.length - 1;
    }
    if (isBare) {
      message.push(id);
    } else {
      message.push(id, b);
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#onMicrotask);
    }
  }

  /** Sends what waits, then this, at once. Throws where this can't be cloned. */
  sendNow(kind: number, id: number, b: unknown, transfer: readonly object[] = NOTHING): void {
    this.flush();
    this.#post(single(kind, id, undefined, b), transfer);
  }

  /** Sends what waits, at once. */
  flush(): void {
    if (this.#size === 0) {
      return;
    }
    const message = this.#message;
    const transfers = this.#transfers;
    const size = this.#size;
    this.#message = [MAGIC];
    this.#transfers = undefined;
    this.#count = 0;
    this.#size = 0;
    try {
      this.#post(message, transfers === undefined ? NOTHING : [...transfers.values()].flat());
    } catch (thrown) {
      if (size === 1) {
        const [, kind, a, , id] = message;
        this.#refuse(kind as number, id as number, a as number | undefined, thrown);
      } else {
        this.#sendOneByOne(message, transfers);
      }
    }
  }

  /** Something in the batch can't be cloned, and nothing of it was sent: the rest must not suffer for it. */
  #sendOneByOne(message: readonly unknown[], transfers: Map<number, readonly object[]> | undefined): void {
    let number = 0;
    eachRecord(message, (kind, id, a, b) => {
      try {
        this.#post(single(kind, id, a, b), transfers?.get(number) ?? NOTHING);
      } catch (thrown) {
        this.#refuse(kind, id, a, thrown);
      }
      number += 1;
    });
  }
}

const NOTHING: readonly object[] = [];

/** A message of one record. */
function single(kind: number, id: number, a: number | undefined, b: unknown): unknown[] {
  return b === undefined ? [MAGIC, kind, a, -1, id] : [MAGIC, kind, a, 1, id, b];
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
