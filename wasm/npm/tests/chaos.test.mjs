// What is left after hours of faults must be nothing: lines, listeners, timers and memory return to where they were.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { launch, open, serve } from './browser.mjs';
import { chaos, chaosRuntime } from './cases/chaos.mjs';
import { until } from './cases/check.mjs';
import { names } from './cases/run.mjs';
import { environment } from './env/node.mjs';
import { writePlainWorkers } from './plain-workers.mjs';

const ROUNDS = 6;
const TASKS = 300;
/** What a heap may differ by from one look to the next: what engines compile and cache meanwhile. A leak of tasks is many times this. */
const MARGIN_BYTES = 3 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('after chaos in Node', () => {
  it('nothing is left of tasks, workers, signals and timers', { timeout: 120_000 }, async () => {
    const resources = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker').length;
    const resourcesBefore = resources();
    const started = [];
    const runtime = await chaosRuntime({ ...environment, runtime: (options) => environment.createRuntime({ ...options, worker: counting(options.worker) }) });
    function counting(worker) {
      return () => {
        const one = worker();
        started.push(new WeakRef(one));
        return one;
      };
    }
    await runtime.ready();
    const shared = new AbortController();
    const heap = async () => {
      await Promise.all(Array.from({ length: 500 }, () => runtime.run('square', 2, { signal: shared.signal })));
      await settle();
      collect();
      await settle();
      collect();
      return process.memoryUsage().heapUsed;
    };
    await chaos(runtime, 1, TASKS);
    const early = await heap();
    for (let round = 2; round <= ROUNDS; round += 1) {
      await chaos(runtime, round, TASKS);
    }
    const late = await heap();
    assert.ok(late - early < MARGIN_BYTES, `${((late - early) / 2 ** 20).toFixed(1)} MiB more than before ${(ROUNDS - 1) * TASKS} tasks`);
    assert.equal(getEventListeners(shared.signal, 'abort').length, 0);
    const alive = started.filter((worker) => worker.deref() !== undefined).length;
    assert.ok(started.length > 20 && alive < started.length / 2, `${alive} of ${started.length} worker objects are still held`);
    await runtime.close();
    await until(() => resources() === resourcesBefore, 'no thread and no port is left');
  });
});

describe('after chaos in a page', () => {
  let browser;
  let site;

  before(async () => {
    writePlainWorkers(import.meta.dirname);
    site = await serve(import.meta.dirname);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    await site?.close();
  });

  it('the heap is as large as before', { timeout: 180_000 }, async () => {
    const { page } = await open(browser, `${site.origin}/pages/plain.html`);
    await page.waitForFunction(() => window.runCase !== undefined);
    const devtools = await page.context().newCDPSession(page);
    const round = () => page.evaluate((name) => window.runCase('chaos', name), names.chaos[0]);
    const heap = async () => {
      await devtools.send('HeapProfiler.collectGarbage');
      await devtools.send('HeapProfiler.collectGarbage');
      return (await devtools.send('Runtime.getHeapUsage')).usedSize;
    };
    await round();
    const early = await heap();
    await round();
    await round();
    const late = await heap();
    assert.ok(late - early < MARGIN_BYTES, `${((late - early) / 2 ** 20).toFixed(1)} MiB more than before 2,000 tasks`);
  });
});
