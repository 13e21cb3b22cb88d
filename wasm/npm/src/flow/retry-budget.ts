import { flowCore, type FlowCore } from '../flow-core.js';
import { FlowClock } from './clock.js';
import { known, share, whole } from './options.js';

/** What retries of many calls may cost together. */
export interface RetryBudgetOptions {
  /** How much of a retry each success earns, 0 to 1. Default 0.2: in a long outage a fifth of the successes may be retries. */
  readonly depositRatio?: number | undefined;
  /** How many retries a second there are in any case. Default 10. */
  readonly reservePerSecond?: number | undefined;
  /** How many retries can be saved up, and are there at the start. Default 100. */
  readonly maxSaved?: number | undefined;
}

/** What a budget has to show. */
export interface RetryBudgetMetrics {
  /** Retries that it would grant now. */
  readonly available: number;
  readonly capacity: number;
  /** Successes that paid in. */
  readonly deposits: number;
  /** Retries that were granted, less those that were not made. */
  readonly withdrawals: number;
  readonly refusals: number;
}

/** A budget to share: hand it to every {@link retry} or {@link policy} that calls the same service. */
export interface RetryBudget {
  getMetrics(): RetryBudgetMetrics;
}

/**
 * Keeps retries from multiplying an outage: a success pays in a part of a retry, a retry costs a whole one. First attempts are never
 * blocked. Throws `ERR_INVALID_OPTION`.
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  return new SharedBudget(options);
}

/** As `flow.wasm` reads them. `defaults` are those of the layer. */
export function budgetSettings(
  options: RetryBudgetOptions,
  where = '`retryBudget`',
  defaults = { depositRatio: 0.2, reservePerSecond: 10, maxSaved: 100 },
): readonly number[] {
  known(where, options, 'depositRatio reservePerSecond maxSaved');
  const ratio = options.depositRatio ?? defaults.depositRatio;
  return [
    ratio === 0 ? 0 : share('depositRatio', ratio),
    whole('reservePerSecond', options.reservePerSecond ?? defaults.reservePerSecond, 0, 2 ** 32 - 1),
    whole('maxSaved', options.maxSaved ?? defaults.maxSaved, 1, 2 ** 32 - 1),
  ];
}

/** A budget, with the core and the clock of all who share it. */
export class SharedBudget implements RetryBudget {
  readonly core: FlowCore = flowCore();
  readonly clock = new FlowClock();
  readonly settings: readonly number[];
  readonly handle: number;

  constructor(options: RetryBudgetOptions) {
    this.settings = budgetSettings(options);
    this.handle = this.core.make(this.settings, (exports) => exports.budget_new(this.clock.now()));
    freeing(this.core, this, this.handle);
  }

  getMetrics(): RetryBudgetMetrics {
    this.core.call((exports) => exports.budget_metrics(this.handle, this.clock.now()));
    const [available = 0, capacity = 0, deposits = 0, withdrawals = 0, refusals = 0] = this.core.floats;
    return { available, capacity, deposits, withdrawals, refusals };
  }
}

/** In a function of its own: a closure made where another holds on to the budget would hold on to it too. */
function freeing(core: FlowCore, budget: object, handle: number): void {
  core.freeWith(budget, (exports) => exports.budget_free(handle));
}
