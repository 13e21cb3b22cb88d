import { afterPendingMessages } from '../turn.js';
import { LINGERS, SIGNAL, TO_PAGE, TO_WORKER, type RingMemory } from './memory.js';
import { RingReader } from './reader.js';
import { onSignal, signalOf } from './wait.js';
import { RingWriter } from './writer.js';

/** What a worker's end of a ring needs of it. */
export interface RingUser {
  /** Gets every message, whichever way it came. */
  handle(message: readonly unknown[]): void;
  /** Sends a message to the page. Throws where it can't be cloned. */
  post(message: readonly unknown[], transfer: readonly object[]): void;
  /** Whether there is nothing to do, and nothing to send, until the page says something. */
  isIdle(): boolean;
}

/**
 * The worker's end of the line that `PageRing` opens. A worker that has just done what there was to do waits for a moment with its event loop
 * stopped, since what is short is most often followed by something short: so it is woken in a part of the time. The moment ends as soon as
 * the page sends a message, and none follows what came as one.
 */
export class WorkerRing {
  readonly #memory: RingMemory;
  readonly #user: RingUser;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  /** Whether a wait is under way that lets the event loop turn, and whether a microtask is that looks. */
  #waits = false;
  #looks = false;
  /** Whether what came last came through the ring. */
  #wasShort = true;
  /** When the event loop turned, and how often this has looked since. */
  #turnedAt = 0;
  #count = 0;
  readonly #onMicrotask = (): void => this.#look();
  readonly #onSignal = (): void => {
    this.#waits = false;
    this.#onTurn();
  };
  readonly #onTurn = (): void => {
    this.#turned();
    this.#look();
  };

  constructor(memory: RingMemory, user: RingUser) {
    this.#memory = memory;
    this.#user = user;
    this.#writer = new RingWriter(memory, TO_PAGE);
    this.#reader = new RingReader(memory, TO_WORKER, (message) => user.handle(message));
    this.#lookSoon();
  }

  /** Sends one way or the other. Throws where the message can't be cloned. */
  send(message: readonly unknown[], transfer: readonly object[]): void {
    if (!this.#writer.write(message, transfer)) {
      this.#user.post(this.#writer.inOrder(message), transfer);
      this.#writer.posted();
    }
    this.#lookSoon();
  }

  /** A message came from the page. */
  hear(message: readonly unknown[]): void {
    this.#turned();
    this.#wasShort = false;
    this.#reader.hear(message);
    this.#lookSoon();
  }

  /** Begins after this message, by which the ring came. */
  beginAfter(message: readonly unknown[]): void {
    this.#reader.beginAfter(message);
  }

  /** A message from the page could not be deserialised. */
  lose(): void {
    this.#reader.lose();
  }

  #turned(): void {
    this.#turnedAt = performance.now();
    this.#count = 0;
  }

  /** When the microtasks at hand have run: what tasks have to say goes out first. */
  #lookSoon(): void {
    if (!this.#looks) {
      this.#looks = true;
      queueMicrotask(this.#onMicrotask);
    }
  }

  #look(): void {
    this.#looks = false;
    const seen = signalOf(this.#memory, TO_WORKER);
    const found = this.#reader.read();
    this.#wasShort ||= found;
    this.#count += 1;
    const mayGoOn = this.#count < MAX_LOOKS && performance.now() - this.#turnedAt < TURN_MS;
    if (mayGoOn && (found || this.#lingers(seen))) {
      this.#lookSoon();
    } else if (!this.#waits) {
      this.#waits = onSignal(this.#memory, TO_WORKER, seen, this.#onSignal);
      if (!this.#waits) {
        afterPendingMessages(this.#onTurn);
      }
    }
  }

  /** Waits for a moment where there is nothing to do. Whether the page said something. */
  #lingers(seen: number): boolean {
    if (!this.#wasShort || !this.#user.isIdle()) {
      return false;
    }
    // First this, then a look at what was posted: the page does both the other way round, so that one of the two knows of the other.
    Atomics.store(this.#memory, TO_WORKER + LINGERS, 1);
    const wasWoken = !this.#reader.isAwaited && Atomics.wait(this.#memory, TO_WORKER + SIGNAL, seen, LINGER_MS) !== 'timed-out';
    Atomics.store(this.#memory, TO_WORKER + LINGERS, 0);
    return wasWoken;
  }
}

/** What else a worker has to hear, a timer for instance, waits for it no longer than for a timer's own step. */
const LINGER_MS = 1;
/** So long may tasks follow each other before the event loop turns; so many looks where a test has stopped the clock. */
const TURN_MS = 4;
const MAX_LOOKS = 1_000;
