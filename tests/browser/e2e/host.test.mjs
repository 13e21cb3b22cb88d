// The release binary by itself: how it starts, ends, and refuses.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { Host } from '../harness/host.mjs';

let host;

before(async () => {
  host = await new Host().start();
});

after(() => host?.dispose());

test('it is ready as soon as it says that it listens', async () => {
  for (const path of ['/healthz', '/readyz', '/api/v1/snapshot', '/api/v1/openapi.json', '/metrics']) {
    const answer = await fetch(host.url + path);
    assert.equal(answer.status, 200, `${path}: ${await answer.text()}`);
  }
});

test('pages get the headers that cross-origin isolation needs', async () => {
  for (const path of ['/', '/story/']) {
    const answer = await fetch(host.url + path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get('content-type'), /^text\/html/, path);
    assert.equal(answer.headers.get('cross-origin-opener-policy'), 'same-origin', path);
    assert.equal(answer.headers.get('cross-origin-embedder-policy'), 'require-corp', path);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path);
  }
});

test('what can not be answered is a problem document that says why', async () => {
  const cases = [
    { what: 'an unknown path', path: '/api/v1/nothing', status: 404 },
    { what: 'a wrong method', path: '/api/v1/snapshot', method: 'DELETE', status: 405 },
    { what: 'a malformed body', path: '/api/v1/ingest', method: 'POST', body: '{"version":', status: 400 },
    { what: 'an oversized body', path: '/api/v1/ingest', method: 'POST', body: '{', length: 64 << 20, status: 413 },
    { what: 'a foreign origin', path: '/api/v1/snapshot', headers: { Origin: 'https://foreign.example' }, status: 403 },
    { what: 'a foreign host', path: '/api/v1/snapshot', headers: { Host: 'foreign.example' }, status: [403, 421] },
  ];
  for (const { what, status, ...rest } of cases) {
    const answer = await ask(rest);
    const expected = [status].flat();
    assert.ok(expected.includes(answer.status), `${what}: ${answer.status} ${answer.body}`);
    assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/, what);
    const problem = JSON.parse(answer.body);
    assert.equal(problem.status, answer.status, what);
    assert.ok(problem.title && problem.detail, `${what}: ${answer.body}`);
  }
});

test('a second host on the same port says so and names the flag', async () => {
  const second = new Host();
  second.url = host.url;
  await assert.rejects(second.start(), /--port/);
  await second.dispose();
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} ends it without an error, and it starts again on the same port`, async () => {
    const { url } = host;
    assert.equal(await host.stop(signal), 0);
    await assert.rejects(fetch(`${url}/healthz`));
    await host.start();
    assert.equal(host.url, url);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  });
}

/**
 * `fetch` may not set these headers. With a `length` beyond that of the body the rest is never sent: a body that is too
 * large is refused by its announcement.
 */
function ask({ path, method = 'GET', headers = {}, body = '', length = Buffer.byteLength(body) }) {
  return new Promise((resolve, reject) => {
    const content = method === 'POST' ? { 'Content-Type': 'application/json', 'Content-Length': length } : {};
    const asked = request(host.url + path, { method, headers: { ...content, ...headers } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.on('end', () => {
        resolve({ status: answer.statusCode, headers: answer.headers, body: text });
        asked.destroy();
      });
    });
    asked.on('error', reject);
    asked.write(body);
    if (length === Buffer.byteLength(body)) asked.end();
  });
}
