// What a balancer holds in WebAssembly's memory is freed when it is collected.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');

let memory;
const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  memory = instance.exports.memory;
  return instance;
};
const { CapabilityBasedStrategy, LoadBalancer, WorkerRegistry } = await import('quillwork');

const KINDS = {
  'balancers': () => new LoadBalancer('adaptive').selectWorker({}, [{ id: 'a' }, { id: 'b' }]),
  'strategies of their own': () => new CapabilityBasedStrategy().selectWorker({}, [{ id: 'a', capabilities: ['gpu'] }]),
  'registries': () => new WorkerRegistry().register({ id: 'a' }),
};

describe('memory', () => {
  for (const [what, make] of Object.entries(KINDS)) {
    it(`of dropped ${what} is used again`, { timeout: 60_000 }, async () => {
      const round = async () => {
        for (let n = 0; n < 500; n += 1) {
          make();
        }
        // Collected objects are told of in a later turn of the event loop.
        for (let turn = 0; turn < 5; turn += 1) {
          collect();
          await new Promise((resolve) => setImmediate(resolve));
        }
        return memory.buffer.byteLength;
      };
      await round();
      const bytes = await round();
      for (let n = 0; n < 6; n += 1) {
        assert.equal(await round(), bytes);
      }
    });
  }
});
