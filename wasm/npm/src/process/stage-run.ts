import { Sketch } from './sketch.js';
import type { Stage, StageMetrics } from './types.js';

/** An item on its way. */
export interface Cell {
  /** Its place in the source. */
  readonly index: number;
  value: unknown;
  bytes: number;
}

/** A stage at work: what waits for it, what runs, and what it has done. */
export class StageRun {
  readonly name: string;
  readonly stage: Stage<unknown, unknown>;
  readonly concurrency: number;
  /** How many items may wait for it: as many as both sides handle at a time. */
  readonly room: number;
  /** In the order of the source. */
  readonly queue: Cell[] = [];
  /** Calls that run. */
  running = 0;
  /** Items whose results are still to come. */
  owed = 0;
  /** A batch has waited for long enough. */
  overdue = false;
  timer: ReturnType<typeof setTimeout> | undefined;
  readonly #durations = new Sketch();
  #in = 0;
  #out = 0;
  #errors = 0;
  #maxQueued = 0;
  #busyMs = 0;
  #bytes = 0;

  constructor(stage: Stage<unknown, unknown>, place: number, concurrency: number, before: number) {
    this.stage = stage;
    this.name = stage.name ?? `stage ${place + 1}`;
    this.concurrency = stage.concurrency ?? concurrency;
    this.room = before + this.width;
  }

  /** How many items it handles at a time. */
  get width(): number {
    return this.concurrency * this.stage.batch;
  }

  /** Whether it has anything to do. */
  get idle(): boolean {
    return this.queue.length === 0 && this.owed === 0;
  }

  add(cell: Cell): void {
    let at = this.queue.length;
    while (at > 0 && (this.queue[at - 1] as Cell).index > cell.index) {
      at -= 1;
    }
    this.queue.splice(at, 0, cell);
    this.#in += 1;
    this.#maxQueued = Math.max(this.#maxQueued, this.queue.length);
    this.#bytes += cell.bytes;
  }

  /** Takes the next so many items into a call. */
  take(size: number): Cell[] {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.overdue = false;
    const cells = this.queue.splice(0, size);
    this.running += 1;
    this.owed += cells.length;
    return cells;
  }

  /** A call has ended. */
  ended(tookMs: number): void {
    this.running -= 1;
    this.#busyMs += tookMs;
    this.#durations.add(tookMs);
  }

  failed(): void {
    this.#errors += 1;
  }

  /** An item leaves, with a result or without. */
  leave(cell: Cell, withResult: boolean): void {
    this.owed -= 1;
    this.#out += withResult ? 1 : 0;
    this.#bytes -= cell.bytes;
  }

  /** Drops what waits and comes after this place in the source. */
  dropAfter(index: number): Cell[] {
    const at = this.queue.findIndex((cell) => cell.index > index);
    const dropped = at < 0 ? [] : this.queue.splice(at);
    for (const cell of dropped) {
      this.#bytes -= cell.bytes;
    }
    return dropped;
  }

  metrics(sized: boolean): StageMetrics {
    return {
      name: this.name,
      in: this.#in,
      out: this.#out,
      errors: this.#errors,
      running: this.running,
      queued: this.queue.length,
      maxQueued: this.#maxQueued,
      busyMs: this.#busyMs,
      bytes: sized ? this.#bytes : undefined,
      p50Ms: this.#durations.quantile(0.5),
      p95Ms: this.#durations.quantile(0.95),
    };
  }
}
