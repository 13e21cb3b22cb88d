/**
 * The worker's side: `expose` the task functions in the module that the runtime starts its workers from.
 *
 * ```ts
 * import { expose, type TaskContext } from 'quillwork/worker';
 *
 * export const tasks = {
 *   async sum(input: { numbers: number[] }, ctx: TaskContext<{ done: number }>) {
 *     let sum = 0;
 *     for (const [index, number] of input.numbers.entries()) {
 *       ctx.signal.throwIfAborted();
 *       sum += number;
 *       ctx.progress({ done: index + 1 });
 *     }
 *     return sum;
 *   },
 * };
 * export type Tasks = typeof tasks;
 * expose(tasks);
 * ```
 */
import { QuillworkError } from '../errors.js';
import type { TaskMap } from '../tasks.js';
import { Executor } from './executor.js';
import { taskNames } from './names.js';
import { workerPort } from './port.js';

export { QuillworkError, type QuillworkErrorCode } from '../errors.js';
export { defineTasks } from '../tasks.js';
export type { TaskContext, TaskFunction, TaskMap } from '../tasks.js';

let exposed = false;

/**
 * Offers task functions to the runtime that started this worker. Call it once, after everything that the tasks need is there:
 * a worker gets its first task only after it. Outside of a worker it does nothing, so a test may import the module.
 *
 * Errors that a task lets escape from its promise (a timer's callback throws, nobody handles a rejection) fail the task
 * that runs; with none running they are logged.
 *
 * @throws QuillworkError `ERR_INVALID_OPTION` if called twice in one worker, or without any function.
 */
export function expose<Tasks extends TaskMap<Tasks>>(tasks: Tasks): void {
  const names = taskNames(tasks);
  const port = workerPort();
  if (port === undefined) {
    return;
  }
  if (exposed) {
    throw new QuillworkError('ERR_INVALID_OPTION', 'expose() was called twice in this worker: pass all tasks in one call');
  }
  exposed = true;
  new Executor(tasks, names, port);
}
