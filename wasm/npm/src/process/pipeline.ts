import { QuillworkError } from '../errors.js';
import { Outlet, type Outcome } from './outlet.js';
import type { Reader } from './source.js';
import { isThenable } from './stage.js';
import { StageRun, type Cell } from './stage-run.js';
import type { OnError, Processed, ProcessMetrics, Stage, StageContext } from './types.js';

/** Checked settings of a pipeline. */
export interface PipelineSettings {
  readonly concurrency: number;
  readonly budgetBytes: number;
  /** `undefined` where nobody asked for sizes. */
  readonly sizeOf: ((item: unknown) => number) | undefined;
  readonly onError: OnError;
  readonly ordered: boolean;
  readonly signal: AbortSignal | undefined;
}

interface Waiter {
  readonly resolve: (step: IteratorResult<unknown, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * Moves items from the source through the stages to the reader. Whenever something has happened it starts what may start, the last stage
 * first, and then reads what there is room for. Three bounds hold: each stage's room, the room of the whole, and the budget of bytes. The
 * oldest item is held up by none of them, which is why nothing can wait for itself.
 */
export class Pipeline implements Processed<unknown> {
  readonly #open: () => Reader;
  readonly #settings: PipelineSettings;
  readonly #stages: readonly StageRun[];
  readonly #outlet: Outlet;
  readonly #stop = new AbortController();
  readonly #waiters: Waiter[] = [];
  /** Places of the items that are in a stage, the oldest first. */
  readonly #inStages = new Set<number>();
  /** How many items there may be between the source and the reader. */
  readonly #room: number;
  #reader: Reader | undefined;
  #reading = false;
  #exhausted = false;
  /** What the source threw. */
  #sourceError: { readonly error: unknown } | undefined;
  #over = false;
  /** What the reader is still to be told. */
  #failure: { readonly error: unknown } | undefined;
  /** Nothing behind this place is wanted, since it failed. */
  #last = Infinity;
  #pumping = false;
  #again = false;
  #read = 0;
  #delivered = 0;
  #skipped = 0;
  #inFlight = 0;
  #maxInFlight = 0;
  #bytes = 0;
  #maxBytes = 0;
  readonly #onAbort = (): void => this.#fail(this.#settings.signal?.reason);

  constructor(open: () => Reader, stages: readonly Stage<unknown, unknown>[], settings: PipelineSettings) {
    this.#open = open;
    this.#settings = settings;
    let before = 0;
    this.#stages = stages.map((stage, place) => {
      const run = new StageRun(stage, place, settings.concurrency, before);
      before = run.width;
      return run;
    });
    this.#room = Math.max(1, 2 * this.#stages.reduce((sum, { width }) => sum + width, 0));
    this.#outlet = new Outlet(settings.ordered);
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#begin();
      this.#pump();
    });
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    await this.#end(new DOMException('the reader has left', 'AbortError'));
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async collect(): Promise<unknown[]> {
    const results: unknown[] = [];
    for (let step = await this.next(); step.done !== true; step = await this.next()) {
      results.push(step.value);
    }
    return results;
  }

  metrics(): ProcessMetrics {
    const sized = this.#settings.sizeOf !== undefined;
    return {
      read: this.#read,
      delivered: this.#delivered,
      skipped: this.#skipped,
      inFlight: this.#inFlight,
      maxInFlight: this.#maxInFlight,
      bytes: sized ? this.#bytes : undefined,
      maxBytes: sized ? this.#maxBytes : undefined,
      stages: this.#stages.map((run) => run.metrics(sized)),
    };
  }

  #begin(): void {
    if (this.#reader !== undefined || this.#over) {
      return;
    }
    const { signal } = this.#settings;
    try {
      signal?.throwIfAborted();
      this.#reader = this.#open();
      signal?.addEventListener('abort', this.#onAbort, { once: true });
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Starts, reads and hands out whatever can be, until nothing can. */
  #pump(): void {
    this.#again = true;
    if (this.#pumping) {
      return;
    }
    this.#pumping = true;
    while (this.#again) {
      this.#again = false;
      this.#handOut();
      for (let place = this.#stages.length - 1; place >= 0; place -= 1) {
        for (let size = this.#startable(place); size > 0; size = this.#startable(place)) {
          this.#start(place, size);
        }
      }
      while (this.#mayRead()) {
        this.#readNext();
      }
    }
    this.#pumping = false;
  }

  // The source.

  #mayRead(): boolean {
    const first = this.#stages[0];
    return (
      !this.#over &&
      !this.#reading &&
      !this.#exhausted &&
      this.#last === Infinity &&
      this.#inFlight < this.#room &&
      (first === undefined || first.queue.length < first.room) &&
      (this.#bytes < this.#settings.budgetBytes || this.#inFlight === 0)
    );
  }

  #readNext(): void {
    this.#again = true;
    try {
      const step = this.#reader?.next() ?? DONE;
      if (!isThenable(step)) {
        this.#onStep(step);
        return;
      }
      this.#reading = true;
      step.then(
        (later) => this.#onRead(() => this.#onStep(later)),
        (error: unknown) => this.#onRead(() => this.#onSourceError(error)),
      );
    } catch (error) {
      this.#onSourceError(error);
    }
  }

  #onRead(act: () => void): void {
    this.#reading = false;
    if (!this.#over) {
      act();
      this.#pump();
    }
  }

  #onStep(step: IteratorResult<unknown>): void {
    if (step.done === true) {
      this.#exhausted = true;
      return;
    }
    const cell: Cell = { index: this.#read, value: step.value, bytes: 0 };
    this.#read += 1;
    this.#inFlight += 1;
    this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight);
    this.#inStages.add(cell.index);
    this.#enter(0, cell);
  }

  #onSourceError(error: unknown): void {
    this.#exhausted = true;
    this.#sourceError = { error };
  }

  // The stages.

  /** The item comes to a stage, or out of the last one. */
  #enter(place: number, cell: Cell): void {
    try {
      this.#weigh(cell);
    } catch (thrown) {
      this.#giveUp(cell, thrown);
      return;
    }
    const next = this.#stages[place];
    if (next === undefined) {
      this.#inStages.delete(cell.index);
      this.#outlet.add(cell.index, { kind: 'result', value: cell.value, bytes: cell.bytes });
    } else {
      next.add(cell);
    }
  }

  #weigh(cell: Cell): void {
    const { sizeOf } = this.#settings;
    if (sizeOf === undefined) {
      return;
    }
    const bytes = sizeOf(cell.value);
    if (!(bytes >= 0)) {
      throw new QuillworkError('ERR_INVALID_OPTION', `\`sizeOf\` gives a number of bytes of 0 or more, not ${String(bytes)}`);
    }
    this.#bytes += bytes - cell.bytes;
    this.#maxBytes = Math.max(this.#maxBytes, this.#bytes);
    cell.bytes = bytes;
  }

  /** How many items a call of the stage may take now. */
  #startable(place: number): number {
    const run = this.#stages[place] as StageRun;
    const head = run.queue[0];
    if (this.#over || head === undefined || run.running >= run.concurrency) {
      return 0;
    }
    const [oldest] = this.#inStages;
    const isOldest = head.index === oldest;
    const inBudget = this.#bytes < this.#settings.budgetBytes;
    const size = Math.min(run.stage.batch, run.queue.length);
    const next = this.#stages[place + 1];
    const hasRoom = next === undefined || next.queue.length + run.owed + size <= next.room;
    if (!(inBudget && hasRoom)) {
      // Alone, so that no bound is passed by more than one.
      return isOldest ? 1 : 0;
    }
    if (size === run.stage.batch || run.overdue || this.#isQuietBefore(place)) {
      return size;
    }
    this.#waitForBatch(run);
    return 0;
  }

  /** Whether nothing more can come to a stage: ever, or before it has run. */
  #isQuietBefore(place: number): boolean {
    if (this.#reading || !this.#stages.slice(0, place).every((run) => run.idle)) {
      return false;
    }
    // Where the reader has something to take, there will be room to read.
    return this.#exhausted || this.#last !== Infinity || (!this.#mayRead() && this.#outlet.first === undefined);
  }

  #waitForBatch(run: StageRun): void {
    if (run.timer === undefined && run.stage.batchWaitMs < Infinity) {
      run.timer = setTimeout(() => {
        run.overdue = true;
        this.#pump();
      }, run.stage.batchWaitMs);
    }
  }

  #start(place: number, size: number): void {
    this.#again = true;
    const run = this.#stages[place] as StageRun;
    const cells = run.take(size);
    const context: StageContext = { signal: this.#stop.signal, index: (cells[0] as Cell).index, stage: run.name };
    const startedAt = performance.now();
    const settle = (act: () => void): void => {
      run.ended(Math.max(0, performance.now() - startedAt));
      if (!this.#over) {
        act();
        this.#pump();
      }
    };
    const onResults = (results: readonly unknown[]): void => settle(() => this.#onResults(place, cells, results));
    const onError = (error: unknown): void => settle(() => this.#onError(place, cells, error));
    try {
      const results = run.stage.run(
        cells.map(({ value }) => value),
        context,
      );
      if (isThenable(results)) {
        results.then(onResults, onError);
      } else {
        onResults(results);
      }
    } catch (thrown) {
      onError(thrown);
    }
  }

  #onResults(place: number, cells: readonly Cell[], results: unknown): void {
    const { name } = this.#stages[place] as StageRun;
    if (!Array.isArray(results) || results.length !== cells.length) {
      const what = Array.isArray(results) ? `${results.length} results` : 'no array';
      const error = new QuillworkError('ERR_BATCH_RESULTS', `${name} gave ${what} for ${cells.length} items: give one result for each, in order`);
      this.#onError(place, cells, error);
      return;
    }
    for (const [at, cell] of cells.entries()) {
      this.#pass(place, cell, results[at]);
    }
  }

  #pass(place: number, cell: Cell, value: unknown): void {
    (this.#stages[place] as StageRun).leave(cell, true);
    if (cell.index > this.#last) {
      this.#drop(cell);
      return;
    }
    cell.value = value;
    this.#enter(place + 1, cell);
  }

  #onError(place: number, cells: readonly Cell[], error: unknown): void {
    const run = this.#stages[place] as StageRun;
    const { onError } = this.#settings;
    for (const cell of cells) {
      run.failed();
      if (typeof onError === 'function') {
        void this.#replace(place, cell, error, onError);
        continue;
      }
      run.leave(cell, false);
      if (onError === 'throw') {
        this.#giveUp(cell, error);
      } else {
        this.#skipped += 1;
        this.#inStages.delete(cell.index);
        this.#free(cell);
        this.#outlet.add(cell.index, { kind: 'nothing' });
      }
    }
  }

  async #replace(place: number, cell: Cell, error: unknown, onError: (error: unknown, item: unknown, stage: StageContext) => unknown): Promise<void> {
    const run = this.#stages[place] as StageRun;
    try {
      const value = await onError(error, cell.value, { signal: this.#stop.signal, index: cell.index, stage: run.name });
      if (!this.#over) {
        this.#pass(place, cell, value);
      }
    } catch (thrown) {
      if (!this.#over) {
        run.leave(cell, false);
        this.#giveUp(cell, thrown);
      }
    }
    this.#pump();
  }

  /** The item's error ends everything: at once, or when the reader comes to its place. */
  #giveUp(cell: Cell, error: unknown): void {
    if (!this.#settings.ordered) {
      this.#fail(error);
      return;
    }
    this.#inStages.delete(cell.index);
    this.#free(cell);
    if (cell.index > this.#last) {
      this.#inFlight -= 1;
      return;
    }
    this.#last = cell.index;
    this.#outlet.add(cell.index, { kind: 'error', error });
    for (const run of this.#stages) {
      for (const later of run.dropAfter(cell.index)) {
        this.#drop(later);
      }
    }
  }

  /** Nobody wants it any more. */
  #drop(cell: Cell): void {
    this.#inStages.delete(cell.index);
    this.#inFlight -= 1;
    this.#free(cell);
  }

  #free(cell: Cell): void {
    this.#bytes -= cell.bytes;
    cell.bytes = 0;
  }

  // The reader.

  #handOut(): void {
    for (let first = this.#outlet.first; first !== undefined && !this.#over; first = this.#outlet.first) {
      if (first.kind !== 'nothing' && this.#waiters.length === 0) {
        return;
      }
      this.#outlet.shift();
      this.#inFlight -= 1;
      this.#handOne(first);
    }
    if (!this.#over && this.#exhausted && this.#inFlight === 0 && this.#waiters.length > 0) {
      if (this.#sourceError === undefined) {
        void this.#end(undefined);
      } else {
        this.#fail(this.#sourceError.error);
      }
    }
    if (this.#over) {
      this.#handEnd();
    }
  }

  #handOne(outcome: Outcome): void {
    if (outcome.kind === 'result') {
      this.#bytes -= outcome.bytes;
      this.#delivered += 1;
      this.#waiters.shift()?.resolve({ done: false, value: outcome.value });
    } else if (outcome.kind === 'error') {
      this.#fail(outcome.error);
    }
  }

  #fail(error: unknown): void {
    if (this.#over) {
      return;
    }
    this.#failure = { error };
    this.#end(error).catch(() => undefined);
    this.#pump();
  }

  /** Nothing goes on from here. What the source says to its end is thrown where there is nothing else to tell. */
  async #end(reason: unknown): Promise<void> {
    if (this.#over) {
      return;
    }
    this.#over = true;
    this.#settings.signal?.removeEventListener('abort', this.#onAbort);
    for (const run of this.#stages) {
      clearTimeout(run.timer);
      run.dropAfter(-1);
    }
    this.#outlet.clear();
    this.#inStages.clear();
    this.#inFlight = 0;
    this.#bytes = 0;
    if (reason !== undefined) {
      this.#stop.abort(reason);
    }
    this.#handEnd();
    if (!this.#exhausted) {
      await this.#reader?.cancel(reason);
    }
  }

  #handEnd(): void {
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure === undefined) {
        waiter.resolve(DONE);
      } else {
        waiter.reject(failure.error);
      }
    }
  }
}
