import { known, millis } from '../checks.js';
import { QuillworkError } from '../errors.js';
import type { RuntimeOptions } from '../runtime/options.js';
import { createRuntime, type Runtime } from '../runtime/runtime.js';
import type { TaskMap, TaskName } from '../tasks.js';
import { taskNames } from '../worker/names.js';
import { MemoryWorker } from './memory-worker.js';
import { seededRandom } from './random.js';
import { virtualClock, type VirtualClock } from './virtual-clock.js';

/** Settings of a test runtime: those of `createRuntime`, but for the worker. Where the app's own come along, theirs is left out. */
export interface TestRuntimeOptions<Tasks> extends Omit<RuntimeOptions<Tasks>, 'worker'> {
  /** The task functions that the workers run: what the app's worker exposes. */
  readonly tasks: Tasks;
  /** How long a message between page and worker is on its way, in milliseconds, or between which two. Default 0: it arrives at once. */
  readonly latencyMs?: number | readonly [least: number, most: number];
  /** How long a task takes at least, in milliseconds of the clock: for functions that only compute. Default 0. */
  readonly durationMs?: number | ((task: TaskName<Tasks>, input: unknown) => number);
  /** From which all chance follows: the same seed gives the same run. Default 1. */
  readonly seed?: number;
  /** A clock that is there already. It stays when the runtime is closed. Default: one of its own. */
  readonly clock?: VirtualClock;
}

/** A runtime for tests: the real core and the real task functions, in one thread, on a clock that the test moves. */
export interface TestRuntime<Tasks> {
  readonly runtime: Runtime<Tasks>;
  readonly clock: VirtualClock;
  /** Ends the worker in this place as an error outside of its tasks does. Its functions can't be stopped, but nobody hears of them. */
  crash(worker: number, error?: unknown): void;
  /** The worker hears and says nothing more, as one stuck in a loop: it is replaced when its lease has passed. */
  hang(worker: number): void;
  /** From its next task on this worker takes so many times as long. Its replacement does not. */
  slow(worker: number, factor: number): void;
  /** Closes the runtime, and puts the real clock back unless it was given. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a runtime whose workers are in this thread, two of them unless `workers` says otherwise. Messages are cloned and buffers moved as
 * between threads. Until it is closed the clock stands still:
 *
 * ```ts
 * const { runtime, clock, crash, close } = await createTestRuntime({ tasks, durationMs: 100 });
 * const sum = runtime.run('sum', { numbers: [1, 2] });
 * await clock.advance(50);
 * crash(0);
 * await clock.runAll();
 * assert.equal(await sum, 3); // on the other worker
 * await close();
 * ```
 *
 * Throws `ERR_INVALID_OPTION` or `ERR_WASM_LOAD`.
 */
export async function createTestRuntime<Tasks extends TaskMap<Tasks>>(
  options: TestRuntimeOptions<Tasks>,
): Promise<TestRuntime<Tasks>> {
  const { tasks, latencyMs = 0, durationMs = 0, seed = 1, clock: given, ...rest } = known(
    'createTestRuntime',
    // The app's own options may come along, its worker with them: there is another in its place.
    options as TestRuntimeOptions<Tasks> & { readonly worker?: unknown },
    TEST_NAMES,
  );
  const random = seededRandom(seed);
  const [least, most] = typeof latencyMs === 'number' ? [latencyMs, latencyMs] : latencyMs;
  millis('latencyMs', least, 0);
  millis('latencyMs', most, least);
  if (typeof durationMs !== 'function') {
    millis('durationMs', durationMs, 0);
  }
  const workshop = {
    tasks,
    names: taskNames(tasks),
    latency: () => least + (most - least) * random(),
    duration: (task: string, input: unknown) =>
      millis('durationMs', typeof durationMs === 'number' ? durationMs : durationMs(task as TaskName<Tasks>, input), 0),
  };
  const workers: MemoryWorker[] = [];
  const clock = given ?? virtualClock();
  try {
    const runtime = await createRuntime<Tasks>({
      workers: 2,
      seed,
      ...(rest as Omit<RuntimeOptions<Tasks>, 'worker'>),
      worker: (place) => (workers[place] = new MemoryWorker(workshop)),
    });
    return new MemoryRuntime(runtime, clock, workers, given === undefined);
  } catch (thrown) {
    if (given === undefined) {
      clock.uninstall();
    }
    throw thrown;
  }
}

const TEST_NAMES =
  'tasks latencyMs durationMs seed clock worker workers concurrency gpu warmUp offer binding types maxQueue overflow maxWaiting maxRedeliveries retry ageingMs prefetchMs leaseMs recycle bootTimeoutMs abortGraceMs budgets record wasm telemetry';

/** Engines that don't know the symbol yet leave it to libraries to agree on one. */
const ASYNC_DISPOSE: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

class MemoryRuntime<Tasks> implements TestRuntime<Tasks> {
  readonly runtime: Runtime<Tasks>;
  readonly clock: VirtualClock;
  readonly #workers: readonly MemoryWorker[];
  readonly #ownsClock: boolean;

  constructor(runtime: Runtime<Tasks>, clock: VirtualClock, workers: readonly MemoryWorker[], ownsClock: boolean) {
    this.runtime = runtime;
    this.clock = clock;
    this.#workers = workers;
    this.#ownsClock = ownsClock;
  }

  // Tests take these out of the object.

  readonly crash = (worker: number, error: unknown = new Error(`worker ${worker} was made to crash`)): void => {
    this.#at(worker).crash(error);
  };

  readonly hang = (worker: number): void => {
    this.#at(worker).hang();
  };

  readonly slow = (worker: number, factor: number): void => {
    if (!(Number.isFinite(factor) && factor >= 1)) {
      throw new QuillworkError('ERR_INVALID_OPTION', `a worker is slowed by a factor of 1 or more, not ${String(factor)}`);
    }
    this.#at(worker).slowness = factor;
  };

  readonly close = async (): Promise<void> => {
    await this.runtime.close();
    if (this.#ownsClock) {
      this.clock.uninstall();
    }
  };

  [ASYNC_DISPOSE](): Promise<void> {
    return this.close();
  }

  #at(place: number): MemoryWorker {
    const worker = this.#workers[place];
    if (worker === undefined) {
      throw new QuillworkError('ERR_INVALID_OPTION', `no worker was ever in place ${String(place)}: there are ${this.#workers.length}, from 0`);
    }
    return worker;
  }
}
