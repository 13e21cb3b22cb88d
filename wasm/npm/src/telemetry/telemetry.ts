import { callSafely, Emitter } from '../runtime/emitter.js';
import { BatchQueue } from './batch-queue.js';
import { BEACON_BYTES, ingestUrl, sendBeacons } from './beacon.js';
import { Cost } from './cost.js';
import { FetchLink } from './fetch-link.js';
import { gpuTimer, type GpuTimer, type TimedDevice } from './gpu-timer.js';
import type { Link, LinkStatus } from './link.js';
import type { Counter, Gauge, Histogram, MetricOptions } from './metric-book.js';
import { observeAll, type Readings } from './observed.js';
import { OfflineQueue } from './offline-queue.js';
import { checkedConsent, type TelemetryConsent, type TelemetrySettings } from './options.js';
import { PageMeters } from './page-meters.js';
import { Poster } from './post.js';
import { randomId } from './random-id.js';
import { Sampler, type Sampled } from './sampler.js';
import { isSampled } from './session.js';
import type { Span, SpanOptions } from './span-book.js';
import { Uplink } from './uplink.js';
import type { PageBatch, PageSample, PageSource } from './wire.js';

/** What is measured of the page, what the app adds to it, and how the line to the host is. */
export interface Telemetry {
  readonly status: LinkStatus;
  /** Who this page is to the host. */
  readonly source: PageSource;
  /** Whether this session is one of those that measure and report: see {@link TelemetryOptions.sampleRate}. */
  readonly sampled: boolean;
  /** The newest sample; `undefined` before the first. */
  readonly latest: PageSample | undefined;
  /** Samples that the host doesn't have yet: a few while it answers, up to ten minutes' while it is away. */
  readonly queuedSamples: number;
  /** Calls back after each sample and each change of the status; the function returned stops it. */
  subscribe(listener: () => void): () => void;
  /**
   * A counter of the app's own; asked for again with the same name and tags it is the same. There may be 100 series by name and tags, of all
   * kinds together: values of further ones are dropped, counted, and told in the console once. Throws `ERR_INVALID_OPTION` for a name or
   * tags that no host takes.
   */
  counter(name: string, options?: MetricOptions): Counter;
  /** As {@link counter}, for something that goes up and down. */
  gauge(name: string, options?: MetricOptions): Gauge;
  /** As {@link counter}, for how long or how much each time. */
  histogram(name: string, options?: MetricOptions): Histogram;
  /** Sets a gauge: `gauge(name, options).set(value)`. */
  metric(name: string, value: number, options?: MetricOptions): void;
  /**
   * Reads numbers before each sample and sets a gauge for each, named `name.key`: `observe('checkout', () => policy.getMetrics())`. What is no
   * finite number is left out; true is 1 and false 0, nested objects are `name.key.key`. The function returned stops it.
   */
  observe(name: string, read: () => Readings): () => void;
  /** Calls a function within a span, which ends when it returns or its promise settles. Spans begun while it is called are its parts. */
  span<Result>(name: string, call: (span: Span) => Result, options?: SpanOptions): Result;
  /** Starts a span that the app ends itself. At most 50 a sample are sent. */
  startSpan(name: string, options?: SpanOptions): Span;
  /** Notes an error that the app caught. */
  reportError(error: unknown): void;
  /** A timer for passes on a `GPUDevice`; `undefined` where it was made without the feature `timestamp-query`. */
  gpuTimer<QuerySet>(device: TimedDevice<QuerySet>): GpuTimer<QuerySet> | undefined;
  /** What the person at the page agrees to from now on; what isn't named stays as it is. Without `reporting` everything kept is forgotten. */
  setConsent(consent: TelemetryConsent): void;
  /** Ends measuring and says goodbye to the host. Closing the runtime does it, too. */
  close(): void;
}

/** Samples the page and reports to the host. */
export class PageTelemetry implements Telemetry {
  readonly source: PageSource;
  readonly sampled: boolean;
  readonly #settings: TelemetrySettings;
  readonly #cost = new Cost();
  readonly #meters: PageMeters;
  readonly #sampler: Sampler;
  readonly #queue: BatchQueue;
  readonly #link: Link | undefined;
  readonly #offline: OfflineQueue | undefined;
  readonly #observed = new Map<object, () => void>();
  readonly #events = new Emitter<{ change: undefined }>();
  #consent: Required<TelemetryConsent>;
  #latest: PageSample | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #closed = false;
  readonly #onPageHide = (): void => this.#leave(false);
  readonly #onPageShow = (event: { persisted?: boolean }): void => {
    if (event.persisted === true) {
      this.#enter();
    }
  };
  readonly #onLook = (): void => {
    if (globalThis.document?.visibilityState !== 'hidden') {
      this.#link?.hurry();
    }
  };
  readonly #onOnline = (): void => this.#link?.hurry();

  constructor(settings: TelemetrySettings, pool: Sampled | undefined) {
    const { url, token, name } = settings;
    this.#settings = settings;
    this.#consent = settings.consent;
    this.source = { id: randomId(), name };
    this.sampled = isSampled(settings.sampleRate);
    this.#meters = new PageMeters(this.#cost, settings.consent.errors === 'full');
    this.#sampler = new Sampler(this.#meters, pool);
    this.#queue = new BatchQueue(undefined, (batch) => this.#approve(batch));
    if (url !== undefined) {
      const target = { url, token, source: this.source };
      const LinkClass = settings.transport === 'fetch' ? FetchLink : Uplink;
      this.#link = new LinkClass(target, this.#queue, () => this.#changed());
      this.#offline =
        settings.offlineBytes === 0
          ? undefined
          : new OfflineQueue(settings.offlineBytes, this.#queue, new Poster(ingestUrl(url), token), this.source);
    }
    globalThis.addEventListener?.('pagehide', this.#onPageHide);
    globalThis.addEventListener?.('pageshow', this.#onPageShow);
    globalThis.addEventListener?.('online', this.#onOnline);
    globalThis.addEventListener?.('focus', this.#onLook);
    globalThis.document?.addEventListener('visibilitychange', this.#onLook);
    this.#enter();
  }

  get status(): LinkStatus {
    return this.#link?.status ?? 'off';
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

  counter(name: string, options?: MetricOptions): Counter {
    return this.#meters.metrics.counter(name, options);
  }

  gauge(name: string, options?: MetricOptions): Gauge {
    return this.#meters.metrics.gauge(name, options);
  }

  histogram(name: string, options?: MetricOptions): Histogram {
    return this.#meters.metrics.histogram(name, options);
  }

  metric(name: string, value: number, options?: MetricOptions): void {
    this.gauge(name, options).set(value);
  }

  observe(name: string, read: () => Readings): () => void {
    const key = {};
    this.#observed.set(key, observeAll(this.#meters.metrics, name, read));
    return () => {
      this.#observed.delete(key);
    };
  }

  span<Result>(name: string, call: (span: Span) => Result, options?: SpanOptions): Result {
    return this.#meters.spans.run(name, call, options);
  }

  startSpan(name: string, options?: SpanOptions): Span {
    return this.#meters.spans.start(name, options);
  }

  reportError(error: unknown): void {
    if (this.#running) {
      this.#cost.measure(() => this.#meters.errors.report(error));
    }
  }

  gpuTimer<QuerySet>(device: TimedDevice<QuerySet>): GpuTimer<QuerySet> | undefined {
    return gpuTimer(device, (millis) => this.#meters.addGpuTime(millis));
  }

  setConsent(consent: TelemetryConsent): void {
    this.#consent = checkedConsent(this.#consent, consent);
    this.#meters.errors.consent(this.#consent.errors === 'full');
    if (this.#consent.reporting) {
      this.#enter();
    } else {
      this.#halt();
      this.#queue.clear();
      this.#latest = undefined;
      this.#offline?.clear();
      this.#changed();
    }
  }

  close(): void {
    this.#unlisten();
    this.#leave(true);
    this.#closed = true;
  }

  /** Ends measuring where there is nothing left to measure. */
  abandon(): void {
    this.#unlisten();
    this.#halt();
    this.#closed = true;
  }

  #unlisten(): void {
    globalThis.removeEventListener?.('pagehide', this.#onPageHide);
    globalThis.removeEventListener?.('pageshow', this.#onPageShow);
    globalThis.removeEventListener?.('online', this.#onOnline);
    globalThis.removeEventListener?.('focus', this.#onLook);
    globalThis.document?.removeEventListener('visibilitychange', this.#onLook);
  }

  #enter(): void {
    if (this.#running || this.#closed || !this.sampled || !this.#consent.reporting) {
      return;
    }
    this.#running = true;
    this.#sampler.start();
    this.#link?.start();
    this.#scheduleSample();
  }

  /** The page goes: for good, or into the browser's back/forward cache, which an open socket would keep it out of. */
  #leave(pageStays: boolean): void {
    if (!this.#running) {
      return;
    }
    const { url, token } = this.#settings;
    this.#sample();
    const link = this.#link;
    if (link !== undefined && link.status !== 'off' && url !== undefined && !(pageStays && link.sendClosing())) {
      const batches = this.#queue.takeAll(BEACON_BYTES);
      const rest = link.status === 'away' && this.#offline !== undefined ? this.#offline.spillAll(batches) : batches;
      // A page that is shown again sends what is put back.
      this.#queue.putBack(sendBeacons(rest, this.source, ingestUrl(url), token));
    }
    this.#halt();
  }

  #halt(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#sampler.stop();
    this.#link?.stop();
    this.#offline?.close();
  }

  #scheduleSample(): void {
    this.#timer = setTimeout(() => {
      this.#sample();
      this.#cost.measure(() => {
        this.#link?.flush();
        this.#settleOffline();
      });
      if (this.#running) {
        this.#scheduleSample();
      }
    }, this.#settings.intervalMs);
    (this.#timer as { unref?(): void }).unref?.();
  }

  #settleOffline(): void {
    if (this.status === 'away') {
      this.#offline?.spill();
    } else if (this.status === 'connected') {
      this.#offline?.drain();
    }
  }

  #sample(): void {
    for (const read of this.#observed.values()) {
      callSafely(read);
    }
    this.#cost.measure(() => {
      this.#latest = this.#sampler.take();
      if (this.#link !== undefined && this.#link.status !== 'off') {
        this.#queue.push(this.#latest);
      }
    });
    this.#changed();
  }

  /** The app's `beforeSend` gets a copy: what it changes is not seen in {@link latest}. */
  #approve(batch: PageBatch): PageBatch | undefined {
    const { beforeSend } = this.#settings;
    if (beforeSend === undefined) {
      return batch;
    }
    let approved: PageBatch | null = null;
    callSafely(() => {
      approved = beforeSend(structuredClone(batch));
    });
    return approved ?? undefined;
  }

  #changed(): void {
    this.#events.emit('change', undefined);
  }
}

