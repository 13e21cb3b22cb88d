import { known, millis, shown, whole } from '../checks.js';
import { QuillworkError } from '../errors.js';
import { plain } from './redact.js';
import type { PageBatch } from './wire.js';

/** What to measure of the page and where to report it. */
export interface TelemetryOptions {
  /** WebSocket address of the host, or an `http` address of it. Default: `/ws` of the host that serves the page. */
  readonly url?: string;
  /** What a person calls this page, for instance the app's name. Default: its host name. At most 120 characters. */
  readonly name?: string;
  /** Bearer token, where the host asks for one. */
  readonly token?: string;
  /** Time between two samples, 100 or more. Default 1,000. */
  readonly intervalMs?: number;
  /**
   * `websocket`: one open line, on which the host acknowledges each batch. `fetch`: a request for each batch, compressed, for where sockets
   * don't get through. Default `websocket`.
   */
  readonly transport?: 'websocket' | 'fetch';
  /**
   * The share of sessions that measure and report, 0 to 1. Decided once for each session (tab) and kept in its `sessionStorage`; others
   * measure nothing. Default 1.
   */
  readonly sampleRate?: number;
  /** What the person at the page has agreed to, as far as it is known when the page starts. */
  readonly consent?: TelemetryConsent;
  /**
   * Sees each batch before it leaves the page, and may return it with other samples, or `null` to drop it. What was dropped is counted. A
   * batch for which it throws is dropped.
   */
  readonly beforeSend?: (batch: PageBatch) => PageBatch | null;
  /**
   * Keeps what could not be delivered in IndexedDB, for the next load of the page: `true`, or how many bytes of it, 10,000 to 50,000,000.
   * Default `false`; `true` is 1,000,000. What a page has left as it goes waits in `localStorage`, up to 500,000 characters of it.
   */
  readonly offlineQueue?: boolean | { readonly maxBytes?: number };
}

/** What a person agreed to. */
export interface TelemetryConsent {
  /** Whether anything is measured, kept and sent at all. Default `true`. */
  readonly reporting?: boolean;
  /**
   * `basic`: of errors, their class, file name, line and column. `full`: also messages and stacks, which may name a person. Default `basic`.
   */
  readonly errors?: 'basic' | 'full';
}

/** {@link TelemetryOptions} with every default filled in. */
export interface TelemetrySettings {
  /** `undefined` where there is no host to report to. */
  readonly url: string | undefined;
  readonly name: string;
  readonly token: string | undefined;
  readonly intervalMs: number;
  readonly transport: 'websocket' | 'fetch';
  readonly sampleRate: number;
  readonly consent: Required<TelemetryConsent>;
  readonly beforeSend: ((batch: PageBatch) => PageBatch | null) | undefined;
  /** Bytes; 0 for none. */
  readonly offlineBytes: number;
}

/** Checks the options and fills in defaults. Throws `ERR_INVALID_OPTION` with the option's name. */
export function telemetrySettings(options: TelemetryOptions): TelemetrySettings {
  const {
    sampleRate = 1,
    transport = 'websocket',
    offlineQueue = false,
    beforeSend,
  } = known('`telemetry`', options, 'url name token intervalMs transport sampleRate consent beforeSend offlineQueue');
  if (!(sampleRate >= 0 && sampleRate <= 1)) {
    throw invalid(`\`telemetry.sampleRate\` is a number from 0 to 1, not ${String(sampleRate)}`);
  }
  if (transport !== 'websocket' && transport !== 'fetch') {
    throw invalid(`\`telemetry.transport\` is 'websocket' or 'fetch', not ${String(transport)}`);
  }
  if (beforeSend !== undefined && typeof beforeSend !== 'function') {
    throw invalid('`telemetry.beforeSend` is a function that takes a batch and returns one, or null');
  }
  for (const [name, text] of Object.entries({ name: options.name, token: options.token })) {
    if (text !== undefined && typeof text !== 'string') {
      throw invalid(`\`telemetry.${name}\` is a text, not ${shown(text)}`);
    }
  }
  if (typeof offlineQueue !== 'boolean') {
    known('`telemetry.offlineQueue`', offlineQueue, 'maxBytes');
  }
  return {
    url: socketUrl(options.url),
    name: pageName(options.name),
    token: options.token,
    intervalMs: millis('telemetry.intervalMs', options.intervalMs ?? 1_000, 100),
    transport,
    sampleRate,
    consent: checkedConsent({ reporting: true, errors: 'basic' }, options.consent ?? {}),
    beforeSend,
    offlineBytes:
      offlineQueue === false
        ? 0
        : whole('telemetry.offlineQueue.maxBytes', (offlineQueue === true ? undefined : offlineQueue.maxBytes) ?? 1e6, 1e4, 5e7),
  };
}

/** What is agreed to once `change` is. Throws `ERR_INVALID_OPTION`. */
export function checkedConsent(before: Required<TelemetryConsent>, change: TelemetryConsent): Required<TelemetryConsent> {
  const { reporting = before.reporting, errors = before.errors } = known('`consent`', change, 'reporting errors');
  if (typeof reporting !== 'boolean') {
    throw invalid(`\`consent.reporting\` is true or false, not ${String(reporting)}`);
  }
  if (errors !== 'basic' && errors !== 'full') {
    throw invalid(`\`consent.errors\` is 'basic' or 'full', not ${String(errors)}`);
  }
  return { reporting, errors };
}

function invalid(message: string): QuillworkError {
  return new QuillworkError('ERR_INVALID_OPTION', message);
}

function socketUrl(asked: string | undefined): string | undefined {
  const { location } = globalThis as { location?: { protocol: string; host: string; href: string } };
  if (asked === undefined) {
    return location === undefined || !location.protocol.startsWith('http')
      ? undefined
      : `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
  }
  try {
    const url = new URL(asked, location?.href);
    url.protocol = url.protocol.replace(/^http/, 'ws');
    if (url.protocol === 'ws:' || url.protocol === 'wss:') {
      return url.href;
    }
  } catch {
    // Said below.
  }
  throw invalid(`\`telemetry.url\` is a WebSocket address like ws://127.0.0.1:9470/ws, not "${asked}"`);
}

function pageName(asked: string | undefined): string {
  const { location } = globalThis as { location?: { hostname: string } };
  return oneLine(asked ?? '') || oneLine(location?.hostname ?? '') || 'page';
}

/** The longest name that a host takes, in characters. */
const LONGEST_NAME = 120;

function oneLine(text: string): string {
  return plain(text, LONGEST_NAME).replace(/\n/g, ' ').trim();
}
