import type { Cost } from './cost.js';
import { LagProbe } from './lag-probe.js';
import type { LongTasks } from './wire.js';

/** Tasks of 50 ms and more on the main thread: as the browser tells of them (Chromium does), or else as a probe estimates them. */
export class LongTaskMeter {
  readonly #cost: Cost;
  #observer: PerformanceObserver | undefined;
  #probe: LagProbe | undefined;
  #count = 0;
  #total = 0;
  #max = 0;

  constructor(cost: Cost) {
    this.#cost = cost;
  }

  start(): void {
    if (this.#observer !== undefined || this.#probe !== undefined) {
      return;
    }
    if (typeof PerformanceObserver === 'function' && PerformanceObserver.supportedEntryTypes?.includes('longtask') === true) {
      this.#observer = new PerformanceObserver((entries) => this.#see(entries.getEntries()));
      this.#observer.observe({ type: 'longtask' });
    } else if (typeof requestAnimationFrame === 'function') {
      this.#probe = new LagProbe(this.#cost, (duration) => this.#see([{ duration }]));
      this.#probe.start();
    }
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = undefined;
    this.#probe?.stop();
    this.#probe = undefined;
  }

  /** The long tasks since this was last called; `null` where nobody tells. */
  take(): LongTasks | null {
    if (this.#observer === undefined && this.#probe === undefined) {
      return null;
    }
    this.#see(this.#observer?.takeRecords() ?? []);
    const estimated = this.#probe === undefined ? {} : { estimated: true };
    const taken = { count: this.#count, totalMillis: this.#total, maxMillis: this.#max, ...estimated };
    this.#count = 0;
    this.#total = 0;
    this.#max = 0;
    return taken;
  }

  #see(entries: readonly { readonly duration: number }[]): void {
    for (const { duration } of entries) {
      this.#count += 1;
      this.#total += duration;
      this.#max = Math.max(this.#max, duration);
    }
  }
}
