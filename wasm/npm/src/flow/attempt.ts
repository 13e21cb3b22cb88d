/** What a function is given that a policy calls. */
export interface AttemptContext {
  /**
   * Aborted when nobody waits for this attempt any more: its call was aborted or has timed out, or another attempt was faster. Hand it on
   * to `fetch` and the like. Its `reason` says why.
   */
  readonly signal: AbortSignal;
  /** 1 for the first attempt of a call, 2 for the next, retry or hedge. */
  readonly attempt: number;
}

/** A function that a policy calls. */
export type Attempted<Result> = (context: AttemptContext) => Result | PromiseLike<Result>;

/** One attempt. The signal is made when it is asked for: most functions never do. */
export class Attempt implements AttemptContext {
  readonly attempt: number;
  #controller: AbortController | undefined;
  #cancelled: { readonly reason: unknown } | undefined;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled !== undefined) {
        this.#controller.abort(this.#cancelled.reason);
      }
    }
    return this.#controller.signal;
  }

  /** @internal Nobody waits for it any more. */
  cancel(reason: unknown): void {
    this.#cancelled ??= { reason };
    this.#controller?.abort(reason);
  }
}
