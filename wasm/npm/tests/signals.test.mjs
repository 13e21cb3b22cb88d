// What a page without a pool tells beside its frame rate, in Chromium, to a real host's addresses.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { launch, open } from './browser.mjs';
import { until } from './cases/check.mjs';
import { startHost } from './host.mjs';

const folder = import.meta.dirname;
const options = { timeout: 60_000 };
let browser;
let host;
let page;
let complaints;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

beforeEach(async () => {
  host = await startHost(folder);
  host.listen();
  ({ page, complaints } = await open(browser, `${host.origin}/pages/signals.html?token=secret#me`));
  await page.waitForFunction(() => window.start !== undefined);
});

afterEach(async () => {
  await page?.close();
  await host?.close();
});

const start = (given = {}) => page.evaluate((asked) => window.start(asked), given);
const samples = () => host.batches.flatMap((batch) => batch.samples);
/** The first of what the samples have, once one has it. */
async function first(of, what) {
  await until(() => samples().some((sample) => of(sample)), what);
  return samples().map(of).find(Boolean);
}

describe('a page without a pool', () => {
  it('reports all the same', options, async () => {
    await start({ name: 'Shop' });
    const sample = await first((sample) => sample.framesPerSecond > 0 && sample, 'a sample');
    assert.equal(host.hellos[0].source.name, 'Shop');
    assert.deepEqual([sample.pool.workers, sample.pool.utilisationRatio, sample.wasmBytes, sample.response], [0, null, 0, null]);
    assert.ok(sample.telemetryCostRatio >= 0 && sample.telemetryCostRatio < 1);
    await page.evaluate(() => window.telemetry.close());
    await until(() => host.batches.some((batch) => batch.closing), 'a goodbye');
    assert.deepEqual(complaints, []);
  });

  it('is called by its host name where the app says none: a title may name a person', options, async () => {
    await start();
    await until(() => host.hellos.length === 1, 'a hello');
    assert.equal(host.hellos[0].source.name, '127.0.0.1');
  });

  it('tells the 1 % low of its frames', options, async () => {
    await start();
    const low = await first((sample) => sample.lowFramesPerSecond, 'a hundred frames');
    assert.ok(low > 0 && low < 1_000);
  });
});

describe('slow frames', () => {
  it('are told with what ran in them, and without what names an element or a query', options, async () => {
    await start();
    await page.evaluate(() => {
      document.querySelector('button').onclick = () => window.block(150);
    });
    await page.click('button');
    // A slow machine has other long frames before it.
    const clickIn = (sample) => sample.longAnimationFrames?.scripts.find((script) => script.invoker.includes('onclick'));
    const frames = await first((sample) => clickIn(sample) && sample.longAnimationFrames, 'the long frame of the click');
    assert.ok(frames.maxMillis >= 100 && frames.blockingMillis > 0 && frames.totalMillis >= frames.maxMillis);
    const click = await first(clickIn, 'the click');
    assert.equal(click.invoker, 'BUTTON.onclick');
    assert.ok(click.durationMillis >= 100);
    assert.ok(!JSON.stringify(host.batches).includes('jane-doe') && !JSON.stringify(host.batches).includes('secret'));
  });
});

describe('Core Web Vitals', () => {
  it('are those of the page, from before telemetry began as well', options, async () => {
    await page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
    await start();
    const vital = (name) => first((sample) => sample.webVitals?.find((known) => known.name === name), name);
    const fcp = await vital('FCP');
    const ttfb = await vital('TTFB');
    assert.ok(ttfb.value > 0 && fcp.value >= ttfb.value);

    await page.evaluate(() => {
      document.querySelector('button').onclick = () => window.block(250);
    });
    await page.click('button');
    // What led to the click is told by itself where a sample falls between.
    const inp = await first((sample) => sample.webVitals?.find(({ name, value }) => name === 'INP' && value > 200), 'INP of the click');
    assert.notEqual(inp.rating, 'good');
    const lcp = await vital('LCP');
    assert.ok(lcp.value >= fcp.value);
    assert.equal(lcp.rating === 'good', lcp.value <= 2_500, `${lcp.value} is ${lcp.rating}`);

    // A shift within half a second of input doesn't count: it shifts until one does.
    await page.evaluate(() => {
      setInterval(() => {
        const pushed = document.createElement('div');
        pushed.style.height = '40px';
        document.body.prepend(pushed);
      }, 100);
    });
    const cls = await first((sample) => sample.webVitals?.find((known) => known.name === 'CLS' && known.value > 0.01), 'CLS');
    assert.ok(cls.value < 10);
  });

  it('are loaded only where telemetry is', options, async () => {
    const asked = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('web-vitals')).length);
    assert.equal(await asked(), 0);
    await start();
    await first((sample) => sample.webVitals, 'vitals');
    assert.equal(await asked(), 1);
  });
});

describe('errors that nobody caught', () => {
  const throwTwice = () =>
    page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = `
        for (let n = 0; n < 2; n += 1) {
          setTimeout(() => { throw new TypeError('card 4711 of jane@example.org'); });
        }
        Promise.reject(new RangeError('no such user: jane'));
        //# sourceURL=/assets/shop.js?session=abc`;
      document.head.append(script);
    });

  it('are told by class and place, and without what they say', options, async () => {
    await start();
    await throwTwice();
    const told = () => samples().reduce((sum, { errors }) => sum + (errors?.errors ?? 0) + (errors?.rejections ?? 0), 0);
    await until(() => told() === 3, () => `three are told, not ${told()}`);
    const records = samples().flatMap(({ errors }) => errors?.records ?? []);
    assert.deepEqual(new Set(records.map(({ kind, name, script }) => `${kind} ${name} ${script}`)), new Set([
      'uncaught TypeError shop.js',
      'rejection RangeError shop.js',
    ]));
    assert.ok(records.every(({ line, column, message, stack }) => line > 0 && column > 0 && message === null && stack === null));
    assert.ok(!/jane|4711|abc/.test(JSON.stringify(host.batches)));
  });

  it('say what they say once the person agreed, without queries', options, async () => {
    await start();
    await page.evaluate(() => window.telemetry.setConsent({ errors: 'full' }));
    await throwTwice();
    const record = await first((sample) => sample.errors?.records.find(({ name }) => name === 'TypeError'), 'an error');
    assert.equal(record.message, 'card 4711 of jane@example.org');
    assert.match(record.stack, /shop\.js:\d+:\d+/);
    assert.ok(!JSON.stringify(host.batches).includes('session=abc'));
  });

  it('that the app caught can be told', options, async () => {
    await start();
    await page.evaluate(() => window.telemetry.reportError(new DOMException('full', 'QuotaExceededError')));
    const record = await first((sample) => sample.errors?.records[0], 'a report');
    assert.deepEqual([record.kind, record.name], ['reported', 'QuotaExceededError']);
  });
});

describe('what the app adds', () => {
  it('arrives: counters, gauges, histograms, readings, spans', options, async () => {
    await start();
    await page.evaluate(async () => {
      const { telemetry } = window;
      window.measures = [];
      new PerformanceObserver((list) => window.measures.push(...list.getEntries().map(({ name }) => name))).observe({ type: 'measure' });
      telemetry.counter('orders', { tags: { shop: 'north' } }).add(2);
      telemetry.counter('orders', { tags: { shop: 'north' } }).add();
      telemetry.metric('cart.items', 5, { unit: 'items' });
      telemetry.histogram('search', { unit: 'ms' }).record(10);
      telemetry.observe('checkout', () => ({ calls: 7, bulkhead: { running: 1 }, name: 'text', open: true }));
      await telemetry.span('load', async (span) => {
        telemetry.span('parse', () => undefined);
        await Promise.resolve();
        telemetry.startSpan('draw', { parent: span }).end();
      });
    });
    const all = () => samples().flatMap(({ metrics }) => metrics ?? []);
    await until(() => all().length >= 6, 'metrics');
    const found = (name) => all().find((metric) => metric.name === name);
    assert.deepEqual(found('orders'), { name: 'orders', tags: { shop: 'north' }, kind: 'counter', value: 3 });
    assert.deepEqual(found('cart.items'), { name: 'cart.items', unit: 'items', kind: 'gauge', value: 5 });
    assert.deepEqual([found('search').sketch.count, found('search').sketch.buckets], [1, [[116, 1]]]);
    assert.deepEqual(['checkout.calls', 'checkout.bulkhead.running', 'checkout.open'].map((name) => found(name).value), [7, 1, 1]);
    assert.equal(found('checkout.name'), undefined);
    const spans = samples().flatMap((sample) => sample.spans ?? []);
    const [load, parse, draw] = ['load', 'parse', 'draw'].map((name) => spans.find((span) => span.name === name));
    assert.deepEqual([load.parent, parse.parent, draw.parent, load.ok], [null, load.id, load.id, true]);
    await page.waitForFunction(() => window.measures.includes('quillwork: load'));
    assert.equal(await page.evaluate(() => performance.getEntriesByType('measure').length), 0, 'none is kept');
  });

  it('measures passes on the GPU by its own clock', options, async () => {
    await start();
    const unmeasured = await page.evaluate(async () => {
      const adapter = await navigator.gpu.requestAdapter();
      const without = await (await navigator.gpu.requestAdapter()).requestDevice();
      const device = await adapter.requestDevice({ requiredFeatures: ['timestamp-query'] });
      const timer = window.telemetry.gpuTimer(device);
      const module = device.createShaderModule({
        code: `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
          @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
            var sum = id.x;
            for (var n = 0u; n < 20000u; n += 1u) { sum = sum * 1664525u + 1013904223u; }
            out[id.x] = sum;
          }`,
      });
      const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
      const buffer = device.createBuffer({ size: 4 * 4096, usage: GPUBufferUsage.STORAGE });
      const bindings = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] });
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass({ ...timer.next() });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(64);
      pass.end();
      timer.resolve(encoder);
      device.queue.submit([encoder.finish()]);
      timer.read();
      return window.telemetry.gpuTimer(without);
    });
    assert.equal(unmeasured, undefined, 'a device without timestamp queries has no timer');
    assert.ok((await first((sample) => sample.gpuMillis, 'GPU time')) > 0);
  });
});

describe('consent and sampling', () => {
  it('without reporting nothing is measured, kept or sent, until it is given', options, async () => {
    await start({ consent: { reporting: false } });
    // Another one that may report has done so meanwhile.
    await page.evaluate(() => {
      window.withheld = window.telemetry;
      window.start({});
    });
    await first((sample) => sample, 'a sample of another');
    assert.deepEqual([host.connections, await page.evaluate(() => window.withheld.latest ?? null)], [1, null]);
    await page.evaluate(() => {
      window.telemetry.close();
      window.telemetry = window.withheld;
      window.telemetry.counter('before').add();
      window.telemetry.startSpan('before').end();
      window.telemetry.setConsent({ reporting: true });
      window.telemetry.counter('after').add();
    });
    await until(() => host.hellos.length === 2, 'a hello');
    await page.waitForFunction(() => window.telemetry.status === 'connected');
    await first((sample) => sample.metrics?.some(({ name }) => name === 'after'), 'what came after it');
    assert.ok(!JSON.stringify(host.batches).includes('before'), 'what came before it is forgotten');
    await page.evaluate(() => window.telemetry.setConsent({ reporting: false }));
    assert.equal(await page.evaluate(() => window.telemetry.status), 'off');
    assert.equal(await page.evaluate(() => window.telemetry.queuedSamples), 0);
    await page.goto('about:blank');
    assert.deepEqual(host.beacons, [], 'no goodbye either');
  });

  it('a session is in or out as a whole, over loads of the page', options, async () => {
    await start({ sampleRate: 0 });
    assert.deepEqual(await page.evaluate(() => [window.telemetry.sampled, window.telemetry.status]), [false, 'off']);
    const drawn = await page.evaluate(() => {
      window.start({ sampleRate: 0.5 });
      return window.telemetry.sampled;
    });
    for (let load = 0; load < 5; load += 1) {
      await page.reload();
      await page.waitForFunction(() => window.start !== undefined);
      await start({ sampleRate: 0.5 });
      assert.equal(await page.evaluate(() => window.telemetry.sampled), drawn);
    }
  });

  it('the app sees each batch before it leaves, and may change or drop it', options, async () => {
    await page.evaluate(() => {
      window.seen = 0;
      window.start({
        beforeSend(batch) {
          window.seen += 1;
          if (window.seen === 1) {
            return null;
          }
          for (const sample of batch.samples) {
            sample.heapUsedBytes = null;
          }
          return batch;
        },
      });
    });
    await until(() => host.batches.length >= 2, 'batches');
    assert.ok(host.batches[0].droppedSamples >= 1, 'what was dropped is counted');
    assert.ok(samples().every(({ heapUsedBytes }) => heapUsedBytes === null));
    assert.ok(await page.evaluate(() => window.telemetry.latest.heapUsedBytes > 0), 'it changed a copy');
  });
});
