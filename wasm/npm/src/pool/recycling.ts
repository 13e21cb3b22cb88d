import { whole } from '../checks.js';
import type { Line } from './transport.js';

/** When a worker is replaced though nothing is wrong with it: once it has done what it has, and without running anything twice. */
export interface RecycleOptions {
  /** After so many tasks, 1 or more. Default: never. */
  readonly afterTasks?: number;
  /**
   * When its JavaScript heap is larger, 1 MiB or more. Asked after every 32nd task; where the engine doesn't tell (Firefox, Safari), nothing
   * happens. Default: never.
   */
  readonly aboveHeapBytes?: number;
}

/** Counts what workers have done, and says which are to go. */
export class Recycling {
  readonly #afterTasks: number;
  readonly #aboveHeapBytes: number;
  readonly #done = new WeakMap<Line, number>();
  readonly #recycle: (line: Line) => void;

  /** Throws `ERR_INVALID_OPTION` with the option's name and range. */
  constructor({ afterTasks, aboveHeapBytes }: RecycleOptions, recycle: (line: Line) => void) {
    this.#afterTasks = afterTasks === undefined ? Infinity : whole('recycle.afterTasks', afterTasks, 1, 2 ** 32);
    this.#aboveHeapBytes =
      aboveHeapBytes === undefined ? Infinity : whole('recycle.aboveHeapBytes', aboveHeapBytes, 2 ** 20, 2 ** 46);
    this.#recycle = recycle;
  }

  /** A worker has answered so many tasks. */
  answered(line: Line, tasks: number): void {
    const before = this.#done.get(line) ?? 0;
    const done = before + tasks;
    this.#done.set(line, done);
    if (before < this.#afterTasks && done >= this.#afterTasks) {
      this.#recycle(line);
    } else if (this.#aboveHeapBytes !== Infinity && Math.floor(done / ASK_EVERY) > Math.floor(before / ASK_EVERY)) {
      line.ping();
    }
  }

  /** A worker has told how large its heap is. */
  heap(line: Line, bytes: number): void {
    if (bytes > this.#aboveHeapBytes) {
      this.#recycle(line);
    }
  }
}

/** Tasks between two looks at the heap. */
const ASK_EVERY = 32;
