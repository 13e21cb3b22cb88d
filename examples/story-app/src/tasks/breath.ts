/** Lets messages in while a task computes: without it no abort could be heard. */

const SLICE_MILLIS = 24;

export interface Breath {
  /** Gives the event loop a turn if the last one is longer ago than a slice, and says whether it did; throws if the task was aborted. */
  take(): Promise<boolean>;
}

/** A macrotask of its own, since timers are clamped to 4 ms after a few turns. */
export function breath(signal: AbortSignal): Breath {
  let last = performance.now();
  return {
    async take() {
      signal.throwIfAborted();
      if (performance.now() - last < SLICE_MILLIS) return false;
      await new Promise<void>((done) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          done();
        };
        port2.postMessage(null);
      });
      last = performance.now();
      signal.throwIfAborted();
      return true;
    },
  };
}
