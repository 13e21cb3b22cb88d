import { isRaised, type AbortFlags } from '../abort-flags.js';
import { describe, QuillworkError } from '../errors.js';
import {
  ABORT,
  DEVICE,
  DONE,
  FAILED,
  GARBLED,
  HELLO,
  ITEM,
  eachRecord,
  isOurs,
  MORE,
  PING,
  PONG,
  PROGRESS,
  READY,
  RETURNED,
  RING,
  RUN,
  STREAM,
  TAKE,
  WEIGHT,
} from '../messages.js';
import { Outbox } from '../outbox.js';
import type { RingMemory } from '../ring/memory.js';
import { WorkerRing } from '../ring/worker-ring.js';
import { fromSent, toSent, type Sent } from '../sent.js';
import { onDevice, setWorkerCapabilities } from './capabilities.js';
import { RunningTask, type TaskLine } from './context.js';
import type { WorkerPort } from './port.js';
import { heapBytes } from '../telemetry/heap.js';
import { Demand, pump } from './stream.js';

/** A task function as the executor calls it. */
export type Callable = (input: unknown, context: RunningTask) => unknown;

interface Waiting {
  readonly task: RunningTask;
  readonly run: Callable;
  readonly input: unknown;
}

/** Runs the tasks that the page sends, in their order and as many at a time as the page said, and answers each exactly once. */
export class Executor {
  readonly #tasks: object;
  readonly #names: readonly string[];
  readonly #port: WorkerPort;
  readonly #outbox: Outbox;
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<number, RunningTask>();
  /** What the running tasks add up to, and may. */
  #load = 0;
  #capacity = 1;
  #starting = false;
  #sentAt = 0;
  #saidReady = false;
  #flags: AbortFlags | undefined;
  #ring: WorkerRing | undefined;
  readonly #line: TaskLine = {
    isFlagged: (id) => this.#flags !== undefined && isRaised(this.#flags, id),
    report: (id, value) => this.#outbox.sendNow(PROGRESS, id, value),
    stopped: (task, thrown) => this.#onEnd(task, false, thrown),
  };

  constructor(tasks: object, names: readonly string[], port: WorkerPort) {
    this.#tasks = tasks;
    this.#names = names;
    this.#port = port;
    this.#outbox = new Outbox(
      (message, transfer) => (this.#ring === undefined ? port.post(message, transfer) : this.#ring.send(message, transfer)),
      (kind, id, nameIndex, thrown) => {
        if (kind === DONE) {
          const name = names[nameIndex as number] ?? '';
          this.#outbox.push(FAILED, id, undefined, toSent(resultNotCloneable(name, Reflect.get(tasks, name), thrown)));
        } else if (kind === FAILED) {
          this.#outbox.push(FAILED, id, undefined, toSent(new Error(`the task failed with an error that can't be sent (${describe(thrown)})`)));
        }
      },
    );
    port.listen(
      (message) => this.#onMessage(message),
      () => {
        this.#ring?.lose();
        this.#outbox.push(GARBLED, 0, undefined, [...this.#running.keys(), ...this.#waiting.map(({ task }) => task.id)]);
      },
    );
    onDevice((info) => this.#outbox.push(DEVICE, 0, undefined, info));
    port.onStray((thrown) => this.#onStray(thrown));
    if (!port.waitsForHello) {
      this.#sayReady();
    }
  }

  #sayReady(): void {
    if (this.#saidReady) {
      return;
    }
    this.#saidReady = true;
    this.#outbox.push(READY, 0, undefined, this.#names);
  }

  #onMessage(message: unknown): void {
    if (!isOurs(message)) {
      return;
    }
    const ring = this.#ring;
    if (ring === undefined) {
      this.#handle(message);
      this.#ring?.beginAfter(message);
    } else {
      ring.hear(message);
    }
  }

  #handle(message: readonly unknown[]): void {
    eachRecord(message, this.#onRecord);
    this.#startNext();
  }

  readonly #onRecord = (kind: number, id: number, a: number | undefined, b: unknown): void => {
    if (kind >= RUN) {
      this.#enqueue(id, kind - RUN, a as number, b);
    } else if (kind === ABORT) {
      this.#abort(id, fromSent(b as Sent));
    } else if (kind === MORE) {
      this.#running.get(id)?.demand?.add(a as number);
    } else if (kind === TAKE) {
      this.#giveBack(id);
    } else if (kind === PING) {
      this.#outbox.push(PONG, 0, undefined, heapBytes());
    } else if (kind === HELLO) {
      const [capabilities, capacity, flags, ring] = b as [readonly string[], number, AbortFlags | undefined, RingMemory | undefined];
      setWorkerCapabilities(capabilities);
      this.#capacity = capacity;
      this.#flags = flags;
      this.#sayReady();
      if (ring !== undefined) {
        this.#openRing(ring);
      }
    }
  };

  #openRing(memory: RingMemory): void {
    if (this.#ring === undefined && this.#port.sharesMemory) {
      this.#ring = new WorkerRing(memory, {
        handle: (message) => this.#handle(message),
        post: (message, transfer) => this.#port.post(message, transfer),
        isIdle: () => this.#running.size === 0 && this.#outbox.isEmpty,
      });
      this.#outbox.push(RING, 0, undefined, undefined);
    }
  }

  #enqueue(id: number, how: number, what: number, input: unknown): void {
    const nameIndex = what % WEIGHT;
    const name = this.#names[nameIndex] ?? '';
    const run: Callable = Reflect.get(this.#tasks, name) as Callable;
    const complexity = 1 + Math.floor((what % STREAM) / WEIGHT);
    const wanted = Math.floor(what / STREAM);
    const task = new RunningTask(id, nameIndex, name, how >> 1, complexity, this.#line);
    task.demand = wanted === 0 ? undefined : new Demand(wanted);
    task.answersAtOnce = (how & 1) === 1;
    this.#waiting.push({ task, run, input });
  }

  #abort(id: number, reason: unknown): void {
    const running = this.#running.get(id);
    if (running !== undefined) {
      running.abort(reason);
      return;
    }
    if (this.#drop(id)) {
      this.#outbox.push(FAILED, id, undefined, toSent(reason));
    }
  }

  /** The page wants a task back. Where it has started, its answer is the answer to this. */
  #giveBack(id: number): void {
    if (this.#drop(id)) {
      this.#outbox.push(RETURNED, id, undefined, undefined);
    }
  }

  /** Forgets a task that has not started. */
  #drop(id: number): boolean {
    const index = this.#waiting.findIndex(({ task }) => task.id === id);
    if (index >= 0) {
      this.#waiting.splice(index, 1);
    }
    return index >= 0;
  }

  #startNext(): void {
    if (this.#starting) {
      return;
    }
    this.#starting = true;
    for (let next = this.#waiting[0]; next !== undefined && this.#hasRoomFor(next.task); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#start(next);
    }
    this.#starting = false;
  }

  /** One that alone exceeds the capacity is told so by the page, not here. */
  #hasRoomFor(task: RunningTask): boolean {
    return this.#running.size === 0 || this.#load + task.complexity <= this.#capacity;
  }

  #start({ task, run, input }: Waiting): void {
    this.#running.set(task.id, task);
    this.#load += task.complexity;
    let result: unknown;
    let pending: boolean;
    try {
      result = run.call(this.#tasks, input, task);
      if (task.demand !== undefined) {
        result = this.#pump(task, task.demand, result);
      }
      pending = isThenable(result);
    } catch (thrown) {
      this.#onEnd(task, false, thrown);
      return;
    }
    if (pending) {
      // `Promise.resolve` so that a foreign thenable can't answer twice or throw into us.
      Promise.resolve(result).then(
        (value: unknown) => this.#onEnd(task, true, value),
        (thrown: unknown) => this.#onEnd(task, false, thrown),
      );
    } else {
      this.#onEnd(task, true, result);
    }
  }

  #pump(task: RunningTask, demand: Demand, produced: unknown): Promise<unknown> {
    const send = (item: unknown): void => {
      const { moved } = task;
      task.moved = undefined;
      this.#outbox.sendNow(ITEM, task.id, item, moved);
    };
    return pump(task.task, produced, demand, send, () => task.abortReason);
  }

  /** The function is over: clean up, answer, take the next. */
  #onEnd(task: RunningTask, ok: boolean, value: unknown): void {
    if (task.ended) {
      return;
    }
    task.ended = true;
    if (!task.hasCleanups) {
      this.#answer(task, ok, value);
      return;
    }
    task.cleanUp().then(
      () => this.#answer(task, ok, value),
      (thrown: unknown) => this.#answer(task, false, ok ? thrown : value),
    );
  }

  #answer(task: RunningTask, ok: boolean, value: unknown): void {
    task.answered = true;
    if (ok) {
      this.#outbox.push(DONE, task.id, task.nameIndex, value, task.moved);
    } else {
      this.#outbox.push(FAILED, task.id, undefined, toSent(value));
    }
    this.#running.delete(task.id);
    this.#load -= task.complexity;
    if (this.#waiting.length > 0) {
      this.#sendBeforeNext(task);
    }
    this.#startNext();
  }

  /**
   * Answers go out together, once nothing more can start. What starts next may take long or never end: so none waits for it that matters
   * by itself, nor any from an earlier tick of the clock.
   */
  #sendBeforeNext(task: RunningTask): void {
    const now = Date.now();
    if (task.answersAtOnce || now !== this.#sentAt) {
      this.#sentAt = now;
      this.#outbox.flush();
    }
  }

  /**
   * An error that no promise of a task carries: a timer's callback threw, or a rejection that nobody handles. The task that it belongs to
   * is most likely waiting for what will never come now. Nobody can tell which of several it is: all that run fail with this error, and
   * their signals are aborted.
   */
  #onStray(thrown: unknown): void {
    if (this.#running.size === 0) {
      console.error('quillwork: an error outside of any task', thrown);
      return;
    }
    for (const task of [...this.#running.values()]) {
      this.#onEnd(task, false, thrown);
      task.abort(thrown);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}

function resultNotCloneable(task: string, run: unknown, thrown: unknown): QuillworkError {
  const cure = /Generator/.test(Object.prototype.toString.call(run)) ? 'it is a generator, whose items `runtime.stream` reads' : 'return plain data, and move each buffer once';
  return new QuillworkError(
    'ERR_NOT_CLONEABLE',
    `the result of task "${task}" can't be sent to the page (${describe(thrown)}): ${cure}`,
    { cause: thrown },
  );
}
