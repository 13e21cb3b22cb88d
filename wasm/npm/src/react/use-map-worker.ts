import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { known } from '../checks.js';
import { RUN_NAMES, type RunOptions } from '../runtime/task-options.js';
import type { Runtime } from '../runtime/runtime.js';
import type { TaskInput, TaskMap, TaskName, TaskProgress, TaskResult, UntypedTasks } from '../tasks.js';
import { NO_RUNTIME, useProvided } from './provider.js';
import { checkBatch, IDLE, MapWork, type RunItem } from './map-work.js';
import type { BatchItem, BatchOptions, MapWorker, MapWorkerOptions } from './map-types.js';

const serverState = (): typeof IDLE => IDLE;

/**
 * Runs a task of the nearest runtime once or over many items, and renders how far it is and what came of it. What runs is aborted when the
 * component goes away. A component is rendered at most once in 16 ms for progress.
 *
 * `options` hold for each task: `{ timeoutMs: 5_000, retries: 2 }`. They may be a new object each time. {@link createHooks} types it by the
 * app's tasks.
 */
export function useMapWorker<Tasks extends TaskMap<Tasks> = UntypedTasks, Name extends TaskName<Tasks> = TaskName<Tasks>>(
  name: Name,
  options?: MapWorkerOptions,
): MapWorker<Tasks[Name]> {
  type Task = Tasks[Name];
  const { promise } = useProvided();
  const [work] = useState(() => new MapWork());
  const state = useSyncExternalStore(work.subscribe, work.state, serverState);
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  const runner = useCallback(
    (more?: RunOptions<never>): RunItem =>
      async (input, signal, onProgress) => {
        if (promise === undefined) {
          throw new Error(NO_RUNTIME);
        }
        const runtime = (await promise) as unknown as Runtime;
        return runtime.run(name, input, {
          ...latest.current,
          ...more,
          signal,
          onProgress: (report) => {
            onProgress(report);
            more?.onProgress?.(report as never);
          },
        });
      },
    [name, promise],
  );

  const execute = useCallback(
    (input: TaskInput<Task>, more: RunOptions<TaskProgress<Task>> = {}): Promise<TaskResult<Task>> =>
      quiet(
        new Promise<BatchItem<unknown>[]>((resolve) => {
          const { signal } = known('execute', more, RUN_NAMES);
          resolve(work.run([input], runner(more), { signal }));
        }).then(([item]) => (item as PromiseFulfilledResult<TaskResult<Task>>).value),
      ),
    [runner, work],
  );

  const executeBatch = useCallback(
    (items: Iterable<unknown>, batch: BatchOptions<unknown, unknown> = {}): Promise<unknown> =>
      quiet(
        new Promise<BatchItem<unknown>[]>((resolve) => {
          checkBatch(batch);
          resolve(work.run(items, runner(), batch));
        }).then((settled) =>
          batch.onError === 'collect' ? settled : settled.flatMap((item) => (item.status === 'fulfilled' ? [item.value] : [])),
        ),
      ),
    [runner, work],
  );

  const cancel = useCallback(() => work.cancel('the run was cancelled'), [work]);
  const reset = useCallback(() => work.reset(), [work]);
  useEffect(() => () => work.cancel('the component runs another task, or is gone'), [name, work]);

  return { ...state, execute, executeBatch, cancel, reset } as MapWorker<Task>;
}

/** The component shows the error: nobody needs to wait for it. */
function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}
