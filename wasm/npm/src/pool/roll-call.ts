/** One round of asking workers whether they are there. */
export class RollCall<Worker> {
  readonly #missing: Set<Worker>;
  readonly #then: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  /** `then` is called once, as soon as each of these was heard of, `graceMs` later at the latest. */
  constructor(workers: readonly Worker[], graceMs: number, then: () => void) {
    this.#missing = new Set(workers);
    this.#then = then;
    this.#timer = setTimeout(() => this.#end(), graceMs);
    (this.#timer as { unref?(): void }).unref?.();
    this.#endIfComplete();
  }

  /** A worker answered, or is gone. */
  heard(worker: Worker): void {
    if (this.#missing.delete(worker)) {
      this.#endIfComplete();
    }
  }

  #endIfComplete(): void {
    if (this.#missing.size === 0) {
      this.#end();
    }
  }

  #end(): void {
    clearTimeout(this.#timer);
    if (!this.#over) {
      this.#over = true;
      this.#then();
    }
  }
}
