/** Which bit each capability name has: at most 64 at a time, of which core makes two words of 32. */
export class CapabilityBits {
  readonly #bits = new Map<string, number>();
  /** Whether a name found no bit since the last {@link CapabilityBits.clear}. */
  isFull = false;

  /** The bits of these names, lower and upper. */
  of(names: Iterable<string>, into: { low: number; high: number }): void {
    let low = 0;
    let high = 0;
    for (const name of names) {
      const bit = this.#bits.get(name) ?? this.#add(name);
      if (bit < 32) {
        low |= 1 << bit;
      } else {
        high |= 1 << (bit - 32);
      }
    }
    into.low = low >>> 0;
    into.high = high >>> 0;
  }

  /** The names of bits. */
  names(low: number, high: number): string[] {
    const has = (bit: number): boolean => (((bit < 32 ? low : high) >>> (bit & 31)) & 1) === 1;
    return [...this.#bits].filter(([, bit]) => has(bit)).map(([name]) => name);
  }

  /** Gives all bits back. */
  clear(): void {
    this.#bits.clear();
    this.isFull = false;
  }

  #add(name: string): number {
    if (this.#bits.size === MOST_NAMES) {
      this.isFull = true;
      return 0;
    }
    const bit = this.#bits.size;
    this.#bits.set(name, bit);
    return bit;
  }
}

/** As many as core's sets hold. */
export const MOST_NAMES = 64;

/**
 * 32 bits of a text, the same in each session: what was learned about a task type is found again after a restart. FNV-1a (Fowler,
 * Noll and Vo) over UTF-16 units, with the finaliser of MurmurHash3 (Appleby).
 */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
