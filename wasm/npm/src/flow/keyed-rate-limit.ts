import { FlowClock } from './clock.js';
import { known, whole } from './options.js';
import { TwinRateLimiter, type RateLimiter } from './rate-limit.js';
import { limiterOf, NANOS, rateSettings, type RateOptions } from './rate-options.js';

/** Settings of {@link keyedRateLimit}. */
export interface KeyedRateOptions extends RateOptions {
  /** How many keys are kept at most. Default 10,000. */
  readonly maxKeys?: number | undefined;
}

/** One rate limit for each key: per user, per address, per document. */
export interface KeyedRateLimiter<Key> {
  /** The limiter of this key. Ask again for each use: one that is as new is let go of. */
  for(key: Key): RateLimiter;
  getMetrics(): {
    /** Keys in use. */
    readonly keys: number;
    /** Keys that had to make room before they were as new. More than none: `maxKeys` is too low, or somebody makes up keys. */
    readonly evictedEarly: number;
  };
}

/**
 * A rate limit for each key. A key costs memory only while it matters: once its limiter would decide as a new one, it goes, a few with
 * each call. At `maxKeys` a new key takes the place of those that would have gone first, which lose the least; a key that is far over its
 * limit stays. Throws `ERR_INVALID_OPTION`.
 */
export function keyedRateLimit<Key = string>(options: KeyedRateOptions): KeyedRateLimiter<Key> {
  return new TwinKeyedRateLimiter(options);
}

class TwinKeyedRateLimiter<Key> implements KeyedRateLimiter<Key> {
  readonly #settings: ReturnType<typeof rateSettings>;
  readonly #maxKeys: number;
  readonly #clock = new FlowClock();
  readonly #limiters = new Map<Key, TwinRateLimiter>();
  #sweep: Iterator<[Key, TwinRateLimiter]> | undefined;
  #evictedEarly = 0;

  constructor(options: KeyedRateOptions) {
    this.#settings = rateSettings(known('keyedRateLimit', options, 'limit interval burst strict maxKeys'));
    this.#maxKeys = whole('maxKeys', options.maxKeys ?? 10_000, 1, 2 ** 24);
  }

  for(key: Key): RateLimiter {
    const known = this.#limiters.get(key);
    this.#evictSome(key);
    if (known !== undefined) {
      return known;
    }
    if (this.#limiters.size >= this.#maxKeys) {
      this.#makeRoom();
    }
    const limiter = new TwinRateLimiter(limiterOf(this.#settings), this.#clock);
    this.#limiters.set(key, limiter);
    return limiter;
  }

  getMetrics(): { readonly keys: number; readonly evictedEarly: number } {
    this.#evictAll();
    return { keys: this.#limiters.size, evictedEarly: this.#evictedEarly };
  }

  /** Looks at a few keys, and goes on from there the next time. */
  #evictSome(spared: Key): void {
    const now = this.#clock.now() * NANOS;
    this.#sweep ??= this.#limiters.entries();
    for (let looked = 0; looked < EVICTED_BY_A_CALL; looked += 1) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = undefined;
        return;
      }
      const [key, limiter] = next.value;
      if (key !== spared && limiter.limiter.idleFrom <= now) {
        this.#limiters.delete(key);
      }
    }
  }

  #evictAll(): void {
    const now = this.#clock.now() * NANOS;
    for (const [key, limiter] of this.#limiters) {
      if (limiter.limiter.idleFrom <= now) {
        this.#limiters.delete(key);
      }
    }
  }

  /** Takes out a sixteenth at once, so that a flood of keys doesn't sort all of them each time. */
  #makeRoom(): void {
    this.#evictAll();
    if (this.#limiters.size < this.#maxKeys) {
      return;
    }
    const byIdle = [...this.#limiters].sort(([, one], [, other]) => one.limiter.idleFrom - other.limiter.idleFrom);
    for (const [key] of byIdle.slice(0, Math.ceil(this.#maxKeys / 16))) {
      this.#limiters.delete(key);
      this.#evictedEarly += 1;
    }
  }
}

/** More than a call adds, so that what is as new is gone soon; few, so that no call waits for many. */
const EVICTED_BY_A_CALL = 4;
