// What a word of a ring says that is no whole number: its lowest bit is not set. Above its tag stands how many follow.

export const UNDEFINED = 0;
export const NULL = 2;
export const FALSE = 4;
export const TRUE = 6;
/** Two words follow. */
export const FLOAT = 8;
/** So many 16-bit units follow. */
export const TEXT = 10;
/** So many values follow. */
export const LIST = 12;
/** So many pairs of a text and a value follow. */
export const RECORD = 14;
/** So many bytes follow after a word that says which of {@link VIEWS} they are, and fill whole words. */
export const BYTES = 16;
export const TAG_BITS = 5;

/** What may be made of bytes: the whole of a buffer, or the buffer itself. */
export const VIEWS = [
  ArrayBuffer,
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
  DataView,
] as const;
