/** A timer that comes later than this was kept waiting by something else than its resolution. */
export const LATE_MS = 5;

/**
 * Calls back after everything that has already been sent to this thread was heard. A timer of no delay would do the same, but hidden
 * pages get their timers once a second, or once a minute.
 */
export function afterPendingMessages(then: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (then: () => void) => unknown };
  if (setImmediate !== undefined) {
    // Node: messages are heard between the timers and this.
    setImmediate(then);
    return;
  }
  // Messages are heard in the order in which they were sent, whichever port they came by.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    then();
  };
  port2.postMessage(undefined);
}
