import type { Cost } from './cost.js';
import type { WebVital } from './signals.js';

/** The Core Web Vitals of the page, by the library `web-vitals`. It sees what was before it was loaded, too. */
export class VitalMeter {
  readonly #cost: Cost;
  readonly #vitals = new Map<string, WebVital>();
  #started = false;

  constructor(cost: Cost) {
    this.#cost = cost;
  }

  start(): void {
    if (this.#started || typeof document === 'undefined' || typeof PerformanceObserver !== 'function') {
      return;
    }
    this.#started = true;
    import('./web-vitals.js').then(
      ({ observeVitals }) => observeVitals((vital) => this.#cost.measure(() => this.#vitals.set(vital.name, vital))),
      // The file could not be loaded: the vitals are not known.
      () => undefined,
    );
  }

  /** The library can't be stopped; it costs nothing while nothing changes. */
  stop(): void {}

  /** The vitals that are known now. */
  read(): readonly WebVital[] {
    return [...this.#vitals.values()].filter(({ value }) => value >= 0 && value <= LONGEST_MS);
  }
}

/** A host takes no longer ones. */
const LONGEST_MS = 86_400_000;
