import { QuillworkError } from '../errors.js';

/** When a debounced function invokes. */
export interface DebounceOptions {
  /** Whether the first call of a burst invokes at once. Default `false`. */
  readonly leading?: boolean | undefined;
  /** Whether the end of a burst invokes; with `leading`, only if the burst had more than one call. Default `true`. */
  readonly trailing?: boolean | undefined;
  /** The longest time between invocations while calls keep coming, in milliseconds, at least `wait`. Default: none. */
  readonly maxWait?: number | undefined;
}

/** What a debounced or throttled function has done. */
export interface DebounceMetrics {
  /** When it was called last, as `Date.now()` has it; `undefined` before the first call and after a cancel. */
  readonly lastCallTime: number | undefined;
  /** When it last invoked; `undefined` before the first time and after a cancel. */
  readonly lastInvokeTime: number | undefined;
  /** Whether a burst goes on. Its end need not invoke. */
  readonly isWaiting: boolean;
  /** Since it was made. */
  readonly performance: {
    readonly calls: number;
    readonly invocations: number;
    /** How long invocations took on average, in milliseconds; 0 before the first. Of an async function: until it gave its promise. */
    readonly averageInvokeMs: number;
    readonly longestInvokeMs: number;
  };
}

/** What debounced and throttled functions have in common. */
export interface DebounceControl<Result> {
  /** Forgets the burst: the next call is as the first. */
  cancel(): void;
  /** Ends the burst now: invokes what is pending. Returns the result of the last invocation. */
  flush(): Result;
  /** Whether a burst goes on. */
  pending(): boolean;
  getMetrics(): DebounceMetrics;
}

/** A debounced or throttled function. A call returns the result of the last invocation. */
export interface Debounced<This, Arguments extends unknown[], Result> extends DebounceControl<Result> {
  (this: This, ...args: Arguments): Result;
}

/**
 * A function that is invoked once a burst of calls has ended, with the arguments of the last call.
 *
 * Signature and behaviour are those of lodash's `debounce`, step for step: see docs/flow/debounce-and-throttle.md. One thing is kinder:
 * an option that is `undefined` counts as left out. `wait` is in milliseconds, default 0, which still waits for the next turn. Throws
 * `ERR_INVALID_OPTION` where `fn` is no function.
 */
export function debounce<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result,
  wait: number | undefined,
  options: DebounceOptions & { readonly leading: true },
): Debounced<This, Arguments, Result>;
export function debounce<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result,
  wait?: number,
  options?: DebounceOptions,
): Debounced<This, Arguments, Result | undefined>;
export function debounce<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result,
  wait?: number,
  options?: DebounceOptions,
): Debounced<This, Arguments, Result | undefined> {
  if (typeof fn !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `the first argument is the function to call less often, not ${String(fn)}`);
  }
  const pause = Number(wait) || 0;
  const { leading = false, trailing = true, maxWait } = options ?? {};
  const longest = maxWait === undefined ? undefined : Math.max(Number(maxWait) || 0, pause);

  let owed: Arguments | undefined;
  let owedThis: This | undefined;
  let result: Result | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastCall: number | undefined;
  let lastInvoke = 0;
  let invokedAt: number | undefined;
  let calls = 0;
  let invocations = 0;
  let spentMs = 0;
  let longestMs = 0;

  const isTime = (now: number): boolean => {
    if (lastCall === undefined) {
      return true;
    }
    const sinceCall = now - lastCall;
    return sinceCall >= pause || sinceCall < 0 || (longest !== undefined && now - lastInvoke >= longest);
  };

  const invoke = (now: number): Result => {
    const args = owed as Arguments;
    const self = owedThis as This;
    owed = owedThis = undefined;
    lastInvoke = invokedAt = now;
    invocations += 1;
    const startedAt = performance.now();
    try {
      result = fn.apply(self, args);
    } finally {
      const took = performance.now() - startedAt;
      spentMs += took;
      longestMs = Math.max(longestMs, took);
    }
    return result;
  };

  const trailingEdge = (now: number): Result | undefined => {
    timer = undefined;
    if (trailing && owed !== undefined) {
      return invoke(now);
    }
    owed = owedThis = undefined;
    return result;
  };

  const setTimer = (ms: number): void => {
    // Longer timers would fire at once; this one looks, and is set again.
    timer = setTimeout(onTimer, Math.min(ms, MAX_TIMEOUT_MS));
  };

  const onTimer = (): void => {
    const now = Date.now();
    if (isTime(now)) {
      trailingEdge(now);
      return;
    }
    const rest = pause - (now - (lastCall ?? now));
    setTimer(longest === undefined ? rest : Math.min(rest, longest - (now - lastInvoke)));
  };

  const debounced = function (this: This, ...args: Arguments): Result | undefined {
    const now = Date.now();
    const time = isTime(now);
    calls += 1;
    owed = args;
    owedThis = this;
    lastCall = now;
    if (timer === undefined) {
      if (time) {
        lastInvoke = now;
      }
      setTimer(pause);
      return time && leading ? invoke(now) : result;
    }
    if (time && longest !== undefined) {
      clearTimeout(timer);
      setTimer(pause);
      return invoke(now);
    }
    return result;
  };

  return Object.assign(debounced, {
    cancel(): void {
      clearTimeout(timer);
      lastInvoke = 0;
      owed = owedThis = lastCall = invokedAt = timer = undefined;
    },
    flush: (): Result | undefined => (timer === undefined ? result : trailingEdge(Date.now())),
    pending: (): boolean => timer !== undefined,
    getMetrics: (): DebounceMetrics => ({
      lastCallTime: lastCall,
      lastInvokeTime: invokedAt,
      isWaiting: timer !== undefined,
      performance: { calls, invocations, averageInvokeMs: invocations === 0 ? 0 : spentMs / invocations, longestInvokeMs: longestMs },
    }),
  });
}

const MAX_TIMEOUT_MS = 2 ** 31 - 1;
