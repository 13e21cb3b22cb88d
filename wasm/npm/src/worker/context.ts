import { QuillworkError, describe } from '../errors.js';
import type { TaskContext } from '../tasks.js';
import type { Demand } from './stream.js';

/** What a task has to say while it runs. */
export interface TaskLine {
  /** Whether the page has flagged the task to stop: such a flag comes before the message that says so. */
  isFlagged(id: number): boolean;
  /** Sends a progress report at once. */
  report(id: number, value: unknown): void;
  /** Its abort handlers are done, or one of them threw: it is over, whatever its function still does. */
  stopped(task: RunningTask, thrown: unknown): void;
}

/** The running task. Its functions work by themselves too: tasks take them out of the context, `(input, { progress }) => ...`. */
export class RunningTask implements TaskContext {
  readonly id: number;
  readonly nameIndex: number;
  readonly task: string;
  readonly attempt: number;
  readonly complexity: number;
  readonly #line: TaskLine;
  /** Made when first asked for: most tasks never look at it, and it costs more than a small task does. */
  #controller: AbortController | undefined;
  #abortReason: { readonly reason: unknown } | undefined;
  #abortHandlers: AbortHandler[] | undefined;
  #cleanups: (() => void | PromiseLike<void>)[] | undefined;
  /** How many items are wanted of it, where it is a stream. */
  demand: Demand | undefined;
  /** What {@link transfer} marked. */
  moved: readonly object[] | undefined;
  /** Whether the function is over, as far as anybody cares. */
  ended = false;
  /** Whether the answer is sent before another task starts. */
  answersAtOnce = false;
  /** Whether an answer has been sent. */
  answered = false;

  constructor(id: number, nameIndex: number, task: string, attempt: number, complexity: number, line: TaskLine) {
    this.id = id;
    this.nameIndex = nameIndex;
    this.task = task;
    this.attempt = attempt;
    this.complexity = complexity;
    this.#line = line;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) {
        this.#controller.abort(this.#abortReason.reason);
      }
    }
    return this.#controller.signal;
  }

  get aborted(): boolean {
    return this.#abortReason !== undefined || this.#line.isFlagged(this.id);
  }

  get progress(): (value: unknown) => void {
    return (value) => this.#progress(value);
  }

  get transfer(): TaskContext['transfer'] {
    return (value, transfer) => {
      this.moved = this.moved === undefined ? transfer : [...this.moved, ...transfer];
      return value;
    };
  }

  get onAbort(): TaskContext['onAbort'] {
    return (handler) => {
      (this.#abortHandlers ??= []).push(handler);
      if (this.#abortReason !== undefined) {
        void this.#handleAbort(this.#abortReason.reason);
      }
    };
  }

  get onCleanup(): TaskContext['onCleanup'] {
    return (cleanup) => {
      (this.#cleanups ??= []).push(cleanup);
    };
  }

  #progress(value: unknown): void {
    if (this.answered) {
      return;
    }
    try {
      this.#line.report(this.id, value);
    } catch (thrown) {
      throw new QuillworkError(
        'ERR_NOT_CLONEABLE',
        `task "${this.task}" reported progress that can't be sent to the page (${describe(thrown)}): report plain data`,
        { cause: thrown },
      );
    }
  }

  /** Why it was aborted. */
  get abortReason(): unknown {
    return this.#abortReason?.reason;
  }

  /** Aborts the signal. */
  abort(reason: unknown): void {
    this.#abortReason ??= { reason };
    this.#controller?.abort(reason);
    this.demand?.stop();
    if (this.#abortHandlers !== undefined) {
      void this.#handleAbort(reason);
    }
  }

  /** Runs the abort handlers; then the task is over. */
  async #handleAbort(reason: unknown): Promise<void> {
    const handlers = this.#abortHandlers?.splice(0) ?? [];
    const ends = await Promise.allSettled(handlers.map(async (handler) => handler(reason)));
    const failed = ends.find((end) => end.status === 'rejected');
    this.#line.stopped(this, failed === undefined ? reason : failed.reason);
  }

  /** Whether {@link cleanUp} has anything to do. */
  get hasCleanups(): boolean {
    return this.#cleanups !== undefined;
  }

  /** Runs every cleanup, the last one first, even where one fails; then throws what the first failure threw. */
  async cleanUp(): Promise<void> {
    let failure: { readonly thrown: unknown } | undefined;
    for (let cleanup = this.#cleanups?.pop(); cleanup !== undefined; cleanup = this.#cleanups?.pop()) {
      try {
        await cleanup();
      } catch (thrown) {
        failure ??= { thrown };
      }
    }
    if (failure !== undefined) {
      throw failure.thrown;
    }
  }
}

type AbortHandler = (reason: unknown) => void | PromiseLike<void>;
