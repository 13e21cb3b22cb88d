import { QuillworkError } from '../errors.js';
import { AbortWatch } from '../pool/abort-watch.js';
import { Alarm } from './alarm.js';
import { FlowClock } from './clock.js';
import type { Limiter, Turn } from './limiter.js';
import { abortSignal, known, millis, object, whole } from './options.js';
import { limiterOf, NANOS, rateSettings, type RateOptions } from './rate-options.js';

/** What a caller may ask of one turn. */
export interface AcquireOptions {
  /** How much, a whole number. 0 is always admitted. Default 1. */
  readonly weight?: number | undefined;
  /** The longest to wait, in milliseconds; a later turn is refused at once with `ERR_RATE_LIMITED`. Default: as long as it takes. */
  readonly maxWait?: number | undefined;
  /** Gives the turn back when it is aborted before it has come. */
  readonly signal?: AbortSignal | undefined;
}

/** A promised turn. It counts whether or not it is used. */
export interface Reservation {
  /** In how many milliseconds it begins, from the call of `reserve`. */
  readonly waitMs: number;
  /** Gives it back, unless it has begun. Turns that were promised after it keep their times. */
  cancel(): void;
}

/** What a limiter has done. */
export interface RateLimitMetrics {
  readonly admitted: number;
  readonly refused: number;
  /** Callers of `acquire` whose turn has not come. */
  readonly waiting: number;
}

/** So much in a time, and when more is possible. */
export interface RateLimiter {
  /** Whether so much is admitted now; counted if it is. Never overtakes who waits. */
  tryAcquire(weight?: number): boolean;
  /** In how many milliseconds so much could be admitted, if nothing else is until then: 0 for now, `Infinity` for never. Changes nothing. */
  msUntil(weight?: number): number;
  /** Waits for a turn, first come, first served. Rejects with `ERR_RATE_LIMITED`, or the signal's reason. */
  acquire(options?: AcquireOptions): Promise<void>;
  /** Promises a turn at the earliest time. Throws `ERR_RATE_LIMITED` where that is later than `maxWait`. */
  reserve(options?: Omit<AcquireOptions, 'signal'>): Reservation;
  /** The function, each call of which waits for its turn. */
  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
    options?: AcquireOptions,
  ): (this: This, ...args: Arguments) => Promise<Result>;
  getMetrics(): RateLimitMetrics;
}

/** A rate limit. Throws `ERR_INVALID_OPTION`. */
export function rateLimit(options: RateOptions): RateLimiter {
  return new TwinRateLimiter(limiterOf(rateSettings(known('rateLimit', options, 'limit interval burst strict'))), new FlowClock());
}

/** {@link RateLimiter.wrap} with a limiter of its own. */
export function rateLimited<This, Arguments extends unknown[], Result>(
  fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  options: RateOptions & AcquireOptions,
): (this: This, ...args: Arguments) => Promise<Result> {
  const { weight, maxWait, signal, ...rate } = known('rateLimited', options, 'limit interval burst strict weight maxWait signal');
  return rateLimit(rate).wrap(fn, { weight, maxWait, signal });
}

interface Waiting {
  readonly id: number;
  readonly turn: Turn;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** @internal A limiter with its queue. */
export class TwinRateLimiter implements RateLimiter {
  readonly limiter: Limiter;
  readonly #clock: FlowClock;
  readonly #alarm: Alarm;
  readonly #watch = new AbortWatch((id) => this.#abort(id));
  /** By number, which is the order of their turns. */
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #admitted = 0;
  #refused = 0;

  constructor(limiter: Limiter, clock: FlowClock) {
    this.limiter = limiter;
    this.#clock = clock;
    this.#alarm = new Alarm(clock, true, (now) => this.#admitWaiting(now));
  }

  tryAcquire(weight = 1): boolean {
    const units = unitsOf(weight);
    const now = this.#now();
    const admitted = this.limiter.earliest(now, units) <= now;
    if (admitted) {
      this.limiter.admit(now, now, units);
      this.#admitted += 1;
    } else {
      this.#refused += 1;
    }
    return admitted;
  }

  msUntil(weight = 1): number {
    const now = this.#now();
    return msFrom(now, this.limiter.earliest(now, unitsOf(weight)));
  }

  acquire(asked: AcquireOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal, ...options } = object(TURN, asked);
      if (abortSignal(signal)?.aborted === true) {
        reject(signal?.reason);
        return;
      }
      const now = this.#now();
      const turn = this.#take(now, options);
      if (turn.startsAt <= now) {
        resolve();
        return;
      }
      const id = this.#next;
      this.#next += 1;
      this.#waiting.set(id, { id, turn, signal, resolve, reject });
      if (signal !== undefined) {
        this.#watch.add(signal, id);
      }
      this.#setAlarm();
    });
  }

  reserve(options: Omit<AcquireOptions, 'signal'> = {}): Reservation {
    const now = this.#now();
    const turn = this.#take(now, object(TURN, options));
    return {
      waitMs: msFrom(now, turn.startsAt),
      cancel: () => this.limiter.cancel(this.#now(), turn),
    };
  }

  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
    options: AcquireOptions = {},
  ): (this: This, ...args: Arguments) => Promise<Result> {
    if (typeof fn !== 'function') {
      throw new QuillworkError('ERR_INVALID_OPTION', `what is to be limited is a function, not ${String(fn)}`);
    }
    known('`wrap`', options, 'weight maxWait signal');
    const limiter = this;
    return async function (...args) {
      await limiter.acquire(options);
      return fn.apply(this, args);
    };
  }

  getMetrics(): RateLimitMetrics {
    return { admitted: this.#admitted, refused: this.#refused, waiting: this.#waiting.size };
  }

  #take(now: number, { weight = 1, maxWait = Infinity }: Omit<AcquireOptions, 'signal'>): Turn {
    const units = unitsOf(weight);
    const longest = millis('maxWait', maxWait, 0) * NANOS;
    const start = this.limiter.earliest(now, units);
    if (start === Infinity || start > now + longest) {
      this.#refused += 1;
      throw refusal(msFrom(now, start), weight, this.limiter.capacity);
    }
    this.#admitted += 1;
    return this.limiter.admit(now, start, units);
  }

  #admitWaiting(nowMs: number): void {
    for (const { id, turn, signal, resolve } of this.#waiting.values()) {
      if (turn.startsAt > nowMs * NANOS) {
        break;
      }
      this.#waiting.delete(id);
      if (signal !== undefined) {
        this.#watch.delete(signal, id);
      }
      resolve();
    }
    this.#setAlarm();
  }

  #abort(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) {
      this.#waiting.delete(id);
      this.limiter.cancel(this.#now(), waiting.turn);
      this.#admitted -= 1;
      this.#setAlarm();
      waiting.reject(waiting.signal?.reason);
    }
  }

  #setAlarm(): void {
    const first = this.#waiting.values().next();
    this.#alarm.set(first.done === true ? Infinity : first.value.turn.startsAt / NANOS);
  }

  #now(): number {
    return this.#clock.now() * NANOS;
  }
}

/** A whole weight, or `ERR_INVALID_OPTION`. */
export function unitsOf(weight: number): number {
  return whole('weight', weight, 0, 2 ** 32 - 1);
}

function msFrom(now: number, start: number): number {
  return Math.max(0, Math.ceil((start - now) / NANOS));
}

/** `acquire(2)` would be a turn of weight 1. */
const TURN = '`{ weight, maxWait, signal }` is';

function refusal(retryAfterMs: number, weight: number, capacity: number): QuillworkError {
  return retryAfterMs === Infinity
    ? new QuillworkError(
        'ERR_INVALID_OPTION',
        `a \`weight\` of ${weight} is never admitted: at most ${capacity} is at once; split it, or raise \`limit\` or \`burst\``,
      )
    : new QuillworkError('ERR_RATE_LIMITED', `the rate limit is used up; try again in ${retryAfterMs} ms`, { retryAfterMs });
}
