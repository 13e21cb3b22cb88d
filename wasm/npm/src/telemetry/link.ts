import type { PageSource } from './wire.js';

/**
 * How the line to the host is: being opened for the first time, open and answering, lost and tried again, or given up (or
 * never wanted).
 */
export type LinkStatus = 'connecting' | 'connected' | 'away' | 'off';

/** Where to report, as whom. */
export interface LinkTarget {
  /** The WebSocket address. */
  readonly url: string;
  readonly token: string | undefined;
  readonly source: PageSource;
}

/** Delivers batches, at least once each. */
export interface Link {
  readonly status: LinkStatus;
  /** Opens the line, and keeps opening it: later and later, until the host answers. */
  start(): void;
  /** Tries now, and soon again: somebody looks at the page, or the network is back. */
  hurry(): void;
  /** Sends the next batch, if there is one and the line is free. */
  flush(): void;
  /** Says goodbye with everything that is left, where the line can. Returns whether it could. */
  sendClosing(): boolean;
  /** Closes the line. What was sent is still delivered. */
  stop(): void;
}

/**
 * Doubles from a quarter of a second to half a minute, and takes half to all of it, so that pages don't return in step: a host that was away
 * is found again within as long as it was, and one that isn't there costs two lines a minute in the browser's console, which nobody can
 * keep a failed connection out of.
 */
export function retryDelay(failures: number): number {
  return Math.min(LONGEST_DELAY_MS, 250 * 2 ** Math.min(failures - 1, 20)) * (0.5 + 0.5 * Math.random());
}

const LONGEST_DELAY_MS = 30_000;
