import { rowsOf, type Engine } from './engine.js';
import type { BalanceWorker, WorkerKey } from './types.js';

/** One thing that would help against an overload. */
export interface OverloadRecommendation {
  /**
   * `move`: give `load` units of what has not started to `toWorker`. `add-workers`: add `count` workers like those that there are.
   * `hold-back`: send less to `fromWorker`; nobody else has room.
   */
  readonly action: 'move' | 'add-workers' | 'hold-back';
  /** The worker that has too much; `null` where it is the fleet. */
  readonly fromWorker: WorkerKey | null;
  /** The worker that can take some of it; `null` where none can. */
  readonly toWorker: WorkerKey | null;
  /** Of a move. */
  readonly load?: number;
  /** Of `add-workers`. */
  readonly count?: number;
  readonly reason: 'overloaded' | 'stalled' | 'unreachable' | 'fleet-overloaded';
  /** 1 is full. `null` for a worker that is unreachable or stalled. */
  readonly pressure: number | null;
  /** 1 can wait, 10 can't. */
  readonly priority: number;
}

/** How loaded the workers are. */
export interface OverloadReport {
  /** Whether anything is: a worker or the fleet. */
  readonly isOverloaded: boolean;
  readonly isFleetOverloaded: boolean;
  /** The load of the workers that take tasks as a share of their capacity: 1 is full. */
  readonly fleetPressure: number;
  /** Workers that are overloaded, or unreachable with tasks. */
  readonly overloadedWorkers: readonly WorkerKey[];
  readonly recommendations: readonly OverloadRecommendation[];
}

/** Asks core. */
export function overload(engine: Engine, workers: readonly BalanceWorker[]): OverloadReport {
  engine.follow(workers, () => {});
  // One for each worker, one for the fleet.
  engine.reserve(HEAD + (engine.fleet.size + 1) * WIDTH);
  const now = engine.now();
  const count = engine.call((core, balancer) => core.balance_overload(balancer, now));
  const { floats } = engine;
  const [fleetPressure = 0, fleet = 0, inTrouble = 0] = floats;
  const recommendations = rowsOf(floats.subarray(HEAD), count, WIDTH, ([from = -1, to = -1, action = 0, amount = 0, why = 0, detail = 0, priority = 0]) => ({
    action: ACTIONS[action - 1] as OverloadRecommendation['action'],
    fromWorker: engine.fleet.row(from)?.id ?? null,
    toWorker: engine.fleet.row(to)?.id ?? null,
    ...(action === 1 ? { load: amount } : {}),
    ...(action === 2 ? { count: amount } : {}),
    reason: REASONS[why - 1] as OverloadRecommendation['reason'],
    pressure: why === 1 || why === 4 ? detail : null,
    priority,
  }));
  return {
    isOverloaded: fleet === 1 || inTrouble > 0,
    isFleetOverloaded: fleet === 1,
    fleetPressure,
    overloadedWorkers: recommendations.flatMap(({ fromWorker }) => fromWorker ?? []),
    recommendations,
  };
}

const ACTIONS = ['move', 'add-workers', 'hold-back'] as const;
const REASONS = ['overloaded', 'stalled', 'unreachable', 'fleet-overloaded'] as const;
const HEAD = 3;
const WIDTH = 8;
