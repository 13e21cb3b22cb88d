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

/** Unsettled tasks by id. An id is a slot, which is used again, and a counter that tells its uses apart. */
export class TaskTable {
  readonly #tasks: (PendingTask | undefined)[] = [];
  readonly #uses: number[] = [];
  readonly #free: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds what `make` makes of a fresh id. */
  add(make: (id: number) => PendingTask): PendingTask {
    const slot = this.#free.pop() ?? this.#tasks.length;
    const use = ((this.#uses[slot] ?? 0) + 1) & 0xff;
    this.#uses[slot] = use;
    const task = make(((use << 24) | slot) >>> 0);
    this.#tasks[slot] = task;
    this.#size += 1;
    return task;
  }

  /** The unsettled task of this id. */
  get(id: number): PendingTask | undefined {
    const task = this.#tasks[id & 0xffffff];
    return task?.id === id ? task : undefined;
  }

  /** Takes a task out, for it is settled. */
  take(id: number): PendingTask | undefined {
    const task = this.get(id);
    if (task !== undefined) {
      const slot = id & 0xffffff;
      this.#tasks[slot] = undefined;
      this.#free.push(slot);
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
