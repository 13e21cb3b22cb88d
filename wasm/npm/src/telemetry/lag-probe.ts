import type { Cost } from './cost.js';

/**
 * Finds what holds up the main thread in browsers that tell of no long tasks (Firefox, Safari): a frame that comes late by 50 ms and more. A
 * frame is also late where the browser gives none, because the page is covered or saves power. Then the thread is free, and a timer that was
 * to fire meanwhile has fired in time: that late frame counts for nothing. What is found is an estimate, within about a frame.
 */
export class LagProbe {
  readonly #cost: Cost;
  readonly #onLag: (durationMs: number) => void;
  #request: number | undefined;
  #alibi: ReturnType<typeof setTimeout> | undefined;
  #wasFree = false;
  /** When the last frame began; `undefined` where the next one tells nothing. */
  #lastFrameAt: number | undefined;
  /** How far apart frames are where nothing holds them up. */
  #usualMs = FIRST_USUAL_MS;
  readonly #onFrame = (): void => this.#cost.measure(() => this.#frame());
  readonly #onVisibility = (): void => {
    this.#lastFrameAt = undefined;
  };

  constructor(cost: Cost, onLag: (durationMs: number) => void) {
    this.#cost = cost;
    this.#onLag = onLag;
  }

  start(): void {
    this.#request = requestAnimationFrame(this.#onFrame);
    document.addEventListener('visibilitychange', this.#onVisibility);
  }

  stop(): void {
    if (this.#request !== undefined) {
      cancelAnimationFrame(this.#request);
      clearTimeout(this.#alibi);
      document.removeEventListener('visibilitychange', this.#onVisibility);
      this.#request = undefined;
      this.#lastFrameAt = undefined;
    }
  }

  #frame(): void {
    this.#request = requestAnimationFrame(this.#onFrame);
    const now = performance.now();
    const gap = this.#lastFrameAt === undefined ? 0 : now - this.#lastFrameAt;
    const late = gap - this.#usualMs;
    if (late >= LONG_MS) {
      if (!this.#wasFree) {
        this.#onLag(late);
      }
    } else if (gap > 0) {
      this.#usualMs += (gap - this.#usualMs) / USUAL_WEIGHT;
    }
    this.#lastFrameAt = now;
    this.#wasFree = false;
    clearTimeout(this.#alibi);
    const due = now + this.#usualMs + ALIBI_AFTER_MS;
    this.#alibi = setTimeout(() => {
      this.#wasFree = performance.now() - due < ALIBI_LATE_MS;
    }, due - now);
  }
}

/** From which on a task counts as long, as in browsers that tell. */
const LONG_MS = 50;
/** At 60 frames a second. */
const FIRST_USUAL_MS = 1_000 / 60;
/** A frame counts for one part in so many of what is usual. */
const USUAL_WEIGHT = 16;
/** A thread that was free at this time after a frame was due, or soon after it, was not held up by one long task. */
const ALIBI_AFTER_MS = 25;
const ALIBI_LATE_MS = 5;
