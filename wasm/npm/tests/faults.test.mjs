// A fault inside runtime.wasm: it must be told, and nothing may hang.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { source } from './source.mjs';

const { Core } = await source('abi');
const { Pool } = await source('pool/pool');
const { OfferNames } = await source('pool/capabilities');
const { newPool, submitTask } = await source('pool/settings');
const { checkBinding } = await source('pool/binding');
const { poolSettings } = await source('runtime/options');
const { TaskTypes } = await source('runtime/task-options');
const module = await WebAssembly.compile(readFileSync(fileURLToPath(import.meta.resolve('quillwork/runtime.wasm'))));

const settings = poolSettings({ worker: 'tasks.js', workers: 1, gpu: false, maxQueue: 10, maxRedeliveries: 0 }, checkBinding('late'));
const PLACE = /^runtime\.wasm failed at wasm-function\[\d+\]:0x[\da-f]+ /;
const request = (over = {}) => ({
  name: 'square',
  input: 2,
  spec: { ...new TaskTypes({}, new OfferNames()).spec('square'), ...over },
});

describe('runtime.wasm', () => {
  it('imports nothing and carries no custom section', () => {
    assert.deepEqual(WebAssembly.Module.imports(module), []);
    for (const name of ['name', 'producers', 'target_features']) {
      assert.equal(WebAssembly.Module.customSections(module, name).length, 0, name);
    }
  });

  it('says where it failed, for the report', () => {
    const core = new Core(module);
    const pool = newPool(core, 0, settings);
    assert.throws(
      () => core.call(() => submitTask(core, pool, 0, 0, request({ priority: 99 }).spec)),
      (error) => error.code === 'ERR_INTERNAL' && PLACE.test(error.message) && error.cause instanceof WebAssembly.RuntimeError,
    );
    assert.equal(core.fault('odd').message, 'runtime.wasm failed (odd). Please report this');
  });

  it('says what is wrong with settings', () => {
    const core = new Core(module);
    assert.throws(() => newPool(core, 0, { ...settings, workers: 0 }), { code: 'ERR_INVALID_OPTION', message: /1 to 1024 workers, not 0/ });
    for (const asked of [{ binding: 1 }, { recordBytes: 1_024 }]) {
      assert.throws(() => newPool(core, 0, { ...settings, ...asked }), { code: 'ERR_INVALID_OPTION', message: /runtime-full\.wasm/ });
    }
    newPool(core, 0, settings);
    core.floats[22] = 1;
    assert.equal(core.exports.pool_new(0), 0);
    assert.match(core.text(), /binds late only/);
    assert.equal(core.exports.cache_new(0, Infinity), 0);
    assert.match(core.text(), /capacity/);
  });
});

describe('a pool whose core fails', () => {
  it('rejects every task, terminates its workers, and takes no more', { timeout: 30_000 }, async () => {
    let closed;
    const over = new Promise((resolve) => (closed = resolve));
    const pool = new Pool(new Core(module), settings, new URL('./workers/entry.mjs', import.meta.url), new OfferNames(), {
      onWorkerLost() {},
      onClosed: () => closed(),
    });
    const waiting = pool.submit(request());
    const broken = pool.submit(request({ priority: 99 }));
    const codes = await Promise.all([waiting, broken].map((task) => task.then(() => 'settled', (error) => error.code)));
    assert.deepEqual(codes, ['ERR_INTERNAL', 'ERR_INTERNAL']);
    await over;
    await assert.rejects(pool.submit(request()), { code: 'ERR_INTERNAL', message: PLACE });
  });
});
