// quillwork/compute from the packed package: on the CPU in Node, on WebGPU (software) in Chromium.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRuntime } from 'quillwork';
import { launch, open, serve } from './browser.mjs';
import { writePlainWorkers } from './plain-workers.mjs';

const folder = import.meta.dirname;
const options = { timeout: 120_000 };

/** A problem with its product in double precision. */
function problem(m, k, n) {
  const numbers = (length, seed) => Float32Array.from({ length }, (_, index) => Math.sin(seed + index * 0.7));
  const [a, b] = [numbers(m * k, 1), numbers(k * n, 2)];
  const product = new Float64Array(m * n);
  for (let row = 0; row < m; row += 1) {
    for (let column = 0; column < n; column += 1) {
      for (let inner = 0; inner < k; inner += 1) {
        product[row * n + column] += a[row * k + inner] * b[inner * n + column];
      }
    }
  }
  return { a, b, size: { m, k, n }, product };
}

/** The largest difference, as a share of what the terms add up to without their signs. */
function relativeError(data, { product, size }) {
  assert.equal(data.length, product.length);
  return Math.max(...product.map((expected, index) => Math.abs(expected - data[index]))) / size.k;
}

describe('compute in Node', () => {
  let runtime;
  before(async () => {
    runtime = await createRuntime({ worker: new URL('./workers/compute.mjs', import.meta.url), workers: 2 });
  });
  after(() => runtime?.close());

  it('multiplies on the CPU and says why there', options, async () => {
    const { a, b, size, product } = problem(33, 70, 21);
    const result = await runtime.run('multiply', { a, b, size });
    assert.ok(relativeError(result.data, { product, size }) < 1e-6);
    assert.deepEqual([result.ranOn, result.adapter], ['cpu', undefined]);
    assert.ok(result.reason.length > 0 && result.elapsedMs > 0 && result.gflops > 0);
  });

  it('tells the page what each worker computes on', options, async () => {
    await runtime.run('info', undefined, { affinity: [0], patienceMs: 60_000 });
    const [device] = runtime.devices();
    assert.deepEqual([device.worker, device.generation, device.capabilities], [0, 1, ['gpu']]);
    assert.deepEqual([device.info.gpu, device.info.reasonCode], [false, 'no-webgpu']);
    runtime.killWorker(0);
    assert.ok(runtime.devices().every(({ worker, info }) => worker !== 0 || info === undefined), 'its replacement has said nothing yet');
  });

  it('compares all pairs of vectors', options, async () => {
    const vectors = Float32Array.from([1, 0, 0, 2, 3, 3, 0, 0]);
    const { data } = await runtime.run('similarity', { vectors, size: { count: 4, dim: 2 } });
    const diagonal = Math.SQRT1_2;
    const expected = [1, 0, diagonal, 0, 0, 1, diagonal, 0, diagonal, diagonal, 1, 0, 0, 0, 0, 0];
    expected.forEach((value, index) => assert.ok(Math.abs(data[index] - value) < 1e-6, `element ${index}`));
  });

  it('rejects what does not fit, with a code', options, async () => {
    const wrong = runtime.run('multiply', { a: new Float32Array(3), b: new Float32Array(4), size: { m: 2, k: 2, n: 2 } });
    await assert.rejects(wrong, { code: 'ERR_SHAPE' });
    await assert.rejects(runtime.run('multiply', { a: [1], b: [1], size: { m: 1, k: 1, n: 1 } }), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('is loaded once in a worker', options, async () => {
    assert.equal(await runtime.run('sameTwice'), true);
  });

  it('says where compute.wasm is missing', options, async () => {
    const fresh = await createRuntime({ worker: new URL('./workers/compute.mjs', import.meta.url), workers: 1 });
    await assert.rejects(fresh.run('missing'), { code: 'ERR_WASM_LOAD', message: /compute\.wasm.*missing\.wasm/ });
    assert.equal(await fresh.run('sameTwice'), true, 'a later call has another chance');
    await fresh.close();
  });
});

describe('compute in Chromium', () => {
  let browser;
  let site;
  let page;
  const requests = [];
  before(async () => {
    writePlainWorkers(folder);
    site = await serve(folder, {
      handle(request) {
        requests.push(request.url);
        return false;
      },
    });
    browser = await launch();
    ({ page } = await open(browser, `${site.origin}/pages/plain.html`));
    await page.waitForFunction(() => window.quillwork !== undefined);
    await page.evaluate(async () => {
      const { createRuntime, start } = window.quillwork;
      window.compute = await createRuntime({ worker: () => start('compute'), workers: 2 });
    });
  });
  after(async () => {
    await browser?.close();
    await site?.close();
  });

  const run = (task, input, runOptions) =>
    page.evaluate(
      async ([name, { a, b, ...rest }, given]) => {
        const arrays = a === undefined ? {} : { a: Float32Array.from(a), b: Float32Array.from(b) };
        const result = await window.compute.run(name, { ...rest, ...arrays }, given);
        return JSON.parse(JSON.stringify(result, (_, value) => (value instanceof Float32Array ? [...value] : value)));
      },
      [task, input.a === undefined ? input : { ...input, a: [...input.a], b: [...input.b] }, runOptions],
    );

  it('loads compute.wasm only in a worker that asks for it', options, async () => {
    const loads = () => requests.filter((url) => url.endsWith('/compute.wasm')).length;
    assert.equal(await run('square', {}), null);
    assert.equal(loads(), 0);
    await run('info', {}, { capabilities: ['gpu'] });
    assert.equal(loads(), 1);
  });

  it('multiplies on WebGPU, as exactly as single precision can', options, async () => {
    const { a, b, size, product } = problem(65, 130, 67);
    const result = await run('multiply', { a, b, size, device: 'gpu' }, { capabilities: ['gpu'] });
    assert.equal(result.ranOn, 'gpu', result.reason);
    assert.ok(relativeError(Float32Array.from(result.data), { product, size }) < 1e-6);
    assert.ok(result.adapter.length > 0 && result.isFallbackAdapter);
    const [device] = await page.evaluate(() => window.compute.devices());
    assert.deepEqual([device.worker, device.info.gpu, device.info.adapter], [0, true, result.adapter]);
  });

  it('goes on without the device when that is lost, and with a new one when asked to', options, async () => {
    const { a, b, size, product } = problem(16, 16, 16);
    const { before: onGpu, after: onCpu, info } = await run('loseDevice', { a, b, size }, { capabilities: ['gpu'] });
    assert.deepEqual([onGpu.ranOn, onCpu.ranOn, onCpu.reasonCode], ['gpu', 'cpu', 'device-lost']);
    assert.ok(relativeError(Float32Array.from(onCpu.data), { product, size }) < 1e-6);
    assert.equal(info.gpu, true, info.reason);
  });

  it('leaves the device to the worker that carries the capability', options, async () => {
    await page.waitForFunction(() => window.compute.stats().workers.every(({ state }) => state === 'ready'));
    const infos = await Promise.all([run('info', {}, { capabilities: ['gpu'] }), run('info', {})]);
    assert.deepEqual(infos.map((info) => info.gpu), [true, false]);
    assert.equal(infos[1].reasonCode, 'disabled');
  });
});
