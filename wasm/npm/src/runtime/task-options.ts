import type { CapabilityNames } from '../pool/capabilities.js';
import type { TaskSpec } from '../pool/settings.js';
import { MAX_CONCURRENCY, millis, whole } from './options.js';

/** What may be said of a task, or of all tasks of a name in {@link RuntimeOptions.types}. */
export interface TaskOptions {
  /** 0 (nobody waits for it) to 10 (somebody looks at the screen and waits). Waiting tasks gain a level a second. Default 5. */
  readonly priority?: number;
  /** What the worker must carry, for instance `['gpu']`. */
  readonly capabilities?: readonly string[];
  /** How much of a worker's `concurrency` it takes up, 1 to 1,024. Default 1. */
  readonly complexity?: number;
  /** The longest that one execution may take, from its start. Default: no limit. */
  readonly timeoutMs?: number;
  /** The longest that it may wait for a worker. Default: no limit. */
  readonly queueTtlMs?: number;
  /**
   * How often it is tried again after it failed with its own error, 0 to 1,000, on another worker where there is one, after a wait
   * ({@link RuntimeOptions.retry}). The promise settles with the last attempt. Not with `redeliver: false` or `transfer`. Default 0.
   */
  readonly retries?: number;
  /** Whether it may run again where its worker was lost or it failed. Default `true`; `false` where running twice would do harm. */
  readonly redeliver?: boolean;
}

/** Settings of one task. What is left out is taken from {@link RuntimeOptions.types}, then from the defaults. */
export interface RunOptions<Progress = unknown> extends TaskOptions {
  /** Aborts the task, queued or running; the promise rejects with the signal's reason at once. */
  readonly signal?: AbortSignal | undefined;
  /** What is moved into the worker instead of copied. Such a task is never redelivered: its input is gone. */
  readonly transfer?: readonly object[];
  /** Hears what the task reports while it runs, each report before the result. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Settings of one stream. It is never run twice, or its items would come twice. */
export interface StreamOptions<Progress = unknown> extends Omit<RunOptions<Progress>, 'retries' | 'redeliver'> {
  /** How many items the task may be ahead of who reads them, 1 or more. Default 16. */
  readonly highWaterMark?: number;
}

/** Task names as numbers, and what holds for the tasks of each. */
export class TaskTypes {
  readonly #capabilities: CapabilityNames;
  readonly #specs = new Map<string, TaskSpec>();

  /** Throws `ERR_INVALID_OPTION` with the name of the type and the option. */
  constructor(types: Readonly<Record<string, TaskOptions | undefined>>, capabilities: CapabilityNames) {
    this.#capabilities = capabilities;
    for (const [name, options] of Object.entries(types)) {
      this.#specs.set(name, this.#merge(this.#plain(), options ?? {}, `types.${name}.`));
    }
  }

  /** Names by number. */
  get names(): readonly string[] {
    return [...this.#specs.keys()];
  }

  /** What the core is told about a task. Throws `ERR_INVALID_OPTION` with the option's name. */
  spec(name: string, options: RunOptions<never> | undefined): TaskSpec {
    const spec = this.#specs.get(name) ?? this.#add(name);
    return options === undefined ? spec : this.#merge(spec, options, '');
  }

  #add(name: string): TaskSpec {
    const spec = this.#plain();
    // What the app makes up at run time does not fill the memory: the last type stands for all further ones.
    if (this.#specs.size < MAX_TYPES) {
      this.#specs.set(name, spec);
    }
    return spec;
  }

  #plain(): TaskSpec {
    return {
      type: this.#specs.size,
      priority: 5,
      required: 0,
      timeoutMs: Infinity,
      queueTtlMs: Infinity,
      redeliverable: true,
      complexity: 1,
      attempts: 1,
    };
  }

  #merge(base: TaskSpec, options: RunOptions<never>, prefix: string): TaskSpec {
    const { priority, capabilities, complexity, timeoutMs, queueTtlMs, retries, redeliver, transfer } = options;
    return {
      type: base.type,
      priority: priority === undefined ? base.priority : whole(`${prefix}priority`, priority, 0, 10),
      required: capabilities === undefined ? base.required : this.#capabilities.bits(capabilities),
      timeoutMs: timeoutMs === undefined ? base.timeoutMs : millis(`${prefix}timeoutMs`, timeoutMs, 0),
      queueTtlMs: queueTtlMs === undefined ? base.queueTtlMs : millis(`${prefix}queueTtlMs`, queueTtlMs, 0),
      redeliverable: (redeliver ?? base.redeliverable) && (transfer === undefined || transfer.length === 0),
      complexity: complexity === undefined ? base.complexity : whole(`${prefix}complexity`, complexity, 1, MAX_CONCURRENCY),
      attempts: retries === undefined ? base.attempts : 1 + whole(`${prefix}retries`, retries, 0, 1_000),
    };
  }
}

const MAX_TYPES = 1_024;
