import { QuillworkError } from '../errors.js';
import { known, millis, whole } from './options.js';

/** How the waits between attempts are spread: not at all, from nothing to the whole wait, or drifting from the base upwards. */
export type Jitter = 'none' | 'full' | 'decorrelated';

/** How failed attempts are tried again. */
export interface RetrySettings {
  /** How many attempts a call has, the first included. Default 3. */
  readonly attempts?: number | undefined;
  /** The wait after the first failure, before jitter, in milliseconds. Default 100. */
  readonly base?: number | undefined;
  /** The longest wait, in milliseconds. Default 10,000, or `base` where that is longer. */
  readonly cap?: number | undefined;
  /** By how much each wait is longer than the one before, 1 or more. Default 2. */
  readonly factor?: number | undefined;
  /** How waits are spread, so that many who failed together don't come back together. Default `'full'`. */
  readonly jitter?: Jitter | undefined;
  /** The longest wait that the other side may ask for, in milliseconds. Default 60,000. */
  readonly maxRetryAfter?: number | undefined;
}

/** As `flow.wasm` reads them. */
export function retrySettings(options: RetrySettings): readonly number[] {
  known('`retry`', options, 'attempts base cap factor jitter maxRetryAfter');
  const base = millis('base', options.base ?? 100, 0);
  const factor = options.factor ?? 2;
  if (!(factor >= 1 && factor < Infinity)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`factor\` is 1 or more, not ${String(factor)}: waits don't get shorter`);
  }
  const jitter = JITTERS.indexOf(options.jitter ?? 'full');
  if (jitter < 0) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`jitter\` is 'none', 'full' or 'decorrelated', not ${String(options.jitter)}`);
  }
  return [
    whole('attempts', options.attempts ?? 3, 1, 2 ** 32 - 1),
    base,
    millis('cap', options.cap ?? Math.max(10_000, base), 0),
    factor,
    jitter,
    Infinity,
    millis('maxRetryAfter', options.maxRetryAfter ?? 60_000, 0),
  ];
}

const JITTERS: readonly Jitter[] = ['none', 'full', 'decorrelated'];
