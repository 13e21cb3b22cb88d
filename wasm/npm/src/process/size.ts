/**
 * About how many bytes a value takes up: its buffers, two for each character, eight for each number, field and object. What occurs twice
 * counts once. Of large collections the first {@link SAMPLE} entries are weighed, and the rest is taken to be like them.
 */
export function estimateBytes(value: unknown): number {
  return Math.ceil(weigh(value, { seen: new Set(), looksLeft: MOST_LOOKS }));
}

interface Look {
  readonly seen: Set<object>;
  looksLeft: number;
}

function weigh(value: unknown, look: Look): number {
  look.looksLeft -= 1;
  if (typeof value === 'string') {
    return WORD_BYTES + 2 * value.length;
  }
  if (typeof value !== 'object' || value === null || look.looksLeft < 0 || look.seen.has(value)) {
    return WORD_BYTES;
  }
  look.seen.add(value);
  return WORD_BYTES + weighObject(value, look);
}

function weighObject(value: object, look: Look): number {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return value.byteLength;
  }
  if (typeof Blob === 'function' && value instanceof Blob) {
    return value.size;
  }
  if (Array.isArray(value)) {
    return weighAll(value.slice(0, SAMPLE), value.length, look);
  }
  if (value instanceof Map) {
    return weighAll(value.keys(), value.size, look) + weighAll(value.values(), value.size, look);
  }
  if (value instanceof Set) {
    return weighAll(value, value.size, look);
  }
  const keys = Object.keys(value);
  // No getter is called: what it gives is not held.
  const fields = keys.slice(0, SAMPLE).map((key): unknown => Object.getOwnPropertyDescriptor(value, key)?.value);
  return weighAll(fields, keys.length, look);
}

function weighAll(entries: Iterable<unknown>, count: number, look: Look): number {
  let bytes = 0;
  let weighed = 0;
  for (const entry of entries) {
    bytes += weigh(entry, look);
    weighed += 1;
    if (weighed === SAMPLE) {
      break;
    }
  }
  return weighed === 0 ? 0 : (bytes * count) / weighed;
}

const WORD_BYTES = 8;
const SAMPLE = 100;
/** Beyond this a look costs more than it tells. */
const MOST_LOOKS = 5_000;
