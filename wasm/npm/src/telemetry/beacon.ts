import { encodeBatch, type PageBatch, type PageSource } from './wire.js';

/** What is under way by beacon may be 64 KiB together; this leaves a margin. */
export const BEACON_BYTES = 60_000;

/** Sends batches while the page goes away, when nothing else is certain to leave it. Returns those that the browser doesn't take. */
export function sendBeacons(batches: readonly PageBatch[], source: PageSource, url: string, token: string | undefined): PageBatch[] {
  return batches.filter((batch) => {
    const body = encodeBatch(source, batch, Date.now(), true);
    return !(token === undefined ? sendBeacon(url, body) : fetchKeepalive(url, body, token));
  });
}

/** As text, which needs no CORS preflight. */
function sendBeacon(url: string, body: string): boolean {
  const { navigator } = globalThis as { navigator?: { sendBeacon?(url: string, body: string): boolean } };
  return navigator?.sendBeacon?.(url, body) ?? false;
}

/** A beacon can't carry a token. */
function fetchKeepalive(url: string, body: string, token: string): boolean {
  if (typeof fetch !== 'function') {
    return false;
  }
  fetch(url, {
    method: 'POST',
    keepalive: true,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body,
  }).catch(() => undefined);
  return true;
}

/** Where beacons go, and batches without a socket: the host's ingest address beside its WebSocket. */
export function ingestUrl(socketUrl: string): string {
  const url = new URL(socketUrl);
  url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
  url.pathname = `${url.pathname.replace(/\/ws\/?$/, '')}/api/v1/ingest`.replace(/\/{2,}/g, '/');
  url.search = '';
  return url.href;
}
