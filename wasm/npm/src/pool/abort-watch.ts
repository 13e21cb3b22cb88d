/** Which task ids a signal ends when it is aborted. */
interface Watch {
  readonly ids: Set<number>;
  readonly onAbort: () => void;
}

/**
 * Listens to the signals of tasks, once to each signal: thousands of tasks may share one, for which a listener each would take quadratic
 * time to remove, and make Node warn of a leak.
 */
export class AbortWatch {
  readonly #abort: (id: number) => void;
  readonly #watches = new Map<AbortSignal, Watch>();

  constructor(abort: (id: number) => void) {
    this.#abort = abort;
  }

  /** Aborts the task when the signal is aborted. */
  add(signal: AbortSignal, id: number): void {
    let watch = this.#watches.get(signal);
    if (watch === undefined) {
      const ids = new Set<number>();
      watch = { ids, onAbort: () => this.#onAbort(signal, ids) };
      signal.addEventListener('abort', watch.onAbort, { once: true });
      this.#watches.set(signal, watch);
    }
    watch.ids.add(id);
  }

  /** The task has ended. A signal without tasks is let go of. */
  delete(signal: AbortSignal, id: number): void {
    const watch = this.#watches.get(signal);
    if (watch?.ids.delete(id) === true && watch.ids.size === 0) {
      signal.removeEventListener('abort', watch.onAbort);
      this.#watches.delete(signal);
    }
  }

  #onAbort(signal: AbortSignal, ids: ReadonlySet<number>): void {
    this.#watches.delete(signal);
    for (const id of ids) {
      this.#abort(id);
    }
  }
}
