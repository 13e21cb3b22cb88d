import { known } from '../checks.js';
import { STRATEGY_NAMES, type StrategyName } from './strategy-names.js';
import type { WorkerKey } from './types.js';
import { invalid, show } from './values.js';

/** How a task of some type ended on a worker, before this balancer was made. */
export interface TaskHistoryEntry {
  readonly workerId: WorkerKey;
  /** Default `true`. */
  readonly success?: boolean | undefined;
  /** What it took, in milliseconds. Default: `assumedDurationMs`. */
  readonly durationMs?: number | undefined;
}

/** Which workers a type of task goes to: an id or a list of ids is `prefer`. */
export type AffinityRule =
  | WorkerKey
  | readonly WorkerKey[]
  | ReadonlySet<WorkerKey>
  | {
      /** They are chosen while one of them may have the task. A task's own `affinity` goes before it. */
      readonly prefer?: WorkerKey | readonly WorkerKey[] | ReadonlySet<WorkerKey> | undefined;
      /** Only they may have it. */
      readonly require?: WorkerKey | readonly WorkerKey[] | ReadonlySet<WorkerKey> | undefined;
      /** They must not have it. */
      readonly forbid?: WorkerKey | readonly WorkerKey[] | ReadonlySet<WorkerKey> | undefined;
    };

/** Settings that a balancer and a strategy of its own share. */
export interface StrategyOptions {
  /** What random choices begin with, a whole number of 0 or more: the same seed and calls make the same choices. Default 0. */
  readonly seed?: number | undefined;
  /** After how many milliseconds an outcome counts half. Of many outcomes in that time the last 64 or so count. Default 10,000. */
  readonly evidenceHalfLifeMs?: number | undefined;
  /** What a task is believed to take while neither outcomes nor metrics say anything, in milliseconds. Default 100. */
  readonly assumedDurationMs?: number | undefined;
  /** A failed task counts as having taken so many times what a success takes, 1 or more: failing fast is not fast. Default 5. */
  readonly failurePenalty?: number | undefined;
  /** How far above the fleet's mean share a preferred worker may be loaded, 0 to 1. Default 0.5. */
  readonly stickySlack?: number | undefined;
  /** The weights of the score, together 1, for {@link LoadBalancer.scoreWorkers} and `best-score`. Default 0.4, 0.3, 0.2, 0.1. */
  readonly scoreWeights?:
    | { readonly capacity: number; readonly performance: number; readonly affinity: number; readonly reliability: number }
    | undefined;
  /** Workers with a success rate below `minSuccessRate` (default 0.5) over `minOutcomes` outcomes (5) of a type are avoided for it. Default: none. */
  readonly avoidFailing?: { readonly minSuccessRate?: number | undefined; readonly minOutcomes?: number | undefined } | undefined;
  /**
   * Whether failing workers are kept out of the choice for a while: after five failures in a row, or with a success rate far below the
   * others', for 30 s, longer each time; never more than a third of them. Default `false`.
   */
  readonly ejectFailing?: boolean | undefined;
}

/** Settings of a {@link LoadBalancer}. What makes no sense is refused with `ERR_INVALID_OPTION`. */
export interface LoadBalancerOptions extends StrategyOptions {
  /** What is known from before, by task type. It is read once, as if it had just been told by {@link LoadBalancer.updateContext}. */
  readonly taskHistory?: ReadonlyMap<string, readonly TaskHistoryEntry[]> | undefined;
  /** Which workers the types of tasks go to. It is read once. */
  readonly affinityRules?: ReadonlyMap<string, AffinityRule> | undefined;
  /** Who chooses where a strategy of your own throws or answers nonsense. Default: nobody, and the error is thrown. */
  readonly fallback?: StrategyName | undefined;
  /** When workers and the fleet count as overloaded. */
  readonly overload?: {
    /** A worker is overloaded from this pressure on (1 is full) and until it is below `leave`. Default 0.9 and 0.7. */
    readonly enter?: number | undefined;
    readonly leave?: number | undefined;
    /** The same for the fleet. Default 0.85 and 0.65. */
    readonly fleetEnter?: number | undefined;
    readonly fleetLeave?: number | undefined;
    /** For how long the pressure must be past a level before anything changes, in milliseconds. Default 0. */
    readonly dwellMs?: number | undefined;
  } | undefined;
  /** When a waiting task is worth its move. */
  readonly migration?: {
    /** How fast `sizeBytes` get to another worker. Default 1,000,000,000. */
    readonly bytesPerSecond?: number | undefined;
    /** What a task takes longer on a worker that has not run its type lately, in milliseconds. Default 5. */
    readonly coldStartMs?: number | undefined;
    /** A move gains so many times what it costs at least, 1 to 1,000. Default 1.5. */
    readonly margin?: number | undefined;
    /** And so much more, in milliseconds. Default 20. */
    readonly minGainMs?: number | undefined;
    /** The largest part of what waits on a worker that is moved at a time, 0 to 1. Default 0.6. */
    readonly maxShare?: number | undefined;
    /** At most so many moves at a time. Default 32. */
    readonly limit?: number | undefined;
    /** For how long a worker that is offline is assumed to stay so, in milliseconds. Default 30,000. */
    readonly outageMs?: number | undefined;
  } | undefined;
  /** How {@link LoadBalancer.reorderQueue} orders. */
  readonly reorder?: {
    /** By how many later tasks one may be overtaken, all together. Default 32. */
    readonly maxOvertaken?: number | undefined;
    /** How many places one may go forward at a time, 1 to 4,096. Default 64. */
    readonly window?: number | undefined;
    /** The wait that is worth one level of priority, in milliseconds. Default 1,000. */
    readonly ageingMs?: number | undefined;
    /** How much a shorter expected time counts, 0 to 100. Default 1. */
    readonly shortFirst?: number | undefined;
  } | undefined;
}

/** What {@link StrategyOptions} are called. */
export const STRATEGY_OPTIONS = 'seed evidenceHalfLifeMs assumedDurationMs failurePenalty stickySlack scoreWeights avoidFailing ejectFailing';

/** What {@link LoadBalancerOptions} are called. */
export const BALANCER_OPTIONS =
  'seed evidenceHalfLifeMs assumedDurationMs failurePenalty stickySlack scoreWeights avoidFailing ejectFailing taskHistory affinityRules fallback overload migration reorder';

/** As `wasm/balance/src/balancing/config.rs` reads them. Ranges are checked there. */
export function settings(strategy: StrategyName, options: LoadBalancerOptions): number[] {
  const seed = number('seed', options.seed);
  if (!Number.isNaN(seed) && !(Number.isSafeInteger(seed) && seed >= 0)) {
    throw invalid(`\`seed\` is a whole number of 0 or more, not ${show(seed)}`);
  }
  const { scoreWeights = {}, overload = {}, migration = {}, reorder = {}, avoidFailing = {} } = options;
  const { capacity, performance, affinity, reliability } = known(
    '`scoreWeights`',
    scoreWeights as Partial<NonNullable<StrategyOptions['scoreWeights']>>,
    'capacity performance affinity reliability',
  );
  const { enter, leave, fleetEnter, fleetLeave, dwellMs } = known('`overload`', overload, 'enter leave fleetEnter fleetLeave dwellMs');
  const { bytesPerSecond, coldStartMs, margin, minGainMs, maxShare, limit, outageMs } = known(
    '`migration`',
    migration,
    'bytesPerSecond coldStartMs margin minGainMs maxShare limit outageMs',
  );
  const { maxOvertaken, window, ageingMs, shortFirst } = known('`reorder`', reorder, 'maxOvertaken window ageingMs shortFirst');
  const avoids = known('`avoidFailing`', avoidFailing, 'minSuccessRate minOutcomes');
  // One of the two is enough to switch it on.
  const minSuccessRate = avoids.minSuccessRate ?? (options.avoidFailing === undefined ? undefined : 0.5);
  return [
    seed,
    strategyNumber(strategy),
    positive('evidenceHalfLifeMs', options.evidenceHalfLifeMs),
    positive('assumedDurationMs', options.assumedDurationMs),
    number('failurePenalty', options.failurePenalty),
    number('stickySlack', options.stickySlack),
    number('scoreWeights.capacity', capacity),
    number('scoreWeights.performance', performance),
    number('scoreWeights.affinity', affinity),
    number('scoreWeights.reliability', reliability),
    number('overload.enter', enter),
    number('overload.leave', leave),
    number('overload.fleetEnter', fleetEnter),
    number('overload.fleetLeave', fleetLeave),
    NaN,
    positive('overload.dwellMs', dwellMs),
    NaN,
    positive('migration.bytesPerSecond', bytesPerSecond),
    positive('migration.coldStartMs', coldStartMs),
    number('migration.margin', margin),
    positive('migration.minGainMs', minGainMs),
    number('migration.maxShare', maxShare),
    positive('migration.limit', limit),
    positive('migration.outageMs', outageMs),
    positive('reorder.maxOvertaken', maxOvertaken),
    positive('reorder.window', window),
    positive('reorder.ageingMs', ageingMs),
    number('reorder.shortFirst', shortFirst),
    number('avoidFailing.minSuccessRate', minSuccessRate),
    number('avoidFailing.minOutcomes', avoids.minOutcomes),
    options.ejectFailing === true ? 1 : 0,
  ];
}

/** The number of a strategy, or `ERR_INVALID_OPTION` with all names. */
export function strategyNumber(name: string): number {
  const place = (STRATEGY_NAMES as readonly string[]).indexOf(name);
  if (place < 0) {
    throw invalid(`no strategy is named ${show(name)}: take one of ${STRATEGY_NAMES.join(', ')}, or register your own`);
  }
  return place;
}

/** `NaN` is a default, so what was given must not be one. */
function number(name: string, value: number | undefined): number {
  if (value === undefined) {
    return NaN;
  }
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw invalid(`\`${name}\` is a number, not ${show(value)}`);
  }
  return value;
}

function positive(name: string, value: number | undefined): number {
  if (value !== undefined && value < 0) {
    throw invalid(`\`${name}\` is 0 or more, not ${show(value)}`);
  }
  return number(name, value);
}
