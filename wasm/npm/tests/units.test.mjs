// Parts that are hard to reach from outside.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { source } from './source.mjs';
import { hiddenSample, page, visibleSample } from './wire-samples.mjs';

const { Clock } = await source('pool/clock');
const { BatchQueue } = await source('telemetry/batch-queue');
const { ingestUrl } = await source('telemetry/beacon');
const { decodeServerMessage, encodeBatch, encodeBatchMessage, encodeHello } = await source('telemetry/wire');
const { eachRecord } = await source('messages');
const { Outbox } = await source('outbox');
const { EarlyStart } = await source('pool/early-start');
const { createRuntime } = await source('runtime/runtime');
const { TaskTable } = await source('pool/task-table');
const { AbortWatch } = await source('pool/abort-watch');

describe('the wire', () => {
  const fixture = (name) => readFileSync(join(process.env.QUILLWORK_FIXTURES, `${name}.json`), 'utf8');
  const pretty = (text) => `${JSON.stringify(JSON.parse(text), null, 2)}\n`;

  it('says hello as protocol/fixtures/hello-page.json does', () => {
    assert.equal(pretty(encodeHello(page, 'a token')), fixture('hello-page'));
    assert.equal('token' in JSON.parse(encodeHello(page, undefined)), false);
  });

  it('sends a batch over the socket as protocol/fixtures/batch.json does', () => {
    const batch = { batchId: '00112233445566778899aabbccddeeff', sequence: 7, samples: [visibleSample], droppedSamples: 3 };
    assert.equal(pretty(encodeBatchMessage(page, batch, 1_760_000_000_500, false)), fixture('batch'));
  });

  it('sends a closing batch of a hidden page by beacon as protocol/fixtures/batch-hidden.json does', () => {
    const batch = { batchId: 'ffeeddccbbaa99887766554433221100', sequence: 8, samples: [hiddenSample], droppedSamples: 0 };
    assert.equal(pretty(encodeBatch(page, batch, 1_760_000_001_500, true)), fixture('batch-hidden'));
  });

  it('understands the host, and ignores what it does not know', () => {
    assert.deepEqual(decodeServerMessage('{"type":"ack","batchId":"a"}'), { type: 'ack', batchId: 'a' });
    assert.deepEqual(decodeServerMessage('{"type":"welcome","version":1}'), { type: 'welcome' });
    for (const text of ['', 'null', '7', '{}', '{"type":"ack"}', '{"type":"news"}', '{"type":']) {
      assert.equal(decodeServerMessage(text), undefined, text);
    }
  });

  it('finds the address for beacons beside the one for the socket', () => {
    assert.equal(ingestUrl('ws://127.0.0.1:9470/ws'), 'http://127.0.0.1:9470/api/v1/ingest');
    assert.equal(ingestUrl('wss://host/quill/ws?x=1'), 'https://host/quill/api/v1/ingest');
  });
});

describe('the queue of samples', () => {
  const sample = (n, text = '') => ({ atUnixMillis: n, text });
  const times = (batches) => batches.flatMap((batch) => batch.samples.map(({ atUnixMillis }) => atUnixMillis));

  it('drops the oldest where it is full, counts them, and tells the count once', () => {
    const queue = new BatchQueue(10);
    for (let n = 0; n < 25; n += 1) {
      queue.push(sample(n));
    }
    assert.equal(queue.size, 10);
    const batch = queue.next();
    assert.deepEqual([batch.droppedSamples, times([batch])], [15, [15, 16, 17, 18, 19, 20, 21, 22, 23, 24]]);
    queue.acknowledge(batch.batchId);
    queue.push(sample(99));
    assert.equal(queue.next().droppedSamples, 0);
  });

  it('never holds more than its bound while a batch is under way', () => {
    const queue = new BatchQueue(100);
    for (let n = 0; n < 500; n += 1) {
      queue.push(sample(n));
      queue.next();
      assert.ok(queue.size <= 100);
    }
  });

  it('keeps one batch under way until that one is acknowledged', () => {
    const queue = new BatchQueue();
    queue.push(sample(1));
    const first = queue.next();
    queue.push(sample(2));
    assert.equal(queue.next(), first);
    assert.equal(queue.acknowledge('another'), false);
    assert.equal(queue.next(), first);
    assert.equal(queue.acknowledge(first.batchId), true);
    const second = queue.next();
    assert.deepEqual([second.sequence, times([second])], [2, [2]]);
    assert.notEqual(second.batchId, first.batchId);
  });

  it('leaves in chunks of a bounded size, the newest first, and loses none', () => {
    const queue = new BatchQueue();
    queue.push(sample(0));
    queue.next();
    for (let n = 1; n < 200; n += 1) {
      queue.push(sample(n, 'é'.repeat(500)));
    }
    const batches = queue.takeAll(60_000);
    for (const batch of batches) {
      assert.ok(new TextEncoder().encode(encodeBatch(page, batch, Date.now(), true)).length <= 60_000);
    }
    assert.equal(times(batches)[batches[0].samples.length - 1], 199, 'the newest is in the first chunk');
    assert.deepEqual(times(batches).sort((a, b) => a - b), Array.from({ length: 200 }, (_, n) => n));
    assert.equal(queue.size, 0);
    queue.putBack(batches);
    const next = queue.next();
    assert.ok(next.samples.length > 1 && new TextEncoder().encode(encodeBatch(page, next, Date.now(), true)).length <= 60_000, 'fits into a beacon');
    assert.deepEqual(times([next]), Array.from({ length: next.samples.length }, (_, n) => n));
  });

  it('sends at most 60 samples at a time', () => {
    const queue = new BatchQueue();
    for (let n = 0; n < 100; n += 1) {
      queue.push(sample(n));
    }
    assert.deepEqual(times([queue.next()]), Array.from({ length: 60 }, (_, n) => n));
  });

  it('asks whether a batch may leave: what may not is counted, and the next one goes', () => {
    const asked = [];
    const queue = new BatchQueue(100, (batch) => {
      asked.push(batch.samples.length);
      return batch.samples[0].atUnixMillis === 0 ? undefined : { ...batch, batchId: 'forged', samples: batch.samples.slice(1) };
    });
    for (let n = 0; n < 62; n += 1) {
      queue.push(sample(n));
    }
    const batch = queue.next();
    assert.deepEqual([asked, times([batch]), batch.sequence, batch.droppedSamples], [[60, 2], [61], 1, 60]);
    assert.notEqual(batch.batchId, 'forged');
    assert.equal(queue.next(), batch);
    assert.equal(asked.length, 2, 'once for each batch');
    assert.deepEqual(queue.takeAll(60_000).map(({ samples }) => samples.length), [0, 1], 'a goodbye may always leave');
  });

  it('begins another batch where the wall clock was set back: a host takes none that is out of order', () => {
    const queue = new BatchQueue();
    for (const at of [100, 200, 50, 60, 10]) {
      queue.push(sample(at));
    }
    const sent = [];
    for (let batch = queue.next(); batch !== undefined; batch = queue.next()) {
      sent.push(times([batch]));
      queue.acknowledge(batch.batchId);
    }
    assert.deepEqual(sent, [[100, 200], [50, 60], [10]]);
    for (const at of [100, 200, 50, 60, 10]) {
      queue.push(sample(at));
    }
    assert.deepEqual(queue.takeAll(60_000).map((batch) => times([batch])), [[10], [50, 60], [100, 200]]);
  });

  it('counts what the host refused as dropped, with what that batch said was dropped', () => {
    const queue = new BatchQueue(2);
    for (let n = 0; n < 5; n += 1) {
      queue.push(sample(n));
    }
    const first = queue.next();
    assert.equal(first.droppedSamples, 3);
    assert.equal(queue.refuse('another'), false);
    assert.equal(queue.refuse(first.batchId), true);
    queue.push(sample(9));
    assert.equal(queue.next().droppedSamples, 5);
  });

  it('says goodbye even where there is nothing left to say', () => {
    const batches = new BatchQueue().takeAll(60_000);
    assert.deepEqual(batches.map((batch) => batch.samples), [[]]);
  });
});

describe('the clock', () => {
  /** Runs with a wall clock and a steady clock of its own. */
  function withClocks(test) {
    const real = { now: Date.now, performance: performance.now };
    const clocks = { wall: 1_000_000, steady: 5_000 };
    Date.now = () => clocks.wall;
    performance.now = () => clocks.steady;
    try {
      test(new Clock(), clocks);
    } finally {
      Date.now = real.now;
      delete performance.now;
    }
  }

  it('follows the wall clock between timers', () => {
    withClocks((clock, clocks) => {
      clocks.wall += 100;
      assert.equal(clock.now(), 100);
      clocks.wall += 20;
      assert.equal(clock.now(), 120);
    });
  });

  it('stands still where the wall clock is set back, and goes on with the steady one', () => {
    withClocks((clock, clocks) => {
      clocks.wall += 100;
      clocks.steady += 100;
      assert.equal(clock.now(), 100);
      clocks.wall -= 3_600_000;
      assert.equal(clock.now(), 100);
      clocks.wall += 50;
      clocks.steady += 50;
      assert.equal(clock.now(), 150);
    });
  });

  it('is not moved by a wall clock that is set forward', () => {
    withClocks((clock, clocks) => {
      clocks.wall += 3_600_000;
      clocks.steady += 10;
      assert.equal(clock.now(), 10);
      clocks.wall += 5;
      clocks.steady += 5;
      assert.equal(clock.now(), 15);
    });
  });

  it('takes a timer for evidence, so that faked timers alone move it', () => {
    withClocks((clock) => {
      assert.equal(clock.anchor(5_000), 5_000);
      assert.equal(clock.now(), 5_000);
    });
  });
});

describe('the table of tasks', () => {
  const add = (table) => {
    const task = { id: table.reserve() };
    table.put(task);
    return task;
  };

  it('uses slots again under other ids', () => {
    const table = new TaskTable();
    const first = add(table).id;
    assert.equal(table.take(first).id, first);
    let second = add(table).id;
    while ((second & 0xffffff) !== (first & 0xffffff)) {
      table.take(second);
      second = add(table).id;
    }
    assert.notEqual(second, first);
    assert.equal(table.get(first), undefined);
    assert.equal(table.take(first), undefined);
    assert.equal(table.size, 1);
  });

  it('uses no id again before hundreds of thousands of tasks have come and gone', () => {
    const table = new TaskTable();
    const seen = new Set();
    for (let n = 0; n < 200_000; n += 1) {
      const { id } = add(table);
      assert.ok(Number.isInteger(id) && id >= 0 && id < 2 ** 30);
      assert.ok(!seen.has(id), `task ${n} has the id of one before`);
      seen.add(id);
      table.take(id);
    }
  });

  it('holds no more slots than there were tasks at a time, and some that rest', () => {
    const table = new TaskTable();
    let highest = 0;
    for (let n = 0; n < 50_000; n += 1) {
      const { id } = add(table);
      highest = Math.max(highest, id & 0xffffff);
      table.take(id);
    }
    assert.ok(highest < 5_000, `slot ${highest}`);
  });
});

describe('the watch over signals', () => {
  it('listens once to a signal that many tasks share, and lets go of it with the last', () => {
    const listeners = [];
    const signal = {
      addEventListener: (_, listener) => listeners.push(listener),
      removeEventListener: (_, listener) => listeners.splice(listeners.indexOf(listener), 1),
    };
    const aborted = [];
    const watch = new AbortWatch((id) => aborted.push(id));
    for (let id = 0; id < 1_000; id += 1) {
      watch.add(signal, id);
    }
    assert.equal(listeners.length, 1);
    for (let id = 0; id < 998; id += 1) {
      watch.delete(signal, id);
    }
    listeners[0]();
    assert.deepEqual(aborted, [998, 999]);
    watch.delete(signal, 998);
    watch.add(signal, 7);
    watch.delete(signal, 7);
    assert.equal(listeners.length, 1, 'only the one that fired once is left');
  });
});

describe('a line between page and worker', () => {
  /** A port that clones as a real one does. */
  function line() {
    const sent = [];
    const refused = [];
    const outbox = new Outbox(
      (message, transfer) => sent.push(structuredClone(message, { transfer: [...transfer] })),
      (kind, id, a, thrown) => refused.push([kind, id, a, thrown.name]),
    );
    const records = () => {
      const all = [];
      sent.forEach((message) => eachRecord(message, (...record) => all.push(record)));
      return all;
    };
    return { outbox, sent, refused, records };
  }

  it('sends what one microtask says as one message', async () => {
    const { outbox, sent, records } = line();
    outbox.push(1, 10, 5, 'b');
    outbox.push(2, 20, undefined, 0);
    assert.equal(sent.length, 0);
    await Promise.resolve();
    assert.equal(sent.length, 1);
    assert.deepEqual(records(), [
      [1, 10, 5, 'b'],
      [2, 20, undefined, 0],
    ]);
  });

  it('says what records have in common once, and keeps their order', async () => {
    const { outbox, sent, records } = line();
    const said = [
      ...[10, 11, 12].map((id) => [1, id, 5, undefined]),
      [1, 13, 6, undefined],
      [1, 14, 6, null],
      [1, 15, 6, undefined],
      [2, 16, 6, undefined],
      ...[17, 18].map((id) => [2, id, 6, `${id}`]),
      [1, 19, 5, undefined],
    ];
    said.forEach((record) => outbox.push(...record));
    await Promise.resolve();
    assert.deepEqual(records(), said);
    for (let id = 0; id < 100; id += 1) {
      outbox.push(1, id, 5, undefined);
    }
    await Promise.resolve();
    assert.ok(sent[1].length <= 104, `a number each, and a head: ${sent[1].length}`);
  });

  it('refuses what can not be cloned, and sends the rest with the buffers of each', async () => {
    const { outbox, refused, records } = line();
    const [first, second] = [new Uint8Array([1]), new Uint8Array([2])];
    outbox.push(1, 10, 0, first, [first.buffer]);
    outbox.push(1, 11, 7, () => {});
    outbox.push(1, 12, 0, second, [second.buffer]);
    await Promise.resolve();
    assert.deepEqual(refused, [[1, 11, 7, 'DataCloneError']]);
    assert.deepEqual(records().map(([, id, , bytes]) => [id, [...bytes]]), [
      [10, [1]],
      [12, [2]],
    ]);
    assert.deepEqual([first.byteLength, second.byteLength], [0, 0], 'both were moved');
  });

  it('sends what waits before what is sent at once', () => {
    const { outbox, records } = line();
    outbox.push(1, 10, 0, 'first');
    outbox.sendNow(2, 20, 'second');
    assert.deepEqual(records().map(([, , , text]) => text), ['first', 'second']);
    assert.throws(() => outbox.sendNow(2, 20, () => {}), { name: 'DataCloneError' });
  });
});

describe('workers that boot while the core loads', () => {
  function workers() {
    const started = [];
    const start = (place) => {
      const worker = { place, terminated: false, addEventListener: (type, listener) => (worker[type] = listener), terminate: () => (worker.terminated = true), postMessage() {} };
      started.push(worker);
      return worker;
    };
    return { started, start };
  }

  it('are heard by whoever takes them over, from the beginning and in order', async () => {
    const { started, start } = workers();
    const early = new EarlyStart(start, 2);
    started[0].message({ data: 'first' });
    started[0].error({ message: 'second', preventDefault() {} });
    const heard = [];
    const events = { onMessage: (message) => heard.push(message), onGarbled() {}, onLost: ({ message }) => heard.push(message) };
    assert.ok(early.take(0, events));
    assert.deepEqual(heard, [], 'its line is being made');
    await Promise.resolve();
    started[0].message({ data: 'third' });
    assert.deepEqual(heard, ['first', 'second', 'third']);
    assert.equal(early.take(0, events), undefined, 'the next one in its place is another');
    early.discard();
    assert.deepEqual(started.map(({ terminated }) => terminated), [false, true]);
  });

  it('leave the fault of a function that throws to the pool', () => {
    const early = new EarlyStart(() => {
      throw new Error('no worker');
    }, 2);
    assert.equal(early.take(0, {}), undefined);
  });

  it('are ended where the core can not be loaded or refuses its settings', async () => {
    for (const [wrong, code] of [
      [{ wasm: new Uint8Array(8) }, 'ERR_WASM_LOAD'],
      [{ offer: () => ({ concurrency: 0 }) }, 'ERR_INVALID_OPTION'],
    ]) {
      const { started, start } = workers();
      const wasm = readFileSync(fileURLToPath(import.meta.resolve('quillwork/runtime.wasm')));
      await assert.rejects(createRuntime({ worker: start, workers: 2, wasm, ...wrong }), { code });
      assert.deepEqual(started.map(({ terminated }) => terminated), [true, true], code);
    }
  });
});
