import type { CustomStrategy } from '../balance/strategies.js';
import { STRATEGY_NAMES, type StrategyName } from '../balance/strategy-names.js';
import type { BalanceTask, BalanceWorker } from '../balance/types.js';
import { QuillworkError } from '../errors.js';
import type { ChoiceCandidate, ChoiceTask, CustomBinding } from './binding.js';

/**
 * What a pool takes for a strategy: the name of a built-in one, an instance of its class (`new LeastLoadedStrategy()`) without options, or one of
 * your own as a {@link LoadBalancer} takes it: `{ name, selectWorker(task, workers) }`.
 */
export type PoolStrategy = StrategyName | CustomStrategy;

/** Whether this is a strategy rather than what is said about one. */
export function isStrategy(value: object): value is CustomStrategy {
  return 'selectWorker' in value && typeof value.selectWorker === 'function';
}

/** Which built-in strategy it is, counted from 1; `undefined` for one of the app's own. */
export function builtIn(option: string, strategy: PoolStrategy): number | undefined {
  const name = typeof strategy === 'object' ? strategy.name : strategy;
  const index = STRATEGY_NAMES.indexOf(name as StrategyName);
  if (index >= 0) {
    refuseOptions(option, name, strategy);
    return index + 1;
  }
  if (typeof strategy === 'object' && isStrategy(strategy)) {
    return undefined;
  }
  const known = STRATEGY_NAMES.map((known) => `'${known}'`).join(', ');
  const late = option === 'binding' ? "'late' or " : '';
  throw new QuillworkError('ERR_INVALID_OPTION', `\`${option}\` is ${late}one of ${known}, not ${String(name)}`);
}

/** The pool decides in the core, by what it sees itself: an object's own settings would be lost without a word. */
function refuseOptions(option: string, name: string, strategy: PoolStrategy): void {
  const given = typeof strategy === 'object' && 'options' in strategy ? Object.keys(strategy.options ?? {}) : [];
  if (given.length > 0) {
    throw new QuillworkError(
      'ERR_INVALID_OPTION',
      `\`${option}\`: a pool runs '${name}' with the usual settings, so leave out ${given.join(', ')}. To choose with them, pass { choose(task, candidates) }`,
    );
  }
}

/** A strategy of the app's own as what a pool asks. What is told of workers is what the pool knows of them. */
export function asked(strategy: CustomStrategy): CustomBinding['choose'] {
  return (task, candidates) => {
    const chosen = strategy.selectWorker(balanceTask(task), candidates.map(balanceWorker));
    const id = typeof chosen === 'object' ? chosen?.id : chosen;
    return typeof id === 'number' ? id : undefined;
  };
}

function balanceTask({ name, priority }: ChoiceTask): BalanceTask {
  return { taskType: name, priority };
}

function balanceWorker(candidate: ChoiceCandidate): BalanceWorker {
  const { worker, capabilities, capacity, assigned, successRatio, expectedRunMs } = candidate;
  return {
    id: worker,
    capabilities,
    maxCapacity: Math.max(capacity, assigned),
    currentLoad: assigned,
    concurrency: capacity,
    metrics: { successRate: successRatio, averageDurationMs: expectedRunMs },
  };
}
