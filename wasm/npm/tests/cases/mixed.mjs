// Small values and large ones may go different ways between page and worker: never past each other.
import { equal, occupied, gate, ok, rejection } from './check.mjs';
import { Random } from './random.mjs';

const COUNT = 500;
const numbers = Array.from({ length: COUNT }, (_, n) => n);
const numberOf = (value) => value.n ?? value;

/** As in workers/tasks.mjs. */
function mixed(n) {
  return [{ n, bytes: new Uint8Array(10_000) }, { n, text: 'x'.repeat(3_000) }, { n, at: new Date(n) }, { n }, n][n % 5];
}

const VIEWS = [
  ArrayBuffer, Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigUint64Array,
  BigInt64Array, DataView,
];

/** A buffer of up to 6,000 bytes, or some view of it. */
function randomBytes(random) {
  const length = 8 * random.below(random.one([2, 20, 750]));
  const { buffer } = Uint8Array.from({ length }, () => random.below(256));
  const View = random.one(VIEWS);
  if (View === ArrayBuffer) {
    return buffer;
  }
  return length >= 16 && random.below(4) === 0 ? new View(buffer, 8, 1) : new View(buffer);
}

/** Bytes alone, among others, and twice. */
function randomValue(random) {
  const one = randomBytes(random);
  const other = randomBytes(random);
  const values = [one, { one, text: 'x'.repeat(random.below(50)) }, [one, [other]], [one, one], [one, new Uint8Array(bufferOf(one))], { one, at: new Date(0) }];
  return { value: random.one(values), buffers: [bufferOf(one), bufferOf(other)] };
}

function isGone(buffer) {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

const bufferOf = (bytes) => (bytes instanceof ArrayBuffer ? bytes : bytes.buffer);

/** All that can be told of a value, with which of its buffers and objects are one. */
function told(value, seen = []) {
  if (typeof value !== 'object') {
    return String(value);
  }
  const before = seen.indexOf(value);
  if (before >= 0) {
    return `again ${before}`;
  }
  seen.push(value);
  const name = value.constructor.name;
  if (ArrayBuffer.isView(value)) {
    return `${name} ${value.byteOffset} ${value.byteLength} of ${told(value.buffer, seen)}`;
  }
  const inside = value instanceof ArrayBuffer ? [...new Uint8Array(value)] : Object.entries(value).map(([key, item]) => [key, told(item, seen)]);
  return `${name} ${JSON.stringify(inside)}`;
}

export default {
  async 'bytes of any kind and length come and go as they were; what was moved is gone, and nothing else'(t) {
    const runtime = await t.runtime({ workers: 2 });
    const random = new Random(11);
    for (let round = 0; round < 40; round += 1) {
      const sent = Array.from({ length: 1 + random.below(8) }, () => randomValue(random));
      const before = sent.map(({ value }) => told(value));
      const answers = sent.map(({ value, buffers }) => {
        const transfer = random.one([[], buffers, buffers.slice(0, 1)]);
        return { transfer, answer: runtime.run('echo', value, { transfer }) };
      });
      for (const [n, { transfer, answer }] of answers.entries()) {
        equal(told(await answer), before[n], `round ${round}, ${n}`);
        const gone = sent[n].buffers.map((buffer) => isGone(buffer));
        equal(gone, sent[n].buffers.map((buffer) => transfer.includes(buffer)), `round ${round}, ${n}: what is gone`);
      }
    }
  },

  async 'reports of small and large values come in their order, and before the result'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const reports = [];
    equal(await runtime.run('mixedReports', COUNT, { onProgress: (report) => reports.push(numberOf(report)) }), COUNT);
    equal(reports, numbers);
  },

  async 'reports that come while the page is busy are all there'(t) {
    const runtime = await t.runtime({ workers: 1 });
    await runtime.ready();
    const reports = [];
    const done = runtime.run('mixedReports', COUNT, { onProgress: (report) => reports.push(numberOf(report)) });
    await Promise.resolve();
    await Promise.resolve();
    const end = performance.now() + 100;
    while (performance.now() < end);
    await done;
    equal(reports, numbers);
  },

  async 'items of small and large values come in their order'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const items = [];
    for await (const item of runtime.stream('mixedItems', COUNT, { highWaterMark: 64 })) {
      items.push(numberOf(item));
    }
    equal(items, numbers);
  },

  async 'tasks with small and large input start in their order, and each gives its own result'(t) {
    const runtime = await t.runtime({ workers: 1, prefetchMs: 1_000 });
    await Promise.all(numbers.map((n) => runtime.run('square', n)));
    const results = await Promise.all(
      numbers.map((n) => {
        const value = mixed(n);
        return runtime.run('remember', value, n % 10 === 0 ? { transfer: [value.bytes.buffer] } : undefined);
      }),
    );
    equal(results.map(numberOf), numbers);
    equal(results.map((value) => typeof value), numbers.map((n) => typeof mixed(n)));
    ok(results[0].bytes.length === 10_000 && results[1].text.length === 3_000 && results[2].at.getTime() === 2, 'whole values');
    equal(await runtime.run('remember'), numbers);
  },

  async 'many pages long values and an abort between them reach the task that they are for'(t) {
    const runtime = await t.runtime({ workers: 1, concurrency: 2, abortGraceMs: 60_000 });
    const door = gate();
    const controller = new AbortController();
    const held = await occupied(runtime, door, { signal: controller.signal });
    const echoes = numbers.slice(0, 50).map((n) => runtime.run('echo', mixed(n)));
    const why = new Error('enough');
    controller.abort(why);
    ok((await rejection(held.done)) === why, 'the very reason');
    equal((await Promise.all(echoes)).map(numberOf), numbers.slice(0, 50));
    equal(runtime.stats().workers[0].generation, 1, 'generation of the worker');
    door.close();
  },

  async 'what can be sent does not depend on how long it is'(t) {
    const runtime = await t.runtime({ workers: 1 });
    for (const length of [1, 10_000]) {
      const text = 'x'.repeat(length);
      equal((await rejection(runtime.run('echo', new Proxy({ text }, {})))).code, 'ERR_NOT_CLONEABLE');
      equal((await rejection(runtime.run('echo', { text, f() {} }))).code, 'ERR_NOT_CLONEABLE');
      const twice = { text };
      const [one, other] = await runtime.run('echo', [twice, twice]);
      ok(one === other, 'one object, not two');
      equal(await runtime.run('echo', { text, none: undefined, not: NaN, zero: -0 }), { text, none: undefined, not: NaN, zero: -0 });
    }
  },
};
