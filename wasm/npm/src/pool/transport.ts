import { Said } from '../abi.js';
import { abortFlags, lower, raise } from '../abort-flags.js';
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
import type { ComputeInfo } from '../compute/types.js';
import { Outbox } from '../outbox.js';
import type { OpenRing, PageRing } from '../ring/page-ring.js';
import { fromSent, toSent, type Sent } from '../sent.js';
import type { EarlyStart } from './early-start.js';
import { startWorker, type StartedWorker, type WorkerSource } from './spawn.js';
import type { PendingTask } from './task-table.js';

/** What comes from a worker, in the order in which it was sent. */
export interface LineEvents {
  onReady(line: Line): void;
  /** The task that warms the worker up has ended. */
  onWarm(line: Line, failure: { readonly error: unknown } | undefined): void;
  /** A sign of life that is nothing else, and how large the worker's heap is where it told. */
  onAlive(line: Line, heapBytes?: number | undefined): void;
  /** The result or the error of a task. Comes before {@link onAnswers} tells of it. */
  onOutcome(line: Line, id: number, outcome: unknown): void;
  /** What one message said about tasks: pairs of a task and one of `Said`. */
  onAnswers(line: Line, said: readonly number[]): void;
  /** A sign of life, too. */
  onProgress(line: Line, id: number, value: unknown): void;
  /** An item of a stream; a sign of life, too. */
  onItem(line: Line, id: number, item: unknown): void;
  /** The input of a task can't be cloned. */
  onRefused(line: Line, id: number, thrown: unknown): void;
  /** A message could not be deserialised, here or there; there the worker says which tasks it has. */
  onGarbled(line: Line, there: readonly number[] | undefined): void;
  onLost(line: Line, thrown: unknown): void;
}

/** The line to one worker: one listener, and messages in both directions coalesced per microtask. */
export class Line {
  readonly worker: number;
  readonly generation: number;
  /** Whether its module has loaded. */
  ready = false;
  /** What it said that it computes on. */
  device: ComputeInfo | undefined;
  /** Why it was lost, where it said so. */
  lostBy: unknown;
  readonly #events: LineEvents;
  readonly #worker: StartedWorker;
  readonly #outbox: Outbox;
  readonly #capabilities: readonly string[];
  readonly #concurrency: number;
  readonly #flags = abortFlags();
  /** Where memory can be shared and it is worth it. */
  readonly #ring: PageRing | undefined;
  #names: ReadonlyMap<string, number> = new Map();
  /** Answers of the message that is read, which are told together. */
  #said: number[] = [];

  /** Starts the worker, or takes over one that was. Throws where it can't be constructed. */
  constructor(
    worker: number,
    generation: number,
    source: WorkerSource,
    early: EarlyStart | undefined,
    capabilities: readonly string[],
    concurrency: number,
    openRing: OpenRing | undefined,
    events: LineEvents,
  ) {
    this.worker = worker;
    this.generation = generation;
    this.#events = events;
    const heard = {
      onMessage: (message: unknown) => this.#onMessage(message),
      onGarbled: () => {
        this.#ring?.lose();
        events.onGarbled(this, undefined);
      },
      onLost: (thrown: unknown) => {
        // What it said before counts.
        this.hear();
        events.onLost(this, thrown);
      },
    };
    this.#worker = early?.take(worker, heard) ?? startWorker(source, worker, heard);
    const post = (message: readonly unknown[], transfer: readonly object[]): void => this.#worker.post(message, transfer);
    this.#ring = openRing?.((message) => this.#handle(message), post);
    this.#outbox = new Outbox(
      (message, transfer) => (this.#ring === undefined ? post(message, transfer) : this.#ring.send(message, transfer)),
      (kind, id, _, thrown) => {
        if (id === WARM_UP) {
          events.onWarm(this, { error: thrown });
        } else if (kind >= RUN) {
          events.onRefused(this, id, thrown);
        }
      },
    );
    this.#capabilities = capabilities;
    this.#concurrency = concurrency;
    this.#sayHello();
  }

  /** Sends a task. `false` where the worker exposes none of this name. */
  run(task: PendingTask, attempt: number): boolean {
    const index = this.#names.get(task.name);
    if (index === undefined) {
      return false;
    }
    // Where more than its promise depends on when the task ended, or on whether.
    const alone = task.spec.timeoutMs !== Infinity || !task.spec.redeliverable ? 1 : 0;
    const what = index + WEIGHT * (task.spec.complexity - 1) + STREAM * (task.stream?.highWaterMark ?? 0);
    this.#outbox.push(RUN + 2 * attempt + alone, task.id, what, task.input, task.transfer);
    return true;
  }

  /** Has a task run that the core knows nothing of. `false` where the worker exposes none of this name. */
  warmUp(task: string, input: unknown): boolean {
    const index = this.#names.get(task);
    if (index === undefined) {
      return false;
    }
    this.#outbox.push(RUN + 2, WARM_UP, index, input);
    return true;
  }

  /** Asks for more items of a stream. */
  more(id: number, items: number): void {
    this.#outbox.push(MORE, id, items, undefined);
  }

  /** Asks the worker to stop a task. */
  abort(id: number, reason: unknown): void {
    if (this.#flags !== undefined) {
      raise(this.#flags, id);
    }
    // Who waits for the task hears of it first: reading an error's stack takes longer than all the rest.
    void SETTLED.then(afterReactions).then(() => this.#outbox.push(ABORT, id, undefined, toSent(reason)));
  }

  /** Asks for a task that has not started. */
  takeBack(id: number): void {
    this.#outbox.push(TAKE, id, undefined, undefined);
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.#outbox.push(PING, 0, undefined, undefined);
  }

  /** Names of the tasks that the worker exposes. */
  get names(): readonly string[] {
    return [...this.#names.keys()];
  }

  /** Whether the worker keeps a Node process alive. */
  hold(keepAlive: boolean): void {
    this.#worker.hold(keepAlive);
  }

  /** Ends the worker. Nothing comes from it any more. */
  terminate(): void {
    this.#ring?.close();
    this.#worker.terminate();
  }

  /** Handles what the worker has said through shared memory so far. */
  hear(): void {
    this.#ring?.read();
  }

  #onMessage(message: unknown): void {
    if (!isOurs(message)) {
      return;
    }
    if (this.#ring === undefined) {
      this.#handle(message);
    } else {
      this.#ring.hear(message);
    }
  }

  #handle(message: readonly unknown[]): void {
    eachRecord(message, this.#onRecord);
    this.#tell();
  }

  readonly #onRecord = (kind: number, id: number, _: unknown, b: unknown): void => {
    if (kind === DONE && id !== WARM_UP) {
      this.#end(id);
      this.#events.onOutcome(this, id, b);
      this.#said.push(id, Said.Done);
    } else {
      this.#onRarer(kind, id, b);
    }
  };

  #onRarer(kind: number, id: number, b: unknown): void {
    const events = this.#events;
    if (id === WARM_UP) {
      this.#onWarmUp(kind, b);
      return;
    }
    switch (kind) {
      case FAILED:
        this.#end(id);
        events.onOutcome(this, id, fromSent(b as Sent));
        this.#said.push(id, Said.Failed);
        return;
      case RETURNED:
        this.#said.push(id, Said.Returned);
        return;
    }
    this.#tell();
    switch (kind) {
      case PROGRESS:
        events.onProgress(this, id, b);
        break;
      case ITEM:
        events.onItem(this, id, b);
        break;
      case READY:
        this.#names = new Map((b as readonly string[]).map((name, index) => [name, index]));
        if (!this.ready) {
          this.ready = true;
          // The first one was lost if the module was not there yet.
          this.#sayHello();
          events.onReady(this);
        }
        break;
      case RING:
        this.#ring?.open();
        break;
      case DEVICE:
        this.device = b as ComputeInfo;
        events.onAlive(this);
        break;
      case PONG:
        events.onAlive(this, b as number | undefined);
        break;
      case GARBLED:
        events.onGarbled(this, b as readonly number[]);
        break;
    }
  }

  #end(id: number): void {
    if (this.#flags !== undefined) {
      lower(this.#flags, id);
    }
  }

  #tell(): void {
    if (this.#said.length > 0) {
      const said = this.#said;
      this.#said = [];
      this.#events.onAnswers(this, said);
    }
  }

  #onWarmUp(kind: number, b: unknown): void {
    if (kind === DONE) {
      this.#events.onWarm(this, undefined);
    } else if (kind === FAILED) {
      this.#events.onWarm(this, { error: fromSent(b as Sent) });
    }
  }

  #sayHello(): void {
    this.#outbox.push(HELLO, 0, undefined, [this.#capabilities, this.#concurrency, this.#flags, this.#ring?.memory]);
  }
}

const SETTLED = Promise.resolve();

/** The reactions to a promise that is settled now, and those to a promise that these settle. */
const afterReactions = (): Promise<void> => SETTLED.then(() => undefined);

/** An id that no task of the core has: its slot would be beyond the longest queue. */
const WARM_UP = 2 ** 32 - 1;
