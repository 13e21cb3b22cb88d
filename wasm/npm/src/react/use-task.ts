import { useCallback, useEffect, useRef, useState } from 'react';
import { abortSignal } from '../checks.js';
import type { RunOptions } from '../runtime/task-options.js';
import type { RunArguments, Runtime } from '../runtime/runtime.js';
import type { TaskMap, TaskName, TaskProgress, TaskResult, UntypedTasks } from '../tasks.js';
import type { MapWorker, MapWorkerOptions } from './map-types.js';
import { NO_RUNTIME, useProvided, useRuntime } from './provider.js';
import { useMapWorker } from './use-map-worker.js';

/** Where a task stands. */
export type TaskStatus = 'idle' | 'running' | 'done' | 'error';

/** A task in a component. */
export interface TaskHandle<Task> {
  readonly status: TaskStatus;
  /** The last result; kept while the task runs again. */
  readonly data: TaskResult<Task> | undefined;
  /** What the last run was rejected with; `undefined` unless `status` is `error`. */
  readonly error: unknown;
  /** What the running task reported last. */
  readonly progress: TaskProgress<Task> | undefined;
  /**
   * Runs the task. A run that is under way is aborted: the component shows the newest only. The promise settles like
   * `runtime.run`'s; nobody needs to wait for it, the component shows the outcome.
   */
  readonly run: (...args: RunArguments<Task>) => Promise<TaskResult<Task>>;
  /** Aborts the run that is under way, if any; the status is `idle` then. */
  readonly cancel: () => void;
}

/** The hooks, typed by a set of tasks. */
export interface Hooks<Tasks> {
  readonly useRuntime: () => Runtime<Tasks> | undefined;
  readonly useTask: <Name extends TaskName<Tasks>>(name: Name) => TaskHandle<Tasks[Name]>;
  readonly useMapWorker: <Name extends TaskName<Tasks>>(name: Name, options?: MapWorkerOptions) => MapWorker<Tasks[Name]>;
}

/** The hooks for one set of tasks: the same functions, but typed by it. */
export function createHooks<Tasks extends TaskMap<Tasks>>(): Hooks<Tasks> {
  return {
    useRuntime: useRuntime<Tasks>,
    useTask: (name) => useTask<Tasks, typeof name>(name),
    useMapWorker: (name, options) => useMapWorker<Tasks, typeof name>(name, options),
  };
}

interface State {
  readonly status: TaskStatus;
  readonly data: unknown;
  readonly error: unknown;
  readonly progress: unknown;
}

const IDLE: State = { status: 'idle', data: undefined, error: undefined, progress: undefined };

/**
 * Runs a task of the nearest runtime and renders what becomes of it. The task is aborted when the component goes away.
 *
 * {@link createHooks} types it by the app's tasks.
 */
export function useTask<Tasks extends TaskMap<Tasks> = UntypedTasks, Name extends TaskName<Tasks> = TaskName<Tasks>>(
  name: Name,
): TaskHandle<Tasks[Name]> {
  type Task = Tasks[Name];
  const { promise } = useProvided();
  const [state, setState] = useState(IDLE);
  const current = useRef<AbortController | undefined>(undefined);

  const abort = useCallback((reason: string) => {
    current.current?.abort(new DOMException(reason, 'AbortError'));
    current.current = undefined;
  }, []);

  const run = useCallback(
    (...[input, options]: RunArguments<Task>): Promise<TaskResult<Task>> => {
      abort('a newer run of the task began');
      const controller = new AbortController();
      current.current = controller;
      const update = (next: (before: State) => State): void => {
        if (current.current === controller) {
          setState(next);
        }
      };
      update(({ data }) => ({ ...IDLE, status: 'running', data }));
      const result = start<TaskResult<Task>>(promise, name, input, controller, options, (progress) =>
        update((before) => ({ ...before, progress })),
      );
      result.then(
        (data) => update(() => ({ ...IDLE, status: 'done', data })),
        (error: unknown) =>
          update(({ data }) => (options?.signal?.aborted === true ? { ...IDLE, data } : { ...IDLE, status: 'error', data, error })),
      );
      return result;
    },
    [abort, name, promise],
  );

  const end = useCallback(
    (reason: string) => {
      abort(reason);
      setState((before) => (before.status === 'running' ? { ...IDLE, data: before.data } : before));
    },
    [abort],
  );
  const cancel = useCallback(() => end('the run was cancelled'), [end]);
  useEffect(() => () => end('the component runs another task, or is gone'), [end, name]);

  return { ...(state as Omit<TaskHandle<Task>, 'run' | 'cancel'>), run, cancel };
}

async function start<Result>(
  runtime: ReturnType<typeof useProvided>['promise'],
  name: string,
  input: unknown,
  controller: AbortController,
  options: RunOptions<never> | undefined,
  onProgress: (progress: unknown) => void,
): Promise<Result> {
  if (runtime === undefined) {
    throw new Error(NO_RUNTIME);
  }
  const { signal = controller.signal, onProgress: alsoTell, ...rest } = options ?? {};
  const ready = (await runtime) as unknown as Runtime;
  return (await ready.run(name, input, {
    ...rest,
    signal: signal === controller.signal ? signal : AbortSignal.any([abortSignal(signal), controller.signal]),
    onProgress: (progress) => {
      onProgress(progress);
      alsoTell?.(progress as never);
    },
  })) as Result;
}
