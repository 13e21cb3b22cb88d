import type { TaskSpec } from './settings.js';
import type { StreamSink } from './stream.js';
import type { Line } from './transport.js';

/** A submitted task: what the core decides about by number. */
export interface PendingTask {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
  readonly transfer: readonly object[] | undefined;
  readonly spec: TaskSpec;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: never) => void) | undefined;
  /** Where its items go, where it is a stream. */
  readonly stream: StreamSink | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  /** Where it was sent and has not ended. */
  line: Line | undefined;
  /** What the worker answered, until the core says what that means. */
  outcome: unknown;
  /** Why it ends whatever the core says, where the line to its worker broke. */
  failure: unknown;
}

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
