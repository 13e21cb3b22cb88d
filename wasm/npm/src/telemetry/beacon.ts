import type { BatchQueue } from './batch-queue.js';
import { encodeBatch, type PageSource } from './wire.js';

/** What is under way by beacon may be 64 KiB together; this leaves a margin. */
export const BEACON_BYTES = 60_000;

/**
 * Sends what the host doesn't have yet while the page goes away, when nothing else is certain to leave it. What the browser doesn't take
 * goes back into the queue: a page that is shown again sends it then.
 */
export function sendBeacons(queue: BatchQueue, source: PageSource, url: string, token: string | undefined): void {
  const refused = queue.takeAll(BEACON_BYTES).filter((batch) => {
    const body = encodeBatch(source, batch, Date.now(), true);
    return !(token === undefined ? sendBeacon(url, body) : fetchKeepalive(url, body, token));
  });
  queue.putBack(refused);
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
