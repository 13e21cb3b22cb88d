import type { Cost } from './cost.js';
import { invokerName, plain, plainUrl } from './redact.js';
import type { LongAnimationFrames, SlowScript } from './signals.js';

/** An entry of the browser's, as far as it is read here. */
interface LongFrame extends PerformanceEntry {
  readonly blockingDuration: number;
  readonly scripts: readonly {
    readonly duration: number;
    readonly sourceURL: string;
    readonly sourceFunctionName: string;
    readonly sourceCharPosition: number;
    readonly invoker: string;
    readonly forcedStyleAndLayoutDuration: number;
  }[];
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Frames of 50 ms and more and what ran in them, where the browser tells (Chromium does). */
export class LongFrameMeter {
  readonly #cost: Cost;
  #observer: PerformanceObserver | undefined;
  #count = 0;
  #total = 0;
  #blocking = 0;
  #max = 0;
  readonly #scripts = new Map<string, Mutable<SlowScript>>();

  constructor(cost: Cost) {
    this.#cost = cost;
  }

  start(): void {
    if (
      this.#observer === undefined &&
      typeof PerformanceObserver === 'function' &&
      PerformanceObserver.supportedEntryTypes?.includes('long-animation-frame') === true
    ) {
      this.#observer = new PerformanceObserver((entries) => this.#cost.measure(() => this.#see(entries.getEntries())));
      this.#observer.observe({ type: 'long-animation-frame' });
    }
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = undefined;
  }

  /** The long frames since this was last called; `null` where nobody tells. */
  take(): LongAnimationFrames | null {
    if (this.#observer === undefined) {
      return null;
    }
    this.#see(this.#observer.takeRecords());
    const scripts = [...this.#scripts.values()].sort((a, b) => b.durationMillis - a.durationMillis).slice(0, SHOWN_SCRIPTS);
    const taken = {
      count: this.#count,
      totalMillis: this.#total,
      blockingMillis: this.#blocking,
      maxMillis: this.#max,
      scripts,
    };
    this.#count = 0;
    this.#total = 0;
    this.#blocking = 0;
    this.#max = 0;
    this.#scripts.clear();
    return taken;
  }

  #see(entries: readonly PerformanceEntry[]): void {
    for (const frame of entries as readonly LongFrame[]) {
      this.#count += 1;
      this.#total += frame.duration;
      this.#blocking += frame.blockingDuration;
      this.#max = Math.max(this.#max, frame.duration);
      for (const script of frame.scripts) {
        this.#add({
          source: plain(plainUrl(script.sourceURL), LONGEST_SOURCE),
          function: plain(script.sourceFunctionName, LONGEST_NAME),
          invoker: invokerName(script.invoker),
          position: script.sourceCharPosition >= 0 ? script.sourceCharPosition : null,
          durationMillis: script.duration,
          layoutMillis: script.forcedStyleAndLayoutDuration,
        });
      }
    }
  }

  /** The same function by the same cause counts as one. */
  #add(script: SlowScript): void {
    const key = `${script.source}\n${script.position ?? ''}\n${script.invoker}`;
    const known = this.#scripts.get(key);
    if (known !== undefined) {
      known.durationMillis += script.durationMillis;
      known.layoutMillis += script.layoutMillis;
    } else if (this.#scripts.size < MOST_SCRIPTS) {
      this.#scripts.set(key, { ...script });
    }
  }
}

const SHOWN_SCRIPTS = 5;
/** Kept until the interval is over. */
const MOST_SCRIPTS = 100;
const LONGEST_SOURCE = 300;
const LONGEST_NAME = 80;
