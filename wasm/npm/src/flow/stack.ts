import { QuillworkError } from '../errors.js';
import { AbortWatch } from '../pool/abort-watch.js';
import { BESIDE, MAX_RECORDS, policyCore, RECORD, type PolicyCore, type PolicyExports } from '../policy-core.js';
import { Alarm } from './alarm.js';
import { Attempt, type Attempted } from './attempt.js';
import { FlowClock } from './clock.js';
import { failureOf, type Failure } from './failure.js';
import type { SharedBudget } from './retry-budget.js';

/** What a caller may ask of one call. */
export interface ExecuteOptions {
  /** Ends the call, waiting or running, as soon as it is aborted: the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How the user's words about errors and fallbacks go into a stack. */
export interface StackHooks {
  /** `false` for an error that is the caller's own fault. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
  /** How long the other side asked to be left alone, in milliseconds. */
  readonly retryAfter?: ((error: unknown) => number | undefined) | undefined;
  /** What stands for a failure of the whole call. */
  readonly fallback?: ((error: unknown) => unknown) | undefined;
  /** What stands for a refusal of the breaker. */
  readonly breakerFallback?: ((error: unknown) => unknown) | undefined;
  /** Called after each input. */
  readonly afterInput?: (() => void) | undefined;
}

interface Call {
  readonly run: Attempted<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly slot: number;
  readonly serial: number;
  attempts: number;
  settled: boolean;
  /** How the attempt ended that ended last. */
  value: unknown;
  error: unknown;
}

/** Something to do that runs the user's code: start an attempt, or abort its signal. */
interface Act {
  readonly start: boolean;
  readonly call: Call;
  readonly slot: number;
  readonly serial: number;
}

/**
 * Policies around calls. Core decides when attempts start, which are cancelled, and what each call comes to; this class makes the calls
 * and keeps their promises. Each promise settles once.
 */
export class Stack {
  readonly core: PolicyCore;
  readonly handle: number;
  readonly clock: FlowClock;
  readonly #hooks: StackHooks;
  /** Held on to: core must not free it before the stack. */
  readonly budget: SharedBudget | undefined;
  readonly #free: () => void;
  #disposed = false;
  readonly #alarm: Alarm;
  readonly #watch: AbortWatch;
  // By slot: core uses each again.
  readonly #calls: (Call | undefined)[] = [];
  readonly #attempts: (Attempt | undefined)[] = [];
  readonly #acts: Act[] = [];
  #acting = false;

  /** `budget` is shared with other stacks, and its clock and core with it. */
  constructor(settings: readonly number[], hooks: StackHooks, budget?: SharedBudget) {
    const core = budget?.core ?? policyCore();
    const clock = budget?.clock ?? new FlowClock();
    const seed = Math.floor(Math.random() * 2 ** 53);
    const handle = core.make(settings, (exports) => exports.stack_new(clock.now(), seed, budget?.handle ?? 0));
    this.core = core;
    this.clock = clock;
    this.handle = handle;
    this.#hooks = hooks;
    this.budget = budget;
    // Whoever waits for a promise waits for what the timer brings.
    this.#alarm = new Alarm(this.clock, true, (now) => this.#input((exports) => exports.stack_deadline(handle, now)));
    this.#watch = new AbortWatch((slot) => this.#abort(slot));
    this.#free = core.freeWith(this, (exports) => exports.stack_free(handle));
  }

  /** Takes a call through the layers. */
  execute<Result>(run: Attempted<Result>, options: ExecuteOptions = {}): Promise<Result> {
    const { signal } = options;
    if (signal?.aborted === true) {
      return Promise.reject(signal.reason);
    }
    return new Promise<Result>((resolve, reject) => {
      let count: number;
      try {
        count = this.core.call((exports) => exports.stack_call(this.handle, this.clock.now()));
      } catch (thrown) {
        reject(thrown);
        return;
      }
      const floats = this.core.floats;
      const [slot = 0, serial = 0] = [floats[BESIDE], floats[BESIDE + 1]];
      this.#calls[slot] = {
        run,
        resolve: resolve as (value: unknown) => void,
        reject,
        signal,
        slot,
        serial,
        attempts: 0,
        settled: false,
        value: undefined,
        error: undefined,
      };
      if (signal !== undefined) {
        this.#watch.add(signal, slot);
      }
      this.#take(count);
    });
  }

  /** The function, each call of it taken through the layers. */
  wrap<This, Arguments extends unknown[], Result>(
    fn: (this: This, ...args: Arguments) => Result | PromiseLike<Result>,
  ): (this: This, ...args: Arguments) => Promise<Result> {
    const stack = this;
    return function (...args) {
      return stack.execute(() => fn.apply(this, args));
    };
  }

  /** Lets go of what core holds, once no call is open. Attempts that still run are ignored when they end. */
  dispose(): void {
    this.#disposed = true;
    this.#alarm.set(Infinity);
    this.#free();
  }

  /** Reads what an export wrote into the floats. */
  read(ask: (exports: PolicyExports, now: number) => void): Float64Array {
    const now = this.clock.now();
    this.core.call((exports) => ask(exports, now));
    return this.core.floats;
  }

  #abort(slot: number): void {
    const call = this.#calls[slot];
    if (call !== undefined) {
      this.#input((exports) => exports.stack_abort(this.handle, this.clock.now(), slot, call.serial));
    }
  }

  #input(input: (exports: PolicyExports) => number): void {
    if (this.#disposed) {
      return;
    }
    let count: number;
    try {
      count = this.core.call(input);
    } catch (thrown) {
      this.#break(thrown);
      return;
    }
    this.#take(count);
  }

  /**
   * Takes all that core says, so that the user's code may hand in the next input while it runs. Promises settle at once: what waits for them
   * runs later.
   */
  #take(count: number): void {
    let floats = this.core.floats;
    const deadline = floats[0] ?? Infinity;
    for (let written = count; ; ) {
      for (let at = 1; at < 1 + written * RECORD; at += RECORD) {
        this.#takeRecord(floats, at);
      }
      if (written < MAX_RECORDS) {
        break;
      }
      written = this.core.call((exports) => exports.stack_drain(this.handle));
      floats = this.core.floats;
    }
    this.#alarm.set(deadline);
    this.#hooks.afterInput?.();
    if (!this.#acting) {
      this.#act();
    }
  }

  #takeRecord(floats: Float64Array, at: number): void {
    const [tag = 0, callSlot = 0, , slot = 0, serial = 0, error = 0, detail = 0] = floats.subarray(at, at + RECORD);
    const call = this.#calls[callSlot];
    if (call === undefined) {
      return;
    }
    if (tag === START || tag === CANCEL) {
      this.#acts.push({ start: tag === START, call, slot, serial });
    } else {
      this.#settle(call, tag, { error, detail });
    }
  }

  #act(): void {
    this.#acting = true;
    const acts = this.#acts;
    for (let at = 0; at < acts.length; at += 1) {
      const { start, call, slot, serial } = acts[at] as Act;
      if (start) {
        this.#start(call, slot, serial);
      } else {
        this.#attempts[slot]?.cancel(this.#reason(call));
      }
    }
    acts.length = 0;
    this.#acting = false;
  }

  #start(call: Call, slot: number, serial: number): void {
    if (call.settled) {
      // It was over before its turn came: the attempt ends as it was never made.
      this.#failed(call, slot, serial, call.error);
      return;
    }
    call.attempts += 1;
    const context = new Attempt(call.attempts);
    this.#attempts[slot] = context;
    let result: unknown;
    try {
      result = call.run(context);
    } catch (thrown) {
      this.#failed(call, slot, serial, thrown);
      return;
    }
    // A promise of ours: a thenable may settle twice, or call back at once.
    Promise.resolve(result).then(
      (value) => this.#succeeded(call, slot, serial, value),
      (thrown: unknown) => this.#failed(call, slot, serial, thrown),
    );
  }

  #succeeded(call: Call, slot: number, serial: number, value: unknown): void {
    this.#attempts[slot] = undefined;
    call.value = value;
    this.#input((exports) => exports.stack_result(this.handle, this.clock.now(), slot, serial, SUCCEEDED, 0));
  }

  #failed(call: Call, slot: number, serial: number, thrown: unknown): void {
    this.#attempts[slot] = undefined;
    call.error = thrown;
    let end = TRANSIENT;
    let after = 0;
    try {
      if (this.#hooks.isFailure?.(thrown) === false) {
        end = PERMANENT;
      } else {
        const asked = this.#hooks.retryAfter?.(thrown);
        if (asked !== undefined && asked >= 0) {
          [end, after] = [RETRY_AFTER, asked];
        }
      }
    } catch (judging) {
      // Whoever can't judge an error gets the fault that kept it from doing so, and no retry.
      call.error = judging;
      end = PERMANENT;
    }
    this.#input((exports) => exports.stack_result(this.handle, this.clock.now(), slot, serial, end, after));
  }

  #settle(call: Call, tag: number, failure: Failure): void {
    this.#calls[call.slot] = undefined;
    call.settled = true;
    if (call.signal !== undefined) {
      this.#watch.delete(call.signal, call.slot);
    }
    if (tag === SUCCESS) {
      call.resolve(call.value);
      return;
    }
    const error = failureOf(failure, call, this.clock.now());
    const fallback = tag === FALLBACK ? this.#hooks.fallback : tag === BREAKER_FALLBACK ? this.#hooks.breakerFallback : undefined;
    if (fallback === undefined) {
      call.reject(error);
    } else {
      call.resolve(Promise.resolve(error).then(fallback));
    }
  }

  /** Why an attempt is cancelled. Its call may go on with another. */
  #reason(call: Call): unknown {
    return call.signal?.aborted === true
      ? call.signal.reason
      : new QuillworkError('ERR_ABORTED', 'nobody waits for this attempt any more: its call has settled, or it took too long');
  }

  /** Core has failed: every call ends. */
  #break(error: unknown): void {
    this.#alarm.set(Infinity);
    for (const call of this.#calls.splice(0)) {
      if (call?.signal !== undefined) {
        this.#watch.delete(call.signal, call.slot);
      }
      if (call !== undefined) {
        call.settled = true;
        call.reject(error);
      }
    }
  }
}

const START = 1;
const CANCEL = 2;
const SUCCESS = 3;
const FALLBACK = 5;
const BREAKER_FALLBACK = 6;

const SUCCEEDED = 0;
const TRANSIENT = 1;
const PERMANENT = 2;
const RETRY_AFTER = 3;
