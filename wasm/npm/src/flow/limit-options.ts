import { QuillworkError } from '../errors.js';
import { known, millis, share, whole } from './options.js';
import { budgetSettings, type RetryBudgetOptions } from './retry-budget.js';

/** How many calls run and wait. */
export interface BulkheadOptions {
  /** How many calls run at a time. Default 10. */
  readonly maxConcurrent?: number | undefined;
  /** How many calls wait for a place. Default 0: what can't run at once is refused with `ERR_QUEUE_FULL`. */
  readonly maxQueued?: number | undefined;
  /** How long a call may wait for a place, in milliseconds; then `ERR_QUEUE_EXPIRED`. Default: as long as it takes. */
  readonly maxWait?: number | undefined;
}

/** As `flow.wasm` reads them. */
export function bulkheadSettings(options: BulkheadOptions): readonly number[] {
  known('`bulkhead`', options, 'maxConcurrent maxQueued maxWait');
  return [
    whole('maxConcurrent', options.maxConcurrent ?? 10, 1, 2 ** 32 - 1),
    whole('maxQueued', options.maxQueued ?? 0, 0, 2 ** 32 - 1),
    millis('maxWait', options.maxWait ?? Infinity, 1),
  ];
}

/** When a call is made a second time beside the first. */
export interface HedgeOptions {
  /**
   * How long to wait for an attempt before another is started beside it: milliseconds, or the share of the attempts of the last minute
   * that were faster, measured from `minSamples` on. Default `{ quantile: 0.95 }`.
   */
  readonly delay?: number | { readonly quantile: number; readonly minSamples?: number; readonly atLeast?: number } | undefined;
  /** How many hedges a call may have, 1 to 8. Default 1. */
  readonly maxHedges?: number | undefined;
  /** What hedges may cost together. Default: a tenth of the successful calls, ten saved up. */
  readonly budget?: RetryBudgetOptions | undefined;
}

/** As `flow.wasm` reads them. */
export function hedgeSettings(options: HedgeOptions): readonly number[] {
  const { delay = { quantile: 0.95 } } = known('`hedge`', options, 'delay maxHedges budget');
  const when =
    typeof delay === 'number'
      ? [0, millis('delay', delay, 1), 0, 0]
      : quantileSettings(known('`hedge.delay`', delay, 'quantile minSamples atLeast'));
  return [
    ...when,
    whole('maxHedges', options.maxHedges ?? 1, 1, 8),
    ...budgetSettings(options.budget ?? {}, '`hedge.budget`', { depositRatio: 0.1, reservePerSecond: 0, maxSaved: 10 }),
  ];
}

function quantileSettings({ atLeast = 1, quantile, minSamples = 20 }: HedgeQuantile): readonly number[] {
  return [1, millis('delay.atLeast', atLeast, 1), share('delay.quantile', quantile), whole('delay.minSamples', minSamples, 1, 2 ** 32 - 1)];
}

type HedgeQuantile = Exclude<HedgeOptions['delay'], number | undefined>;

/** How many calls a service takes at a time, found out from how long they take. */
export interface AdaptiveLimitOptions {
  /** Calls that may always run. Default 1. */
  readonly floor?: number | undefined;
  /** Calls that never more than run. Default 1,000. */
  readonly ceiling?: number | undefined;
  /** Where it starts. Default 20, within floor and ceiling. */
  readonly initial?: number | undefined;
  /** What a dropped call makes of the limit, above 0 and below 1. Default 0.9. */
  readonly dropFactor?: number | undefined;
  /** `'gradient'` compares latency with what it is without a queue; `'aimd'` looks only at dropped and too slow calls. Default `'gradient'`. */
  readonly algorithm?: 'gradient' | 'aimd' | undefined;
  /** Of `aimd`: a call that takes longer counts as dropped, in milliseconds. Default: only failed calls do. */
  readonly tooSlow?: number | undefined;
  /** Of a gradient: how much longer than without a queue calls may take, 1 to below 2. Default 1.5. */
  readonly tolerance?: number | undefined;
  /** Of a gradient: how much of a new limit is taken over at once, above 0 and at most 1. Default 0.2. */
  readonly smoothing?: number | undefined;
  /** Of a gradient: the least time over which calls are measured, in milliseconds. Default 100. */
  readonly window?: number | undefined;
  /** Of a gradient: the fewest calls in a window. Default 50. */
  readonly minSamples?: number | undefined;
  /** Of a gradient: in this time half of what is known about latency without a queue is forgotten, in milliseconds. Default 300,000. */
  readonly baselineHalfLife?: number | undefined;
  /** Of a gradient: how often half of the limit is tried, in milliseconds; `Infinity` for never. Default 30,000. */
  readonly probeEvery?: number | undefined;
}

/** As `flow.wasm` reads them. */
export function adaptiveSettings(options: AdaptiveLimitOptions): readonly number[] {
  const { algorithm = 'gradient' } = known(
    '`adaptiveLimit`',
    options,
    'floor ceiling initial dropFactor algorithm tooSlow tolerance smoothing window minSamples baselineHalfLife probeEvery',
  );
  if (algorithm !== 'gradient' && algorithm !== 'aimd') {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`algorithm\` is 'gradient' or 'aimd', not ${String(algorithm)}`);
  }
  const floor = whole('floor', options.floor ?? 1, 1, 2 ** 32 - 1);
  const ceiling = whole('ceiling', options.ceiling ?? Math.max(1_000, floor), floor, 2 ** 32 - 1);
  const of =
    algorithm === 'aimd'
      ? [0, millis('tooSlow', options.tooSlow ?? Infinity, 0)]
      : [
          1,
          options.tolerance ?? 1.5,
          share('smoothing', options.smoothing ?? 0.2),
          millis('window', options.window ?? 100, 0),
          whole('minSamples', options.minSamples ?? 50, 1, 2 ** 32 - 1),
          millis('baselineHalfLife', options.baselineHalfLife ?? 300_000, 1),
          millis('probeEvery', options.probeEvery ?? 30_000, 1),
        ];
  return [
    floor,
    ceiling,
    whole('initial', options.initial ?? Math.min(Math.max(20, floor), ceiling), floor, ceiling),
    share('dropFactor', options.dropFactor ?? 0.9),
    ...of,
  ];
}
