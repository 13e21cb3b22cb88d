/** How the user judges errors. */
export interface Judgement {
  /** `false` for an error that is the caller's own fault. */
  readonly isFailure?: ((error: unknown) => boolean) | undefined;
  /** How long the other side asked to be left alone, in milliseconds. */
  readonly retryAfter?: ((error: unknown) => number | undefined) | undefined;
}

/** What an error means to core: how an attempt ended, and after how many milliseconds to try again. */
export interface Verdict {
  readonly end: number;
  readonly retryAfterMs: number;
  readonly error: unknown;
}

/** Judges an error. Who can't judge it gets the fault that kept them from doing so, and no retry. */
export function judge(error: unknown, { isFailure, retryAfter }: Judgement): Verdict {
  try {
    if (isFailure?.(error) === false) {
      return { end: PERMANENT, retryAfterMs: 0, error };
    }
    const asked = retryAfter?.(error);
    return asked !== undefined && asked >= 0 ? { end: RETRY_AFTER, retryAfterMs: asked, error } : { end: TRANSIENT, retryAfterMs: 0, error };
  } catch (thrown) {
    return { end: PERMANENT, retryAfterMs: 0, error: thrown };
  }
}

/** How attempts end, by core's numbers. */
export const SUCCEEDED = 0;
export const TRANSIENT = 1;
const PERMANENT = 2;
const RETRY_AFTER = 3;
