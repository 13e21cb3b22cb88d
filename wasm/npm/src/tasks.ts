/**
 * What a task function gets beside its input.
 *
 * @typeParam Progress - what the task reports while it runs; the caller's `onProgress` is typed by it.
 */
export interface TaskContext<Progress = unknown> {
  /**
   * Aborted when the caller gave up, the time-out passed or the runtime closes. A task that ignores it is terminated
   * with its worker once the runtime's `abortGraceMs` have passed.
   */
  readonly signal: AbortSignal;
  /**
   * Whether the task is to stop, as `signal` says. In Node, and in a page that is cross-origin isolated, it also changes while the task keeps
   * its worker's event loop busy and `signal` hears nothing: a long loop that looks at it now and then (`ctx.aborted`, which costs
   * nanoseconds) keeps its worker alive.
   */
  readonly aborted: boolean;
  /** Name of the task. */
  readonly task: string;
  /** 1 for the first delivery; more where a worker was lost while it ran the task. */
  readonly attempt: number;
  /**
   * Tells the caller how far the task is, and the runtime that its worker is alive. Sent at once: call it tens of times
   * a second, not thousands.
   *
   * @throws QuillworkError `ERR_NOT_CLONEABLE` if the value can't be sent.
   */
  progress(value: Progress): void;
  /**
   * Marks what is moved, not copied, when the result is sent, and returns the value:
   * `return ctx.transfer(pixels, [pixels.buffer])`.
   */
  transfer<Value>(value: Value, transfer: readonly object[]): Value;
  /**
   * Runs when the task is aborted or timed out, and once it is done the task counts as ended, even where its function never settles: its
   * worker lives on. It may return a promise, and has `abortGraceMs` for it. Use it to stop what ignores `signal`. Runs at once
   * where the task was aborted before.
   */
  onAbort(handler: (reason: unknown) => void | PromiseLike<void>): void;
  /**
   * Runs after the task has ended in whatever way, the last one added first. It may return a promise: the result is sent,
   * and the worker takes its next task, only after it.
   */
  onCleanup(cleanup: () => void | PromiseLike<void>): void;
}

/** A function that runs in a worker. Input and result must be structured-cloneable. */
export type TaskFunction = (input: never, context: TaskContext<never>) => unknown;

/** Task functions by name. */
export type TaskMap<Tasks> = { readonly [Name in keyof Tasks]: TaskFunction };

/** What a runtime runs where its type parameter is not given: every name, unknown input and result. */
export type UntypedTasks = { readonly [name: string]: (input: unknown) => unknown };

/** Names of the tasks. */
export type TaskName<Tasks> = Extract<keyof Tasks, string>;

/** What a task takes. */
export type TaskInput<Task> = Task extends (input: infer Input, ...rest: never[]) => unknown ? Input : never;

/** What a task gives, without its promise. */
export type TaskResult<Task> = Task extends (...inputs: never[]) => infer Result ? Awaited<Result> : never;

/** What a task gives before it is read: a generator, perhaps. */
type Produced<Task> = Task extends (...inputs: never[]) => infer Result ? Awaited<Result> : never;

/** What a task that is a generator yields. */
export type TaskItem<Task> = unknown extends Produced<Task>
  ? unknown
  : Produced<Task> extends AsyncIterator<infer Item, unknown, never> | Iterator<infer Item, unknown, never>
    ? Item
    : never;

/** What a task that is a generator returns in the end. */
export type TaskReturn<Task> = unknown extends Produced<Task>
  ? unknown
  : Produced<Task> extends { next(...args: never): infer Step }
    ? Extract<Awaited<Step>, { readonly done: true }> extends { readonly value: infer Result }
      ? Result
      : never
    : never;

/** Names of the tasks that are generators. */
export type StreamName<Tasks> = {
  [Name in TaskName<Tasks>]: [TaskItem<Tasks[Name]>] extends [never] ? never : Name;
}[TaskName<Tasks>];

/** What a task reports while it runs. */
export type TaskProgress<Task> = Task extends (input: never, context: TaskContext<infer Progress>) => unknown
  ? Progress
  : unknown;

/**
 * Checks a set of task functions without changing its type.
 *
 * ```ts
 * export const tasks = defineTasks({ square: (n: number) => n * n });
 * export type Tasks = typeof tasks;
 * ```
 */
export function defineTasks<Tasks extends TaskMap<Tasks>>(tasks: Tasks): Tasks {
  return tasks;
}
