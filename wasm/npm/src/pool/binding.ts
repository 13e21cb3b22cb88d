import type { CustomStrategy } from '../balance/strategies.js';
import type { StrategyName } from '../balance/strategy-names.js';
import { known, millis, object } from '../checks.js';
import { QuillworkError } from '../errors.js';
import type { OfferNames } from './capabilities.js';
import type { PoolSettings } from './settings.js';
import { asked, builtIn, isStrategy, type PoolStrategy } from './strategy.js';

/** When tasks are given their worker. */
export interface BindingOptions {
  /**
   * Chooses a worker when a task is submitted; it then stands in that worker's line. `consistent-hash` keeps tasks of one `key` at one worker,
   * the others go by loads, outcomes and run times. One of your own is asked for each task, as {@link CustomBinding} is.
   */
  readonly strategy: PoolStrategy;
  /**
   * How long a task stands in its worker's line before another one that has nothing of its own to start may take it, `Infinity` for never.
   * Default 0: at once.
   */
  readonly stealAfterMs?: number;
}

/** A strategy of the app's own, which is asked for each task. */
export interface CustomBinding {
  /**
   * Chooses one of the candidates by its number, or `undefined` to leave the choice to `fallback`. It may take its time; what it throws is
   * reported as uncaught, and the fall-back chooses.
   */
  choose(task: ChoiceTask, candidates: readonly ChoiceCandidate[]): number | undefined | PromiseLike<number | undefined>;
  /** How long a task waits for an answer, 1 ms or more, before the fall-back chooses. Default 50. */
  readonly answerWithinMs?: number;
  /** Who chooses instead. Default `least-loaded`. */
  readonly fallback?: StrategyName;
  /** As in {@link BindingOptions}. The wait for the answer counts. */
  readonly stealAfterMs?: number;
}

/** The task that a worker is chosen for. */
export interface ChoiceTask {
  readonly name: string;
  readonly input: unknown;
  readonly priority: number;
}

/** A worker that a task may be given to. */
export interface ChoiceCandidate {
  readonly worker: number;
  /** Which of the workers that filled the place: another one knows nothing of what the last one had in its caches. */
  readonly generation: number;
  readonly capabilities: readonly string[];
  readonly capacity: number;
  /** What the tasks that it runs add up to, by complexity, and the same with those in its line. */
  readonly running: number;
  readonly assigned: number;
  /** Share of its runs that succeeded, recent ones counting most, 0 to 1. */
  readonly successRatio: number;
  /** How long a task of this name is expected to take there. */
  readonly expectedRunMs: number;
  /** How long its tasks take one after the other. */
  readonly backlogMs: number;
}

/** What the core tells of candidates. */
export function candidates(floats: Float64Array, count: number, names: OfferNames): ChoiceCandidate[] {
  return Array.from({ length: count }, (_, index) => {
    const at = (field: number): number => floats[index * CANDIDATE_FLOATS + field] ?? 0;
    return {
      worker: at(0),
      generation: at(1),
      capabilities: names.names(at(2)),
      capacity: at(3),
      running: at(4),
      assigned: at(5),
      successRatio: at(6),
      expectedRunMs: at(7),
      backlogMs: at(8),
    };
  });
}

/** What may be said about binding. */
export type Binding = 'late' | StrategyName | CustomStrategy | BindingOptions | CustomBinding;

/** What the option says to the core, and whom it asks besides. */
export interface CheckedBinding {
  readonly settings: Pick<PoolSettings, 'binding' | 'stealAfterMs' | 'answerWithinMs'>;
  readonly choose: CustomBinding['choose'] | undefined;
}

/** Checks the option. Throws `ERR_INVALID_OPTION`. */
export function checkBinding(binding: Binding): CheckedBinding {
  if (binding === 'late') {
    return { settings: { binding: 0, stealAfterMs: 0, answerWithinMs: 0 }, choose: undefined };
  }
  if (typeof binding === 'string' || (object('`binding`, where it is no name, is', binding), isStrategy(binding))) {
    return byStrategy('binding', binding, 0);
  }
  const stealAfterMs = millis('binding.stealAfterMs', binding.stealAfterMs ?? 0, 0);
  if ('strategy' in binding) {
    known('`binding`', binding, 'strategy stealAfterMs');
    return byStrategy('binding.strategy', binding.strategy, stealAfterMs);
  }
  if (typeof binding.choose !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', "`binding` is 'late', a strategy or its name, { strategy }, or { choose(task, candidates) }");
  }
  if (Object.getPrototypeOf(binding) === Object.prototype) {
    // An object of a class of the app's keeps what it likes beside them.
    known('`binding`', binding, 'choose answerWithinMs fallback stealAfterMs');
  }
  const fallback = builtIn('binding.fallback', binding.fallback ?? FALLBACK) ?? 0;
  const answerWithinMs = millis('binding.answerWithinMs', binding.answerWithinMs ?? ANSWER_WITHIN_MS, 1);
  return { settings: { binding: fallback, stealAfterMs, answerWithinMs }, choose: binding.choose.bind(binding) };
}

function byStrategy(option: string, strategy: PoolStrategy, stealAfterMs: number): CheckedBinding {
  const number = builtIn(option, strategy);
  if (number !== undefined) {
    return { settings: { binding: number, stealAfterMs, answerWithinMs: 0 }, choose: undefined };
  }
  const fallback = builtIn(option, FALLBACK) ?? 0;
  return {
    settings: { binding: fallback, stealAfterMs, answerWithinMs: ANSWER_WITHIN_MS },
    choose: asked(strategy as CustomStrategy),
  };
}

const FALLBACK = 'least-loaded';
const ANSWER_WITHIN_MS = 50;
const CANDIDATE_FLOATS = 9;
