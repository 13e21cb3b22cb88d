// Timers that come late, as those of hidden and sleeping pages do: no healthy worker may be given up for it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { source } from './source.mjs';

const { Core } = await source('abi');
const { OfferNames } = await source('pool/capabilities');
const { Pool } = await source('pool/pool');
const { checkBinding } = await source('pool/binding');
const { poolSettings } = await source('runtime/options');
const { TaskTypes } = await source('runtime/task-options');
const { WorkerRegistry } = await source('balance/registry');
const { DONE, eachRecord, MAGIC, PING, PONG, READY, RUN } = await source('messages');
const module = await WebAssembly.compile(readFileSync(fileURLToPath(import.meta.resolve('quillwork/runtime.wasm'))));

const real = { now: Date.now, setTimeout, clearTimeout };
const turn = () => new Promise((resolve) => setImmediate(resolve));
let time;
let timers;

beforeEach(() => {
  time = 1_000_000;
  timers = new Set();
  Date.now = () => time;
  performance.now = () => time;
  globalThis.setTimeout = (then, delay) => {
    const timer = { then, due: time + delay };
    timers.add(timer);
    return timer;
  };
  globalThis.clearTimeout = (timer) => timers.delete(timer);
});

afterEach(() => {
  Date.now = real.now;
  delete performance.now;
  Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
});

/** Time passes, and only then do timers come. */
function sleepFor(millis) {
  time += millis;
  for (const timer of [...timers].filter(({ due }) => due <= time)) {
    if (timers.delete(timer)) {
      timer.then();
    }
  }
}

/** A worker that the test speaks for. */
class FakeWorker {
  heard = [];
  terminated = false;
  answersPings = true;
  addEventListener(type, listener) {
    if (type === 'message') {
      this.say = (kind, id, a, b) => listener({ data: [MAGIC, kind, a, 1, id, b] });
    }
  }
  postMessage(message) {
    eachRecord(message, (kind, id) => {
      this.heard.push({ kind, id });
      if (kind === PING && this.answersPings) {
        // A thread that was asleep with the page takes its time.
        void turn().then(turn).then(turn).then(() => this.say(PONG, 0, undefined, undefined));
      }
    });
  }
  terminate() {
    this.terminated = true;
  }
}

async function poolOfOne(settings = {}) {
  const { workers, ...all } = poolThatBoots(settings);
  workers[0].say(READY, 0, undefined, ['task']);
  await turn();
  return { workers, ...all };
}

function poolThatBoots(settings) {
  const workers = [];
  const start = () => {
    workers.push(new FakeWorker());
    return workers.at(-1);
  };
  const all = poolSettings({ worker: start, workers: 1, gpu: false, maxQueue: 10, maxRedeliveries: 0, ...settings }, checkBinding('late'));
  const capabilities = new OfferNames();
  const types = new TaskTypes({}, capabilities);
  const pool = new Pool(new Core(module), all, start, capabilities, { onWorkerLost() {}, onClosed() {} });
  const run = (timeoutMs) =>
    pool.submit({ name: 'task', input: 0, spec: types.spec('task', { timeoutMs, redeliver: false }) });
  return { pool, workers, run };
}

/** A worker that was asked for a sign of life, and has half of its lease to give one. */
async function askedAndSilent() {
  const all = await poolOfOne({ leaseMs: 1_000 });
  all.workers[0].answersPings = false;
  sleepFor(500);
  await turn();
  assert.equal(all.workers[0].heard.at(-1).kind, PING, 'it was asked for a sign of life');
  return all;
}

const started = (worker) => worker.heard.find(({ kind }) => kind >= RUN)?.id;

describe('a timer that comes late', () => {
  for (const late of [30, 900, 45_000]) {
    it(`by ${late} ms lets an answer count that was sent in time`, async () => {
      const { pool, workers, run } = await poolOfOne();
      const task = run(500);
      await turn();
      const id = started(workers[0]);
      // On its way behind the timer.
      const sent = turn().then(() => workers[0].say(DONE, id, 0, 'in time'));
      sleepFor(500 + late);
      await sent;
      assert.equal(await task, 'in time');
      pool.driver.close(false);
    });
  }

  for (const late of [30, 900, 45_000]) {
    it(`by ${late} ms keeps a worker that had booted in time`, async () => {
      const { pool, workers, run } = poolThatBoots({ bootTimeoutMs: 500 });
      // On its way behind the timer.
      const sent = turn().then(() => workers[0].say(READY, 0, undefined, ['task']));
      sleepFor(500 + late);
      await sent;
      const task = run(Infinity);
      await turn();
      assert.deepEqual([workers.length, workers[0].terminated], [1, false]);
      workers[0].say(DONE, started(workers[0]), 0, 'done');
      assert.equal(await task, 'done');
      pool.driver.close(false);
    });
  }

  it('still ends a task that is over its time', async () => {
    const { pool, run } = await poolOfOne();
    const task = run(500);
    await turn();
    sleepFor(600);
    await assert.rejects(task, { code: 'ERR_TIMEOUT' });
    pool.driver.close(false);
  });

  for (const late of [300, 1_400, 600_000]) {
    it(`by ${late} ms keeps a worker that slept together with the page, once it answers`, async () => {
      const { pool, workers } = await askedAndSilent();
      workers[0].answersPings = true;
      sleepFor(500 + late);
      for (let turns = 0; turns < 10; turns += 1) {
        await turn();
      }
      assert.deepEqual([workers.length, workers[0].terminated], [1, false]);
      pool.driver.close(false);
    });
  }

  it('keeps a worker whose answer waits while the page stands still again', async () => {
    const { pool, workers } = await askedAndSilent();
    sleepFor(600_000);
    // On its way behind the timer.
    const sent = turn().then(() => workers[0].say(PONG, 0, undefined, undefined));
    sleepFor(250);
    await sent;
    await turn();
    assert.deepEqual([workers.length, workers[0].terminated], [1, false]);
    pool.driver.close(false);
  });

  it('asks nobody where nothing is due any more', async () => {
    const { pool, workers } = await poolOfOne({ bootTimeoutMs: 500 });
    sleepFor(500 + 900);
    await turn();
    assert.ok(workers[0].heard.every(({ kind }) => kind !== PING), 'no worker was asked for a sign of life');
    pool.driver.close(false);
  });

  it('of a hidden page, where each does, ends a task that is over its time without asking anybody', async () => {
    globalThis.document = { visibilityState: 'hidden' };
    try {
      const { pool, workers, run } = await poolOfOne();
      const task = run(500);
      await turn();
      sleepFor(1_500);
      await assert.rejects(task, { code: 'ERR_TIMEOUT' });
      assert.ok(workers[0].heard.every(({ kind }) => kind !== PING), 'no worker was asked for a sign of life');
      pool.driver.close(false);
    } finally {
      delete globalThis.document;
    }
  });

  it('gives a worker up that stays silent, a moment later', async () => {
    const { pool, workers, run } = await askedAndSilent();
    const lost = assert.rejects(run(Infinity), { code: 'ERR_WORKER_LOST' });
    sleepFor(600_000);
    await turn();
    assert.equal(workers[0].terminated, false, 'not at once');
    sleepFor(250);
    await lost;
    assert.equal(workers[0].terminated, true);
    pool.driver.close(false);
  });
});

describe('a registry whose timer comes late', () => {
  /** A worker that was asked for a sign of life and has 5 s to give one. */
  function asked() {
    const registry = new WorkerRegistry({ leaseMs: 10_000 });
    let probes = 0;
    registry.on('probe', () => (probes += 1));
    registry.register({ id: 'a' });
    sleepFor(5_000);
    assert.equal(probes, 1, 'it was asked for a sign of life');
    return { registry, probes: () => probes, status: () => registry.getWorker('a').status };
  }

  it('hears the sign of life that waits behind it', async () => {
    const { registry, status } = asked();
    const sent = turn().then(() => registry.heartbeat('a'));
    sleepFor(6_000);
    assert.equal(await sent, true);
    await turn();
    assert.equal(status(), 'ready');
    registry[Symbol.dispose]();
  });

  it('by as long as an answer may take asks again, and gives up the one that does not answer', async () => {
    const { registry, probes, status } = asked();
    sleepFor(3_600_000);
    await turn().then(turn);
    assert.deepEqual([probes(), status() === 'offline'], [2, false]);
    sleepFor(5_000);
    assert.equal(status(), 'offline');
    registry[Symbol.dispose]();
  });

  it('asks nothing of one that is disposed of meanwhile', async () => {
    const { registry } = asked();
    sleepFor(6_000);
    registry[Symbol.dispose]();
    await turn().then(turn);
  });
});
