import { QuillworkError } from '../errors.js';
import { hardwareThreads } from '../node.js';
import type { WorkerSource } from '../pool/spawn.js';
import type { TelemetryOptions } from '../telemetry/options.js';
import type { WasmSource } from './load.js';

/** Settings of a runtime. Only `worker` must be given. */
export interface RuntimeOptions {
  /**
   * How to start a worker. A function suits bundlers, which must see the address:
   * `() => new Worker(new URL('./tasks.js', import.meta.url), { type: 'module' })`. In Node it may return a `Worker` of
   * `node:worker_threads`. A URL, or a string that is one, is started as a module worker, in Node as a worker thread.
   */
  readonly worker: WorkerSource;
  /** How many workers, 1 to 64. Default: one less than the machine runs threads at once, at least 1, at most 8. */
  readonly workers?: number;
  /** Whether the first worker carries the capability `gpu`, so that one device serves all who need it. Default `true`. */
  readonly gpu?: boolean;
  /** How many tasks may wait for a worker; more are refused with `ERR_QUEUE_FULL`. Default 10,000. */
  readonly maxQueue?: number;
  /** How often a task is given to another worker after one was lost with it. Default 2: three executions at most. */
  readonly maxRedeliveries?: number;
  /**
   * How long a worker may give no sign of life before it is replaced and its task redelivered. Any message is one;
   * idle workers are asked. A task that keeps its worker's event loop busy for longer must call `ctx.progress` now and then. 100 ms
   * or more, or `Infinity` to never give a worker up for its silence. Default 60,000.
   */
  readonly leaseMs?: number;
  /** How long a worker may take to load its module. Default 10,000. */
  readonly bootTimeoutMs?: number;
  /** How long a task may go on after its signal was aborted before its worker is terminated. Default 1,000. */
  readonly abortGraceMs?: number;
  /** Where `runtime.wasm` is, or its bytes, or the compiled module. Default: beside this package's JavaScript. */
  readonly wasm?: WasmSource;
  /** Measures the page and reports to a Quillwork host. Default: off. `{}` reports to the host that serves the page. */
  readonly telemetry?: false | TelemetryOptions;
}

/** Settings of one task. */
export interface RunOptions<Progress = unknown> {
  /** 0 (nobody waits for it) to 10 (somebody looks at the screen and waits). Waiting tasks gain a level a second. Default 5. */
  readonly priority?: number;
  /** What the worker must carry, for instance `['gpu']`. */
  readonly capabilities?: readonly string[];
  /** Aborts the task, queued or running; the promise rejects with the signal's reason at once. */
  readonly signal?: AbortSignal | undefined;
  /** The longest that one execution may take, from its start. Default: no limit. */
  readonly timeoutMs?: number;
  /** The longest that it may wait for a worker. Default: no limit. */
  readonly queueTtlMs?: number;
  /** What is moved into the worker instead of copied. Such a task is never redelivered: its input is gone. */
  readonly transfer?: readonly object[];
  /** Hears what the task reports while it runs, each report before the result. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Whether it may run again where its worker was lost. Default `true`; `false` where running twice would do harm. */
  readonly redeliver?: boolean;
}

/** {@link RuntimeOptions} with every default filled in. */
export interface PoolSettings {
  readonly workers: number;
  readonly gpu: boolean;
  readonly maxQueue: number;
  readonly maxRedeliveries: number;
  readonly leaseMs: number;
  readonly bootTimeoutMs: number;
  readonly abortGraceMs: number;
}

/** Checks the numbers and fills in defaults. Throws `ERR_INVALID_OPTION` with the option's name and range. */
export function poolSettings(options: RuntimeOptions): PoolSettings {
  if (typeof options.worker !== 'function' && typeof options.worker !== 'string' && !(options.worker instanceof URL)) {
    throw new QuillworkError(
      'ERR_INVALID_OPTION',
      "createRuntime needs `worker`: a URL, or () => new Worker(new URL('./tasks.js', import.meta.url), { type: 'module' })",
    );
  }
  return {
    workers: whole('workers', options.workers ?? Math.min(8, Math.max(1, hardwareThreads() - 1)), 1, 64),
    gpu: options.gpu ?? true,
    maxQueue: whole('maxQueue', options.maxQueue ?? 10_000, 0, 1 << 24),
    maxRedeliveries: whole('maxRedeliveries', options.maxRedeliveries ?? 2, 0, 1_000),
    leaseMs: millis('leaseMs', options.leaseMs ?? 60_000, 100),
    bootTimeoutMs: millis('bootTimeoutMs', options.bootTimeoutMs ?? 10_000, 1),
    abortGraceMs: millis('abortGraceMs', options.abortGraceMs ?? 1_000, 0),
  };
}

/** A whole number of `least..=most`, or `ERR_INVALID_OPTION`. */
export function whole(name: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is a whole number from ${least} to ${most}, not ${String(value)}`);
  }
  return value;
}

/** Milliseconds of `least` or more, infinity too, or `ERR_INVALID_OPTION`. */
export function millis(name: string, value: number, least: number): number {
  if (!(typeof value === 'number' && value >= least)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is ${least} milliseconds or more, not ${String(value)}`);
  }
  return value;
}
