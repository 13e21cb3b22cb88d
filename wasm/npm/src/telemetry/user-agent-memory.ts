/**
 * Memory of the page with its workers and frames, where the page is cross-origin isolated and the browser tells (Chromium does). It is
 * asked at random times, about once a minute: the browser answers with its next collection of garbage.
 */
export class UserAgentMemoryMeter {
  #bytes: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
    if (crossOriginIsolated === true && typeof (performance as MeasuringPerformance).measureUserAgentSpecificMemory === 'function') {
      this.stop();
      this.#schedule();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** What the browser told last; `null` where it has told nothing. */
  read(): number | null {
    return this.#bytes;
  }

  #schedule(): void {
    const timer = setTimeout(() => {
      (performance as MeasuringPerformance).measureUserAgentSpecificMemory?.().then(
        ({ bytes }) => {
          this.#bytes = bytes;
        },
        // Refused: asked again later.
        () => undefined,
      );
      this.#schedule();
    }, -Math.log(1 - Math.random()) * MEAN_DISTANCE_MS);
    this.#timer = timer;
  }
}

interface MeasuringPerformance extends Performance {
  measureUserAgentSpecificMemory?(): Promise<{ readonly bytes: number }>;
}

const MEAN_DISTANCE_MS = 60_000;
