import { known } from '../checks.js';
import { Engine } from './engine.js';
import { explainWorkers, refusalOf, type Explanation } from './explain.js';
import { STRATEGY_OPTIONS, type StrategyOptions } from './options.js';
import { EXPERT_NAMES, type AdaptiveWeights, type StrategyName } from './strategy-names.js';
import { typeOf } from './task.js';
import type { BalanceTask, BalanceWorker, WorkerKey } from './types.js';
import { atLeast, key, show } from './values.js';

/** A strategy of your own. */
export interface CustomStrategy {
  /** What it is called in {@link LoadBalancer.setStrategy}: not the name of a built-in one. */
  readonly name: string;
  /**
   * Chooses among the workers that may have the task; there is at least one. Answers one of them or its id, at once; `null` for
   * nobody.
   */
  selectWorker(task: BalanceTask, workers: readonly BalanceWorker[]): BalanceWorker | WorkerKey | null | undefined;
}

/**
 * A built-in strategy, to be used by itself or handed to a {@link LoadBalancer}, which then keeps a state of its own. Whatever
 * the strategy, a worker may have a task only where its status takes tasks, it has all `capabilities`, the task fits into what is
 * left of its capacity, and `antiAffinity` doesn't name it; `affinity` and `region` narrow the choice where they can. Ties go to
 * the worker that was chosen longest ago, never to a place in the list.
 */
export abstract class BuiltInStrategy {
  abstract readonly name: StrategyName;
  /** As given. */
  readonly options: StrategyOptions;
  #engine: Engine | undefined;
  #isRefused = false;
  #chosen: WorkerKey | null = null;

  constructor(options: StrategyOptions = {}) {
    this.options = known('a strategy', options, STRATEGY_OPTIONS);
  }

  /** Chooses a worker, or `null` where none may have the task: {@link BuiltInStrategy.explain} says why. */
  selectWorker<Worker extends BalanceWorker>(task: BalanceTask, workers: readonly Worker[]): Worker | null {
    const row = this.engine.select(task, workers);
    this.#isRefused = row === undefined;
    this.#chosen = row?.id ?? null;
    return row === undefined ? null : (workers[row.index] as Worker);
  }

  /** What became of the last choice; `undefined` before the first. */
  explain(): Explanation | undefined {
    const { engine, name } = this;
    if (engine.questions === 0) {
      return undefined;
    }
    if (this.#isRefused && engine.refusal !== undefined) {
      return { worker: null, strategy: name, ...refusalOf(engine, engine.refusal), workers: explainWorkers(engine) };
    }
    const message = `${name} chose worker ${show(this.#chosen)}`;
    return { worker: this.#chosen, strategy: name, reason: 'selected', message, mayPass: false, workers: [] };
  }

  /** Tells how a task ended: see {@link LoadBalancer.updateContext}. */
  updateContext(workerId: WorkerKey, taskType: string, success: boolean, durationMs: number): void {
    learn(this.engine, workerId, taskType, success, durationMs);
  }

  /** Frees what it holds now instead of when it is collected. */
  [Symbol.dispose](): void {
    this.#engine?.dispose();
  }

  /** @internal Made when it is first used by itself. */
  protected get engine(): Engine {
    this.#engine ??= new Engine(this.name, this.options);
    return this.#engine;
  }
}

/**
 * Each worker in turn; where capacities differ, each as often as its capacity says and never in bursts (5, 1, 1 gives a a b a c a a:
 * nginx's smooth weighted round robin). For equal tasks on equal workers whose loads nobody tells.
 */
export class RoundRobinStrategy extends BuiltInStrategy {
  readonly name = 'round-robin';
}

/**
 * The least `(currentLoad + 1) / maxCapacity`. For workers of known capacity and about equal speed; a worker that fails at once looks
 * free, so use `ejectFailing` with it.
 */
export class LeastLoadedStrategy extends BuiltInStrategy {
  readonly name = 'least-loaded';
}

/**
 * The most `0.4 * (1 - scarcity) + 0.6 * (1 - currentLoad / maxCapacity)`, where `scarcity` is the sum of `1 / workers that have it` over the
 * worker's capabilities, relative to the largest in the fleet: common work stays off rare specialists until the others are two thirds
 * full.
 */
export class CapabilityBasedStrategy extends BuiltInStrategy {
  readonly name = 'capability-based';
}

/**
 * The most `0.35 * success rate + 0.25 * speed + 0.25 * uptime + 0.15 * (1 - currentLoad / maxCapacity)`, where `speed` is
 * `1 / (1 + slowness)`. By the workers' `metrics` until outcomes have shown more. For few long tasks on workers of very different
 * quality.
 */
export class PerformanceBasedStrategy extends BuiltInStrategy {
  readonly name = 'performance-based';
}

/** The highest {@link WorkerScore}: each choice can be explained by four numbers. */
export class BestScoreStrategy extends BuiltInStrategy {
  readonly name = 'best-score';
}

/** By chance, in proportion to `maxCapacity`. For loads that are so old that trusting them would be worse. */
export class RandomStrategy extends BuiltInStrategy {
  readonly name = 'random';
}

/** The less loaded of two drawn at random. For hundreds of workers, or several balancers beside each other. */
export class PowerOfTwoStrategy extends BuiltInStrategy {
  readonly name = 'power-of-two';
}

/**
 * The least `latency * (currentLoad + 1)`, where latency jumps up to each peak at once and comes down slowly. For latencies over a network
 * that change by the second.
 */
export class PeakEwmaStrategy extends BuiltInStrategy {
  readonly name = 'peak-ewma';
}

/**
 * The least `wait + service`: what the task's type takes on that worker, behind what it holds. For workers of different speed and types of
 * different length.
 */
export class ShortestExpectedDelayStrategy extends BuiltInStrategy {
  readonly name = 'shortest-expected-delay';
}

/**
 * Tasks of one `key` to one worker, unless that holds more than a quarter above the fleet's mean. For caches on the workers. A worker that
 * leaves moves its own keys only.
 */
export class ConsistentHashStrategy extends BuiltInStrategy {
  readonly name = 'consistent-hash';
}

/**
 * Mixes five of the others, with weights for each task type that it learns from outcomes: each strategy is charged for the worker that it
 * would have chosen. For traffic that you can't describe, or that changes. It learns by `updateContext`.
 */
export class AdaptiveStrategy extends BuiltInStrategy {
  readonly name = 'adaptive';

  /** The weights that the next choice for this type of task uses; they sum to 1. */
  getWeights(taskType?: string): AdaptiveWeights {
    return weightsOf(this.engine, taskType);
  }
}

/** Adaptive's weights by name. */
export function weightsOf(engine: Engine, taskType: string | undefined): AdaptiveWeights {
  const type = typeOf(taskType);
  engine.call((core, balancer) => core.balance_weights(balancer, type));
  const { floats } = engine;
  return Object.fromEntries(EXPERT_NAMES.map((name, at) => [name, floats[at]])) as AdaptiveWeights;
}

/** Hands an outcome to core, of a worker that it may not have met. */
export function learn(engine: Engine, workerId: WorkerKey, taskType: string | undefined, success: boolean, durationMs: number): void {
  const row = engine.fleet.add(key('`workerId`', workerId));
  const type = typeOf(taskType, 'the outcome');
  const duration = atLeast('durationMs', 'the outcome', durationMs, 0, 0);
  engine.introduce(row);
  const now = engine.now();
  engine.call((core, balancer) => core.balance_outcome(balancer, now, row.number, type, success ? 1 : 0, duration));
  if (success) {
    row.succeeded += 1;
  } else {
    row.failed += 1;
  }
  row.busyMs += duration;
}
