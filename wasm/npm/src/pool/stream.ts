import { QuillworkError } from '../errors.js';
import { follow } from '../runtime/follow.js';

/** What a task that is a generator yields, one by one: made by {@link Runtime.stream}. */
export interface TaskStream<Item, Result = unknown> extends AsyncIterator<Item, Result, undefined> {
  /** The next item. The task starts with the first call, and never runs further ahead than `highWaterMark` items. */
  next(): Promise<IteratorResult<Item, Result>>;
  /** Ends the task, whose `finally` blocks run; what a `for await` does that is left early. */
  return(): Promise<IteratorResult<Item, Result>>;
  [Symbol.asyncIterator](): TaskStream<Item, Result>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The page's end of a stream, as the pool knows it. */
export interface StreamSink {
  /** How many items the worker may send before it is asked for more. */
  readonly highWaterMark: number;
  /** The task runs: so the worker is asked for more. */
  opened(ask: (items: number) => void): void;
  /** An item came. */
  push(item: unknown): void;
}

interface Waiting<Item, Result> {
  resolve(step: IteratorResult<Item, Result>): void;
  reject(thrown: unknown): void;
}

/** Engines that don't know the symbol yet leave it to libraries to agree on one. */
const ASYNC_DISPOSE: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

/** Holds what came until it is asked for, and asks for more when half of it is gone. */
export class BufferedStream<Item, Result> implements TaskStream<Item, Result>, StreamSink {
  readonly highWaterMark: number;
  readonly #run: (sink: StreamSink, signal: AbortSignal) => Promise<unknown>;
  readonly #stop = new AbortController();
  readonly #unfollow: () => void;
  readonly #items: Item[] = [];
  readonly #waiting: Waiting<Item, Result>[] = [];
  #ask: (items: number) => void = () => undefined;
  #taken = 0;
  #running: Promise<void> | undefined;
  /** What comes after the last item, once. */
  #end: ((waiting: Waiting<Item, Result>) => void) | undefined;

  /** `run` is called with the first item that is asked for. */
  constructor(
    highWaterMark: number,
    signal: AbortSignal | undefined,
    run: (sink: StreamSink, signal: AbortSignal) => Promise<unknown>,
  ) {
    this.highWaterMark = highWaterMark;
    this.#run = run;
    this.#unfollow = follow(signal, this.#stop);
  }

  opened(ask: (items: number) => void): void {
    this.#ask = ask;
  }

  push(item: unknown): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#items.push(item as Item);
      return;
    }
    this.#count();
    waiting.resolve({ done: false, value: item as Item });
  }

  next(): Promise<IteratorResult<Item, Result>> {
    this.#running ??= this.#start();
    if (this.#items.length > 0) {
      this.#count();
      return Promise.resolve({ done: false, value: this.#items.shift() as Item });
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#settleWaiting();
    });
  }

  async return(): Promise<IteratorResult<Item, Result>> {
    this.#running ??= Promise.resolve();
    this.#stop.abort(new QuillworkError('ERR_ABORTED', 'the stream was left before its end'));
    await this.#running;
    this.#unfollow();
    this.#items.length = 0;
    this.#end = OVER;
    this.#settleWaiting();
    return { done: true, value: undefined as Result };
  }

  async [ASYNC_DISPOSE](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #start(): Promise<void> {
    try {
      const value = (await this.#run(this, this.#stop.signal)) as Result;
      this.#end = (waiting) => waiting.resolve({ done: true, value });
    } catch (thrown) {
      this.#end = (waiting) => waiting.reject(thrown);
    }
    this.#unfollow();
    this.#settleWaiting();
  }

  #settleWaiting(): void {
    for (; this.#end !== undefined && this.#waiting.length > 0; this.#end = OVER) {
      this.#end(this.#waiting.shift() as Waiting<Item, Result>);
    }
  }

  #count(): void {
    this.#taken += 1;
    if (2 * this.#taken >= this.highWaterMark) {
      this.#ask(this.#taken);
      this.#taken = 0;
    }
  }
}

/** Whoever asks after the end is told that it is over. */
const OVER = (waiting: Waiting<never, never>): void => waiting.resolve({ done: true, value: undefined as never });
