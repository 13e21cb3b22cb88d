// The ring in shared memory by which page and worker talk in a cross-origin isolated page: what is read is what was written, in its order.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { source } from './source.mjs';

const { RingWriter } = await source('ring/writer');
const { RingReader } = await source('ring/reader');
const { AWAY, HEAD, MAX_FRAME_WORDS, POSTED, RING_WORDS, ringMemory, SIGNAL, TAIL, TO_PAGE, TO_WORKER } = await source('ring/memory');
const { MAGIC } = await source('messages');
const { WorkerRing } = await source('ring/worker-ring');

/** A direction, and what its reader got. */
function line(direction = TO_WORKER) {
  const memory = ringMemory();
  const got = [];
  const writer = new RingWriter(memory, direction);
  const reader = new RingReader(memory, direction, (message) => got.push(message));
  return { memory, got, writer, reader, words: () => memory[direction + HEAD] - memory[direction + TAIL] };
}

/** What came of a value, or `refused`. */
function passed(value) {
  const { writer, reader, got } = line();
  if (!writer.write([MAGIC, 1, 2, 1, 3, value])) {
    return refused;
  }
  reader.read();
  return got[0][5];
}

const refused = Symbol('refused');

// Browsers have them, and Node from version 22 on.
if (!('transfer' in ArrayBuffer.prototype)) {
  const moved = new WeakSet();
  Object.defineProperties(ArrayBuffer.prototype, {
    transfer: {
      value() {
        structuredClone(this, { transfer: [this] });
        if (this.byteLength > 0) {
          throw new TypeError('a buffer that stays');
        }
        moved.add(this);
      },
    },
    detached: { get() { return moved.has(this); } },
  });
}

function random(seed) {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % bound;
  };
}

describe('a ring', () => {
  it('gives plain values as structuredClone does', () => {
    const values = [
      undefined, null, true, false, 0, -0, 1, -1, 2 ** 30 - 1, 2 ** 30, -(2 ** 30), -(2 ** 30) - 1, 2 ** 31, 2 ** 53, 0.1, NaN, Infinity, -Infinity, 5e-324,
      '', 'a', 'ab', 'abc', 'ä€😀', '\ud800', 'x\udc00y', '\0', 'long '.repeat(100),
      [], [1, 'two', null, undefined, [3]], {}, { a: 1, b: { c: [{}] }, 'd e': undefined }, Object.create(null, { own: { value: 1, enumerable: true } }),
      { [Symbol('left out')]: 1, constructor: 2, toString: 3 },
    ];
    for (const value of values) {
      const clone = structuredClone(value);
      const got = passed(value);
      assert.deepStrictEqual(got, clone);
      assert.ok(Object.is(got, clone) || typeof clone === 'object', typeof value);
    }
  });

  it('gives bytes as structuredClone does, wherever in the ring they come to lie', () => {
    const views = [
      Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array, BigUint64Array, BigInt64Array, DataView,
    ];
    const below = random(7);
    const { writer, reader, got } = line();
    for (let turn = 0; turn < 500; turn += 1) {
      const bytes = Uint8Array.from({ length: 8 * (1 + below(100)) }, () => below(256));
      const View = views[turn % views.length];
      const odd = bytes.slice(0, 1 + below(bytes.length));
      const message = [MAGIC, 1, 2, 1, 3, new View(bytes.slice().buffer), bytes.slice().buffer, { deep: [odd, new Float64Array([NaN, -0])] }];
      assert.ok(writer.write(message), View.name);
      reader.read();
      assert.deepStrictEqual(got.pop(), structuredClone(message));
    }
  });

  it('takes what is to be moved away, but for what postMessage refuses', () => {
    const { writer, reader, got, words } = line();
    const bytes = new Uint8Array([1, 2, 3]);
    assert.ok(writer.write([MAGIC, bytes], [bytes.buffer]));
    assert.equal(bytes.byteLength, 0);
    reader.read();
    assert.deepEqual(got.pop(), [MAGIC, new Uint8Array([1, 2, 3])]);
    const memory = new WebAssembly.Memory({ initial: 1 });
    for (const [value, transfer] of [
      ['of WebAssembly', [memory.buffer]],
      [bytes, [bytes.buffer]],
      ['a port', [new MessageChannel().port1]],
      ['two', [new ArrayBuffer(1), new ArrayBuffer(1)]],
      ['what grows', [new ArrayBuffer(1, { maxByteLength: 2 })]],
    ]) {
      assert.ok(!writer.write([MAGIC, value], transfer), typeof value === 'string' ? value : 'gone');
      assert.equal(words(), 0);
      assert.ok(transfer.every((item) => item === bytes.buffer || item.detached !== true), 'still here');
    }
  });

  it('refuses what structuredClone makes something else of, and what it throws on', () => {
    const shared = { a: 1 };
    const ring = {};
    ring.ring = ring;
    class Point {
      x = 1;
    }
    const bytes = new Uint8Array(4);
    const withMore = Object.assign([1], { more: 2 });
    const values = [
      1n, Symbol('s'), () => 1, new Date(0), new Map(), new Set(), /x/, new Error('e'), new Point(), [, 1], withMore,
      [shared, shared], ring, new Proxy({}, {}), new Proxy([], {}), { deep: new Proxy({}, {}) }, { f() {} }, JSON.parse('{"__proto__":1}'),
      Array.from({ length: 20 }, () => ({})), new String('s'), Promise.resolve(),
      new Uint8Array(0), new Uint8Array(new ArrayBuffer(8), 4), new Uint8Array(new ArrayBuffer(8), 0, 4), new Uint8Array(new SharedArrayBuffer(8)),
      new (class extends Uint8Array {})(4), new Uint8Array(4 * MAX_FRAME_WORDS), new Proxy(new Uint8Array(4), {}), new Proxy(new ArrayBuffer(4), {}), [bytes, bytes], [bytes, new Int8Array(bytes.buffer)],
      Buffer.from([1]), { bytes, of: bytes.buffer },
    ];
    for (const value of values) {
      assert.equal(passed(value), refused, typeof value === 'symbol' ? 'symbol' : Object.prototype.toString.call(value));
    }
  });

  it('lets what a getter throws through, and goes on', () => {
    const { writer, reader, got } = line();
    assert.throws(() => writer.write([MAGIC, { get trap() { throw new Error('sprung'); } }]), /sprung/);
    assert.ok(writer.write([MAGIC, 7]));
    reader.read();
    assert.deepEqual(got, [[MAGIC, 7]]);
  });

  it('holds no frame that is longer than a quarter of it, and none when it is full; what was refused leaves nothing', () => {
    const { writer, reader, got, words } = line();
    assert.ok(!writer.write([MAGIC, 'x'.repeat(2 * MAX_FRAME_WORDS)]));
    assert.equal(words(), 0);
    let written = 0;
    while (writer.write([MAGIC, 'x'.repeat(1_000), written])) {
      written += 1;
    }
    assert.ok(written >= 8 && words() <= RING_WORDS && words() > RING_WORDS - 600, `${written} frames of ${words()} words`);
    reader.read();
    assert.equal(words(), 0);
    assert.ok(writer.write([MAGIC, 'last']));
    reader.read();
    assert.deepEqual(got.map((message) => message.at(-1)), [...Array(written).keys(), 'last']);
  });

  it('shows nothing of a frame whose writer was ended before its last word', () => {
    const { memory, writer, reader, got } = line(TO_PAGE);
    assert.ok(writer.write([MAGIC, 'whole']));
    const before = memory.slice();
    assert.ok(writer.write([MAGIC, 'half', [1, 2, 3]]));
    // All its words are there; that it is there was not said.
    memory[TO_PAGE + HEAD] = before[TO_PAGE + HEAD];
    memory[TO_PAGE + SIGNAL] = before[TO_PAGE + SIGNAL];
    reader.read();
    reader.read();
    assert.deepEqual(got, [[MAGIC, 'whole']]);
  });

  it('takes nothing, and wakes nobody, while its reader is away', () => {
    const { memory, writer, words } = line(TO_PAGE);
    memory[TO_PAGE + AWAY] = 1;
    assert.ok(!writer.write([MAGIC, 1]));
    assert.equal(words(), 0);
    memory[TO_PAGE + AWAY] = 0;
    assert.ok(writer.write([MAGIC, 1]));
  });

  it('and messages beside it are read in the order in which they were sent, whatever comes first', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const below = random(seed);
      const { writer, reader, got } = line();
      const onTheWay = [];
      let sent = 0;
      for (let step = 0; step < 300; step += 1) {
        switch (below(6)) {
          case 0:
            onTheWay.push(writer.inOrder([MAGIC, 1, undefined, -1, sent]));
            writer.posted();
            sent += 1;
            break;
          case 1:
            reader.read();
            break;
          case 2:
            if (onTheWay.length > 0) {
              reader.hear(onTheWay.shift());
            }
            break;
          default: {
            const message = [MAGIC, 1, undefined, -1, sent];
            const text = below(4) === 0 ? 'y'.repeat(below(900)) : below(2 ** 20) / 7;
            if (writer.write([...message, text])) {
              sent += 1;
            }
          }
        }
      }
      onTheWay.forEach((message) => reader.hear(message));
      reader.read();
      const numbers = got.map((message) => (message[1] === 0 ? message[8] : message[4]));
      assert.deepEqual(numbers, [...Array(sent).keys()], `seed ${seed}`);
      assert.ok(got.some((message) => message[1] === 0) && got.some((message) => message[1] !== 0), 'both ways');
    }
  });

  it('goes on where a message can not be deserialised', () => {
    const { writer, reader, got } = line();
    writer.inOrder([MAGIC, 1, undefined, -1, 0]);
    writer.posted();
    writer.write([MAGIC, 1, undefined, -1, 1]);
    reader.read();
    assert.deepEqual(got, []);
    reader.lose();
    assert.deepEqual(got.map((message) => message[4]), [1]);
    const next = writer.inOrder([MAGIC, 1, undefined, -1, 2]);
    writer.posted();
    writer.write([MAGIC, 1, undefined, -1, 3]);
    reader.hear(next);
    assert.deepEqual(got.slice(1).map((message) => message.at(-1)), [2, 3]);
  });

  it('that comes late waits for no message that nobody heard', () => {
    const { writer, reader, got } = line();
    let last;
    for (let n = 0; n < 3; n += 1) {
      last = writer.inOrder([MAGIC, 1, undefined, -1, n]);
      writer.posted();
    }
    reader.beginAfter(last);
    writer.write([MAGIC, 1, undefined, -1, 3]);
    reader.read();
    assert.deepEqual(got.map((message) => message[4]), [3]);
    assert.equal(reader.isAwaited, false);
  });

  it('goes on past the largest position', () => {
    const memory = ringMemory();
    const got = [];
    // As after eight gigabytes.
    const near = 0x7fffffff - 50;
    memory[TO_WORKER + HEAD] = near;
    memory[TO_WORKER + TAIL] = near;
    const writer = new RingWriter(memory, TO_WORKER);
    const reader = new RingReader(memory, TO_WORKER, (message) => got.push(message[1]));
    for (let n = 0; n < 100; n += 1) {
      assert.ok(writer.write([MAGIC, n, 'text']));
      reader.read();
    }
    assert.ok(memory[TO_WORKER + HEAD] < 0, 'positions have wrapped');
    assert.deepEqual(got, [...Array(100).keys()]);
  });
});

describe("a worker's end of a ring", () => {
  /** The end of a ring whose waits are counted, and what the page does in the middle of one. Its clock stands still: it stops no event loop that turned long ago. */
  async function counted(run) {
    const memory = ringMemory();
    const { wait } = Atomics;
    const waits = { count: 0, during() {} };
    performance.now = () => 0;
    Atomics.wait = () => {
      waits.count += 1;
      waits.during();
      return 'timed-out';
    };
    try {
      const user = { idle: true, handle() {}, post() {}, isIdle: () => user.idle };
      const ring = new WorkerRing(memory, user);
      const page = new RingWriter(memory, TO_WORKER);
      const looked = () => new Promise((resolve) => setImmediate(resolve));
      await looked();
      waits.count = 0;
      await run({ memory, ring, page, user, waits, looked });
    } finally {
      Atomics.wait = wait;
      delete performance.now;
    }
  }

  it('does not stop its event loop while a message from the page is on its way, or a task runs', () =>
    counted(async ({ memory, ring, page, user, waits, looked }) => {
      const short = async () => {
        ring.hear([MAGIC, 1]);
        page.write([MAGIC, 1]);
        await looked();
      };
      user.idle = false;
      await short();
      assert.equal(waits.count, 0, 'a task runs');
      user.idle = true;
      memory[TO_WORKER + POSTED] = 1;
      await short();
      assert.equal(waits.count, 0, 'a message is on its way');
      memory[TO_WORKER + POSTED] = 0;
      await short();
      assert.ok(waits.count > 0, 'nothing to do');
    }));

  it('does not stop its event loop after what came as a message: the next one comes to it', () =>
    counted(async ({ ring, waits, looked }) => {
      ring.hear([MAGIC, 1]);
      ring.send([MAGIC, 1], []);
      await looked();
      assert.equal(waits.count, 0);
    }));

  it('is woken for a message while its event loop stands still, and only then', () =>
    counted(async ({ memory, ring, page, waits, looked }) => {
      const signal = () => memory[TO_WORKER + SIGNAL];
      const before = signal();
      const message = page.inOrder([MAGIC, 1]);
      page.posted();
      assert.equal(signal(), before, 'the message wakes it');
      ring.hear(message);
      let raised = 0;
      waits.during = () => {
        const seen = signal();
        page.posted();
        raised += signal() - seen;
      };
      page.write([MAGIC, 1]);
      await looked();
      assert.ok(waits.count > 0 && raised > 0, 'nothing but this would');
    }));
});
