import { known, millis, whole } from '../checks.js';
import { QuillworkError } from '../errors.js';
import type { RunArguments, Runtime } from '../runtime/runtime.js';
import type { RunOptions, TaskOptions } from '../runtime/task-options.js';
import type { TaskInput, TaskName, TaskProgress, TaskResult } from '../tasks.js';
import type { Stage, StageContext, Step } from './types.js';

/** What may be said of any stage. */
export interface StageOptions {
  /** For metrics and errors. Default: the function's or the task's own, or its place. */
  readonly name?: string | undefined;
  /** How many calls run at a time, 1 to 65,536. Default: the option of the whole; in workers twice what they run at a time. */
  readonly concurrency?: number | undefined;
}

/** What is said of a stage that takes several items at a time. */
export interface BatchStageOptions extends StageOptions {
  /** How many items a call gets at most, 1 to 65,536. It gets fewer where no more can come for now: at the end, or when the budget is used up. */
  readonly batch: number;
  /** How long an item waits for others at most, in milliseconds. Default: as long as they may come. */
  readonly batchWaitMs?: number | undefined;
}

/** What is said of a stage in workers: what may be said of its tasks, too. */
export type WorkerStageOptions<Input> = StageOptions &
  TaskOptions & {
    /** What is moved into the worker with this input. */
    readonly transfer?: ((input: Input) => readonly object[]) | undefined;
  };

type One<In, Out> = (item: In, context: StageContext) => Out | PromiseLike<Out>;
type Many<In, Out> = (items: readonly In[], context: StageContext) => readonly Out[] | PromiseLike<readonly Out[]>;

/** A stage that is a function in this thread. With `batch` it gets arrays, and gives a result for each item, in their order. */
export function stage<In, Out>(
  run: (items: readonly In[], context: StageContext) => readonly Out[] | PromiseLike<readonly Out[]>,
  options: BatchStageOptions,
): Stage<In, Out>;
export function stage<In, Out>(
  run: (item: In, context: StageContext) => Out | PromiseLike<Out>,
  options?: StageOptions,
): Stage<In, Out>;
export function stage(run: unknown, options: StageOptions & Partial<BatchStageOptions> = {}): Stage<unknown, unknown> {
  if (typeof run !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `a stage is a function, not ${String(run)}`);
  }
  const shape = stageShape(known('stage', options, 'name concurrency batch batchWaitMs'), run.name || undefined);
  return { ...shape, run: options.batch === undefined ? single(run as One<unknown, unknown>) : (run as Many<unknown, unknown>) };
}

/** What an array holds. */
type ItemOf<List> = List extends readonly (infer Item)[] ? Item : never;

/** A stage that is a task in the workers of a runtime. With `batch` the task gets arrays, and gives a result for each item, in their order. */
export function workerStage<Tasks, Name extends TaskName<Tasks>>(
  runtime: Runtime<Tasks>,
  task: Name,
  options: WorkerStageOptions<TaskInput<Tasks[Name]>> & BatchStageOptions,
): Stage<ItemOf<TaskInput<Tasks[Name]>>, ItemOf<TaskResult<Tasks[Name]>>>;
export function workerStage<Tasks, Name extends TaskName<Tasks>>(
  runtime: Runtime<Tasks>,
  task: Name,
  options?: WorkerStageOptions<TaskInput<Tasks[Name]>>,
): Stage<TaskInput<Tasks[Name]>, TaskResult<Tasks[Name]>>;
export function workerStage<Tasks, Name extends TaskName<Tasks>>(
  runtime: Runtime<Tasks>,
  task: Name,
  options: WorkerStageOptions<TaskInput<Tasks[Name]>> & Partial<BatchStageOptions> = {},
): Stage<never, unknown> {
  const { name, concurrency, batch, batchWaitMs, transfer, ...each } = known(
    'workerStage',
    options,
    'priority capabilities complexity timeoutMs queueTtlMs affinity antiAffinity region patienceMs key retries redeliver transfer name concurrency batch batchWaitMs',
  );
  const places = (): number => runtime.stats().workers.reduce((sum, { capacity }) => sum + capacity, 0);
  const run = (input: TaskInput<Tasks[Name]>, { signal }: StageContext): Promise<TaskResult<Tasks[Name]>> => {
    const request: RunOptions<TaskProgress<Tasks[Name]>> = {
      ...each,
      ...(transfer === undefined ? {} : { transfer: transfer(input) }),
      signal,
    };
    return runtime.run(task, ...([input, request] as unknown as RunArguments<Tasks[Name]>));
  };
  const shape = { name, concurrency: concurrency ?? 2 * places(), batchWaitMs, ...(batch === undefined ? {} : { batch }) };
  return { ...stageShape(shape, task), run: (batch === undefined ? single(run) : run) as Stage<never, unknown>['run'] };
}

/** A step as a stage. */
export function asStage<In, Out>(step: Step<In, Out>): Stage<In, Out> {
  if (typeof step === 'object' && step !== null && typeof step.run === 'function') {
    return step;
  }
  return stage(step as One<In, Out>);
}

function stageShape(
  { name, concurrency, batch = 1, batchWaitMs = Infinity }: StageOptions & Partial<BatchStageOptions>,
  fallback: string | undefined,
): Omit<Stage<never, never>, 'run'> {
  return {
    name: name ?? fallback,
    concurrency: concurrency === undefined ? undefined : whole('concurrency', concurrency, 1, MOST),
    batch: whole('batch', batch, 1, MOST),
    batchWaitMs: millis('batchWaitMs', batchWaitMs, 0),
  };
}

/** A function of one item as one of a list of one. */
function single<In, Out>(run: One<In, Out>): Many<In, Out> {
  return (items, context) => {
    const result = run(items[0] as In, context);
    return isThenable(result) ? result.then((value) => [value]) : [result];
  };
}

/** Whether it is a promise of whatever kind. */
export function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
}

/** The most calls at a time, and the most items of a call. */
export const MOST = 65_536;
