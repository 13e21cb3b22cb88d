import type { MetricSketch } from './signals.js';

/**
 * Counts values so that any quantile is known within one per cent (DDSketch; Masson, Rim and Lee, VLDB 2019), in the buckets of the core's
 * sketch: a host merges both. Where more than `MOST_BUCKETS` would be needed the lowest are folded into one.
 */
export class Sketch {
  readonly #buckets = new Map<number, number>();
  #zeros = 0;
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  /** Counts a value of zero or more. */
  record(value: number): void {
    if (value < SMALLEST) {
      this.#zeros += 1;
    } else {
      const index = Math.ceil(Math.log(value) / LOG_GROWTH);
      this.#buckets.set(index, (this.#buckets.get(index) ?? 0) + 1);
      if (this.#buckets.size > 2 * MOST_BUCKETS) {
        this.#fold();
      }
    }
    this.#count += 1;
    this.#sum = Math.min(Number.MAX_VALUE, this.#sum + value);
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  /** What was counted. */
  read(): MetricSketch {
    this.#fold();
    return {
      count: this.#count,
      sum: this.#sum,
      min: this.#min,
      max: this.#max,
      relativeAccuracy: ACCURACY,
      zeros: this.#zeros,
      buckets: this.#ascending(),
    };
  }

  #ascending(): [number, number][] {
    return [...this.#buckets].sort(([left], [right]) => left - right);
  }

  #fold(): void {
    const ascending = this.#ascending();
    const lowest = ascending.splice(0, Math.max(0, ascending.length - MOST_BUCKETS));
    const [kept] = ascending[0] ?? [0];
    for (const [index, count] of lowest) {
      this.#buckets.delete(index);
      this.#buckets.set(kept, (this.#buckets.get(kept) ?? 0) + count);
    }
  }
}

const ACCURACY = 0.01;
const LOG_GROWTH = Math.log1p((2 * ACCURACY) / (1 - ACCURACY));
/** Smaller values count as zero, as they do in the core. */
const SMALLEST = 1e-9;
/** Values of which the largest is 160 times the smallest fill as many. */
const MOST_BUCKETS = 254;
