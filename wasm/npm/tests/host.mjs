// A small host: the page's side of protocol/src/socket.rs over a real WebSocket, and the ingest address for beacons.
import { gunzipSync } from 'node:zlib';
import { WebSocketServer } from 'ws';
import { serve } from './browser.mjs';

/** Serves a folder and, while it listens, a host's `/ws` and `/api/v1/ingest`. */
export async function startHost(folder) {
  const host = {
    /** Messages that pages sent, in order. */
    hellos: [],
    batches: [],
    beacons: [],
    /** Every batch that came without a socket, and what was answered. */
    asked: [],
    connections: 0,
    /** Whether batches are acknowledged. */
    acknowledge: true,
    /** Close code for whoever says hello. */
    refuseWith: undefined,
    /** Close code and reason for a batch, by its sequence. */
    refuseBatch: () => undefined,
    /** Status and headers for a batch that comes without a socket. */
    answer: () => [204, {}],
    sockets: undefined,
  };
  const site = await serve(folder, {
    handle(request, response, url) {
      if (url.pathname !== '/api/v1/ingest' || request.method !== 'POST') {
        return false;
      }
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8');
        const [status, headers] = host.answer(request);
        const batch = JSON.parse(text);
        host.asked.push({ status, batchId: batch.batchId });
        if (status < 300) {
          host.beacons.push({ headers: request.headers, bytes: body.length, batch });
        }
        response.writeHead(status, headers).end();
      });
      return true;
    },
  });
  site.server.on('upgrade', (request, socket, head) => {
    // A page that is gone resets its line; the server has let go of it by now, so that nobody else would hear of it.
    socket.on('error', () => {});
    if (host.sockets === undefined || request.url !== '/ws') {
      socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
      return;
    }
    host.sockets.handleUpgrade(request, socket, head, (client) => onConnection(host, client));
  });
  host.origin = site.origin;
  /** From now on pages can connect. */
  host.listen = () => {
    host.sockets = new WebSocketServer({ noServer: true });
  };
  /** Cuts every line and refuses new ones, as a host that was stopped. */
  host.stop = () => {
    for (const client of host.sockets?.clients ?? []) {
      client.terminate();
    }
    host.sockets = undefined;
  };
  host.close = async () => {
    host.stop();
    await site.close();
  };
  return host;
}

function onConnection(host, client) {
  host.connections += 1;
  client.on('message', (data) => {
    const message = JSON.parse(data.toString());
    if (message.type === 'hello') {
      host.hellos.push(message);
      if (host.refuseWith !== undefined) {
        client.close(host.refuseWith);
        return;
      }
      client.send(JSON.stringify({ type: 'welcome', version: 1, instance: 'test', serverUnixMillis: Date.now(), resumed: false }));
    } else if (message.type === 'batch') {
      host.batches.push(message);
      const refusal = host.refuseBatch(message.sequence);
      if (refusal !== undefined) {
        client.close(...refusal);
      } else if (host.acknowledge) {
        client.send(JSON.stringify({ type: 'ack', batchId: message.batchId }));
      }
    }
  });
}
