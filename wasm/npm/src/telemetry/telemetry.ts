import type { Core } from '../abi.js';
import type { CacheStats } from '../cache.js';
import type { Clock } from '../pool/clock.js';
import { Emitter } from '../runtime/emitter.js';
import { BatchQueue } from './batch-queue.js';
import { ingestUrl, sendBeacons } from './beacon.js';
import type { TelemetrySettings } from './options.js';
import { randomId } from './random-id.js';
import { Sampler } from './sampler.js';
import { Uplink, type LinkStatus } from './uplink.js';
import type { PageSample, PageSource } from './wire.js';

/** What is measured of the page, and how the line to the host is. */
export interface Telemetry {
  readonly status: LinkStatus;
  /** Who this page is to the host. */
  readonly source: PageSource;
  /** The newest sample; `undefined` before the first. */
  readonly latest: PageSample | undefined;
  /** Samples that the host doesn't have yet: a few while it answers, up to ten minutes' while it is away. */
  readonly queuedSamples: number;
  /** Calls back after each sample and each change of the status; the function returned stops it. */
  subscribe(listener: () => void): () => void;
}

/** Samples the page and reports to the host. */
export class PageTelemetry implements Telemetry {
  readonly source: PageSource;
  readonly #intervalMs: number;
  readonly #token: string | undefined;
  readonly #url: string | undefined;
  readonly #sampler: Sampler;
  readonly #queue = new BatchQueue();
  readonly #uplink: Uplink | undefined;
  readonly #events = new Emitter<{ change: undefined }>();
  #latest: PageSample | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onPageHide = (): void => this.#leave(false);
  readonly #onPageShow = (event: { persisted?: boolean }): void => {
    if (event.persisted === true) {
      this.#enter();
    }
  };
  readonly #onVisible = (): void => this.#uplink?.hurry();

  constructor(
    { intervalMs, token, url, name }: TelemetrySettings,
    core: Core,
    pool: number,
    clock: Clock,
    caches: ReadonlyMap<string, { stats(): CacheStats }>,
  ) {
    this.#intervalMs = intervalMs;
    this.#token = token;
    this.#url = url;
    this.source = { id: randomId(), name };
    this.#sampler = new Sampler({ core, pool, clock, cacheTotals: () => totals(caches) });
    this.#uplink =
      url === undefined ? undefined : new Uplink({ url, token, source: this.source }, this.#queue, () => this.#changed());
    globalThis.addEventListener?.('pagehide', this.#onPageHide);
    globalThis.addEventListener?.('pageshow', this.#onPageShow);
    globalThis.addEventListener?.('online', this.#onVisible);
    globalThis.document?.addEventListener('visibilitychange', this.#onVisible);
    this.#enter();
  }

  get status(): LinkStatus {
    return this.#uplink?.status ?? 'off';
  }

  get queuedSamples(): number {
    return this.#queue.size;
  }

  get latest(): PageSample | undefined {
    return this.#latest;
  }

  subscribe(listener: () => void): () => void {
    return this.#events.on('change', listener);
  }

  /** Ends measuring and says goodbye to the host. */
  close(): void {
    this.#unlisten();
    this.#leave(true);
  }

  /** Ends measuring where there is nothing left to measure. */
  abandon(): void {
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#sampler.stop();
    this.#uplink?.stop();
  }

  #unlisten(): void {
    globalThis.removeEventListener?.('pagehide', this.#onPageHide);
    globalThis.removeEventListener?.('pageshow', this.#onPageShow);
    globalThis.removeEventListener?.('online', this.#onVisible);
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisible);
  }

  #enter(): void {
    this.#sampler.start();
    this.#uplink?.start();
    this.#scheduleSample();
  }

  /** The page goes: for good, or into the browser's back/forward cache, which an open socket would keep it out of. */
  #leave(pageStays: boolean): void {
    clearTimeout(this.#timer);
    this.#sample();
    this.#sampler.stop();
    if (this.#uplink === undefined || this.#uplink.status === 'off' || this.#url === undefined) {
      return;
    }
    if (!(pageStays && this.#uplink.sendClosing())) {
      sendBeacons(this.#queue, this.source, ingestUrl(this.#url), this.#token);
    }
    this.#uplink.stop();
  }

  #scheduleSample(): void {
    this.#timer = setTimeout(() => {
      this.#sample();
      this.#uplink?.flush();
      this.#scheduleSample();
    }, this.#intervalMs);
    (this.#timer as { unref?(): void }).unref?.();
  }

  #sample(): void {
    this.#latest = this.#sampler.take();
    if (this.#uplink !== undefined && this.#uplink.status !== 'off') {
      this.#queue.push(this.#latest);
    }
    this.#changed();
  }

  #changed(): void {
    this.#events.emit('change', undefined);
  }
}

function totals(caches: ReadonlyMap<string, { stats(): CacheStats }>): CacheStats {
  const sum = { hits: 0, misses: 0, insertions: 0, evictions: 0, expirations: 0, entries: 0 };
  for (const cache of caches.values()) {
    const stats = cache.stats();
    for (const key of Object.keys(sum) as (keyof CacheStats)[]) {
      sum[key] += stats[key];
    }
  }
  return sum;
}
