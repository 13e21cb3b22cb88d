import { afterPendingMessages } from '../turn.js';
import { AWAY, ringMemory, SIGNAL, TO_PAGE, TO_WORKER, type RingMemory } from './memory.js';
import { RingReader } from './reader.js';
import { onSignal, signalOf } from './wait.js';
import { RingWriter } from './writer.js';

/** Sends a message to the worker. Throws where it can't be cloned. */
export type PostMessage = (message: readonly unknown[], transfer: readonly object[]) => void;

/**
 * The page's end of a line to one worker that goes through shared memory: what is short and plain is written there and waited for with
 * `Atomics.waitAsync`, the rest is sent as messages, and the other side gets both in the order in which they were sent.
 */
export class PageRing {
  /** For the worker. */
  readonly memory: RingMemory = ringMemory();
  readonly #writer = new RingWriter(this.memory, TO_WORKER);
  readonly #reader: RingReader;
  readonly #post: PostMessage;
  #isOpen = false;
  #isClosed = false;
  /** When the event loop turned, and whether a microtask is under way that looks. */
  #turnedAt = 0;
  #looks = false;
  readonly #onSignal = (): void => {
    this.#turnedAt = performance.now();
    this.#listen();
  };
  readonly #onMicrotask = (): void => {
    this.#looks = false;
    this.#reader.read();
  };
  // A page that stands still must not be woken: browsers throw one out of the back/forward cache that runs. Messages wait for it.
  readonly #onAway = (): void => void Atomics.store(this.memory, TO_PAGE + AWAY, 1);
  readonly #onBack = (): void => {
    Atomics.store(this.memory, TO_PAGE + AWAY, 0);
    this.read();
  };

  /** `handle` gets every message, whichever way it came. */
  constructor(handle: (message: readonly unknown[]) => void, post: PostMessage) {
    this.#post = post;
    this.#reader = new RingReader(this.memory, TO_PAGE, handle);
    this.#listen();
    this.#eachEvent('addEventListener');
  }

  /** The worker listens. */
  open(): void {
    this.#isOpen = true;
  }

  /** Sends one way or the other. Throws where the message can't be cloned. */
  send(message: readonly unknown[], transfer: readonly object[]): void {
    if (!this.#isOpen || !this.#writer.write(message, transfer)) {
      this.#post(this.#writer.inOrder(message), transfer);
      this.#writer.posted();
    }
    this.#lookSoon();
  }

  /** A message came from the worker. */
  hear(message: readonly unknown[]): void {
    this.#reader.hear(message);
  }

  /** A message from the worker could not be deserialised. */
  lose(): void {
    this.#reader.lose();
  }

  /** Handles what the worker wrote so far, without waiting to be woken for it. */
  read(): void {
    this.#reader.read();
  }

  /** Handles nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#reader.close();
    this.#eachEvent('removeEventListener');
    // Ends the wait, which would hold this in memory.
    Atomics.notify(this.memory, TO_PAGE + SIGNAL);
  }

  /** A worker that was woken at once may have answered before this thread goes on: then nobody needs to wake it. */
  #lookSoon(): void {
    if (!this.#looks && performance.now() - this.#turnedAt < TURN_MS) {
      this.#looks = true;
      queueMicrotask(this.#onMicrotask);
    }
  }

  /** Handles what is there, and does so again whenever something came. */
  #listen(): void {
    if (this.#isClosed) {
      return;
    }
    const seen = signalOf(this.memory, TO_PAGE);
    this.#reader.read();
    if (!onSignal(this.memory, TO_PAGE, seen, this.#onSignal)) {
      afterPendingMessages(this.#onSignal);
    }
  }

  #eachEvent(change: 'addEventListener' | 'removeEventListener'): void {
    globalThis[change]('pagehide', this.#onAway);
    globalThis[change]('pageshow', this.#onBack);
    document[change]('freeze', this.#onAway);
    document[change]('resume', this.#onBack);
  }
}

/** What a pool opens such lines with. */
export type OpenRing = (...args: ConstructorParameters<typeof PageRing>) => PageRing;

export const openRing: OpenRing = (...args) => new PageRing(...args);

/** So long may answers follow each other before the event loop turns. */
const TURN_MS = 1;
