import { known } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { install } from './globals.js';
import { Timers } from './timers.js';

/** Settings of {@link virtualClock}. */
export interface VirtualClockOptions {
  /** What the wall clock says at first, as a date or in milliseconds since 1970. Default: what it says now. */
  readonly now?: Date | number | undefined;
}

/** A clock that stands still until a test moves it, in the place of the real one. */
export interface VirtualClock {
  /** What `Date.now()` says. */
  readonly now: number;
  /** How many timers are set. */
  readonly pending: number;
  /**
   * Moves the clock on by so many milliseconds. Timers fire in their order, each at its time, and promises settle in between. Rejects with
   * what a timer's function threw first, after all the others were called.
   */
  advance(ms: number): Promise<void>;
  /**
   * Moves the clock from timer to timer until none is left that would keep a Node process alive: a pool's own timers do so only while
   * there are tasks. Rejects with `ERR_INVALID_OPTION` after `limit` timers, default 10,000: one of them sets the next for ever.
   */
  runAll(options?: { readonly limit?: number }): Promise<void>;
  /** Puts the real clock back. Timers that are still set never fire. */
  uninstall(): void;
  [Symbol.dispose](): void;
}

/**
 * Replaces `Date`, `performance.now`, `setTimeout`, `setInterval`, what clears them, and `AbortSignal.timeout`, until it is uninstalled: by
 * hand, or by `using`. It needs no test runner, works in each, and on top of their own fake timers, which it leaves as they were.
 *
 * ```ts
 * using clock = virtualClock();
 * const save = debounce(write, 500);
 * save('draft');
 * await clock.advance(500); // written
 * ```
 *
 * What the platform does by itself takes real time: `fetch`, files, `node:timers/promises`, messages between threads.
 *
 * Throws `ERR_INVALID_OPTION` where `now` is no time.
 */
export function virtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const { now = Date.now() } = known('virtualClock', options, 'now');
  const wall = Number(now);
  if (!Number.isFinite(wall)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`now\` is a date, or milliseconds since 1970, not ${String(now)}`);
  }
  return new InstalledClock(wall);
}

/** Engines that don't know the symbol yet leave it to libraries to agree on one. */
const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

class InstalledClock implements VirtualClock {
  readonly #timers = new Timers();
  readonly #wall: number;
  readonly #uninstall: () => void;

  constructor(wall: number) {
    this.#wall = wall;
    this.#uninstall = install(this.#timers, { wall, steady: performance.now() });
  }

  get now(): number {
    return this.#wall + this.#timers.now;
  }

  get pending(): number {
    return this.#timers.size;
  }

  async advance(ms: number): Promise<void> {
    if (!(typeof ms === 'number' && ms >= 0 && ms < Infinity)) {
      throw new QuillworkError('ERR_INVALID_OPTION', `a clock is advanced by 0 milliseconds or more, not ${String(ms)}`);
    }
    const timers = this.#timers;
    const until = timers.now + ms;
    await this.#move(() => (timers.first?.due ?? Infinity) <= until);
    timers.now = Math.max(timers.now, until);
    await turn();
  }

  async runAll(options: { readonly limit?: number } = {}): Promise<void> {
    const { limit = 10_000 } = known('`runAll`', options, 'limit');
    const timers = this.#timers;
    let left = limit;
    await this.#move(() => {
      if (!timers.hold) {
        return false;
      }
      left -= 1;
      if (left < 0) {
        throw new QuillworkError(
          'ERR_INVALID_OPTION',
          `${limit} timers have fired and there are more: clear what repeats, use \`advance\`, or raise \`limit\``,
        );
      }
      return true;
    });
  }

  uninstall(): void {
    this.#uninstall();
  }

  [DISPOSE](): void {
    this.#uninstall();
  }

  async #move(mayFire: () => boolean): Promise<void> {
    if (this.#timers.moving) {
      throw new QuillworkError('ERR_INVALID_OPTION', 'the clock is moving already: await `advance` or `runAll` before the next');
    }
    this.#timers.moving = true;
    let failure: { readonly thrown: unknown } | undefined;
    try {
      await turn();
      while (mayFire()) {
        try {
          this.#timers.fireFirst();
        } catch (thrown) {
          failure ??= { thrown };
        }
        await turn();
      }
    } finally {
      this.#timers.moving = false;
    }
    if (failure !== undefined) {
      throw failure.thrown;
    }
  }
}

/** Lets every promise settle that can: a turn of the real event loop, by means that nobody fakes. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
