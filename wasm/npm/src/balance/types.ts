/** What names a worker or a task: a string or a finite number. `1` and `'1'` are two. */
export type WorkerKey = string | number;

/** Capability names, in any order. */
export type OfferNames = readonly string[] | ReadonlySet<string>;

/**
 * Whether a worker takes tasks.
 *
 * | status | also called | takes tasks |
 * |---|---|---|
 * | `ready` | `idle`, `available`, `active`, `online`, `healthy` | yes |
 * | `busy` | `working`, `running`, `degraded` | yes, as far as its capacity goes |
 * | `booting` | `starting`, `initializing` | not yet |
 * | `draining` | `stopping`, `closing` | no more |
 * | `offline` | `unavailable`, `unhealthy`, `error`, `failed`, `dead`, `lost`, `stopped`, `terminated` | no: an outage, which its uptime remembers |
 */
export type WorkerStatusName = 'ready' | 'busy' | 'booting' | 'draining' | 'offline';

/**
 * What a worker has shown, by its own account: what is believed of it until the balancer has seen more by
 * {@link LoadBalancer.updateContext}. What is missing or `NaN` is unknown.
 */
export interface BalanceMetrics {
  /** The share of its tasks that succeeded, 0 to 1. It counts as much as two outcomes that were told. */
  readonly successRate?: number | undefined;
  /** The share that failed, 0 to 1: read where `successRate` is missing. */
  readonly errorRate?: number | undefined;
  /** What a task takes on it, in milliseconds; 0 is unknown. Compared with what the other workers say; counts as one outcome. */
  readonly averageResponseTime?: number | undefined;
  /** The same under another name. */
  readonly averageDurationMs?: number | undefined;
  /** How many tasks it completed: with `tasksFailed` the success rate, where none is given. */
  readonly tasksCompleted?: number | undefined;
  /** How many of its tasks failed. */
  readonly tasksFailed?: number | undefined;
  /** The share of the time in which it could be reached, 0 to 1. */
  readonly uptime?: number | undefined;
}

/** A worker as the caller describes it. It is read with each question, and never written to or held on to. */
export interface BalanceWorker {
  /** Unique among the workers of a call. */
  readonly id: WorkerKey;
  /** What it can do. Default: nothing special. */
  readonly capabilities?: OfferNames | undefined;
  /** How much it may hold at once, in units of {@link BalanceTask.complexity}: 1 or more, parts are cut off. Default 8. */
  readonly maxCapacity?: number | undefined;
  /** How much it holds now, waiting or running: 0 or more, parts are rounded up. Default 0. */
  readonly currentLoad?: number | undefined;
  /** Default `ready`. See {@link WorkerStatusName} for all the names. */
  readonly status?: WorkerStatusName | (string & {}) | undefined;
  readonly metrics?: BalanceMetrics | undefined;
  /** Where it is. */
  readonly region?: string | undefined;
  /** The measured time that a message takes to it and back, in milliseconds. Default 0. */
  readonly latency?: number | undefined;
  /** How many tasks it runs at a time; what it holds beyond them waits. Default 1. */
  readonly concurrency?: number | undefined;
}

/** A task that needs a worker. */
export interface BalanceTask {
  readonly id?: WorkerKey | undefined;
  /** What the worker must be able to do. Default: nothing special. */
  readonly capabilities?: OfferNames | undefined;
  /** What it weighs on the worker that gets it: 0 or more, parts are rounded up. Default 1. */
  readonly complexity?: number | undefined;
  /** How urgent it is: 0 to 10, rounded. It decides the order of lists and queues, not the worker. Default 5. */
  readonly priority?: number | undefined;
  /** What kind of work it is: durations, histories and adaptive's weights are kept for each. Default `''`. */
  readonly taskType?: string | undefined;
  /** Workers that should run it, for a warm cache for instance: a preference, which an overloaded one loses. */
  readonly affinity?: WorkerKey | readonly WorkerKey[] | ReadonlySet<WorkerKey> | undefined;
  /** Workers that must not run it: a ban. */
  readonly antiAffinity?: WorkerKey | readonly WorkerKey[] | ReadonlySet<WorkerKey> | undefined;
  /** Where it should run: a preference. Where nobody there can, those with the shortest latency. */
  readonly region?: string | undefined;
  /** What `consistent-hash` goes by: tasks of one key go to one worker. Default: the `id`. */
  readonly key?: WorkerKey | undefined;
  /** How many bytes go to the worker with it: what moving it costs. */
  readonly sizeBytes?: number | undefined;
}

/** How good a worker is for a task. Every number is 0 to 1, the higher the better. */
export interface WorkerScore<Worker> {
  readonly worker: Worker;
  /** `0.4 * capacityScore + 0.3 * performanceScore + 0.2 * affinityScore + 0.1 * reliabilityScore`, or by `scoreWeights`. */
  readonly score: number;
  /** Whether it may have the task now; the others are scored all the same. */
  readonly eligible: boolean;
  readonly breakdown: {
    /** The free share of its capacity, `1 - currentLoad / maxCapacity`. */
    readonly capacityScore: number;
    /** Its recent success rate, `(successes + 2 * told) / (outcomes + 2)`, where `told` is its `metrics.successRate` or 1. */
    readonly performanceScore: number;
    /** Its history with this type of task, likewise; with an affinity list half of it is whether the worker is listed. */
    readonly affinityScore: number;
    /** `0.5 / (1 + slowness) + 0.5 * uptime`, where a slowness of 1 is usual. */
    readonly reliabilityScore: number;
  };
}
