import { absent } from './absent.js';
import type { Timers } from './timers.js';

interface Replacement {
  readonly owner: object;
  readonly key: string;
  readonly before: PropertyDescriptor | undefined;
  readonly value: unknown;
}

/** Where a virtual clock starts. */
export interface Origin {
  /** What `Date.now()` says at 0 of the timers. */
  readonly wall: number;
  /** What `performance.now()` does. */
  readonly steady: number;
}

/**
 * Puts the timers in the place of `Date`, `performance.now`, `setTimeout`, `setInterval`, their counterparts, and `AbortSignal.timeout`, and lends
 * a simulated browser what it lacks.
 * The function returned puts back what was there. Where somebody else has replaced one of them meanwhile theirs stays, and should they
 * put ours back later, it does what was there before.
 */
export function install(timers: Timers, origin: Origin): () => void {
  const scope = globalThis as unknown as Record<string, unknown>;
  let active = true;
  const replaced: Replacement[] = [];
  const replace = <Kind extends (...args: never[]) => unknown>(owner: object, key: string, fake: Kind): void => {
    const before = Object.getOwnPropertyDescriptor(owner, key);
    const was = Reflect.get(owner, key) as (...args: never[]) => unknown;
    const value = Object.assign(
      (...args: Parameters<Kind>) => (active ? fake(...args) : was.apply(owner, args)),
      key === 'setTimeout' ? { [PROMISIFY]: (ms: number, value: unknown) => new Promise((resolve) => timers.set(() => resolve(value), ms, false)) } : {},
    );
    put(owner, key, before, value);
  };
  const put = (owner: object, key: string, before: PropertyDescriptor | undefined, value: unknown): void => {
    Object.defineProperty(owner, key, { configurable: true, enumerable: before?.enumerable ?? true, writable: true, value });
    replaced.push({ owner, key, before, value });
  };

  for (const [key, value] of Object.entries(absent())) {
    put(scope, key, undefined, value);
  }
  replace(scope, 'setTimeout', (then: Callback, delay?: unknown, ...args: unknown[]) => timers.set(calling(then, args), delay, false));
  replace(scope, 'setInterval', (then: Callback, delay?: unknown, ...args: unknown[]) => timers.set(calling(then, args), delay, true));
  // Node and browsers let either end both.
  replace(scope, 'clearTimeout', (timer?: unknown) => timers.clear(timer));
  replace(scope, 'clearInterval', (timer?: unknown) => timers.clear(timer));
  replace(performance, 'now', () => origin.steady + timers.now);
  replace(AbortSignal, 'timeout', (ms: number) => {
    const controller = new AbortController();
    timers.set(() => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms, false).unref();
    return controller.signal;
  });
  // Jest's fake microtasks wait to be run by hand, and so would every message between page and workers.
  if ('clock' in queueMicrotask) {
    replace(scope, 'queueMicrotask', (then: () => void) => void Promise.resolve().then(then));
  }
  const RealDate = Date;
  const wall = (): number => (active ? origin.wall + timers.now : RealDate.now());
  const VirtualDate: DateConstructor = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [wall()] : args, newTarget === VirtualDate ? target : newTarget) as object,
    apply: () => new RealDate(wall()).toString(),
    get: (target, key, receiver) => (key === 'now' ? wall : Reflect.get(target, key, receiver)),
  });
  put(scope, 'Date', Object.getOwnPropertyDescriptor(scope, 'Date'), VirtualDate);

  return () => {
    active = false;
    for (const { owner, key, before, value } of replaced.splice(0).reverse()) {
      if (Reflect.get(owner, key) !== value) {
        continue;
      }
      if (before === undefined) {
        Reflect.deleteProperty(owner, key);
      } else {
        Object.defineProperty(owner, key, before);
      }
    }
  };
}

type Callback = (...args: unknown[]) => void;

function calling(then: Callback, args: readonly unknown[]): () => void {
  if (typeof then !== 'function') {
    throw new TypeError(`a timer calls a function, not ${String(then)}`);
  }
  return () => then(...args);
}

/** `util.promisify.custom`, by which Node makes a promise of `setTimeout`. */
const PROMISIFY = Symbol.for('nodejs.util.promisify.custom');
