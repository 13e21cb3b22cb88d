// compute.wasm in a dedicated worker of Chromium, and in Node.
//
// QUILLWORK_COMPUTE_DIR   output of `wasm-bindgen --target web --out-name compute`
// QUILLWORK_CHROMIUM      the browser, if it is not on PATH
// playwright-core is taken from tests/browser or wasm/npm, whichever is installed.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { delimiter, extname, join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const computeDir = process.env.QUILLWORK_COMPUTE_DIR;
assert.ok(computeDir, 'set QUILLWORK_COMPUTE_DIR to the output of wasm-bindgen --target web');
const tests = fileURLToPath(new URL('.', import.meta.url));

/** One that hangs is named. */
const options = { timeout: 300_000 };
const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
const QUIET = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-quic'];

let server;
let origin;

before(async () => {
  server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html');
      return response.end('<!doctype html><title>compute</title>');
    }
    const [, folder, name] = pathname.split('/');
    const directory = { compute: resolve(computeDir), tests }[folder];
    try {
      const body = await readFile(join(directory, name));
      response.setHeader('content-type', extname(name) === '.wasm' ? 'application/wasm' : 'text/javascript');
      response.end(body);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

/** Runs a step of worker.mjs in a fresh browser's dedicated worker and returns what it posts. */
async function inWorker(step, { flags = SOFTWARE_GPU } = {}) {
  const browser = await playwright().launch({ executablePath: chromium(), args: [...QUIET, ...flags] });
  try {
    const page = await browser.newPage();
    await page.goto(origin);
    return await page.evaluate(
      (step) =>
        new Promise((done, failed) => {
          const worker = new Worker('/tests/worker.mjs', { type: 'module' });
          worker.onmessage = ({ data }) => ('error' in data ? failed(new Error(data.error)) : done(data.value));
          worker.onerror = (event) => failed(new Error(event.message));
          worker.postMessage(step);
        }),
      step,
    );
  } finally {
    await browser.close();
  }
}

describe('in a worker with WebGPU', () => {
  test('products run on the GPU and are as close to the f64 product as f32 sums can be', options, async () => {
    const { info, products } = await inWorker('products');
    assert.equal(info.gpu, true, info.reason);
    assert.equal(info.backend, 'webgpu');
    assert.notEqual(info.adapter, '');
    assert.equal(info.isFallbackAdapter, true);
    for (const { sizes, gpu, cpu } of products) {
      assert.equal(gpu.ranOn, 'gpu', `${sizes}: ${gpu.reason}`);
      assert.equal(gpu.adapter, info.adapter);
      assert.ok(gpu.errorRatio <= 1, `${sizes}: ${gpu.errorRatio} times the bound off`);
      assert.equal(cpu.ranOn, 'cpu');
      assert.equal(cpu.reasonCode, 'requested');
      assert.equal(cpu.sameBitsAsThreeLoops, true, `${sizes}: the CPU twin differs from three loops`);
    }
  });

  test('products larger than the byte budget are computed within it', options, async () => {
    const { outcome, info } = await inWorker('small budget');
    assert.equal(outcome.ranOn, 'gpu', outcome.reason);
    assert.ok(outcome.errorRatio <= 1);
    assert.ok(info.pooledBytes > 0 && info.pooledBytes <= info.budgetBytes, `${info.pooledBytes} bytes`);
  });

  test('products at the same time are all right, and their arguments may be changed at once', options, async () => {
    for (const { ranOn, errorRatio } of await inWorker('at the same time')) {
      assert.equal(ranOn, 'gpu');
      assert.ok(errorRatio <= 1);
    }
  });

  test('a product whose device is lost under way completes on the CPU, later ones too, until a new device is asked for', options, async () => {
    const { during, later, info, again, back } = await inWorker('lose the device');
    for (const outcome of [during, later]) {
      assert.equal(outcome.ranOn, 'cpu');
      assert.equal(outcome.reasonCode, 'device-lost');
      assert.match(outcome.reason, /lost/);
      assert.ok(outcome.errorRatio <= 1);
    }
    assert.equal(info.gpu, false);
    assert.equal(info.pooledBytes, 0);
    assert.equal(again.gpu, true, again.reason);
    assert.equal(back.ranOn, 'gpu', back.reason);
    assert.ok(back.errorRatio <= 1);
  });

  test('left to choose, a product does not run on a GPU in software', options, async () => {
    const { info, outcome } = await inWorker('auto');
    assert.equal(info.gpu, true);
    assert.equal(outcome.ranOn, 'cpu');
    assert.equal(outcome.reasonCode, 'software-adapter');
    assert.ok(outcome.errorRatio <= 1);
  });

  test('a loss that nobody asked for is made good by a new device', options, async () => {
    const { outcome, info } = await inWorker('browser loses the device');
    assert.ok(outcome.errorRatio <= 1);
    assert.equal(info.gpu, true, info.reason);
  });

  test('a refused device means the CPU, with what the browser said', options, async () => {
    const { info, outcome } = await inWorker('refused device');
    assert.equal(info.gpu, false);
    assert.equal(info.reasonCode, 'device-refused');
    assert.match(info.reason, /not today/);
    assert.equal(outcome.ranOn, 'cpu');
    assert.ok(outcome.errorRatio <= 1);
  });

  test('wrong arguments reject with an Error that has a code', options, async () => {
    const refusals = await inWorker('wrong arguments');
    for (const { call, expected, isError, code, message } of refusals) {
      assert.equal(isError, true, call);
      assert.equal(code, expected, `${call}: ${message}`);
      assert.notEqual(message, '');
    }
  });

  test('similarity of vectors runs on the GPU and never gives NaN', options, async () => {
    const { outcome, wrong } = await inWorker('similarity');
    assert.equal(outcome.ranOn, 'gpu', outcome.reason);
    assert.deepEqual(wrong, []);
  });
});

describe('without WebGPU', () => {
  test('a browser without an adapter computes on the CPU and says why', options, async () => {
    const { info, outcome } = await inWorker('auto', { flags: ['--disable-gpu'] });
    assert.equal(info.gpu, false);
    assert.ok(['no-webgpu', 'no-adapter'].includes(info.reasonCode), info.reasonCode);
    assert.equal(outcome.ranOn, 'cpu');
    assert.equal(outcome.reasonCode, info.reasonCode);
    assert.ok(outcome.errorRatio <= 1);
  });

  test('a browser that does not know WebGPU computes on the CPU and says why', options, async () => {
    const { info, outcome } = await inWorker('hidden gpu');
    assert.equal(info.reasonCode, 'no-webgpu');
    assert.equal(outcome.ranOn, 'cpu');
    assert.ok(outcome.errorRatio <= 1);
  });

  test('Node computes on the CPU, the same bits as three loops', options, async () => {
    const glue = await import(pathToFileURL(join(resolve(computeDir), 'compute.js')).href);
    await glue.default({ module_or_path: await readFile(join(resolve(computeDir), 'compute_bg.wasm')) });
    const { threeLoops, numbers } = await import('./reference.mjs');
    const compute = await glue.Compute.create();
    const [a, b] = [numbers(1, 33 * 70), numbers(2, 70 * 19)];
    const outcome = await compute.matmul(a, b, 33, 70, 19, 'gpu');
    assert.equal(outcome.ranOn, 'cpu');
    assert.equal(outcome.reasonCode, 'no-webgpu');
    assert.deepEqual(outcome.data, threeLoops(a, b, 33, 70, 19));
    compute.free();
  });
});

function playwright() {
  for (const home of ['tests/browser', 'wasm/npm']) {
    const manifest = join(root, home, 'package.json');
    if (existsSync(join(root, home, 'node_modules/playwright-core'))) {
      return createRequire(manifest)('playwright-core').chromium;
    }
  }
  throw new Error('playwright-core is not installed: run npm ci in tests/browser or wasm/npm');
}

function chromium() {
  if (process.env.QUILLWORK_CHROMIUM) return process.env.QUILLWORK_CHROMIUM;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
      if (existsSync(join(folder, name))) return join(folder, name);
    }
  }
  throw new Error('no Chromium on PATH: install one, or name it in QUILLWORK_CHROMIUM');
}
