import { QuillworkError } from '../errors.js';

/** Names of capabilities as bits and of regions as numbers, in the order in which they were first heard of. */
export class OfferNames {
  readonly #names: string[] = ['gpu'];
  readonly #regions: string[] = [];

  /** The region of this name, counted from 1. */
  region(name: string): number {
    const index = this.#regions.indexOf(name);
    if (index >= 0) {
      return index + 1;
    }
    if (this.#regions.length >= MAX_REGIONS) {
      throw new QuillworkError('ERR_INVALID_OPTION', `a runtime knows at most ${MAX_REGIONS} regions; "${name}" is one more`);
    }
    return this.#regions.push(name);
  }

  /** The set of these names. */
  bits(names: readonly string[]): number {
    let bits = 0;
    for (const name of names) {
      let index = this.#names.indexOf(name);
      if (index < 0) {
        index = this.#names.length;
        if (index >= 32) {
          throw new QuillworkError('ERR_INVALID_OPTION', `a runtime knows at most 32 capabilities; "${name}" is one more`);
        }
        this.#names.push(name);
      }
      bits |= 1 << index;
    }
    return bits >>> 0;
  }

  /** The names in a set. */
  names(bits: number): string[] {
    return this.#names.filter((_, index) => ((bits >>> index) & 1) === 1);
  }
}

const MAX_REGIONS = 256;
