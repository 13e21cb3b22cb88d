// The matrix kernel of the story app's device panel: on WebGPU in software, with the device lost, and without WebGPU.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../harness/browser.mjs';
import { Host } from '../harness/host.mjs';
import { Studio } from '../harness/studio.mjs';

const TEST_LIMIT = { timeout: 300_000 };
/** Large enough for many tiles of the kernel, small enough for a GPU that is none. */
const SIZE = 256;
/** Takes long enough to be disturbed. */
const LARGE = 512;

let host;

before(async () => {
  host = await new Host().start();
});

after(() => host?.dispose());

test('the kernel on WebGPU agrees with its CPU twin and with a product in f64', TEST_LIMIT, async () => {
  await withStudio({ webgpu: true }, async (studio) => {
    await studio.measure(SIZE);
    await studio.until('device-gpu', { 'ran-on': 'gpu' });
    await studio.until('device-cpu', { 'ran-on': 'cpu' });
    await assertAgreement(studio);
    assert.ok((await studio.figure('device-gpu', 'gflops')) > 0);
    assert.ok((await studio.figure('device-cpu', 'gflops')) > 0);
    assert.equal(await studio.get('device-fallback').count(), 0);
    assert.match(await studio.get('device-adapter').innerText(), /SwiftShader/i, 'it names the adapter');
  });
});

test('a lost device leaves the work to the CPU, says why, and can be had again', TEST_LIMIT, async () => {
  await withStudio({ webgpu: true }, async (studio) => {
    await studio.measure(SIZE);
    await studio.until('device-gpu', { 'ran-on': 'gpu' });
    await studio.get('device-lose').click();
    await studio.until('device-gpu', { 'ran-on': 'cpu' });
    await studio.measured();
    await assertAgreement(studio);
    assert.match(await studio.get('device-fallback').innerText(), /lost|destroyed/i);
    await studio.get('device-reacquire').click();
    await studio.until('device-gpu', { 'ran-on': 'gpu' });
    await studio.measured();
    await assertAgreement(studio);
  });
});

test('the worker with the GPU is killed while it measures, and another takes its place', TEST_LIMIT, async () => {
  await withStudio({ webgpu: true }, async (studio) => {
    await studio.get('device-size').selectOption(String(LARGE));
    await Promise.all([
      studio.killAtOnce('[data-testid="device"] .step', `^${LARGE} × ${LARGE} on the (GPU|CPU)$`),
      studio.get('device-run').click(),
    ]);
    await studio.untilFigure('pool-stats', 'lost', 'at least', 1);
    await studio.measured();
    await studio.until('device-gpu', { 'ran-on': 'gpu' });
    await assertAgreement(studio, LARGE);
  });
});

test('without WebGPU the CPU answers and says why', TEST_LIMIT, async () => {
  await withStudio({ webgpu: false }, async (studio) => {
    await studio.measure(SIZE);
    await studio.until('device-gpu', { 'ran-on': 'cpu' });
    await assertAgreement(studio);
    assert.match(await studio.get('device-fallback').innerText(), /GPU/);
    await studio.until('similar-list', { 'ran-on': 'cpu' });
  });
});

/** Runs `use` with the shipped story open in a browser of its own. */
async function withStudio({ webgpu }, use) {
  const browser = await launchBrowser({ webgpu });
  try {
    const studio = await Studio.open(browser, host);
    await studio.openSample();
    await use(studio);
    studio.watch.assertQuiet();
  } finally {
    await browser.close();
  }
}

/** No order of summation in f32 explains an error beyond the bound, nor two such results that are twice as far apart. */
async function assertAgreement(studio, size = SIZE) {
  const [bound, vsF64, vsCpu] = await Promise.all(['bound', 'vs-f64', 'vs-cpu'].map((name) => studio.figure('device-max-error', name)));
  // The matrices hold numbers from -1 to 1, so each of the `size` terms is rounded to within half of 2^-23, `size` times.
  assert.ok(bound > 0 && bound <= 1.01 * size ** 2 * 2 ** -24, `bound ${bound}`);
  assert.ok(vsF64 > 0 && vsF64 <= bound, `${vsF64} from the f64 product, bound ${bound}`);
  assert.ok(vsCpu <= 2 * bound, `${vsCpu} from the CPU twin, bound ${bound}`);
}
