// The same cases in a page that is cross-origin isolated: there short messages go through shared memory.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isolation, launch, open, serve } from './browser.mjs';
import { until } from './cases/check.mjs';
import { names } from './cases/run.mjs';
import { writePlainWorkers } from './plain-workers.mjs';

const folder = import.meta.dirname;
/** What has workers. */
const subjects = ['basics', 'ahead', 'errors', 'hostile', 'limits', 'held back', 'mixed', 'streams', 'binding', 'workers', 'chaos', 'process', 'testing'];
let browser;
let site;
let page;

before(async () => {
  writePlainWorkers(folder);
  site = await serve(folder, { headers: isolation });
  browser = await launch();
  ({ page } = await open(browser, `${site.origin}/pages/plain.html`));
  await page.waitForFunction(() => window.runCase !== undefined);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

for (const subject of subjects) {
  describe(`${subject} in an isolated page`, () => {
    for (const name of names[subject]) {
      it(name, { timeout: 60_000 }, () => page.evaluate(([s, n]) => window.runCase(s, n), [subject, name]));
    }
  });
}

/** Runs tasks and tells how many messages went each way meanwhile. */
async function messages(inside) {
  return inside.evaluate(async () => {
    const { createRuntime, start } = window.quillwork;
    const counts = { sent: 0, heard: 0 };
    const worker = () => {
      const one = start('entry');
      const { postMessage } = one;
      one.postMessage = (...all) => {
        counts.sent += 1;
        return postMessage.apply(one, all);
      };
      one.addEventListener('message', () => (counts.heard += 1));
      return one;
    };
    const runtime = await createRuntime({ worker, workers: 1 });
    await runtime.ready();
    const echo = (value) => runtime.run('echo', value);
    await echo('opens the line');
    Object.assign(counts, { sent: 0, heard: 0 });
    for (let n = 0; n < 100; n += 1) {
      await echo({ n, text: 'short', list: [n, n / 3, null], bytes: new Uint8Array(100) });
    }
    const short = { ...counts };
    for (let n = 0; n < 10; n += 1) {
      await echo({ n, bytes: new Uint8Array(10_000) });
    }
    await runtime.close();
    return { short, all: counts };
  });
}

describe('an isolated page', () => {
  it('sends no message for what is short and plain, and one each way for the rest', { timeout: 60_000 }, async () => {
    assert.equal(await page.evaluate(() => window.crossOriginIsolated), true);
    assert.deepEqual(await messages(page), { short: { sent: 0, heard: 0 }, all: { sent: 10, heard: 10 } });
  });

  it('does with messages where the file for shared memory is missing', { timeout: 60_000 }, async () => {
    const lacking = await serve(folder, {
      headers: isolation,
      handle(_, response, { pathname }) {
        const isRing = pathname.includes('page-ring');
        if (isRing) {
          response.writeHead(404, isolation).end();
        }
        return isRing;
      },
    });
    const { page: other } = await open(browser, `${lacking.origin}/pages/plain.html`);
    await other.waitForFunction(() => window.runCase !== undefined);
    const { short } = await messages(other);
    assert.deepEqual(short, { sent: 100, heard: 100 });
    await other.close();
    await lacking.close();
  });

  it('keeps no memory of workers that are gone', { timeout: 120_000 }, async () => {
    const devtools = await page.context().newCDPSession(page);
    const left = await page.evaluate(async () => {
      window.shared = [];
      const { SharedArrayBuffer: Real } = globalThis;
      globalThis.SharedArrayBuffer = class extends Real {
        constructor(...all) {
          super(...all);
          window.shared.push(new WeakRef(this));
        }
      };
      const { createRuntime, start } = window.quillwork;
      const runtime = await createRuntime({ worker: () => start('entry'), workers: 2 });
      for (let n = 0; n < 10; n += 1) {
        await runtime.ready();
        await runtime.run('square', n);
        runtime.killWorker(n % 2);
      }
      await runtime.close();
      globalThis.SharedArrayBuffer = Real;
      return window.shared.length;
    });
    assert.ok(left >= 20, `${left} pieces of memory`);
    // Threads end in their own time.
    const areGone = async () => {
      await devtools.send('HeapProfiler.collectGarbage');
      return (await page.evaluate(() => window.shared.filter((one) => one.deref() !== undefined).length)) <= 2;
    };
    await until(areGone, `two of ${left} at most are still held`);
  });

  it('keeps no event loop from turning while tasks follow each other', { timeout: 60_000 }, async () => {
    const rang = await page.evaluate(async () => {
      const { createRuntime, start } = window.quillwork;
      const runtime = await createRuntime({ worker: () => start('entry'), workers: 1 });
      let [here, there] = [false, false];
      setTimeout(() => (here = true), 10);
      await runtime.run('setTimer', 10);
      for (let rounds = 0; rounds < 100_000 && !(here && there); rounds += 1) {
        there = await runtime.run('timerRang');
      }
      await runtime.close();
      return [here, there];
    });
    assert.deepEqual(rang, [true, true], 'timers of page and worker');
  });
});
