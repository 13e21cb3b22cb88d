// The steps of browser.test.mjs, each in a fresh dedicated worker.

import init, { Compute } from '/compute/compute.js';
import { errorRatio, numbers, threeLoops } from './reference.mjs';

const steps = {
  async products() {
    const compute = await Compute.create();
    const products = [];
    // Last: enough for the large tiles.
    for (const sizes of [[1, 1, 1], [1, 300, 1], [63, 17, 65], [130, 129, 131], [256, 256, 256], [1500, 9, 1409]]) {
      const [m, k, n] = sizes;
      const [a, b] = [numbers(m, m * k), numbers(n + 7, k * n)];
      const gpu = await compute.matmul(a, b, m, k, n, 'gpu');
      const cpu = await compute.matmul(a, b, m, k, n, 'cpu');
      const expected = new Uint32Array(threeLoops(a, b, m, k, n).buffer);
      const found = new Uint32Array(cpu.data.buffer);
      const sameBitsAsThreeLoops = found.length === expected.length && found.every((bits, i) => bits === expected[i]);
      products.push({ sizes, gpu: judge(gpu, a, b, sizes), cpu: { ...judge(cpu, a, b, sizes), sameBitsAsThreeLoops } });
    }
    return { info: compute.info(), products };
  },

  async 'small budget'() {
    const compute = await Compute.create({ budgetBytes: 300 * 1024 });
    return { outcome: await product(compute, [400, 100, 300], 'gpu'), info: compute.info() };
  },

  async 'at the same time'() {
    const compute = await Compute.create({ budgetBytes: 700 * 1024 });
    return Promise.all(
      [50, 51, 52, 53].map(async (k) => {
        const sizes = [200, k, 200];
        const [a, b] = [numbers(k, 200 * k), numbers(k + 1, 200 * k)];
        const [originalA, originalB] = [a.slice(), b.slice()];
        const pending = compute.matmul(a, b, ...sizes, 'gpu');
        a.fill(NaN);
        structuredClone(b, { transfer: [b.buffer] });
        return judge(await pending, originalA, originalB, sizes);
      }),
    );
  },

  async 'lose the device'() {
    const compute = await Compute.create({ budgetBytes: 128 * 1024 });
    const sizes = [500, 60, 500];
    const pending = product(compute, sizes, 'gpu');
    // Let the first blocks get under way.
    await new Promise((resume) => setTimeout(resume));
    compute.loseDevice();
    const during = await pending;
    const later = await product(compute, sizes, 'auto');
    const info = compute.info();
    const again = await compute.reacquire();
    return { during, later, info, again, back: await product(compute, sizes, 'gpu') };
  },

  async 'browser loses the device'() {
    // Catches the device that the module gets, and destroys it behind the module's back.
    const { requestDevice } = GPUAdapter.prototype;
    let device;
    GPUAdapter.prototype.requestDevice = async function (...descriptor) {
      return (device = await requestDevice.apply(this, descriptor));
    };
    const compute = await Compute.create({ budgetBytes: 128 * 1024 });
    const first = device;
    const pending = product(compute, [500, 60, 500], 'gpu');
    first.destroy();
    await first.lost;
    const outcome = await pending;
    await product(compute, [10, 10, 10], 'gpu');
    return { outcome, info: compute.info() };
  },

  async 'refused device'() {
    GPUAdapter.prototype.requestDevice = () => Promise.reject(new DOMException('not today', 'OperationError'));
    return auto();
  },

  async 'hidden gpu'() {
    Object.defineProperty(navigator, 'gpu', { value: undefined });
    return auto();
  },

  auto,

  async 'wrong arguments'() {
    const compute = await Compute.create();
    const four = new Float32Array(4);
    const detached = new Float32Array(4);
    structuredClone(detached, { transfer: [detached.buffer] });
    const calls = [
      ['a short', 'ERR_SHAPE', () => compute.matmul(new Float32Array(3), four, 2, 2, 2)],
      ['a detached', 'ERR_SHAPE', () => compute.matmul(detached, four, 2, 2, 2)],
      ['m zero', 'ERR_SHAPE', () => compute.matmul(new Float32Array(0), four, 0, 2, 2)],
      ['m fractional', 'ERR_SHAPE', () => compute.matmul(four, four, 2.5, 2, 2)],
      ['m negative', 'ERR_SHAPE', () => compute.matmul(four, four, -2, 2, 2)],
      ['m NaN', 'ERR_SHAPE', () => compute.matmul(four, four, NaN, 2, 2)],
      ['m missing', 'ERR_SHAPE', () => compute.matmul(four, four)],
      ['too large', 'ERR_TOO_LARGE', () => compute.matmul(four, four, 2 ** 31, 2, 2)],
      ['far too large', 'ERR_TOO_LARGE', () => compute.matmul(four, four, 2 ** 50, 2, 2)],
      ['an array', 'ERR_INVALID_ARGUMENT', () => compute.matmul([1, 2, 3, 4], four, 2, 2, 2)],
      ['doubles', 'ERR_INVALID_ARGUMENT', () => compute.matmul(new Float64Array(4), four, 2, 2, 2)],
      ['nothing', 'ERR_INVALID_ARGUMENT', () => compute.matmul(undefined, four, 2, 2, 2)],
      ['a device unknown', 'ERR_INVALID_ARGUMENT', () => compute.matmul(four, four, 2, 2, 2, 'tpu')],
      ['vectors short', 'ERR_SHAPE', () => compute.similarity(four, 3, 2)],
      ['options no object', 'ERR_INVALID_ARGUMENT', () => Compute.create(7)],
      ['a preference unknown', 'ERR_INVALID_ARGUMENT', () => Compute.create({ preference: 'best' })],
      ['a budget of nothing', 'ERR_INVALID_ARGUMENT', () => Compute.create({ budgetBytes: 0 })],
    ];
    return Promise.all(
      calls.map(async ([call, expected, run]) => {
        try {
          await run();
          return { call, expected, isError: false };
        } catch (error) {
          return { call, expected, isError: error instanceof Error, code: error.code, message: error.message };
        }
      }),
    );
  },

  async similarity() {
    const compute = await Compute.create();
    const [count, dim] = [90, 40];
    const vectors = numbers(5, count * dim);
    vectors.fill(0, 3 * dim, 4 * dim);
    const outcome = await compute.similarity(vectors, count, dim, 'gpu');
    const wrong = [];
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const [x, y] = [i, j].map((row) => vectors.subarray(row * dim, (row + 1) * dim));
        const dot = (x, y) => x.reduce((sum, value, at) => sum + value * y[at], 0);
        const expected = i === 3 || j === 3 ? 0 : dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
        const found = outcome.data[i * count + j];
        if (!(Math.abs(found - expected) <= 1e-5)) wrong.push({ i, j, found, expected });
      }
    }
    return { outcome: { ranOn: outcome.ranOn, reason: outcome.reason }, wrong };
  },
};

async function auto() {
  const compute = await Compute.create();
  return { info: compute.info(), outcome: await product(compute, [256, 256, 256], 'auto') };
}

async function product(compute, sizes, device) {
  const [m, k, n] = sizes;
  const [a, b] = [numbers(m, m * k), numbers(n + 7, k * n)];
  return judge(await compute.matmul(a, b, m, k, n, device), a, b, sizes);
}

function judge({ data, ...outcome }, a, b, sizes) {
  return { ...outcome, errorRatio: errorRatio(a, b, data, ...sizes) };
}

onmessage = async ({ data: step }) => {
  try {
    await init();
    postMessage({ value: await steps[step]() });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
};
