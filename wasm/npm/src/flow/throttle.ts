import { debounce, type Debounced } from './debounce.js';

/** When a throttled function invokes. */
export interface ThrottleOptions {
  /** Whether a call after a pause invokes at once. Default `true`. */
  readonly leading?: boolean | undefined;
  /** Whether the last of several calls in a wait invokes at its end. Default `true`. */
  readonly trailing?: boolean | undefined;
}

/**
 * A function that is invoked at most once in `wait` milliseconds, with the arguments of the last call. Default 0.
 *
 * Signature and behaviour are those of lodash's `throttle`: {@link debounce} whose longest wait is its wait. An option that is
 * `undefined` counts as left out. Throws `ERR_INVALID_OPTION` where `fn` is no function.
 */
export function throttle<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result,
  wait?: number,
  options?: ThrottleOptions & { readonly leading?: true | undefined },
): Debounced<This, Arguments, Result>;
export function throttle<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result,
  wait?: number,
  options?: ThrottleOptions,
): Debounced<This, Arguments, Result | undefined>;
export function throttle<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result,
  wait?: number,
  options?: ThrottleOptions,
): Debounced<This, Arguments, Result | undefined> {
  const { leading = true, trailing = true } = options ?? {};
  return debounce(fn, wait, { leading, trailing, maxWait: Number(wait) || 0 });
}
