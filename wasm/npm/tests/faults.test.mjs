// A fault inside runtime.wasm: it must be told, and nothing may hang.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { source } from './source.mjs';

const { Core } = await source('abi');
const { Pool } = await source('pool/pool');
const module = await WebAssembly.compile(readFileSync(fileURLToPath(import.meta.resolve('quillwork/runtime.wasm'))));

const settings = {
  workers: 1,
  gpu: false,
  maxQueue: 10,
  maxRedeliveries: 0,
  leaseMs: 60_000,
  bootTimeoutMs: 10_000,
  abortGraceMs: 1_000,
};
const request = (over = {}) => ({
  name: 'square',
  input: 2,
  priority: 5,
  required: 0,
  timeoutMs: Infinity,
  queueTtlMs: Infinity,
  redeliverable: true,
  ...over,
});

describe('runtime.wasm', () => {
  it('imports nothing and carries no custom section', () => {
    assert.deepEqual(WebAssembly.Module.imports(module), []);
    for (const name of ['name', 'producers', 'target_features']) {
      assert.equal(WebAssembly.Module.customSections(module, name).length, 0, name);
    }
  });

  it('leaves the message of a panic to be read', () => {
    const core = new Core(module);
    const pool = core.exports.pool_new(0, 1, 10, 0, 1_000, 1_000, 0);
    assert.throws(() => core.exports.pool_submit(pool, 0, 0, 99, 0, Infinity, Infinity, 1), WebAssembly.RuntimeError);
    assert.match(core.fault(new Error('trap')).message, /the page checks priorities/);
  });

  it('says what is wrong with settings', () => {
    const core = new Core(module);
    assert.equal(core.exports.pool_new(0, 0, 10, 0, 1_000, 1_000, 0), 0);
    assert.match(core.text(), /1 to 1024 workers, not 0/);
    assert.equal(core.exports.cache_new(0, Infinity), 0);
    assert.match(core.text(), /capacity/);
  });
});

describe('a pool whose core fails', () => {
  it('rejects every task, terminates its workers, and takes no more', { timeout: 30_000 }, async () => {
    let closed;
    const over = new Promise((resolve) => (closed = resolve));
    const pool = new Pool(new Core(module), settings, new URL('./workers/entry.mjs', import.meta.url), {
      onWorkerLost() {},
      onClosed: () => closed(),
    });
    const waiting = pool.submit(request());
    const broken = pool.submit(request({ priority: 99 }));
    const codes = await Promise.all([waiting, broken].map((task) => task.then(() => 'settled', (error) => error.code)));
    assert.deepEqual(codes, ['ERR_INTERNAL', 'ERR_INTERNAL']);
    await over;
    await assert.rejects(pool.submit(request()), { code: 'ERR_INTERNAL', message: /the page checks priorities/ });
  });
});
