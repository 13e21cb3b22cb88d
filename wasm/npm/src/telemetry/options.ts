import { QuillworkError } from '../errors.js';
import { millis } from '../runtime/options.js';

/** What to measure of the page and where to report it. */
export interface TelemetryOptions {
  /** WebSocket address of the host. Default: `/ws` of the host that serves the page. */
  readonly url?: string;
  /** What a person calls this page. Default: the document's title, else its host name. At most 120 characters. */
  readonly name?: string;
  /** Bearer token, where the host asks for one. */
  readonly token?: string;
  /** Time between two samples, 100 or more. Default 1,000. */
  readonly intervalMs?: number;
}

/** {@link TelemetryOptions} with every default filled in. */
export interface TelemetrySettings {
  /** `undefined` where there is no host to report to. */
  readonly url: string | undefined;
  readonly name: string;
  readonly token: string | undefined;
  readonly intervalMs: number;
}

/** Checks the options and fills in defaults. Throws `ERR_INVALID_OPTION` with the option's name. */
export function telemetrySettings(options: TelemetryOptions): TelemetrySettings {
  return {
    url: socketUrl(options.url),
    name: pageName(options.name),
    token: options.token,
    intervalMs: millis('telemetry.intervalMs', options.intervalMs ?? 1_000, 100),
  };
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
  throw new QuillworkError('ERR_INVALID_OPTION', `\`telemetry.url\` is a WebSocket address like ws://127.0.0.1:9470/ws, not "${asked}"`);
}

function pageName(asked: string | undefined): string {
  const { document, location } = globalThis as { document?: { title: string }; location?: { hostname: string } };
  return plainText(asked ?? '') || plainText(document?.title ?? '') || plainText(location?.hostname ?? '') || 'page';
}

/** The longest name that a host takes, in characters. */
const LONGEST_NAME = 120;

/** Without control characters and halves of characters, which a host refuses, and no longer than it takes. */
function plainText(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cs}]/gu, ' ').trim();
  return [...plain].slice(0, LONGEST_NAME).join('');
}
