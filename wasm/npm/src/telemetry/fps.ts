import type { Cost } from './cost.js';

/** Frames of one interval. */
export interface Frames {
  /** Whether the page was visible for all of it. */
  readonly visible: boolean;
  readonly framesPerSecond: number | null;
  readonly displayHertz: number | null;
  readonly droppedFrameRatio: number | null;
  readonly lowFramesPerSecond: number | null;
}

/**
 * Counts the frames that the browser lets the page draw. A hidden page gets none, which is not the same as missing them: its frames
 * are not observed. What the display could show is measured too, since 60 frames are all there is on one display and
 * half of them on another.
 */
export class FrameMeter {
  readonly #cost: Cost;
  #frames = 0;
  #lastFrameAt: number | undefined;
  #wasHidden = isHidden();
  /** The last intervals between frames, a ring. */
  readonly #gaps: number[] = [];
  #gapCount = 0;
  #request: number | undefined;
  readonly #onFrame = (at: number): void => this.#cost.measure(() => this.#frame(at));
  readonly #onVisibility = (): void => {
    this.#wasHidden ||= isHidden();
    this.#lastFrameAt = undefined;
  };

  constructor(cost: Cost) {
    this.#cost = cost;
  }

  start(): void {
    if (typeof requestAnimationFrame === 'function' && this.#request === undefined) {
      this.#wasHidden = isHidden();
      this.#request = requestAnimationFrame(this.#onFrame);
      document.addEventListener('visibilitychange', this.#onVisibility);
    }
  }

  stop(): void {
    if (this.#request !== undefined) {
      cancelAnimationFrame(this.#request);
      document.removeEventListener('visibilitychange', this.#onVisibility);
      this.#request = undefined;
      this.#lastFrameAt = undefined;
    }
  }

  /** The frames since this was last called, `intervalMs` ago. */
  take(intervalMs: number): Frames {
    const frames = this.#frames;
    const visible = this.#request !== undefined && !this.#wasHidden;
    this.#frames = 0;
    this.#wasHidden = isHidden();
    const displayHertz = this.#displayHertz();
    // A page that is covered by another window may count as visible and still get no frame at all.
    if (!visible || frames === 0 || intervalMs < SHORTEST_INTERVAL_MS) {
      return { visible, framesPerSecond: null, displayHertz, droppedFrameRatio: null, lowFramesPerSecond: null };
    }
    const framesPerSecond = (frames * 1_000) / intervalMs;
    return {
      visible,
      framesPerSecond,
      displayHertz,
      droppedFrameRatio: displayHertz === null ? null : Math.min(1, Math.max(0, 1 - framesPerSecond / displayHertz)),
      lowFramesPerSecond: this.#lowFramesPerSecond(),
    };
  }

  #frame(at: number): void {
    this.#request = requestAnimationFrame(this.#onFrame);
    this.#frames += 1;
    if (this.#lastFrameAt !== undefined && at > this.#lastFrameAt) {
      this.#gaps[this.#gapCount % MAX_GAPS] = at - this.#lastFrameAt;
      this.#gapCount += 1;
    }
    this.#lastFrameAt = at;
  }

  /** Missed frames only make gaps longer, so the display's own is found among the short ones of the newest. */
  #displayHertz(): number | null {
    if (this.#gapCount < MIN_GAPS) {
      return null;
    }
    const newest = Math.min(DISPLAY_GAPS, this.#gapCount);
    const sorted = Array.from({ length: newest }, (_, back) => this.#gaps[(this.#gapCount - 1 - back) % MAX_GAPS] ?? 0);
    sorted.sort((a, b) => a - b);
    const gap = sorted[Math.floor(newest / 4)] ?? 0;
    return gap > 0 ? 1_000 / gap : null;
  }

  /** The rate of the slowest hundredth of the gaps. */
  #lowFramesPerSecond(): number | null {
    if (this.#gaps.length < MIN_LOW_GAPS) {
      return null;
    }
    const slowest = Float64Array.from(this.#gaps).sort().slice(-Math.round(this.#gaps.length / 100));
    return (1_000 * slowest.length) / slowest.reduce((sum, gap) => sum + gap, 0);
  }
}

const MAX_GAPS = 600;
const DISPLAY_GAPS = 120;
const MIN_GAPS = 20;
/** Of fewer there is no hundredth. */
const MIN_LOW_GAPS = 100;
/** In less time one frame more or less makes all the difference. */
const SHORTEST_INTERVAL_MS = 50;

function isHidden(): boolean {
  return typeof document === 'undefined' || document.visibilityState === 'hidden';
}
