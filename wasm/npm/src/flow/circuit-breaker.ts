import { QuillworkError } from '../errors.js';
import { Emitter } from '../runtime/emitter.js';
import { Alarm } from './alarm.js';
import { Attempt, type Attempted } from './attempt.js';
import { BREAKER_NAMES, breakerSettings, type BreakerSettings } from './breaker-options.js';
import { known, optionalFunction } from './options.js';
import { Stack, type ExecuteOptions } from './stack.js';
import { stackSettings } from './stack-settings.js';
import { judge, SUCCEEDED, type Judgement } from './verdict.js';

/** The state of a breaker: the three of the pattern, and the four that an operator can set. */
export type BreakerState = 'closed' | 'open' | 'half-open' | BreakerOverride;

/** What an operator can set: refuse every call; let every call through and count; let through and count nothing; only watch. */
export type BreakerOverride = 'forced-open' | 'forced-closed' | 'disabled' | 'metrics-only';

/** Who decides: the breaker, or an operator. */
export type BreakerMode = 'automatic' | BreakerOverride;

/** Why a breaker changed its state. */
export type BreakerCause =
  | 'consecutive-failures'
  | 'failure-ratio'
  | 'slow-ratio'
  | 'open-time-over'
  | 'trials-passed'
  | 'trials-overdue'
  | 'asked';

/** What judged calls came to. */
export interface BreakerCounts {
  readonly calls: number;
  readonly failed: number;
  /** Those that took too long, successful or not. */
  readonly slow: number;
}

/** What a breaker tells its listeners. */
export interface CircuitBreakerEvents {
  /** The state changed. `counts` are of the calls that were judged. */
  change: { readonly from: BreakerState; readonly to: BreakerState; readonly cause: BreakerCause; readonly counts: BreakerCounts };
  /** In `metrics-only`: it would have opened now. */
  wouldopen: { readonly cause: BreakerCause; readonly counts: BreakerCounts };
}

/** Settings of {@link circuitBreaker}. */
export interface CircuitBreakerOptions extends BreakerSettings {
  /** `false` for an error that is the caller's own fault (a bad request): it counts as no call. Default: every error is a failure. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
  /** What a caller gets in place of a refusal, from the `ERR_CIRCUIT_OPEN`. Errors of calls that were made stay errors. */
  readonly fallback?: ((error: QuillworkError) => unknown) | undefined;
}

/** What a breaker has to show. Counts are since it was made; calls under `disabled` are not counted. */
export interface CircuitBreakerMetrics {
  readonly state: BreakerState;
  /** In how many milliseconds the next call may be a trial, while it is open. */
  readonly retryAfterMs: number | undefined;
  /** What the window holds; while the breaker is not closed, what it held when it opened. */
  readonly window: BreakerCounts;
  readonly consecutiveFailures: number;
  /** Rounds of trials that failed since it first opened. */
  readonly failedRounds: number;
  readonly trialsOut: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly slow: number;
  /** Calls that were the caller's own fault. */
  readonly ignored: number;
  readonly aborted: number;
  /** Calls that ended after the state had changed, which they said nothing about any more. */
  readonly late: number;
  readonly refused: number;
  readonly opened: number;
}

/**
 * Spares a failing service calls, and their callers the wait for them: when too many calls fail or are slow it opens and refuses, with
 * `ERR_CIRCUIT_OPEN`, until a few trial calls have succeeded.
 */
export interface CircuitBreaker {
  /** Makes the call, unless the breaker refuses it. What the function throws comes out as it is. */
  execute<Result>(fn: Attempted<Result>, options?: ExecuteOptions): Promise<Result>;
  /** The function behind the breaker. */
  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  ): (this: This, ...args: Arguments) => Promise<Result>;
  /** What a call would meet now. */
  readonly state: BreakerState;
  /** Sets who decides. Another mode than before begins anew, with nothing counted. */
  setMode(mode: BreakerMode): void;
  /** Keeps it open at least so long, in milliseconds: for a service that said when to come back. Only in `automatic`. */
  holdOpen(ms: number): void;
  /** Listens; the function returned stops it. While anybody listens, changes are told when they are due, not with the next call. */
  on<Name extends keyof CircuitBreakerEvents>(name: Name, listener: (event: CircuitBreakerEvents[Name]) => void): () => void;
  getMetrics(): CircuitBreakerMetrics;
}

/** A breaker. Throws `ERR_INVALID_OPTION` for settings that can't work, with what to do about them. */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  return new CoreCircuitBreaker(options);
}

class CoreCircuitBreaker implements CircuitBreaker {
  readonly #stack: Stack;
  readonly #emitter = new Emitter<CircuitBreakerEvents>();
  readonly #alarm: Alarm;
  readonly #judgement: Judgement;
  /** Whether it matters how long a call took that succeeded, or when it ended. */
  readonly #timesSuccess: boolean;

  constructor(options: CircuitBreakerOptions) {
    const { window, slowCall = Infinity } = known('circuitBreaker', options, BREAKER_NAMES);
    this.#timesSuccess = slowCall !== Infinity || (typeof window === 'object' && 'bucketMs' in window);
    this.#judgement = { isFailure: optionalFunction('isFailure', options.isFailure) };
    const fallback = optionalFunction('fallback', options.fallback) as ((error: unknown) => unknown) | undefined;
    this.#stack = new Stack(stackSettings({ breaker: breakerSettings(options, fallback !== undefined) }), {
      ...this.#judgement,
      breakerFallback: fallback,
      afterInput: () => this.#tell(),
    });
    // To hear of a change is no reason to keep a process alive.
    this.#alarm = new Alarm(this.#stack.clock, false, () => this.#tell());
  }

  execute<Result>(fn: Attempted<Result>, options?: ExecuteOptions): Promise<Result> {
    if (options !== null && options?.signal === undefined && typeof fn === 'function') {
      const { core, handle, clock } = this.#stack;
      const since = clock.now();
      try {
        const permit = core.live.breaker_enter(handle, since);
        if (permit >= 0) {
          return this.#make(fn, permit, since);
        }
      } catch (thrown) {
        return Promise.reject(core.fault(thrown));
      }
    }
    return this.#stack.execute(fn, options);
  }

  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  ): (this: This, ...args: Arguments) => Promise<Result> {
    const breaker = this;
    return function (...args) {
      return breaker.execute(() => fn.apply(this, args));
    };
  }

  /** Makes a call that the breaker lets through, about which there is nothing else to decide. */
  #make<Result>(fn: Attempted<Result>, permit: number, since: number): Promise<Result> {
    const failed = (thrown: unknown): never => {
      const { end, error } = judge(thrown, this.#judgement);
      this.#leave(permit, since, end, this.#stack.clock.now());
      throw error;
    };
    let result: Result | PromiseLike<Result>;
    try {
      result = fn(new Attempt(1));
    } catch (thrown) {
      return rejecting(failed, thrown);
    }
    // A promise of ours: a thenable may settle twice, or call back at once.
    return Promise.resolve(result).then((value) => {
      this.#leave(permit, since, SUCCEEDED, this.#timesSuccess ? this.#stack.clock.now() : since);
      return value;
    }, failed);
  }

  #leave(permit: number, since: number, end: number, now: number): void {
    const { core, handle } = this.#stack;
    try {
      core.live.breaker_leave(handle, now, permit, end, since);
    } catch (thrown) {
      throw core.fault(thrown);
    }
    this.#tell();
  }

  get state(): BreakerState {
    const { core, handle, clock } = this.#stack;
    return state(core.call((exports) => exports.breaker_state(handle, clock.now())));
  }

  setMode(mode: BreakerMode): void {
    const code = mode === 'automatic' ? 0 : STATES.indexOf(mode);
    if (code < 0 || code === 1 || code === 2) {
      throw new QuillworkError(
        'ERR_INVALID_OPTION',
        `a breaker's mode is 'automatic', 'forced-open', 'forced-closed', 'disabled' or 'metrics-only', not ${String(mode)}`,
      );
    }
    this.#stack.read((exports, now) => exports.breaker_set_mode(this.#stack.handle, now, code));
    this.#tell();
  }

  holdOpen(ms: number): void {
    if (!(ms >= 0)) {
      throw new QuillworkError('ERR_INVALID_OPTION', `a breaker is held open for 0 milliseconds or more, not ${String(ms)}`);
    }
    this.#stack.read((exports, now) => exports.breaker_hold_open(this.#stack.handle, now, now + ms));
    this.#tell();
  }

  on<Name extends keyof CircuitBreakerEvents>(name: Name, listener: (event: CircuitBreakerEvents[Name]) => void): () => void {
    // What happened before is nobody's news.
    this.#drop();
    const off = this.#emitter.on(name, listener);
    this.#tell();
    return off;
  }

  getMetrics(): CircuitBreakerMetrics {
    const { handle, clock } = this.#stack;
    const floats = this.#stack.read((exports, now) => exports.breaker_metrics(handle, now));
    const at = (index: number): number => floats[index] ?? 0;
    const until = at(1);
    return {
      state: state(at(0)),
      retryAfterMs: until === Infinity ? undefined : Math.max(0, until - clock.now()),
      window: { calls: at(2), failed: at(3), slow: at(4) },
      consecutiveFailures: at(5),
      failedRounds: at(6),
      trialsOut: at(7),
      succeeded: at(8),
      failed: at(9),
      slow: at(10),
      ignored: at(11),
      aborted: at(12),
      late: at(13),
      refused: at(14),
      opened: at(15),
    };
  }

  /** Tells of what happened, if anybody listens, and sees to it that the next change is told when it is due. */
  #tell(): void {
    if (!this.#emitter.has('change') && !this.#emitter.has('wouldopen')) {
      return;
    }
    const { core, handle, clock } = this.#stack;
    this.#alarm.set(core.call((exports) => exports.breaker_deadline(handle, clock.now())));
    const told: (() => void)[] = [];
    for (let tag = this.#next(); tag !== 0; tag = this.#next()) {
      const [from = 0, to = 0, causeCode = 0, failures = 0, calls = 0, failed = 0, slow = 0] = core.floats;
      const cause = CAUSES[causeCode - 1] ?? 'asked';
      const counts = cause === 'consecutive-failures' ? { calls: failures, failed: failures, slow: 0 } : { calls, failed, slow };
      told.push(
        tag === 1
          ? () => this.#emitter.emit('change', { from: state(from), to: state(to), cause, counts })
          : () => this.#emitter.emit('wouldopen', { cause, counts }),
      );
    }
    for (const tell of told) {
      tell();
    }
  }

  #drop(): void {
    while (this.#next() !== 0) {
      // Forgotten.
    }
  }

  #next(): number {
    const { core, handle } = this.#stack;
    return core.call((exports) => exports.breaker_event(handle));
  }
}

async function rejecting(fail: (thrown: unknown) => never, thrown: unknown): Promise<never> {
  return fail(thrown);
}

function state(code: number): BreakerState {
  return STATES[code] ?? 'closed';
}

/** By core's numbers. */
const STATES: readonly BreakerState[] = ['closed', 'open', 'half-open', 'forced-open', 'forced-closed', 'disabled', 'metrics-only'];
const CAUSES: readonly BreakerCause[] = [
  'consecutive-failures',
  'failure-ratio',
  'slow-ratio',
  'open-time-over',
  'trials-passed',
  'trials-overdue',
  'asked',
];
