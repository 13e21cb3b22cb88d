import type { Line } from './transport.js';

/** Whether the workers that a pool starts with are up: what `runtime.ready()` waits for. */
export class Readiness {
  readonly #wanted: number;
  readonly #up = new Set<number>();
  /** How often in a row the worker of each place did not come up. */
  readonly #failures = new Map<number, number>();
  #waiting: { resolve(): void; reject(thrown: unknown): void }[] = [];

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** Resolves when so many workers are up as were wanted. Rejects where one can't be started. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#look();
    });
  }

  /** Whether anybody waits. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /** A worker has loaded. */
  up({ worker }: Line): void {
    this.#up.add(worker);
    this.#failures.delete(worker);
    this.#look();
  }

  /** A worker is gone. */
  down(worker: number, error: unknown): void {
    const failures = this.#up.delete(worker) ? 0 : (this.#failures.get(worker) ?? 0) + 1;
    this.#failures.set(worker, failures);
    if (failures >= MAX_FAILURES) {
      this.fail(error);
    }
  }

  /** Nobody waits any longer. */
  fail(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) {
      reject(error);
    }
  }

  #look(): void {
    if (this.#up.size >= this.#wanted) {
      for (const { resolve } of this.#waiting.splice(0)) {
        resolve();
      }
    }
  }
}

/** As often as the core tries before it refuses tasks. */
const MAX_FAILURES = 3;
