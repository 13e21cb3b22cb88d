import { QuillworkError } from '../errors.js';
import { AbortWatch } from '../pool/abort-watch.js';
import { BESIDE } from '../embedded.js';
import { Attempt, type Attempted } from './attempt.js';
import { failureOf, type Failure } from './failure.js';
import { Machine } from './machine.js';
import { abortSignal, object, OF_CALL } from './options.js';
import type { SharedBudget } from './retry-budget.js';
import { judge, SUCCEEDED, type Judgement } from './verdict.js';

/** What a caller may ask of one call. */
export interface ExecuteOptions {
  /** Ends the call, waiting or running, as soon as it is aborted: the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How the user's words about errors and fallbacks go into a stack. */
export interface StackHooks extends Judgement {
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
  slot: number;
  serial: number;
  attempts: number;
  settled: boolean;
  /** How the attempt ended that ended last. */
  value: unknown;
  error: unknown;
}

/**
 * Policies around calls. Core decides when attempts start, which are cancelled, and what each call comes to; this class makes the calls
 * and keeps their promises. Each promise settles once.
 */
export class Stack extends Machine {
  readonly #hooks: StackHooks;
  /** Held on to: core must not free it before the stack. */
  readonly budget: SharedBudget | undefined;
  readonly #watch = new AbortWatch((slot) => this.#abort(slot));
  // By slot: core uses each again.
  readonly #calls: (Call | undefined)[] = [];
  readonly #attempts: (Attempt | undefined)[] = [];

  /** `budget` is shared with other stacks, and its clock and core with it. */
  constructor(settings: readonly number[], hooks: StackHooks, budget?: SharedBudget) {
    const seed = Math.floor(Math.random() * 2 ** 53);
    const shared = budget?.handle ?? 0;
    super(
      {
        settings,
        make: (exports, now) => exports.stack_new(now, seed, shared),
        free: (exports, handle) => exports.stack_free(handle),
        drain: (exports, handle) => exports.stack_drain(handle),
        deadline: (exports, handle, now) => exports.stack_deadline(handle, now),
      },
      budget,
    );
    this.#hooks = hooks;
    this.budget = budget;
  }

  /** Takes a call through the layers. */
  execute<Result>(run: Attempted<Result>, options: ExecuteOptions = {}): Promise<Result> {
    if (typeof run !== 'function') {
      return Promise.reject(new QuillworkError('ERR_INVALID_OPTION', `what is to be executed is a function, not ${String(run)}`));
    }
    return new Promise<Result>((resolve, reject) => {
      const signal = abortSignal(object(OF_CALL, options).signal);
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const call: Call = {
        run,
        resolve: resolve as (value: unknown) => void,
        reject,
        signal,
        slot: NOWHERE,
        serial: 0,
        attempts: 0,
        settled: false,
        value: undefined,
        error: undefined,
      };
      this.input(
        (exports, now) => exports.stack_call(this.handle, now),
        (floats) => {
          // Whole numbers, so that arrays are indexed by them and not by floats.
          call.slot = (floats[BESIDE] ?? 0) >>> 0;
          call.serial = (floats[BESIDE + 1] ?? 0) >>> 0;
          this.#calls[call.slot] = call;
          if (signal !== undefined) {
            this.#watch.add(signal, call.slot);
          }
        },
      );
      if (call.slot === NOWHERE) {
        reject(this.core.fault(undefined));
      }
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

  protected override take(records: Float64Array, at: number): void {
    const tag = (records[at] ?? 0) >>> 0;
    const call = this.#calls[(records[at + 1] ?? 0) >>> 0];
    const slot = (records[at + 3] ?? 0) >>> 0;
    const serial = (records[at + 4] ?? 0) >>> 0;
    if (call === undefined) {
      return;
    }
    if (tag === START) {
      this.act(() => this.#start(call, slot, serial));
    } else if (tag === CANCEL) {
      this.act(() => this.#attempts[slot]?.cancel(reasonOf(call)));
    } else {
      this.#settle(call, tag, { error: records[at + 5] ?? 0, detail: records[at + 6] ?? 0 });
    }
  }

  protected override taken(): void {
    this.#hooks.afterInput?.();
  }

  protected override break(error: unknown): void {
    for (const call of this.#calls.splice(0)) {
      if (call !== undefined) {
        this.#end(call);
        call.reject(error);
      }
    }
  }

  #abort(slot: number): void {
    const call = this.#calls[slot];
    if (call !== undefined) {
      this.input((exports, now) => exports.stack_abort(this.handle, now, slot, call.serial));
    }
  }

  #start(call: Call, slot: number, serial: number): void {
    if (call.settled) {
      // It was over before its turn came: the attempt ends as it was never made.
      this.#ended(slot, serial, SUCCEEDED, 0);
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
      (value) => {
        call.value = value;
        this.#ended(slot, serial, SUCCEEDED, 0);
      },
      (thrown: unknown) => this.#failed(call, slot, serial, thrown),
    );
  }

  #failed(call: Call, slot: number, serial: number, thrown: unknown): void {
    const verdict = judge(thrown, this.#hooks);
    call.error = verdict.error;
    this.#ended(slot, serial, verdict.end, verdict.retryAfterMs);
  }

  #ended(slot: number, serial: number, end: number, retryAfterMs: number): void {
    this.#attempts[slot] = undefined;
    this.input((exports, now) => exports.stack_result(this.handle, now, slot, serial, end, retryAfterMs));
  }

  #settle(call: Call, tag: number, failure: Failure): void {
    this.#end(call);
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

  #end(call: Call): void {
    this.#calls[call.slot] = undefined;
    call.settled = true;
    if (call.signal !== undefined) {
      this.#watch.delete(call.signal, call.slot);
    }
  }
}

/** Why an attempt is cancelled. Its call may go on with another. */
function reasonOf(call: Call): unknown {
  return call.signal?.aborted === true
    ? call.signal.reason
    : new QuillworkError('ERR_ABORTED', 'nobody waits for this attempt any more: its call has settled, or it took too long');
}

/** Of a call that core has not placed. */
const NOWHERE = -1;

const START = 1;
const CANCEL = 2;
const SUCCESS = 3;
const FALLBACK = 5;
const BREAKER_FALLBACK = 6;
