/**
 * Memory that page and worker share for short messages: for each direction a few numbers, then a ring of words that one side writes and the
 * other reads. Positions count words without end, so that a place is a position's lowest bits.
 */
export type RingMemory = Int32Array<SharedArrayBuffer>;

/** Where a direction's numbers are, from its first word on; the directions share no line of a processor's cache. */
export const HEAD = 0;
/** How far the reader has come. */
export const TAIL = 1;
/** Raised and notified whenever there is something to hear: what the reader waits on. */
export const SIGNAL = 2;
/** How many messages the writer has sent beside the ring. */
export const POSTED = 3;
/** Not 0 while the reader can't hear the ring and wants messages alone. */
export const AWAY = 4;
/** Not 0 while the reader's event loop stands still, so that a message alone would not wake it. */
export const LINGERS = 5;

/** Words of a ring: 16 KiB. */
export const RING_WORDS = 4_096;
/** Longest frame: a longer one goes as a message, so that none takes up the whole ring. */
export const MAX_FRAME_WORDS = RING_WORDS / 4;

/** First words of the two directions. */
export const TO_WORKER = 0;
export const TO_PAGE = 16;
const HEADS = 32;

/** Fresh memory for one worker. */
export function ringMemory(): RingMemory {
  return new Int32Array(new SharedArrayBuffer((HEADS + 2 * RING_WORDS) * Int32Array.BYTES_PER_ELEMENT));
}

/** Where the words of a direction's ring begin. */
export function ringStart(direction: number): number {
  return direction === TO_WORKER ? HEADS : HEADS + RING_WORDS;
}

/** The same as bytes. */
export function ringBytes(memory: RingMemory, direction: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(memory.buffer, ringStart(direction) * Int32Array.BYTES_PER_ELEMENT, RING_BYTES);
}

/** Bytes of a ring. */
export const RING_BYTES = RING_WORDS * Int32Array.BYTES_PER_ELEMENT;
