import type { BatchQueue } from './batch-queue.js';
import { ingestUrl } from './beacon.js';
import { retryDelay, type Link, type LinkStatus, type LinkTarget } from './link.js';
import { Poster } from './post.js';
import { encodeBatch } from './wire.js';

/**
 * Delivers batches by requests, one at a time. A batch is sent again, under the same id, until the host has taken it: later and later, or when
 * the host said (`Retry-After`).
 */
export class FetchLink implements Link {
  readonly #target: LinkTarget;
  readonly #queue: BatchQueue;
  readonly #onStatus: (status: LinkStatus) => void;
  readonly #poster: Poster;
  #status: LinkStatus = 'off';
  /** Changes whenever the line is opened or closed: an answer to an earlier request finds it another. */
  #round = 0;
  #sending = false;
  #failures = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #warned = false;

  constructor(target: LinkTarget, queue: BatchQueue, onStatus: (status: LinkStatus) => void) {
    this.#target = target;
    this.#queue = queue;
    this.#onStatus = onStatus;
    this.#poster = new Poster(ingestUrl(target.url), target.token);
  }

  get status(): LinkStatus {
    return this.#status;
  }

  start(): void {
    this.#round += 1;
    this.#sending = false;
    this.#failures = 0;
    this.#setStatus('connecting');
    this.flush();
  }

  hurry(): void {
    if (this.#status === 'away' && this.#retryTimer !== undefined) {
      clearTimeout(this.#retryTimer);
      this.#retryTimer = undefined;
      this.#failures = 0;
      this.flush();
    }
  }

  flush(): void {
    if (this.#status === 'off' || this.#sending || this.#retryTimer !== undefined) {
      return;
    }
    const batch = this.#queue.next();
    if (batch === undefined) {
      return;
    }
    const round = this.#round;
    this.#sending = true;
    void this.#poster.post(encodeBatch(this.#target.source, batch, Date.now(), false)).then((posted) => {
      // The host may have taken it all the same.
      if (posted.outcome === 'taken') {
        this.#queue.acknowledge(batch.batchId);
      }
      if (round !== this.#round) {
        return;
      }
      this.#sending = false;
      if (posted.outcome === 'later') {
        this.#retry(posted.retryAfterMs);
        return;
      }
      if (posted.outcome !== 'taken') {
        this.#queue.refuse(batch.batchId);
        this.#warn(`${this.#target.url} refuses telemetry (${posted.why})`);
      }
      if (posted.outcome === 'forbidden') {
        this.#queue.clear();
        this.stop();
        return;
      }
      this.#failures = 0;
      this.#setStatus('connected');
      this.flush();
    });
  }

  /** A request could be cut off with the page: beacons are not. */
  sendClosing(): boolean {
    return false;
  }

  stop(): void {
    this.#round += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#setStatus('off');
  }

  #retry(afterMs: number | undefined): void {
    this.#failures += 1;
    this.#setStatus('away');
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.flush();
    }, afterMs ?? retryDelay(this.#failures));
    (this.#retryTimer as { unref?(): void }).unref?.();
  }

  #warn(message: string): void {
    if (!this.#warned) {
      this.#warned = true;
      console.warn(`quillwork: ${message}`);
    }
  }

  #setStatus(status: LinkStatus): void {
    if (status !== this.#status) {
      this.#status = status;
      this.#onStatus(status);
    }
  }
}
