import { QuillworkError } from '../errors.js';
import { debounce, type DebounceControl, type Debounced, type DebounceOptions } from './debounce.js';
import { throttle, type ThrottleOptions } from './throttle.js';

/** A debounced or throttled function whose callers each get a promise. */
export interface DebouncedAsync<This, Arguments extends unknown[], Result> extends Omit<DebounceControl<Result>, 'flush'> {
  (this: This, ...args: Arguments): Promise<Result>;
  /** Ends the burst now. Gives the promise of the last invocation, `undefined` where there was none. */
  flush(): Promise<Result> | undefined;
}

/**
 * {@link debounce} with a promise for each caller: it settles with what the invocation came to that served the call, which is the next one.
 * Without a trailing edge that is the one before. `cancel` rejects those that wait with `ERR_ABORTED`. What `fn` throws, or its promise
 * is rejected with, rejects the promises of all whom it served.
 *
 * Throws `ERR_INVALID_OPTION` where both edges are off: no call would be served for sure.
 */
export function debounceAsync<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  wait?: number,
  options: DebounceOptions = {},
): DebouncedAsync<This, Arguments, Result> {
  const { leading = false, trailing = true } = options ?? {};
  return served(fn, leading, trailing, (inner) => debounce(inner, wait, options));
}

/** {@link throttle} with a promise for each caller, as {@link debounceAsync}. */
export function throttleAsync<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  wait?: number,
  options: ThrottleOptions = {},
): DebouncedAsync<This, Arguments, Result> {
  const { leading = true, trailing = true } = options ?? {};
  return served(fn, leading, trailing, (inner) => throttle(inner, wait, options));
}

interface Waiting<Result> {
  readonly resolve: (result: Promise<Result>) => void;
  readonly reject: (error: unknown) => void;
}

function served<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  leading: boolean,
  trailing: boolean,
  limit: (inner: (this: This, ...args: Arguments) => Promise<Result>) => Debounced<This, Arguments, Promise<Result> | undefined>,
): DebouncedAsync<This, Arguments, Result> {
  if (typeof fn !== 'function') {
    throw new QuillworkError('ERR_INVALID_OPTION', `the first argument is the function to call less often, not ${String(fn)}`);
  }
  if (!leading && !trailing) {
    throw new QuillworkError('ERR_INVALID_OPTION', '`leading` and `trailing` are both off: turn one on, or no caller would be served');
  }
  let waiting: Waiting<Result>[] = [];
  const limited = limit(function (...args) {
    const callers = waiting;
    waiting = [];
    // What is thrown at once rejects as well.
    const result = new Promise<Result>((resolve) => resolve(fn.apply(this, args)));
    for (const { resolve } of callers) {
      resolve(result);
    }
    return result;
  });
  const call = function (this: This, ...args: Arguments): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const caller = { resolve, reject };
      waiting.push(caller);
      const last = limited.apply(this, args);
      if (!trailing && waiting.at(-1) === caller && last !== undefined) {
        // No end of a burst will serve it.
        waiting.pop();
        resolve(last);
      }
    });
  };
  return Object.assign(call, {
    cancel(): void {
      limited.cancel();
      const callers = waiting;
      waiting = [];
      for (const { reject } of callers) {
        reject(new QuillworkError('ERR_ABORTED', 'the call was cancelled before it was served'));
      }
    },
    flush: () => limited.flush(),
    pending: () => limited.pending(),
    getMetrics: () => limited.getMetrics(),
  });
}
