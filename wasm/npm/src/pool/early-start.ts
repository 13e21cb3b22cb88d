import { startWorker, type StartedWorker, type WorkerEvents, type WorkerSource } from './spawn.js';

/**
 * Workers that boot while `runtime.wasm` loads: the core asks for them as soon as it is there. What they say before is kept for whoever takes
 * them over.
 */
export class EarlyStart {
  readonly #waiting: (Early | undefined)[] = [];

  /** Starts the workers of so many places. One that can't be started is left to the pool, which says why. */
  constructor(source: WorkerSource, places: number) {
    for (let place = 0; place < places; place += 1) {
      try {
        this.#waiting.push(new Early(source, place));
      } catch {
        return;
      }
    }
  }

  /** Gives away the worker of a place, the first time; `undefined` where there is none. `events` hear of it from the next microtask on. */
  take(place: number, events: WorkerEvents): StartedWorker | undefined {
    const early = this.#waiting[place];
    this.#waiting[place] = undefined;
    return early?.handTo(events);
  }

  /** Ends those that nobody took. */
  discard(): void {
    for (const early of this.#waiting.splice(0)) {
      early?.worker.terminate();
    }
  }
}

/** One of them. */
class Early {
  readonly worker: StartedWorker;
  readonly #said: ((events: WorkerEvents) => void)[] = [];
  #events: WorkerEvents | undefined;

  constructor(source: WorkerSource, place: number) {
    this.worker = startWorker(source, place, {
      onMessage: (message) => (this.#events === undefined ? this.#keep((events) => events.onMessage(message)) : this.#events.onMessage(message)),
      onGarbled: () => this.#keep((events) => events.onGarbled()),
      onLost: (thrown) => this.#keep((events) => events.onLost(thrown)),
    });
  }

  handTo(events: WorkerEvents): StartedWorker {
    queueMicrotask(() => {
      this.#events = events;
      for (const say of this.#said.splice(0)) {
        say(events);
      }
    });
    return this.worker;
  }

  #keep(say: (events: WorkerEvents) => void): void {
    if (this.#events === undefined) {
      this.#said.push(say);
    } else {
      say(this.#events);
    }
  }
}
