import { describe, QuillworkError } from '../errors.js';

/** Listeners by event. One that throws neither keeps the others from hearing nor hides its error. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Listens; the function returned stops it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    if (typeof listener !== 'function') {
      throw new QuillworkError('ERR_INVALID_OPTION', `the listener of "${String(name)}" is a function, not ${describe(listener)}`);
    }
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // Each call is a listener of its own, even of the same function.
    const own = (event: Events[Name]): void => listener(event);
    listeners.add(own);
    return () => {
      listeners.delete(own);
    };
  }

  /** Whether anybody listens. */
  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      callSafely(() => listener(event as never));
    }
  }
}

/** Calls a function of the app; what it throws is reported as uncaught and does no harm here. */
export function callSafely(call: () => void): void {
  try {
    call();
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}
