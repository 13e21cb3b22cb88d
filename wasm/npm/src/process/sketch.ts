import { flowCore, type FlowCore } from '../flow-core.js';

/** Quantiles of durations within one per cent, by core's sketch. */
export class Sketch {
  readonly #core: FlowCore = flowCore();
  readonly #handle: number;

  constructor() {
    const core = this.#core;
    const handle = core.call((exports) => exports.sketch_new());
    this.#handle = handle;
    core.freeWith(this, (exports) => exports.sketch_free(handle));
  }

  add(ms: number): void {
    this.#core.call((exports) => exports.sketch_add(this.#handle, ms));
  }

  /** `null` where there is nothing. */
  quantile(q: number): number | null {
    const value = this.#core.call((exports) => exports.sketch_quantile(this.#handle, q));
    return Number.isNaN(value) ? null : value;
  }
}
