import { QuillworkError } from '../errors.js';

/** Why core ended a call; the numbers are in `wasm/flow/src/stack_records.rs`. */
export interface Failure {
  readonly error: number;
  readonly detail: number;
}

/** The error that a caller gets. What its own function threw last goes to it as it is, or as the `cause`. */
export function failureOf(failure: Failure, call: { readonly signal: AbortSignal | undefined; readonly error: unknown }, now: number): unknown {
  const { detail } = failure;
  const cause = call.error === undefined ? undefined : { cause: call.error };
  const waitMs = (until: number): number => Math.max(0, Math.ceil(until - now));
  switch (failure.error) {
    case 1:
      return call.signal?.reason ?? new QuillworkError('ERR_ABORTED', 'the call was aborted', cause);
    case 2:
      return new QuillworkError('ERR_TIMEOUT', `the call took longer than ${detail} ms in all, its waits and retries included`, cause);
    case 3:
      return refused('ERR_CIRCUIT_OPEN', 'the circuit breaker is open: too many calls failed', waitMs(detail), cause);
    case 4:
      return new QuillworkError('ERR_CIRCUIT_OPEN', 'the circuit breaker is half-open and its trial calls are under way: try again later', cause);
    case 5:
      return new QuillworkError('ERR_CIRCUIT_OPEN', 'the circuit breaker was forced open: set another mode to let calls through', cause);
    case 6:
      return refused('ERR_RATE_LIMITED', 'the rate limit is used up', waitMs(detail), cause);
    case 7:
      return new QuillworkError('ERR_INVALID_OPTION', 'the rate limit never admits so much at once: raise its `limit` or `burst`', cause);
    case 8:
      return new QuillworkError('ERR_QUEUE_FULL', `${detail} calls run, which is as many as may, and no more may wait: call less at once, or raise \`maxQueued\``, cause);
    case 9:
      return new QuillworkError('ERR_QUEUE_EXPIRED', 'no place was free within `maxWait`', cause);
    case 10:
      return new QuillworkError('ERR_OVERLOADED', `the service takes ${detail} calls at a time now, and as many run: try again later`, cause);
    case 11:
      return new QuillworkError('ERR_TIMEOUT', `the attempt took longer than ${detail} ms`);
    default:
      return call.error;
  }
}

function refused(code: 'ERR_CIRCUIT_OPEN' | 'ERR_RATE_LIMITED', what: string, retryAfterMs: number, cause: { cause: unknown } | undefined): QuillworkError {
  return new QuillworkError(code, `${what}; try again in ${retryAfterMs} ms`, { ...cause, retryAfterMs });
}
