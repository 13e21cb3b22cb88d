import { STRATEGY_NAMES, type StrategyName } from '../balance/strategy-names.js';
import { QuillworkError } from '../errors.js';
import type { PoolSettings } from './settings.js';

/** When tasks are given their worker. */
export interface BindingOptions {
  /**
   * Chooses a worker when a task is submitted; it then stands in that worker's line. `consistent-hash` keeps tasks of one `key` at one worker,
   * the others go by loads, outcomes and run times.
   */
  readonly strategy: StrategyName;
  /**
   * How long a task stands in its worker's line before another one that has nothing of its own to start may take it, `Infinity` for never.
   * Default 0: at once.
   */
  readonly stealAfterMs?: number;
}

/** Checks the option and turns it into numbers. */
export function bindingSettings(
  binding: 'late' | StrategyName | BindingOptions,
): Pick<PoolSettings, 'binding' | 'stealAfterMs'> {
  if (binding === 'late') {
    return { binding: 0, stealAfterMs: 0 };
  }
  const { strategy, stealAfterMs = 0 } = typeof binding === 'string' ? { strategy: binding } : binding;
  const index = STRATEGY_NAMES.indexOf(strategy);
  if (index < 0) {
    const known = STRATEGY_NAMES.map((name) => `'${name}'`).join(', ');
    throw new QuillworkError('ERR_INVALID_OPTION', `\`binding\` is 'late' or one of ${known}, not ${String(strategy)}`);
  }
  if (!(typeof stealAfterMs === 'number' && stealAfterMs >= 0)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`binding.stealAfterMs\` is 0 milliseconds or more, not ${String(stealAfterMs)}`);
  }
  return { binding: index + 1, stealAfterMs };
}
