import { QuillworkError } from '../errors.js';
import { known, millis, whole } from './options.js';

/** What happens to one operation too many. */
export type ThrottledOverflow =
  /** The new one is refused with `ERR_QUEUE_FULL`. */
  | 'reject'
  /** The one that came first ends with `ERR_DROPPED`: for state of which only the latest matters. */
  | 'drop-oldest'
  /** The one that would start last does; where that is the new one, it is refused with `ERR_QUEUE_FULL`. */
  | 'drop-lowest-priority'
  /** The new one waits outside for a place, up to `maxWaiting` of them. */
  | 'wait';

/** Settings of {@link throttled}. */
export interface ThrottledOptions {
  /** How many operations run at once. Default 8. */
  readonly maxConcurrent?: number | undefined;
  /** How much weight starts in a second. Default: no limit. */
  readonly maxPerSecond?: number | undefined;
  /** How much starts at once after a pause; with `cooldownPeriod`, how many starts make a burst. Default `maxPerSecond`, rounded up. */
  readonly maxBurstSize?: number | undefined;
  /**
   * The rest after a burst of `maxBurstSize` starts, each less than this after the one before, in milliseconds. Needs `maxBurstSize`. Default:
   * none.
   */
  readonly cooldownPeriod?: number | undefined;
  /** `true`: no second ever sees more than `maxPerSecond`, bursts included. Default `false`: bursts come on top of a steady rate. */
  readonly strict?: boolean | undefined;
  /** How many operations wait in the queue. Default 1,000. */
  readonly maxQueued?: number | undefined;
  /** What happens when it is full. Default `'reject'`. */
  readonly overflow?: ThrottledOverflow | undefined;
  /** Of overflow `'wait'`: how many wait outside. Default 10,000. */
  readonly maxWaiting?: number | undefined;
  /** How long an operation waits to gain one level of priority, in milliseconds. 0: priorities don't matter. Default 1,000. */
  readonly ageing?: number | undefined;
}

/** As `flow.wasm` reads them. Throws `ERR_INVALID_OPTION`. */
export function throttledSettings(options: ThrottledOptions): readonly number[] {
  const { maxPerSecond, maxBurstSize, cooldownPeriod } = known(
    'throttled',
    options,
    'maxConcurrent maxPerSecond maxBurstSize cooldownPeriod strict maxQueued overflow maxWaiting ageing',
  );
  const overflow = OVERFLOWS.indexOf(options.overflow ?? 'reject');
  if (overflow < 0) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`overflow\` is one of ${OVERFLOWS.join(', ')}, not ${String(options.overflow)}`);
  }
  if (cooldownPeriod !== undefined && maxBurstSize === undefined) {
    throw new QuillworkError('ERR_INVALID_OPTION', '`cooldownPeriod` is the rest after a burst: say with `maxBurstSize` how many starts make one');
  }
  const burst = maxBurstSize === undefined ? undefined : whole('maxBurstSize', maxBurstSize, 1, 2 ** 32 - 1);
  return [
    whole('maxConcurrent', options.maxConcurrent ?? 8, 1, 2 ** 32 - 1),
    ...(maxPerSecond === undefined ? [0] : [1, ...rateOf(maxPerSecond, burst, options.strict === true)]),
    ...(cooldownPeriod === undefined ? [0, 0, 0] : [1, burst ?? 1, millis('cooldownPeriod', cooldownPeriod, 1)]),
    whole('maxQueued', options.maxQueued ?? 1_000, 0, 2 ** 24),
    overflow,
    whole('maxWaiting', options.maxWaiting ?? 10_000, 0, 2 ** 24),
    millis('ageing', options.ageing ?? 1_000, 0),
  ];
}

/** Strict, weight, period in milliseconds, burst. A rate that isn't whole is one in a longer or shorter time. */
function rateOf(perSecond: number, burst: number | undefined, strict: boolean): readonly number[] {
  if (!(perSecond > 0 && perSecond <= 1e9)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`maxPerSecond\` is above 0 and at most 1e9, not ${String(perSecond)}`);
  }
  const [weight, period] = Number.isInteger(perSecond) ? [perSecond, 1_000] : [1, 1_000 / perSecond];
  return [strict ? 1 : 0, weight, period, burst ?? Math.ceil(perSecond)];
}

const OVERFLOWS: readonly ThrottledOverflow[] = ['reject', 'drop-oldest', 'drop-lowest-priority', 'wait'];
