import { useEffect, useInsertionEffect, useMemo, useRef, useState } from 'react';
import { debounce, type Debounced, type DebounceOptions } from '../flow/debounce.js';
import { QuillworkError } from '../errors.js';

/** When {@link useDebounced} follows, and what becomes of what is pending when the component goes away. */
export interface UseDebouncedOptions extends DebounceOptions {
  /** `cancel`: it is forgotten. `flush`: the function is called with it, for a draft that must be saved. Default `cancel`. */
  readonly onUnmount?: 'cancel' | 'flush' | undefined;
}

/**
 * A function that calls `fn` once calls have paused for `wait` milliseconds, as `debounce` does. It stays the same while `wait` and the
 * options do, and calls the `fn` of the newest render. Once the component is gone it does nothing.
 */
export function useDebounced<Arguments extends unknown[], Result>(
  fn: (...args: Arguments) => Result,
  wait: number,
  options?: UseDebouncedOptions,
): Debounced<unknown, Arguments, Result | undefined>;
/**
 * The value once it has been the same for `wait` milliseconds: for a search that follows what is typed. A function is always taken for one
 * to call.
 */
export function useDebounced<Value>(value: Value, wait: number, options?: UseDebouncedOptions): Value;
export function useDebounced(subject: unknown, wait: number, options: UseDebouncedOptions = {}): unknown {
  // Whether there is a function or a value is the same at each render of a component; the hooks are the same for both.
  const isCall = typeof subject === 'function';
  const [shown, setShown] = useState(isCall ? undefined : subject);
  const reached = useRef(shown);
  const follow = (value: unknown): void => {
    reached.current = value;
    setShown(() => value);
  };
  const debounced = useDebouncedCall(isCall ? (subject as (...args: unknown[]) => unknown) : follow, wait, isCall ? options : { ...options, onUnmount: 'cancel' });
  useEffect(() => {
    if (!isCall && (debounced.pending() || !Object.is(subject, reached.current))) {
      debounced(subject);
    }
  }, [isCall, isCall ? undefined : subject, debounced]);
  return isCall ? debounced : shown;
}

function useDebouncedCall(
  fn: (...args: unknown[]) => unknown,
  wait: number,
  options: UseDebouncedOptions | null,
): Debounced<unknown, unknown[], unknown> {
  const { leading, trailing, maxWait, onUnmount = 'cancel' } = options ?? {};
  if (onUnmount !== 'cancel' && onUnmount !== 'flush') {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`onUnmount\` is 'cancel' or 'flush', not ${String(onUnmount)}`);
  }
  const newest = useRef(fn);
  const end = useRef(onUnmount);
  const gone = useRef(false);
  // Before any effect of the component or its children, and, unlike those, not taken back and done again by strict mode.
  useInsertionEffect(() => {
    newest.current = fn;
    end.current = onUnmount;
  });
  useInsertionEffect(() => {
    gone.current = false;
    return () => {
      gone.current = true;
    };
  }, []);
  const debounced = useMemo(
    () =>
      debounce((...args: unknown[]) => (gone.current ? undefined : newest.current(...args)), wait, { leading, trailing, maxWait }),
    [wait, leading, trailing, maxWait],
  );
  useEffect(
    () => () => {
      if (end.current === 'flush') {
        const wasGone = gone.current;
        gone.current = false;
        debounced.flush();
        gone.current = wasGone;
      } else {
        debounced.cancel();
      }
    },
    [debounced],
  );
  return debounced;
}
