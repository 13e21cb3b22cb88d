// The instance behind the policies: what a fault of it does, and that it gives memory back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { source } from './source.mjs';

const { flowCore } = await source('flow-core');

describe('an embedded module', () => {
  it('is made once, and again after a fault, which ends what the old instance held', () => {
    const core = flowCore();
    assert.equal(flowCore(), core);
    assert.throws(() => core.call((exports) => exports.stack_call(12_345, 0)), { code: 'ERR_INTERNAL', message: /^flow\.wasm failed at wasm-function\[\d+\]:0x[\da-f]+ / });
    assert.throws(() => core.call((exports) => exports.floats_len()), { code: 'ERR_INTERNAL' });
    const next = flowCore();
    assert.notEqual(next, core);
    assert.ok(next.call((exports) => exports.floats_len()) > 0);
  });

  it('makes room for large snapshots, and finds them where they are then', () => {
    const core = flowCore();
    const before = core.floats.length;
    core.reserve(before)[before - 1] = 4.5;
    const floats = core.reserve(1_000_000);
    assert.equal(floats[before - 1], 4.5);
    assert.ok(floats.length >= 1_000_000);
    assert.equal(core.floats, floats);
  });

  it('ends every promise with ERR_INTERNAL when it fails, and the next policies work', { timeout: 60_000 }, () => {
    const file = join(import.meta.dirname, 'fault.program.mjs');
    writeFileSync(
      file,
      `import * as quillwork from 'quillwork';
      const instances = [];
      const { Instance } = WebAssembly;
      WebAssembly.Instance = function (module, imports) {
        instances.push(new Instance(module, imports));
        return instances.at(-1);
      };
      const { batch, bulkhead, retry, throttled } = quillwork;
      const forever = () => new Promise(() => {});
      const calls = bulkhead({ maxConcurrent: 1, maxQueued: 1 });
      const paced = throttled({ maxConcurrent: 1 });
      const items = batch(forever, { maxDelay: 0 });
      const open = [calls.execute(forever), calls.execute(forever), paced.execute(forever), paced.execute(forever), items.add(1)];
      open.push(retry(() => Promise.reject(new Error('down')), { base: 50 }), items.ready(), items.flush());
      try {
        instances[0].exports.stack_call(12_345, 0);
      } catch {
        // Its state is unknown from here on.
      }
      const after = [calls.execute(() => 1), paced.execute(() => 1), items.add(2), items.close(), paced.close()];
      const codes = (await Promise.allSettled([...open, ...after])).map(({ reason, status }) => reason?.code ?? status);
      console.log(codes.join(' '));
      console.log(await bulkhead().execute(() => 'works'));`,
    );
    const [codes, next] = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 50_000 }).split('\n');
    const fault = 'ERR_INTERNAL';
    const ready = 'fulfilled';
    const expected = [...Array(6).fill(fault), ready, ready, fault, fault, fault, ready, ready];
    assert.equal(codes, expected.join(' '));
    assert.equal(next, 'works');
  });

  it('takes back what was collected', { timeout: 60_000 }, () => {
    const file = join(import.meta.dirname, 'collected.program.mjs');
    writeFileSync(
      file,
      `import { circuitBreaker } from 'quillwork';
      // The memory is seen through the instance that the package makes.
      const memories = [];
      const { Instance } = WebAssembly;
      WebAssembly.Instance = function (module, imports) {
        const instance = new Instance(module, imports);
        memories.push(instance.exports.memory);
        return instance;
      };
      const sizes = [];
      for (let round = 0; round < 12; round += 1) {
        for (let n = 0; n < 2_000; n += 1) {
          circuitBreaker({ window: { calls: 1_000 }, minCalls: 1 });
        }
        for (let turn = 0; turn < 3; turn += 1) {
          gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
        sizes.push(memories[0].buffer.byteLength);
      }
      console.log(sizes.at(-1) <= sizes[2] ? 'steady' : sizes.join(' '));`,
    );
    assert.equal(execFileSync(process.execPath, ['--expose-gc', file], { encoding: 'utf8', timeout: 50_000 }), 'steady\n');
  });
});
