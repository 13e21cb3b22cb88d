import type { TaskSpec } from './settings.js';
import type { StreamSink } from './stream.js';
import type { Line } from './transport.js';

/** A task: what the core decides about by number. */
export class PendingTask {
  readonly name: string;
  readonly input: unknown;
  readonly spec: TaskSpec;
  readonly transfer: readonly object[] | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: never) => void) | undefined;
  /** Where its items go, where it is a stream. */
  readonly stream: StreamSink | undefined;
  /** Given to it, as what settles its promise is, when it is submitted. */
  id = 0;
  resolve: (value: unknown) => void = nobodyWaits;
  reject: (reason: unknown) => void = nobodyWaits;
  /** Where it was sent and has not ended. */
  line: Line | undefined = undefined;
  /** What the worker answered, until the core says what that means. */
  outcome: unknown = undefined;
  /** Why it ends whatever the core says, where the line to its worker broke. */
  failure: unknown = undefined;

  constructor(
    name: string,
    input: unknown,
    spec: TaskSpec,
    transfer: readonly object[] | undefined,
    signal: AbortSignal | undefined,
    onProgress: ((progress: never) => void) | undefined,
    stream: StreamSink | undefined,
  ) {
    this.name = name;
    this.input = input;
    this.spec = spec;
    this.transfer = transfer;
    this.signal = signal;
    this.onProgress = onProgress;
    this.stream = stream;
  }
}

/** What settles a task that was not submitted. */
export const nobodyWaits = (): void => undefined;

/**
 * Unsettled tasks by id. An id is a slot, which is used again, and a counter that tells its uses apart; both together are small enough for
 * JavaScript engines to keep them without an allocation each.
 *
 * A worker may hold on to a task that was aborted for as long as its grace lasts, and must not mistake another for it. So the slot that
 * has been free for longest is used first, and none before so many are free that its counter does not come round meanwhile.
 */
export class TaskTable {
  readonly #tasks: (PendingTask | undefined)[] = [];
  readonly #uses: number[] = [];
  /** Slots to be used again, the last first. */
  #free: number[] = [];
  /** Slots that became free since, the first first. */
  #freed: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** A fresh id, for a task that is put in next. */
  reserve(): number {
    if (this.#free.length === 0 && this.#freed.length >= RESTING_SLOTS) {
      this.#free = this.#freed.reverse();
      this.#freed = [];
    }
    const slot = this.#free.pop() ?? this.#uses.push(0) - 1;
    const use = ((this.#uses[slot] ?? 0) + 1) & MAX_USE;
    this.#uses[slot] = use;
    return use * SLOTS + slot;
  }

  /** Puts a task in, under the id reserved for it. */
  put(task: PendingTask): void {
    this.#tasks[task.id & SLOT_MASK] = task;
    this.#size += 1;
  }

  /** The unsettled task of this id. */
  get(id: number): PendingTask | undefined {
    const task = this.#tasks[id & SLOT_MASK];
    return task?.id === id ? task : undefined;
  }

  /** Takes a task out, for it is settled. */
  take(id: number): PendingTask | undefined {
    const task = this.get(id);
    if (task !== undefined) {
      const slot = id & SLOT_MASK;
      this.#tasks[slot] = undefined;
      this.#freed.push(slot);
      this.#size -= 1;
    }
    return task;
  }

  /** Unsettled tasks at this worker. */
  at(line: Line): PendingTask[] {
    return this.#tasks.filter((task) => task?.line === line) as PendingTask[];
  }

  /** Takes everything out. */
  takeAll(): PendingTask[] {
    const all = this.#tasks.filter((task) => task !== undefined);
    for (const task of all) {
      this.take(task.id);
    }
    return all;
  }
}

const SLOTS = 2 ** 24;
const SLOT_MASK = SLOTS - 1;
/** Ids are below 2^30. */
const MAX_USE = 0x3f;
const RESTING_SLOTS = 4_096;
