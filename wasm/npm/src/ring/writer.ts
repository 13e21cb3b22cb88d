import { AWAY, HEAD, LINGERS, MAX_FRAME_WORDS, POSTED, RING_BYTES, RING_WORDS, ringBytes, ringStart, SIGNAL, TAIL, type RingMemory } from './memory.js';
import { BYTES, FALSE, FLOAT, LIST, NULL, RECORD, TAG_BITS, TEXT, TRUE, UNDEFINED, VIEWS } from './tags.js';
import { MAGIC, ORDER } from '../messages.js';

/**
 * Writes messages into a ring. What `structuredClone` makes something else of than the same plain value, and what is too long, is refused:
 * it goes as a message. Nothing can be read of a frame before its last word is written.
 */
export class RingWriter {
  readonly #memory: RingMemory;
  readonly #direction: number;
  readonly #start: number;
  readonly #ring: Uint8Array<SharedArrayBuffer>;
  #posted = 0;
  #head = 0;
  /** Position of the next word, and the one that may not be written. */
  #at = 0;
  #end = 0;
  /** Objects and lists of the value that is written: one that comes twice must come out as one. */
  readonly #seen: object[] = [];

  constructor(memory: RingMemory, direction: number) {
    this.#memory = memory;
    this.#direction = direction;
    this.#start = ringStart(direction);
    this.#ring = ringBytes(memory, direction);
    this.#head = memory[direction + HEAD] as number;
  }

  /** Whether the message is in the ring now, and what was to be moved is gone from here. */
  write(message: readonly unknown[], transfer: readonly object[] = NOTHING): boolean {
    const memory = this.#memory;
    if (this.#isAway || transfer.length > 1) {
      return false;
    }
    const free = RING_WORDS - ((this.#head - Atomics.load(memory, this.#direction + TAIL)) | 0);
    this.#at = this.#head;
    this.#end = (this.#head + Math.min(free, MAX_FRAME_WORDS)) | 0;
    // Of the frame's length, which is known last.
    if (!this.#put(0) || !this.#put(this.#posted)) {
      return false;
    }
    for (let index = 1; index < message.length; index += 1) {
      if (!this.#top(message[index])) {
        return false;
      }
    }
    if (transfer.length > 0 && !isTaken(transfer[0])) {
      return false;
    }
    memory[this.#place(this.#head)] = (this.#at - this.#head) | 0;
    this.#head = this.#at;
    Atomics.store(memory, this.#direction + HEAD, this.#head);
    this.#signal();
    return true;
  }

  /** The message with what tells the reader where it belongs among the frames. */
  inOrder(message: readonly unknown[]): unknown[] {
    return [MAGIC, ORDER, this.#head, -1, this.#posted + 1, ...message.slice(1)];
  }

  /** A message was sent beside the ring. It wakes its reader by itself, but for one that lingers. */
  posted(): void {
    this.#posted += 1;
    Atomics.store(this.#memory, this.#direction + POSTED, this.#posted);
    if (Atomics.load(this.#memory, this.#direction + LINGERS) !== 0) {
      this.#signal();
    }
  }

  #signal(): void {
    Atomics.add(this.#memory, this.#direction + SIGNAL, 1);
    if (!this.#isAway) {
      Atomics.notify(this.#memory, this.#direction + SIGNAL);
    }
  }

  get #isAway(): boolean {
    return Atomics.load(this.#memory, this.#direction + AWAY) !== 0;
  }

  #place(position: number): number {
    return this.#start + (position & (RING_WORDS - 1));
  }

  #put(word: number): boolean {
    if (this.#at === this.#end) {
      return false;
    }
    this.#memory[this.#place(this.#at)] = word;
    this.#at = (this.#at + 1) | 0;
    return true;
  }

  #top(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) {
      return this.#value(value);
    }
    this.#seen.length = 0;
    return this.#value(value) && (ArrayBuffer.isView(value) || canBeCloned(value));
  }

  #value(value: unknown): boolean {
    switch (typeof value) {
      case 'number':
        return this.#number(value);
      case 'string':
        return this.#tagged(TEXT, value.length) && this.#text(value);
      case 'undefined':
        return this.#put(UNDEFINED);
      case 'boolean':
        return this.#put(value ? TRUE : FALSE);
      case 'object':
        return value === null ? this.#put(NULL) : this.#object(value);
      default:
        return false;
    }
  }

  /** A whole number of 31 bits is a word with its lowest bit set. */
  #number(value: number): boolean {
    if ((value << 1) >> 1 === value && !Object.is(value, -0)) {
      return this.#put((value << 1) | 1);
    }
    FLOATS[0] = value;
    return this.#put(FLOAT) && this.#put(HALVES[0] as number) && this.#put(HALVES[1] as number);
  }

  #tagged(tag: number, count: number): boolean {
    return count <= MAX_FRAME_BYTES && this.#put((count << TAG_BITS) | tag);
  }

  /** Two of JavaScript's 16-bit units a word: nothing is lost of half a pair. */
  #text(text: string): boolean {
    for (let at = 0; at < text.length; at += 2) {
      // Past the end there is no unit but NaN, which is 0 here.
      if (!this.#put(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16))) {
        return false;
      }
    }
    return true;
  }

  #object(value: object): boolean {
    const isList = Array.isArray(value);
    if (isList && value.length > MAX_FRAME_WORDS) {
      // Asking for its keys would take long.
      return false;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    const view = PROTOTYPES.indexOf(prototype);
    if (view >= 0) {
      return this.#bytes(view, value as ArrayBuffer | ArrayBufferView<ArrayBuffer>);
    }
    if (prototype !== (isList ? Array.prototype : Object.prototype) && (isList || prototype !== null)) {
      return false;
    }
    if (this.#seen.length === MAX_OBJECTS || this.#seen.includes(value)) {
      return false;
    }
    this.#seen.push(value);
    const keys = Object.keys(value);
    if (isList) {
      // A list with gaps, or with more than a list has, is none.
      return keys.length === value.length && this.#tagged(LIST, value.length) && value.every((item, index) => index in value && this.#value(item));
    }
    return (
      this.#tagged(RECORD, keys.length) &&
      keys.every((key) => key !== '__proto__' && this.#value(key) && this.#value((value as Readonly<Record<string, unknown>>)[key]))
    );
  }

  /** The whole of a buffer that keeps its size; two views of one would come out as views of two. */
  #bytes(view: number, value: ArrayBuffer | ArrayBufferView<ArrayBuffer>): boolean {
    const length = lengthOf(value);
    if (length === 0) {
      return false;
    }
    const buffer = view === 0 ? (value as ArrayBuffer) : (value as ArrayBufferView<ArrayBuffer>).buffer;
    if (!isPlain(buffer) || length !== buffer.byteLength || this.#seen.length === MAX_OBJECTS || this.#seen.includes(buffer)) {
      return false;
    }
    this.#seen.push(buffer);
    const words = Math.ceil(length / Int32Array.BYTES_PER_ELEMENT);
    if (!this.#tagged(BYTES, length) || !this.#put((view << 1) | 1) || ((this.#end - this.#at) | 0) < words) {
      return false;
    }
    const bytes = new Uint8Array(buffer);
    const place = (this.#at * Int32Array.BYTES_PER_ELEMENT) & (RING_BYTES - 1);
    const first = Math.min(length, RING_BYTES - place);
    this.#ring.set(bytes.subarray(0, first), place);
    this.#ring.set(bytes.subarray(first));
    this.#at = (this.#at + words) | 0;
    return true;
  }
}

/** How many bytes there are: none where they were moved away, and none behind a proxy. */
function lengthOf(value: ArrayBuffer | ArrayBufferView<ArrayBuffer>): number {
  try {
    return value.byteLength;
  } catch {
    return 0;
  }
}

/** A buffer of this thread's own that keeps its size. */
function isPlain(buffer: object): boolean {
  return Object.getPrototypeOf(buffer) === ArrayBuffer.prototype && (buffer as { resizable?: boolean }).resizable !== true;
}

/** Takes a buffer away from here, as moving it would. What can't be taken is for `postMessage` to refuse. */
function isTaken(item: object | undefined): boolean {
  if (item === undefined || !isPlain(item)) {
    return false;
  }
  try {
    (item as { transfer?(length: number): unknown }).transfer?.(0);
  } catch {
    return false;
  }
  return (item as { detached?: boolean }).detached === true;
}

/** What looks plain may be a proxy, which can't be sent. */
function canBeCloned(value: object): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

const NOTHING: readonly object[] = [];
const PROTOTYPES: readonly unknown[] = VIEWS.map((View): unknown => View.prototype);
const MAX_FRAME_BYTES = MAX_FRAME_WORDS * Int32Array.BYTES_PER_ELEMENT;
const MAX_OBJECTS = 16;
const FLOATS = new Float64Array(1);
const HALVES = new Int32Array(FLOATS.buffer);
