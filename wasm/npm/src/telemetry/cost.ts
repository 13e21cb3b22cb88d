/** The time that telemetry itself takes of the main thread. */
export class Cost {
  #spentMs = 0;
  #depth = 0;

  /** Does a piece of telemetry's own work, on the clock. */
  measure<Result>(work: () => Result): Result {
    if (this.#depth > 0) {
      return work();
    }
    const startedAt = performance.now();
    this.#depth += 1;
    try {
      return work();
    } finally {
      this.#depth -= 1;
      this.#spentMs += Math.max(0, performance.now() - startedAt);
    }
  }

  /** The share of the interval that it took since this was last called, 0 to 1. */
  take(intervalMs: number): number {
    const ratio = Math.min(1, this.#spentMs / intervalMs);
    this.#spentMs = 0;
    return ratio;
  }
}
