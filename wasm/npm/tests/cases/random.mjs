// Random numbers from a seed; wasm/flow/tests/twins draws the same ones.
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound) {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return (this.#state >>> 8) % bound;
  }

  one(of) {
    return of[this.below(of.length)];
  }
}

/** What was seen, as 32 bits (FNV-1a over the numbers' four bytes). */
export class Digest {
  #hash = 0x811c9dc5;

  add(number) {
    for (let shift = 0; shift < 32; shift += 8) {
      this.#hash = Math.imul(this.#hash ^ ((number >>> shift) & 0xff), 0x01000193);
    }
  }

  toString() {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }
}
