/** What items come from: anything that can be iterated, at once or in time. A `ReadableStream` is, in every browser. */
export type Source<Item> = Iterable<Item> | AsyncIterable<Item>;

/** What a stage's function is given beside its item. */
export interface StageContext {
  /** Aborted when nobody wants the result any more. Hand it on to `fetch` and the like. */
  readonly signal: AbortSignal;
  /** The item's place in the source, from 0; of a batch, its first item's. */
  readonly index: number;
  /** The stage's name. */
  readonly stage: string;
}

/** What a stage is: made by `stage` or `workerStage`. */
export interface Stage<In, Out> {
  readonly name: string | undefined;
  /** `undefined`: as many as the option of the whole says. */
  readonly concurrency: number | undefined;
  /** How many items a call takes. */
  readonly batch: number;
  readonly batchWaitMs: number;
  /** Gives as many results as it is given items. */
  readonly run: (items: readonly In[], context: StageContext) => readonly Out[] | PromiseLike<readonly Out[]>;
}

/** A stage, or a function that is one with nothing said about it. */
export type Step<In, Out> = Stage<In, Out> | ((item: In, context: StageContext) => Out | PromiseLike<Out>);

/** What becomes of an item for which a stage failed: a function gives what to go on with, as the stage's result, or throws. */
export type OnError = 'throw' | 'skip' | ((error: unknown, item: unknown, stage: StageContext) => unknown);

/** Settings of `process`. */
export interface ProcessOptions {
  /** How many calls of a stage run at a time where the stage does not say it, 1 to 65,536. Default 1. */
  readonly concurrency?: number | undefined;
  /**
   * How many bytes the items between the source and the reader may take up. Where they come to more, nothing is read, and only the oldest
   * item moves on: what is beyond the budget is at most one item read and the growth of those that were running. Default: no limit.
   */
  readonly memoryBudgetBytes?: number | undefined;
  /** How large an item is, in bytes. Default with a budget: an estimate from its buffers, strings and fields. */
  readonly sizeOf?: ((item: unknown) => number) | undefined;
  /**
   * What the error of an item does. `throw`: it ends everything. `skip`: the item is left out. A function gives a replacement for the
   * result of the stage. Default `throw`. What the source throws always ends everything.
   */
  readonly onError?: OnError | undefined;
  /** Whether results come in the order of their items. Default `true`; `false` gives each as soon as it is there. */
  readonly ordered?: boolean | undefined;
  /** Ends everything: reading on rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a stage has done, and has to do. */
export interface StageMetrics {
  readonly name: string;
  /** Items that it was given. */
  readonly in: number;
  /** Items that it gave, replacements among them. */
  readonly out: number;
  /** Items for which it failed. */
  readonly errors: number;
  /** Calls that run. */
  readonly running: number;
  /** Items that wait for a call, and the most that ever did. */
  readonly queued: number;
  readonly maxQueued: number;
  /** What its calls took, together: more than the time that passed where several ran. */
  readonly busyMs: number;
  /** What its items take up, waiting and in calls; `undefined` where nobody asked for sizes. */
  readonly bytes: number | undefined;
  /** How long calls took, within one per cent; `null` before the first has ended. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** What a process has done, and has to do. */
export interface ProcessMetrics {
  /** Items that came from the source. */
  readonly read: number;
  /** Results that were handed out. */
  readonly delivered: number;
  /** Items left out for their errors. */
  readonly skipped: number;
  /** Items between the source and the reader, and the most that there ever were. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** What they take up, and the most that they ever did; `undefined` where nobody asked for sizes. */
  readonly bytes: number | undefined;
  readonly maxBytes: number | undefined;
  readonly stages: readonly StageMetrics[];
}

/** Results as they come. Nothing is read before the first is asked for; leaving a `for await` early ends everything. Can be read once. */
export interface Processed<Out> extends AsyncIterableIterator<Out> {
  next(): Promise<IteratorResult<Out, undefined>>;
  /** Ends everything: the source, calls, and tasks in workers. */
  return(): Promise<IteratorResult<Out, undefined>>;
  [Symbol.asyncIterator](): Processed<Out>;
  /** All further results. */
  collect(): Promise<Out[]>;
  metrics(): ProcessMetrics;
}
