import type { LongTasks } from './wire.js';

/** Tasks of 50 ms and more on the main thread, where the browser tells of them (Chromium does). */
export class LongTaskMeter {
  #observer: PerformanceObserver | undefined;
  #count = 0;
  #total = 0;
  #max = 0;

  start(): void {
    if (
      this.#observer === undefined &&
      typeof PerformanceObserver === 'function' &&
      PerformanceObserver.supportedEntryTypes?.includes('longtask') === true
    ) {
      this.#observer = new PerformanceObserver((entries) => this.#see(entries.getEntries()));
      this.#observer.observe({ type: 'longtask' });
    }
  }

  stop(): void {
    this.#observer?.disconnect();
    this.#observer = undefined;
  }

  /** The long tasks since this was last called; `null` where nobody tells. */
  take(): LongTasks | null {
    if (this.#observer === undefined) {
      return null;
    }
    this.#see(this.#observer.takeRecords());
    const taken = { count: this.#count, totalMillis: this.#total, maxMillis: this.#max };
    this.#count = 0;
    this.#total = 0;
    this.#max = 0;
    return taken;
  }

  #see(entries: readonly PerformanceEntry[]): void {
    for (const { duration } of entries) {
      this.#count += 1;
      this.#total += duration;
      this.#max = Math.max(this.#max, duration);
    }
  }
}
