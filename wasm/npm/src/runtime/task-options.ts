import { array, millis, whole } from '../checks.js';
import { QuillworkError } from '../errors.js';
import type { OfferNames } from '../pool/capabilities.js';
import type { TaskSpec } from '../pool/settings.js';
import { MAX_CONCURRENCY } from './options.js';

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
   * (`RuntimeOptions.retry`). The promise settles with the last attempt. Not with `redeliver: false` or `transfer`. Default 0.
   */
  readonly retries?: number;
  /** Workers that should run it, by number, up to 8: because of a warm cache for instance. Of the free ones these go first. */
  readonly affinity?: readonly number[];
  /** Workers that never run it, up to 8; where nobody else could, it is refused with `ERR_NO_CAPABLE_WORKER`. */
  readonly antiAffinity?: readonly number[];
  /** The region that should run it: see `WorkerOffer.region`. Of the free workers those in it go first. */
  readonly region?: string;
  /** How long it waits for a worker of its `affinity` or `region` while these are busy, before anybody may take it. Default 0. */
  readonly patienceMs?: number;
  /** With `binding: 'consistent-hash'`, tasks of one key go to one worker. */
  readonly key?: string | number;
  /** Whether it may run again where its worker was lost or it failed. Default `true`; `false` where running twice would do harm. */
  readonly redeliver?: boolean;
}

/** What holds for all tasks of a name: {@link RuntimeOptions.types}. */
export interface TypeOptions extends TaskOptions {
  /**
   * How many tasks of the name run at a time, on all workers together, 1 or more: where they share something scarce. Others go by meanwhile, and what
   * waits keeps its turn. One that was aborted counts until its worker has let go of it. None is given to a worker ahead (`prefetchMs`).
   * Default: no limit.
   */
  readonly maxConcurrent?: number;
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

// What the options of a task are called. In full each time: bundlers leave out what is not used only where it is not put together.
/** Of {@link TypeOptions}. */
export const TYPE_NAMES =
  'priority capabilities complexity timeoutMs queueTtlMs affinity antiAffinity region patienceMs key retries redeliver maxConcurrent';
/** Of {@link RunOptions}. */
export const RUN_NAMES =
  'priority capabilities complexity timeoutMs queueTtlMs affinity antiAffinity region patienceMs key retries redeliver signal transfer onProgress';
/** Of {@link StreamOptions}. */
export const STREAM_NAMES =
  'priority capabilities complexity timeoutMs queueTtlMs affinity antiAffinity region patienceMs key signal transfer onProgress highWaterMark';

/** Task names as numbers, and what holds for the tasks of each. */
export class TaskTypes {
  readonly #names: OfferNames;
  readonly #specs = new Map<string, TaskSpec>();

  /** Throws `ERR_INVALID_OPTION` with the name of the type and the option. */
  constructor(types: Readonly<Record<string, TypeOptions | undefined>>, names: OfferNames) {
    this.#names = names;
    for (const [name, options = {}] of Object.entries<TypeOptions | undefined>(types)) {
      const { maxConcurrent } = options;
      const typeLimit = maxConcurrent === undefined ? 0 : whole(`types.${name}.maxConcurrent`, maxConcurrent, 1, MAX_TYPE_LIMIT);
      const spec = this.#merge(this.#plain(), options, `types.${name}.`);
      this.#specs.set(name, typeLimit === 0 ? spec : { ...spec, typeLimit, plain: false });
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
    return { ...PLAIN, type: this.#specs.size };
  }

  #merge(base: TaskSpec, options: RunOptions<never>, prefix: string): TaskSpec {
    const { priority, capabilities, timeoutMs, queueTtlMs, redeliver, transfer } = options;
    const spec = {
      ...base,
      priority: priority === undefined ? base.priority : whole(`${prefix}priority`, priority, 0, 10),
      required: capabilities === undefined ? base.required : this.#names.bits(array(`${prefix}capabilities`, 'names', capabilities)),
      timeoutMs: timeoutMs === undefined ? base.timeoutMs : millis(`${prefix}timeoutMs`, timeoutMs, 0),
      queueTtlMs: queueTtlMs === undefined ? base.queueTtlMs : millis(`${prefix}queueTtlMs`, queueTtlMs, 0),
      redeliverable: (redeliver ?? base.redeliverable) && (transfer === undefined || transfer.length === 0),
    };
    return SPECIAL.some((name) => options[name] !== undefined) ? this.#mergeSpecial(spec, options, prefix) : spec;
  }

  /** What most tasks say nothing about. */
  #mergeSpecial(base: TaskSpec, options: RunOptions<never>, prefix: string): TaskSpec {
    const { complexity, retries, affinity, antiAffinity, region, patienceMs, key } = options;
    return {
      ...base,
      plain: false,
      complexity: complexity === undefined ? base.complexity : whole(`${prefix}complexity`, complexity, 1, MAX_CONCURRENCY),
      attempts: retries === undefined ? base.attempts : 1 + whole(`${prefix}retries`, retries, 0, 1_000),
      region: region === undefined ? base.region : this.#names.region(region),
      patienceMs: patienceMs === undefined ? base.patienceMs : millis(`${prefix}patienceMs`, patienceMs, 0),
      key: key === undefined ? base.key : hash(String(key)),
      affinity: affinity === undefined ? base.affinity : workerList(`${prefix}affinity`, affinity),
      antiAffinity: antiAffinity === undefined ? base.antiAffinity : workerList(`${prefix}antiAffinity`, antiAffinity),
    };
  }
}

function workerList(name: string, workers: readonly number[]): readonly number[] {
  if (!Array.isArray(workers) || workers.length > MAX_LISTED) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`${name}\` is a list of up to ${MAX_LISTED} workers by their numbers`);
  }
  return workers.map((worker: number) => whole(name, worker, 0, 63));
}

/** 53 bits of a text: FNV-1a twice, from two beginnings. */
function hash(text: string): number {
  let [low, high] = [0x811c9dc5, 0x9dc5811c];
  for (let at = 0; at < text.length; at += 1) {
    low = Math.imul(low ^ text.charCodeAt(at), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(at), 0x01000193) ^ (low >>> 15);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}

const PLAIN: Omit<TaskSpec, 'type'> = {
  priority: 5,
  required: 0,
  timeoutMs: Infinity,
  queueTtlMs: Infinity,
  redeliverable: true,
  complexity: 1,
  attempts: 1,
  region: 0,
  patienceMs: 0,
  key: NaN,
  typeLimit: 0,
  affinity: [],
  antiAffinity: [],
  plain: true,
};
const SPECIAL = ['complexity', 'retries', 'affinity', 'antiAffinity', 'region', 'patienceMs', 'key'] as const;
/** The longest list that the core takes. */
const MAX_LISTED = 8;
const MAX_TYPES = 1_024;
const MAX_TYPE_LIMIT = 2 ** 24;
