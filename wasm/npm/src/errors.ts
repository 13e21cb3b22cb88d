/**
 * Why the runtime itself ended or refused a task. A task's own errors arrive as they were thrown, not as one of these.
 *
 * | code | when | what helps |
 * |---|---|---|
 * | `ERR_ABORTED` | {@link Runtime.run}'s signal was aborted without a reason of its own | |
 * | `ERR_TIMEOUT` | the task ran for longer than `timeoutMs` | a longer time, or smaller tasks |
 * | `ERR_QUEUE_FULL` | `maxQueue` tasks were already waiting | submit less at once, or raise `maxQueue` |
 * | `ERR_DROPPED` | it waited in a full queue and made room for another, as the option `overflow` says | raise `maxQueue` or `maxQueued` |
 * | `ERR_SHED` | memory ran short, and its priority was too low to be kept | submit it later |
 * | `ERR_TOO_LARGE` | its `complexity` is beyond the `concurrency` of the workers | raise `concurrency` |
 * | `ERR_QUEUE_EXPIRED` | no worker was free within `queueTtlMs` | |
 * | `ERR_NO_CAPABLE_WORKER` | no worker of this pool carries the `capabilities` asked for | |
 * | `ERR_WORKER_LOST` | the task's workers crashed or fell silent more often than it may be redelivered | `error.cause` has what the worker said |
 * | `ERR_WORKER_LOAD` | the worker's module could not be loaded | the URL in the message |
 * | `ERR_CLOSED` | the runtime was closed | |
 * | `ERR_UNKNOWN_TASK` | the worker's module exposes no task of this name | the names in the message |
 * | `ERR_NOT_A_STREAM` | `stream` was called for a task that is no generator | use `run` |
 * | `ERR_NOT_CLONEABLE` | input, result or progress can't be sent between threads | plain data, typed arrays, Map, Set, Date |
 * | `ERR_INVALID_OPTION` | an option is out of its range | |
 * | `ERR_CIRCUIT_OPEN` | a circuit breaker refused the call | `error.retryAfterMs`, a fallback |
 * | `ERR_RATE_LIMITED` | a rate limit is used up | `error.retryAfterMs` |
 * | `ERR_OVERLOADED` | an adaptive limit refused the call | fewer calls at a time |
 * | `ERR_STRATEGY` | a strategy of yours threw, or chose none of the workers that it was given | `error.cause`, the option `fallback` |
 * | `ERR_BATCH_RESULTS` | a batch function gave another number of results than it was given items | one result for each item, in order |
 * | `ERR_WASM_LOAD` | a WebAssembly module could not be loaded | the URL in the message |
 * | `ERR_INTERNAL` | a fault of this package: every task ends, the runtime can't be used further | please report it |
 */
export type QuillworkErrorCode =
  | 'ERR_ABORTED'
  | 'ERR_TIMEOUT'
  | 'ERR_QUEUE_FULL'
  | 'ERR_DROPPED'
  | 'ERR_SHED'
  | 'ERR_TOO_LARGE'
  | 'ERR_QUEUE_EXPIRED'
  | 'ERR_NO_CAPABLE_WORKER'
  | 'ERR_WORKER_LOST'
  | 'ERR_WORKER_LOAD'
  | 'ERR_CLOSED'
  | 'ERR_UNKNOWN_TASK'
  | 'ERR_NOT_A_STREAM'
  | 'ERR_NOT_CLONEABLE'
  | 'ERR_INVALID_OPTION'
  | 'ERR_CIRCUIT_OPEN'
  | 'ERR_RATE_LIMITED'
  | 'ERR_OVERLOADED'
  | 'ERR_BATCH_RESULTS'
  | 'ERR_STRATEGY'
  | 'ERR_WASM_LOAD'
  | 'ERR_INTERNAL';

/** The same in every copy of the package, and in every realm. */
const BRAND = Symbol.for('QuillworkError');

/**
 * An error of the runtime itself; `code` is stable, the message is for people. `instanceof` knows those of another copy of the package, too:
 * a page may have got one with a library.
 */
export class QuillworkError extends Error {
  /** Stable reason: test this, not the message. */
  readonly code: QuillworkErrorCode;

  /** In how many milliseconds it makes sense to try again, where that is known. */
  readonly retryAfterMs: number | undefined;

  constructor(code: QuillworkErrorCode, message: string, options?: { cause?: unknown; retryAfterMs?: number }) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'QuillworkError', configurable: true, writable: true });
  }

  /** @internal Inherited: it is no field of an error, and so neither copied nor compared with it. */
  get [BRAND](): boolean {
    return true;
  }

  /** @internal */
  static override [Symbol.hasInstance](thrown: unknown): boolean {
    return this === QuillworkError ? (thrown as Branded)?.[BRAND] === true : super[Symbol.hasInstance](thrown);
  }
}

type Branded = { readonly [BRAND]?: boolean } | null | undefined;

/** @internal What a person needs to see of something that was thrown. */
export function describe(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    // A getter, a proxy or a toString of the app's threw in its turn.
    return UNREADABLE;
  }
}

/** @internal Where a module trapped, as its stack says it: what a report needs. The browsers agree on the form. */
export function trapPlace(thrown: unknown): string {
  const place = thrown instanceof Error ? /wasm-function\[\d+\]:0x[\da-f]+/.exec(thrown.stack ?? '')?.[0] : undefined;
  return `${place === undefined ? '' : `at ${place} `}(${describe(thrown)})`;
}

/** @internal What is said of something that can't be read. */
export const UNREADABLE = 'an error that could not be read';
