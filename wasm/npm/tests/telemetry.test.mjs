// What a page in Chromium reports to a real WebSocket server, and what it does while there is none.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { launch, open, untilInPage } from './browser.mjs';
import { until } from './cases/check.mjs';
import { startHost } from './host.mjs';
import { writePlainWorkers } from './plain-workers.mjs';

const folder = import.meta.dirname;
let browser;
let host;
let page;
let complaints;

before(async () => {
  writePlainWorkers(folder);
  browser = await launch();
});

after(() => browser?.close());

beforeEach(async () => {
  host = await startHost(folder);
  ({ page, complaints } = await open(browser, `${host.origin}/pages/telemetry.html`));
  await page.waitForFunction(() => window.start !== undefined);
});

afterEach(async () => {
  await page?.close();
  await host?.close();
});

const start = (options = {}) => page.evaluate((given) => window.start(given), options);
const status = () => page.evaluate(() => window.runtime.telemetry.status);
const untilStatus = (wanted) =>
  untilInPage(page, (value) => window.runtime.telemetry.status === value, wanted, () => window.runtime.telemetry.status);
const samples = () => host.batches.flatMap((batch) => batch.samples);
const unique = (batches) => [...new Map(batches.map((batch) => [batch.batchId, batch])).values()];

const options = { timeout: 60_000 };

describe('a page that reports', () => {
  it('says who it is, then sends what it measured', options, async () => {
    host.listen();
    await start({ name: 'Story app', token: 'secret' });
    await page.evaluate(async () => {
      const cache = window.runtime.cache('pages', { maxEntries: 10 });
      cache.set('a', 1);
      cache.get('a');
      cache.get('b');
      await Promise.all(Array.from({ length: 20 }, (_, n) => window.runtime.run('square', n)));
      await window.runtime.run('throwValue', 1).catch(() => {});
    });
    const ended = (how) => samples().reduce((sum, sample) => sum + sample.pool[how], 0);
    await until(() => ended('completed') === 20 && ended('failed') === 1, () => `all tasks were reported, of 20 and 1: ${ended('completed')} and ${ended('failed')}`);
    await until(() => samples().some((sample) => sample.framesPerSecond > 0 && sample.displayHertz !== null), 'frames were reported');

    const [hello] = host.hellos;
    assert.deepEqual({ ...hello, source: undefined }, { type: 'hello', version: 1, role: 'page', source: undefined, token: 'secret' });
    assert.match(hello.source.id, /^[A-Za-z0-9-]{1,64}$/);
    assert.equal(hello.source.name, 'Story app');

    const batches = unique(host.batches);
    assert.deepEqual(batches.map((batch) => batch.sequence), batches.map((_, index) => index + 1));
    assert.ok(batches.every((batch) => batch.version === 1 && batch.source.id === hello.source.id && !batch.closing && batch.droppedSamples === 0));
    const all = samples();
    const sum = (of) => all.reduce((total, sample) => total + of(sample), 0);
    assert.deepEqual([sum((sample) => sample.cache.hits), sum((sample) => sample.cache.misses)], [1, 1]);
    assert.equal(sum((sample) => sample.response?.count ?? 0), 21);
    for (const { response } of all.filter((sample) => sample.response !== null)) {
      assert.equal(response.zeros + response.buckets.reduce((total, [, count]) => total + count, 0), response.count);
      assert.equal(response.relativeAccuracy, 0.01);
    }
    const runs = all.flatMap(({ taskTypes = [] }) => taskTypes);
    const ran = (taskType) => runs.filter((of) => of.taskType === taskType).reduce((total, of) => total + of.runs.count, 0);
    assert.deepEqual([ran('square'), ran('throwValue')], [20, 1]);
    for (const { runs: of } of runs) {
      assert.equal(of.zeros + of.buckets.reduce((total, [, count]) => total + count, 0), of.count);
      assert.ok(of.maxMillis <= of.sumMillis && of.relativeAccuracy === 0.01, JSON.stringify(of));
    }
    for (const sample of all) {
      assert.ok(Math.abs(sample.atUnixMillis - Date.now()) < 60_000);
      assert.ok(sample.intervalMillis > 50, `an interval of ${sample.intervalMillis}`);
      assert.ok(sample.visible);
      assert.ok(sample.heapUsedBytes > 0 && sample.heapLimitBytes > sample.heapUsedBytes);
      assert.ok(sample.wasmBytes >= 65_536);
      assert.ok(sample.droppedFrameRatio === null || (sample.droppedFrameRatio >= 0 && sample.droppedFrameRatio <= 1));
    }
    assert.equal(await status(), 'connected');
    assert.deepEqual(complaints, []);
  });

  it('names task types as a host takes them', options, async () => {
    host.listen();
    await start();
    const names = ['no\u0007such\ud83d', 'x'.repeat(200), ''];
    await page.evaluate((tasks) => Promise.allSettled(tasks.map((task) => window.runtime.run(task, 1))), names);
    const told = () => samples().flatMap(({ taskTypes = [] }) => taskTypes.map(({ taskType }) => taskType));
    await until(() => told().length >= names.length, () => `three types were reported: ${told()}`);
    assert.deepEqual(told().sort(), ['(unnamed)', 'no\uFFFDsuch\uFFFD', 'x'.repeat(120)]);
  });

  it('counts long tasks of the main thread', options, async () => {
    host.listen();
    await start();
    await page.evaluate(() => {
      setTimeout(() => {
        const end = performance.now() + 120;
        while (performance.now() < end);
      });
    });
    await until(() => samples().some((sample) => sample.longTasks?.count > 0), 'a long task was reported');
    const { longTasks } = samples().find((sample) => sample.longTasks?.count > 0);
    assert.ok(longTasks.maxMillis >= 50 && longTasks.totalMillis >= longTasks.maxMillis);
  });

  it('observes no frames while it is hidden', options, async () => {
    host.listen();
    await start();
    await until(() => samples().some((sample) => sample.framesPerSecond !== null), 'frames while visible');
    const hiddenAt = await setVisibility('hidden');
    // Some of before may still be under way, and the first one after it began before it.
    const whileHidden = () => samples().filter(({ atUnixMillis }) => atUnixMillis > hiddenAt).slice(1);
    await until(() => whileHidden().length > 2, 'samples while hidden');
    for (const sample of whileHidden()) {
      assert.deepEqual([sample.visible, sample.framesPerSecond, sample.droppedFrameRatio], [false, null, null]);
    }
    await setVisibility('visible');
    const visibleFrom = samples().length + 2;
    await until(() => samples().slice(visibleFrom).some((sample) => sample.visible && sample.framesPerSecond > 0), 'frames again');
  });

  it('tells subscribers of samples and of the line, and stops when told to', options, async () => {
    host.listen();
    await start();
    const seen = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const { telemetry } = window.runtime;
          let calls = 0;
          const off = telemetry.subscribe(() => {
            calls += 1;
            if (calls === 3) {
              off();
              resolve({ calls, latest: telemetry.latest?.intervalMillis });
            }
          });
        }),
    );
    assert.ok(seen.latest > 0);
  });

  it('says goodbye when the runtime is closed', options, async () => {
    host.listen();
    await start();
    await untilStatus('connected');
    await page.evaluate(async () => {
      await window.runtime.run('square', 2);
      await window.runtime.close();
    });
    await until(() => host.batches.some((batch) => batch.closing), 'a closing batch');
    assert.equal(await status(), 'off');
    const total = unique(host.batches).flatMap((batch) => batch.samples).reduce((sum, sample) => sum + sample.pool.completed, 0);
    assert.equal(total, 1);
  });
});

describe('while the host is away', () => {
  it('keeps what it measured, and delivers it once when the host is back', options, async () => {
    await start();
    await untilStatus('away');
    await page.evaluate(() => {
      const { telemetry } = window.runtime;
      window.measured = false;
      telemetry.subscribe(() => (window.measured ||= telemetry.latest?.pool.completed === 1));
      return window.runtime.run('square', 2);
    });
    await page.waitForFunction(() => window.measured);
    host.listen();
    await untilStatus('connected');
    await until(() => samples().some((sample) => sample.pool.completed === 1), 'the task was reported');

    host.stop();
    await untilStatus('away');
    await page.evaluate(() => window.runtime.run('square', 3));
    host.listen();
    await untilStatus('connected');
    const completed = () => unique(host.batches).flatMap((batch) => batch.samples).reduce((sum, sample) => sum + sample.pool.completed, 0);
    await until(() => completed() === 2, () => `the second task was reported, not ${completed()} in all`);
    const sequences = unique(host.batches).map((batch) => batch.sequence);
    assert.deepEqual(sequences, sequences.map((_, index) => index + 1), 'no batch is missing');
    assert.equal(await page.evaluate(() => window.runtime.run('square', 4)), 16);
  });

  it('sends a batch again, under the same id, until it is acknowledged', options, async () => {
    host.listen();
    host.acknowledge = false;
    await start();
    await until(() => host.batches.length === 1, 'a first batch');
    const [first] = host.batches;
    host.stop();
    await untilStatus('away');
    host.acknowledge = true;
    host.listen();
    await until(() => host.batches.length >= 3, 'the batch again, and the next');
    assert.equal(host.batches[1].batchId, first.batchId);
    assert.deepEqual(host.batches[1].samples, first.samples);
    assert.equal(host.batches[2].sequence, first.sequence + 1);
  });

  for (const [code, why] of [[4400, 'another version of the protocol'], [4401, 'token is missing or wrong'], [4422, '4422']]) {
    it(`gives up where the host will never take its hello (${code}), and says so once`, options, async () => {
      host.listen();
      host.refuseWith = code;
      await start();
      await untilStatus('off');
      assert.deepEqual([host.connections, host.batches.length], [1, 0]);
      assert.equal(complaints.filter((complaint) => complaint.includes(why)).length, 1);
      assert.equal(await page.evaluate(() => window.runtime.telemetry.queuedSamples), 0);
    });
  }

  it('drops the one batch that the host can not take, says so once, and goes on with the next', options, async () => {
    host.listen();
    host.refuseBatch = (sequence) => (sequence === 1 || sequence === 3 ? [4422, '`samples[0].intervalMillis` must be right'] : undefined);
    await start();
    await until(() => host.batches.some((batch) => batch.sequence >= 5), 'later batches');
    const sent = (sequence) => host.batches.filter((batch) => batch.sequence === sequence);
    assert.deepEqual([sent(1).length, sent(3).length], [1, 1], 'a refused batch is not sent again');
    assert.equal(sent(2)[0].droppedSamples, sent(1)[0].samples.length, 'what was refused is counted as dropped');
    assert.equal(complaints.filter((complaint) => complaint.includes('samples[0].intervalMillis')).length, 1);
    assert.equal(await status(), 'connected');
  });

  it('counts the samples that wait, and has none left once the host has them', options, async () => {
    await start();
    await page.waitForFunction(() => window.runtime.telemetry.queuedSamples >= 5);
    host.listen();
    await untilStatus('connected');
    await page.waitForFunction(() => window.runtime.telemetry.queuedSamples <= 1);
  });
});

describe('a name that no host takes as it is', () => {
  it('is sent without control characters and halves of characters, and cut between characters', options, async () => {
    host.listen();
    await start({ name: `a\tb\ud800c${'\u{1f4d6}'.repeat(200)}` });
    await until(() => host.hellos.length === 1, 'a hello');
    const { name } = host.hellos[0].source;
    assert.equal(name, `a b c${'\u{1f4d6}'.repeat(115)}`);
  });
});

describe('when the page goes away', () => {
  it('sends the rest by beacon, as text, marked as closing', options, async () => {
    host.listen();
    host.acknowledge = false;
    await start();
    await until(() => host.batches.length === 1, 'a first batch');
    await page.evaluate(() => window.runtime.run('square', 2));
    await page.goto('about:blank');
    await until(() => host.beacons.length >= 2, 'beacons');
    for (const { headers, batch, bytes } of host.beacons) {
      assert.match(headers['content-type'], /^text\/plain/);
      assert.equal(batch.closing, true);
      assert.ok(bytes <= 60_000);
    }
    const ids = host.beacons.map(({ batch }) => batch.batchId);
    assert.ok(ids.includes(host.batches[0].batchId), 'the batch that was not acknowledged');
    const reported = host.beacons.flatMap(({ batch }) => batch.samples).reduce((sum, sample) => sum + sample.pool.completed, 0);
    assert.equal(reported, 1);
  });

  it('carries a token in a header where there is one', options, async () => {
    host.listen();
    await start({ token: 'secret' });
    await untilStatus('connected');
    await page.goto('about:blank');
    await until(() => host.beacons.length >= 1, 'a beacon');
    assert.equal(host.beacons[0].headers.authorization, 'Bearer secret');
  });

  it('goes on when it comes back from the back/forward cache', options, async () => {
    host.listen();
    await start();
    await untilStatus('connected');
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    await until(() => host.beacons.length >= 1, 'a beacon');
    assert.equal(await status(), 'off');
    const before = host.batches.length;
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    await untilStatus('connected');
    await until(() => host.batches.length > before, 'batches again');
    assert.equal(host.hellos[0].source.id, host.hellos[1].source.id);
  });
});

/** Chromium without a window is never hidden by itself. Resolves with when it was, by the page's clock. */
function setVisibility(value) {
  return page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
    return Date.now();
  }, value);
}
