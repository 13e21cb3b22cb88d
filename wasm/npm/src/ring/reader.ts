import { HEAD, POSTED, RING_BYTES, RING_WORDS, ringBytes, ringStart, TAIL, type RingMemory } from './memory.js';
import { BYTES, FALSE, FLOAT, LIST, NULL, RECORD, TAG_BITS, TEXT, TRUE, UNDEFINED, VIEWS } from './tags.js';
import { MAGIC, ORDER } from '../messages.js';

/** Reads a ring, and what comes as messages beside it, in the order in which it was sent. */
export class RingReader {
  readonly #memory: RingMemory;
  readonly #direction: number;
  readonly #start: number;
  readonly #ring: Uint8Array<SharedArrayBuffer>;
  readonly #handle: (message: readonly unknown[]) => void;
  #tail = 0;
  #at = 0;
  /** Number of the last message. */
  #heard = 0;
  #isClosed = false;

  constructor(memory: RingMemory, direction: number, handle: (message: readonly unknown[]) => void) {
    this.#memory = memory;
    this.#direction = direction;
    this.#start = ringStart(direction);
    this.#ring = ringBytes(memory, direction);
    this.#tail = memory[direction + TAIL] as number;
    this.#handle = handle;
  }

  /** A message: what was written before it goes first. */
  hear(message: readonly unknown[]): void {
    const isInOrder = message[1] === ORDER;
    if (isInOrder) {
      this.#heard = (message[4] as number) - 1;
      this.#readTo(message[2] as number);
      this.#heard += 1;
    }
    this.#handle(message);
    this.read();
  }

  /** Begins after this message, by which the ring came. */
  beginAfter(message: readonly unknown[]): void {
    this.#heard = message[1] === ORDER ? (message[4] as number) : 0;
  }

  /** A message could not be deserialised, and nobody knows whose it was: what waits for it goes on. */
  lose(): void {
    this.#heard += 1;
    this.read();
  }

  /** Handles what was written, but for what comes after a message that is still on its way. Whether there was anything. */
  read(): boolean {
    const from = this.#tail;
    this.#readTo(undefined);
    return this.#tail !== from;
  }

  /** Reads nothing more, whatever is there. */
  close(): void {
    this.#isClosed = true;
  }

  /** Whether a message is on its way. */
  get isAwaited(): boolean {
    return Atomics.load(this.#memory, this.#direction + POSTED) > this.#heard;
  }

  #readTo(position: number | undefined): void {
    const memory = this.#memory;
    while (!this.#isClosed && (((position ?? Atomics.load(memory, this.#direction + HEAD)) - this.#tail) | 0) > 0) {
      this.#at = this.#tail;
      const length = this.#word();
      if (this.#word() > this.#heard) {
        return;
      }
      const end = (this.#tail + length) | 0;
      const message: unknown[] = [MAGIC];
      while (this.#at !== end) {
        message.push(this.#value());
      }
      this.#tail = end;
      Atomics.store(memory, this.#direction + TAIL, end);
      this.#handle(message);
    }
  }

  #word(): number {
    const word = this.#memory[this.#start + (this.#at & (RING_WORDS - 1))] as number;
    this.#at = (this.#at + 1) | 0;
    return word;
  }

  #value(): unknown {
    const word = this.#word();
    if ((word & 1) === 1) {
      return word >> 1;
    }
    const count = word >>> TAG_BITS;
    switch (word & TAG_MASK) {
      case UNDEFINED:
        return undefined;
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case FLOAT:
        HALVES[0] = this.#word();
        HALVES[1] = this.#word();
        return FLOATS[0];
      case TEXT:
        return this.#text(count);
      case LIST:
        return Array.from({ length: count }, () => this.#value());
      case RECORD:
        return this.#record(count);
      case BYTES:
        return this.#bytes(count);
      default:
        throw new Error(`a ring holds the word ${word}`);
    }
  }

  #text(units: number): string {
    let text = '';
    for (let at = 0; at < units; at += 2) {
      const pair = this.#word();
      text += at + 1 < units ? String.fromCharCode(pair & UNIT, pair >>> 16) : String.fromCharCode(pair & UNIT);
    }
    return text;
  }

  #record(count: number): object {
    const record: Record<string, unknown> = {};
    for (let at = 0; at < count; at += 1) {
      const key = this.#value() as string;
      record[key] = this.#value();
    }
    return record;
  }

  #bytes(length: number): unknown {
    const View = VIEWS[this.#word() >> 1] as new (buffer: ArrayBuffer) => unknown;
    const bytes = new Uint8Array(length);
    const place = (this.#at * Int32Array.BYTES_PER_ELEMENT) & (RING_BYTES - 1);
    const first = Math.min(length, RING_BYTES - place);
    bytes.set(this.#ring.subarray(place, place + first));
    bytes.set(this.#ring.subarray(0, length - first), first);
    this.#at = (this.#at + Math.ceil(length / Int32Array.BYTES_PER_ELEMENT)) | 0;
    return View === (ArrayBuffer as unknown) ? bytes.buffer : new View(bytes.buffer);
  }
}

const TAG_MASK = (1 << TAG_BITS) - 1;
const UNIT = 0xffff;
const FLOATS = new Float64Array(1);
const HALVES = new Int32Array(FLOATS.buffer);
