// A host that is away: how often it is tried, and when at once.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { launch, open, untilInPage } from './browser.mjs';
import { startHost } from './host.mjs';
import { writePlainWorkers } from './plain-workers.mjs';
import { source } from './source.mjs';
import { page as sender } from './wire-samples.mjs';

const { BatchQueue } = await source('telemetry/batch-queue');
const { retryDelay } = await source('telemetry/link');
const { Uplink } = await source('telemetry/uplink');

describe('the waits between attempts', () => {
  it('double from a quarter of a second to half a minute, and are spread over their second half', (t) => {
    for (const [drawn, share] of [
      [0, 0.5],
      [0.999_999, 1],
    ]) {
      t.mock.method(Math, 'random', () => drawn);
      const waits = Array.from({ length: 100 }, (_, failures) => retryDelay(failures + 1));
      const whole = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
      assert.deepEqual(waits.slice(0, 9).map(Math.round), whole.map((wait) => wait * share));
      assert.ok(waits.slice(9).every((wait) => Math.round(wait) === 30_000 * share));
    }
  });
});

describe('by WebSocket', () => {
  let sockets;
  let uplink;
  const before = globalThis.WebSocket;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(Math, 'random', () => 1);
    sockets = [];
    globalThis.WebSocket = class Socket {
      static OPEN = 1;
      readyState = 0;
      sent = [];
      constructor() {
        sockets.push(this);
      }
      open() {
        this.readyState = 1;
        this.onopen();
      }
      send(text) {
        this.sent.push(JSON.parse(text));
      }
      say(message) {
        this.onmessage({ data: JSON.stringify(message) });
      }
      fail() {
        this.readyState = 3;
        this.onclose({ code: 1006, reason: '' });
      }
      close() {}
    };
    const queue = new BatchQueue();
    queue.push({ atUnixMillis: 1 });
    uplink = new Uplink({ url: 'wss://host.test/ws', token: undefined, source: sender }, queue, () => {});
  });

  afterEach(() => {
    uplink.stop();
    mock.timers.reset();
    mock.restoreAll();
    globalThis.WebSocket = before;
  });

  /** Each attempt fails at once, for so long. */
  function failFor(ms) {
    for (let passed = 0; passed < ms; passed += 50) {
      if (sockets.at(-1).readyState === 0) {
        sockets.at(-1).fail();
      }
      mock.timers.tick(50);
    }
    return sockets.length;
  }

  it('an hour without a host is few attempts', () => {
    uplink.start();
    assert.equal(failFor(60_000), 8);
    const attempts = failFor(3_600_000);
    assert.ok(attempts <= 8 + 121, `${attempts} attempts`);
    assert.equal(uplink.status, 'away');
  });

  it('a batch that was taken begins the waits anew, a greeting alone does not', () => {
    const welcome = { type: 'welcome', version: 1, instance: 'test', serverUnixMillis: 1, resumed: false };
    const attempts = () => {
      const from = sockets.length;
      mock.timers.tick(250);
      return sockets.length - from;
    };
    uplink.start();
    failFor(60_000);
    mock.timers.tick(30_000);
    sockets.at(-1).open();
    sockets.at(-1).say(welcome);
    assert.equal(uplink.status, 'connected');
    sockets.at(-1).fail();
    assert.equal(attempts(), 0, 'a host that greets and goes is tried no sooner');
    mock.timers.tick(30_000);
    sockets.at(-1).open();
    sockets.at(-1).say(welcome);
    const { batchId } = sockets.at(-1).sent.at(-1);
    sockets.at(-1).say({ type: 'ack', batchId });
    sockets.at(-1).fail();
    assert.equal(attempts(), 1);
  });

  it('hurry tries at once and soon again, once while an attempt is under way', () => {
    uplink.start();
    failFor(60_000);
    sockets.at(-1).readyState === 0 && sockets.at(-1).fail();
    const before = sockets.length;
    uplink.hurry();
    uplink.hurry();
    assert.equal(sockets.length, before + 1);
    sockets.at(-1).fail();
    mock.timers.tick(250);
    assert.equal(sockets.length, before + 2);
  });

  it('a line that is opened again begins anew', () => {
    uplink.start();
    failFor(60_000);
    uplink.stop();
    uplink.start();
    const before = sockets.length;
    sockets.at(-1).fail();
    mock.timers.tick(250);
    assert.equal(sockets.length, before + 1);
  });
});

describe('a page in Chromium whose host is away', () => {
  it('tries at once when somebody looks or the network is back, and finds it', { timeout: 60_000 }, async () => {
    writePlainWorkers(import.meta.dirname);
    const browser = await launch();
    const host = await startHost(import.meta.dirname);
    try {
      const { page } = await open(browser, `${host.origin}/pages/telemetry.html`);
      await page.waitForFunction(() => window.start !== undefined);
      // Time stands still, an hour on, so that it is still to come: what is tried is not tried because a wait is over.
      await page.clock.install({ time: 1_800_000_000_000 });
      await page.clock.pauseAt(1_800_003_600_000);
      await page.evaluate(() => {
        window.attempts = [];
        window.WebSocket = class extends WebSocket {
          constructor(...given) {
            super(...given);
            window.attempts.push(this);
          }
        };
        window.show = (state) => {
          Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        };
        window.turn = (type) => dispatchEvent(new PageTransitionEvent(type, { persisted: true }));
      });
      const away = (attempts) =>
        untilInPage(
          page,
          (count) => window.attempts.length === count && window.attempts.at(-1).readyState === 3 && window.runtime?.telemetry.status === 'away',
          attempts,
          () => [window.attempts.map(({ readyState }) => readyState), window.runtime?.telemetry.status],
        );
      await page.evaluate(() => window.start({}));
      await away(1);
      const count = (act) => page.evaluate(`${act}; window.attempts.length`);
      assert.equal(await count(`show('hidden'); dispatchEvent(new Event('focus'))`), 1, 'nobody looks');
      assert.equal(await count(`dispatchEvent(new Event('online'))`), 2);
      await away(2);
      assert.equal(await count(`show('visible')`), 3);
      await away(3);
      assert.equal(await count(`dispatchEvent(new Event('focus'))`), 4);
      await away(4);
      assert.equal(await count(`turn('pagehide'); turn('pageshow')`), 5);
      await away(5);
      host.listen();
      assert.equal(await count(`show('visible')`), 6);
      await page.waitForFunction(() => window.runtime.telemetry.status === 'connected');
      assert.equal(await count(`dispatchEvent(new Event('focus'))`), 6, 'it is there');
    } finally {
      await host.close();
      await browser.close();
    }
  });
});
