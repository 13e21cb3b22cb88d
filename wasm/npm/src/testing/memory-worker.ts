import type { TaskContext } from '../tasks.js';
import { Executor } from '../worker/executor.js';

/** What all workers of a test have in common. */
export interface Workshop {
  readonly tasks: object;
  /** Names of the task functions. */
  readonly names: readonly string[];
  /** How long the next message is on its way, in milliseconds. */
  latency(): number;
  /** How long a task takes at least, in milliseconds. */
  duration(task: string, input: unknown): number;
}

interface Listener {
  readonly type: string;
  readonly listener: (event: object) => void;
}

/** A worker in the page's own thread: real task functions, messages that are cloned and moved as between threads, and faults on demand. */
export class MemoryWorker {
  /** How many times as long as usual its tasks take. */
  slowness = 1;
  readonly #workshop: Workshop;
  readonly #listeners: Listener[] = [];
  readonly #toWorker: Wire;
  readonly #toPage: Wire;
  /** Whether nothing goes in or out any more. */
  #silent = false;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
    let hear: (message: unknown) => void = () => undefined;
    this.#toWorker = new Wire(workshop, (message) => hear(message));
    this.#toPage = new Wire(workshop, (message) => this.#tell('message', { data: message }));
    new Executor(this.#timedTasks(), workshop.names, {
      post: (message, transfer) => this.#send(this.#toPage, message, transfer),
      listen: (onMessage) => {
        hear = (message) => {
          if (!this.#silent) {
            onMessage(message);
          }
        };
      },
      // Whose stray error it is can't be told in a thread that the test shares: its runner hears of it.
      onStray: () => undefined,
      waitsForHello: true,
      sharesMemory: false,
    });
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.#listeners.push({ type, listener });
  }

  postMessage(message: unknown, transfer: readonly object[]): void {
    this.#send(this.#toWorker, message, transfer);
  }

  terminate(): void {
    this.hang();
  }

  /** From now on it says nothing and hears nothing, as one that is stuck in a loop. */
  hang(): void {
    this.#silent = true;
  }

  /** It ends with this error. */
  crash(error: unknown): void {
    this.hang();
    for (const { type, listener } of this.#listeners) {
      if (type === 'error') {
        listener({ error, preventDefault: () => undefined });
      }
    }
  }

  #send(wire: Wire, message: unknown, transfer: readonly object[]): void {
    // Cloned even if nobody hears it: what is moved is gone, what can't be cloned throws.
    const clone: unknown = structuredClone(message, { transfer: transfer as Transferable[] });
    if (!this.#silent) {
      wire.send(clone);
    }
  }

  #tell(type: string, event: object): void {
    if (this.#silent) {
      return;
    }
    for (const entry of this.#listeners) {
      if (entry.type === type) {
        entry.listener(event);
      }
    }
  }

  /** The task functions, each taking as long as this worker needs. */
  #timedTasks(): object {
    const { tasks, names } = this.#workshop;
    return Object.fromEntries(
      names.map((name) => [
        name,
        (input: unknown, context: TaskContext): unknown => {
          const leastMs = this.#workshop.duration(name, input);
          const { slowness } = this;
          const startedAt = Date.now();
          const result: unknown = Reflect.apply(Reflect.get(tasks, name) as () => unknown, tasks, [input, context]);
          if ((leastMs === 0 && slowness === 1) || isGenerator(result)) {
            return result;
          }
          return lasting(result, context.signal, () => {
            const spentMs = Date.now() - startedAt;
            return Math.max(leastMs, spentMs) * slowness - spentMs;
          });
        },
      ]),
    );
  }
}

/** One direction: messages arrive in their order, each after its time. */
class Wire {
  readonly #workshop: Workshop;
  readonly #deliver: (message: unknown) => void;
  #lastArrival = 0;

  constructor(workshop: Workshop, deliver: (message: unknown) => void) {
    this.#workshop = workshop;
    this.#deliver = deliver;
  }

  send(message: unknown): void {
    const now = Date.now();
    const arrival = Math.max(now + Math.ceil(this.#workshop.latency()), this.#lastArrival);
    this.#lastArrival = arrival;
    if (arrival === now) {
      queueMicrotask(() => this.#deliver(message));
    } else {
      setTimeout(() => this.#deliver(message), arrival - now);
    }
  }
}

/** What the task comes to, not before its time; whose task was aborted waits for nothing. */
async function lasting(result: unknown, signal: AbortSignal, restMs: () => number): Promise<unknown> {
  try {
    return await result;
  } finally {
    const rest = restMs();
    if (rest > 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, rest);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

function isGenerator(result: unknown): boolean {
  return typeof result === 'object' && result !== null && (Symbol.asyncIterator in result || 'next' in result);
}
