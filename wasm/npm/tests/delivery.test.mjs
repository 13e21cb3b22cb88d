// How batches reach the host without a socket, and what becomes of them while there is no network, in Chromium.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { launch, open, untilInPage } from './browser.mjs';
import { until } from './cases/check.mjs';
import { startHost } from './host.mjs';

const folder = import.meta.dirname;
const options = { timeout: 60_000 };
let browser;
let host;
let page;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

beforeEach(async () => {
  host = await startHost(folder);
  ({ page } = await open(browser, `${host.origin}/pages/signals.html`));
  await page.waitForFunction(() => window.start !== undefined);
});

afterEach(async () => {
  await page?.close();
  await host?.close();
});

const start = (given = {}) => page.evaluate((asked) => window.start(asked), given);
const untilStatus = (wanted) => untilInPage(page, (value) => window.telemetry.status === value, wanted, () => window.telemetry.status);
/** Batches in the page's database. */
const stored = () =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.open('quillwork-telemetry', 1);
        request.onupgradeneeded = () => request.transaction.abort();
        request.onerror = () => resolve(0);
        request.onsuccess = () => {
          const count = request.result.transaction('batches').objectStore('batches').count();
          count.onsuccess = () => resolve(count.result);
          request.result.close();
        };
      }),
  );
/** Counts something, and waits for the sample that tells it: each is looked at, for the next one may tell nothing again. */
const measured = (name, count) =>
  page.evaluate(
    ([counter, by]) =>
      new Promise((resolve) => {
        window.telemetry.subscribe(() => window.telemetry.latest?.metrics !== undefined && resolve());
        window.telemetry.counter(counter).add(by);
      }),
    [name, count],
  );
const delivered = () => [...host.batches, ...host.beacons.map(({ batch }) => batch)];
const values = (name) =>
  [...new Map(delivered().map((batch) => [batch.batchId, batch])).values()]
    .flatMap(({ samples }) => samples)
    .flatMap(({ metrics }) => metrics ?? [])
    .filter((metric) => metric.name === name)
    .map(({ value }) => value);

describe('by fetch', () => {
  it('each batch is a request, compressed where that saves something, with the token', options, async () => {
    await start({ transport: 'fetch', token: 'secret', intervalMs: 200 });
    await untilStatus('connected');
    // Tells enough to be worth compressing.
    await page.evaluate(() => {
      for (let n = 0; n < 50; n += 1) {
        window.telemetry.metric(`metric.number.${n}`, n);
      }
    });
    await until(() => host.beacons.some(({ headers }) => headers['content-encoding'] === 'gzip'), 'a compressed batch');
    assert.ok(host.beacons.every(({ headers }) => headers.authorization === 'Bearer secret' && headers['content-type'] === 'application/json'));
    await until(() => values('metric.number.49').length === 1, 'the metrics');
    assert.equal(host.connections, 0);
    const sequences = host.beacons.map(({ batch }) => batch.sequence);
    assert.deepEqual(sequences, sequences.map((_, index) => index + 1));
  });

  it('a batch goes again, under its id, when the host has said', options, async () => {
    host.answer = () => [429, { 'retry-after': '1' }];
    await start({ transport: 'fetch' });
    await untilStatus('away');
    host.answer = () => [204, {}];
    await until(() => host.beacons.length >= 1, 'the batch');
    const taken = host.asked.findIndex(({ status }) => status === 204);
    assert.ok(taken >= 1, 'it was refused before');
    assert.deepEqual(new Set(host.asked.slice(0, taken).map(({ batchId }) => batchId)), new Set([host.beacons[0].batch.batchId]));
    await untilStatus('connected');
  });

  it('the rest goes by beacon with the page', options, async () => {
    await start({ transport: 'fetch' });
    await untilStatus('connected');
    await page.evaluate(() => window.telemetry.counter('last').add(7));
    await page.goto('about:blank');
    await until(() => host.beacons.some(({ batch }) => batch.closing) && values('last').length > 0, 'a goodbye, and the rest');
    assert.deepEqual(values('last'), [7]);
  });

  it('stops where the host wants none of it, and says so', options, async () => {
    host.answer = () => [401, {}];
    await start({ transport: 'fetch' });
    await untilStatus('off');
    assert.equal(await page.evaluate(() => window.telemetry.queuedSamples), 0);
  });
});

describe('while there is no network', () => {
  for (const transport of ['websocket', 'fetch']) {
    it(`what was measured outlives the page, and is delivered once by the next load of it (${transport})`, options, async () => {
      host.answer = () => [503, {}];
      await start({ transport, offlineQueue: true });
      await untilStatus('away');
      const source = await page.evaluate(() => window.telemetry.source.id);
      await measured('offline', 5);
      await page.evaluate(() => window.telemetry.counter('at the very end'.replaceAll(' ', '.')).add(3));
      await page.reload();
      await page.waitForFunction(() => window.start !== undefined);
      assert.deepEqual(delivered(), []);

      host.answer = () => [204, {}];
      host.listen();
      await start({ transport, offlineQueue: true });
      await until(() => values('offline').length > 0 && values('at.the.very.end').length > 0, 'what was kept');
      assert.deepEqual([values('offline'), values('at.the.very.end')], [[5], [3]]);
      const kept = host.beacons.filter(({ batch }) => batch.source.id === source);
      assert.ok(kept.length > 0 && kept.every(({ batch }) => batch.closing), 'under the source that measured it');
      await until(async () => (await stored()) === 0, 'nothing is kept');
      await page.waitForFunction(() => Object.keys(localStorage).length === 0);
    });
  }

  it('a page that goes before its database is open loses nothing, and what others wrote in its place stops nothing', options, async () => {
    host.answer = () => [503, {}];
    await page.evaluate(() => {
      localStorage.setItem('app', 'mine');
      localStorage.setItem('quillwork-telemetry/1', '{');
      localStorage.setItem('quillwork-telemetry/2', '{"source":{"id":"x"},"batch":{"batchId":"3","samples":[]}}');
      localStorage.setItem('quillwork-telemetry/4', '{"source":{"id":"x"},"batch":{"batchId":"4","samples":[]}}');
      IDBFactory.prototype.open = () => new EventTarget();
    });
    await start({ transport: 'fetch', offlineQueue: true });
    await untilStatus('away');
    await page.evaluate(() => window.telemetry.counter('last').add(3));
    await page.reload();
    await page.waitForFunction(() => window.start !== undefined);
    assert.deepEqual(delivered(), []);

    host.answer = () => [204, {}];
    await start({ transport: 'fetch', offlineQueue: true });
    await until(() => values('last').length > 0, 'what was kept');
    assert.deepEqual(values('last'), [3]);
    assert.ok(delivered().every(({ batchId }) => batchId !== '4'), 'what counts nothing is not delivered');
    await page.waitForFunction(() => Object.keys(localStorage).join() === 'app');
  });

  it('the browser being offline is no different', options, async () => {
    host.listen();
    await start({ transport: 'fetch', offlineQueue: true });
    await untilStatus('connected');
    await page.context().setOffline(true);
    await untilStatus('away');
    await measured('tunnel', 1);
    await page.context().setOffline(false);
    await untilStatus('connected');
    await until(() => values('tunnel').length > 0, 'the sample of the tunnel');
    assert.deepEqual(values('tunnel'), [1]);
  });

  it('nothing is kept where the person takes the consent back', options, async () => {
    host.answer = () => [503, {}];
    await start({ transport: 'fetch', offlineQueue: true });
    await until(async () => (await stored()) > 0, 'something is kept');
    await page.evaluate(() => window.telemetry.setConsent({ reporting: false }));
    await until(async () => (await stored()) === 0, 'nothing is kept');
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  });
});
