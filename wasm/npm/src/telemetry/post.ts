/** What became of a request. */
export type Posted =
  | { readonly outcome: 'taken' }
  /** Not this batch, now or later. */
  | { readonly outcome: 'refused'; readonly why: string }
  /** Nothing of this page, now or later. */
  | { readonly outcome: 'forbidden'; readonly why: string }
  /** Perhaps later; `retryAfterMs` where the host said when. */
  | { readonly outcome: 'later'; readonly retryAfterMs: number | undefined };

/** Posts batches to a host's ingest address, compressed where that saves something. */
export class Poster {
  readonly #url: string;
  readonly #token: string | undefined;
  /** Hosts of older versions take no compressed bodies. */
  #compress = typeof CompressionStream === 'function';

  constructor(url: string, token: string | undefined) {
    this.#url = url;
    this.#token = token;
  }

  /** Sends one body. Never rejects. */
  async post(body: string): Promise<Posted> {
    if (typeof fetch !== 'function') {
      return { outcome: 'forbidden', why: 'there is no fetch' };
    }
    try {
      const compressed = this.#compress && body.length >= WORTH_COMPRESSING;
      const response = await this.#fetch(compressed ? await gzip(body) : body, compressed);
      if (response.status === 415 && compressed) {
        this.#compress = false;
        return await this.post(body);
      }
      return verdict(response);
    } catch {
      // The network, or the host was silent for too long.
      return { outcome: 'later', retryAfterMs: undefined };
    }
  }

  async #fetch(body: string | ArrayBuffer, compressed: boolean): Promise<Response> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ANSWER_TIMEOUT_MS);
    (timer as { unref?(): void }).unref?.();
    try {
      return await fetch(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(compressed ? { 'content-encoding': 'gzip' } : {}),
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        },
        body,
        credentials: 'omit',
        signal: stop.signal,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

async function gzip(text: string): Promise<ArrayBuffer> {
  const compressed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Response(compressed).arrayBuffer();
}

function verdict({ ok, status, headers }: Response): Posted {
  if (ok) {
    return { outcome: 'taken' };
  }
  if (status === 408 || status === 429 || status >= 500) {
    return { outcome: 'later', retryAfterMs: retryAfter(headers.get('retry-after')) };
  }
  return status === 401 || status === 403
    ? { outcome: 'forbidden', why: `${status}: pass telemetry.token, or allow this origin` }
    : { outcome: 'refused', why: String(status) };
}

/** Seconds, or a date (RFC 9110). */
function retryAfter(header: string | null): number | undefined {
  const wait = header === null ? NaN : /^\s*\d+\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.min(LONGEST_WAIT_MS, Math.max(0, wait));
}

const WORTH_COMPRESSING = 1_000;
const ANSWER_TIMEOUT_MS = 10_000;
const LONGEST_WAIT_MS = 300_000;
