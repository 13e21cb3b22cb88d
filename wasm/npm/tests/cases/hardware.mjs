import { equal, ok, thrown } from './check.mjs';

const GIB = 2 ** 30;

export default {
  async 'what the hardware is told to be decides each value, with its reason'({ quillwork: { generateConfig } }) {
    const laptop = generateConfig({ logicalCores: 8, memoryHintBytes: 8 * GIB, crossOriginIsolated: true, gpu: { kind: 'hardware', maxBufferBytes: 64 * 2 ** 20 } });
    equal(laptop.maxWorkers, 7, 'workers');
    equal(laptop.memoryBudgetBytes, GIB, 'memory');
    equal([laptop.compute, laptop.wake], ['gpu', 'shared memory'], 'names');
    equal(laptop.explanations.maxWorkers.reason, '8 logical cores, less one for the user interface (at least 1)', 'reason');
    ok(laptop.explanations.maxWorkers.formula.startsWith('clamp(logical_cores - 1'), 'the formula');
    equal(laptop.implausible, [], 'nothing implausible');
    const onBattery = generateConfig({ logicalCores: 8, power: { source: 'battery', levelRatio: 0.5 } });
    ok(onBattery.maxWorkers < laptop.maxWorkers, `fewer workers on battery, not ${onBattery.maxWorkers}`);
  },

  async 'nothing known is a small machine, and what can not be is named'({ quillwork: { generateConfig } }) {
    const small = generateConfig();
    ok(small.maxWorkers >= 1 && small.memoryBudgetBytes > 0, 'something to work with');
    equal(small.compute, 'cpu', 'compute');
    const odd = generateConfig({ logicalCores: 0, memoryBytes: 8 });
    equal(odd.implausible.length, 2, 'implausible values');
    ok(odd.implausible[1].includes('another unit'), odd.implausible[1]);
    equal(odd.maxWorkers, small.maxWorkers, 'as if it were unknown');
    const battery = generateConfig({ power: { source: 'battery', levelRatio: -1 } });
    ok(battery.implausible[0].includes('battery level'), battery.implausible[0]);
  },

  async 'values of your own count, and all that is wrong with them comes at once'({ quillwork: { generateConfig } }) {
    const own = generateConfig({ logicalCores: 8 }, { maxWorkers: 2, compute: 'cpu', prefetchMs: 3 });
    equal([own.maxWorkers, own.prefetchMs], [2, 3], 'own values');
    ok(own.explanations.maxWorkers.reason.startsWith('set by the user'), own.explanations.maxWorkers.reason);
    ok(own.minWorkers <= 2, 'what was generated gives way');
    const wrong = thrown(() => generateConfig({ logicalCores: 8 }, { minWorkers: 9, maxWorkers: 4, batchItems: 0 }));
    equal([wrong.name, wrong.code], ['QuillworkError', 'ERR_INVALID_OPTION'], 'error');
    equal(wrong.message.split('\n').length, 2, `lines of "${wrong.message}"`);
    ok(wrong.message.includes('minWorkers (9) is over maxWorkers (4)'), wrong.message);
    for (const [profile, overrides, says] of [
      [{}, { maxWorker: 4 }, '`maxWorker` is no option of generateConfig: did you mean `maxWorkers`?'],
      [{}, { maxWorkers: 1.5 }, 'whole number'],
      [{}, { compute: 'tpu' }, '"cpu" or "gpu"'],
      [{ logicalCores: 'many' }, {}, 'logicalCores is many'],
      [{ gpu: { kind: 'big' } }, {}, 'gpu.kind'],
    ]) {
      const error = thrown(() => generateConfig(profile, overrides));
      equal(error.code, 'ERR_INVALID_OPTION', error.message);
      ok(error.message.includes(says), error.message);
    }
  },

  async 'the hardware that is here is found, and a configuration follows'({ quillwork: { detectHardware, generateConfig } }) {
    const profile = await detectHardware();
    ok(Number.isInteger(profile.logicalCores) && profile.logicalCores >= 1, `cores, not ${profile.logicalCores}`);
    const inNode = globalThis.process?.versions?.node !== undefined;
    if (inNode) {
      ok(profile.memoryBytes > 64 * 2 ** 20, `memory, not ${profile.memoryBytes}`);
      equal(profile.crossOriginIsolated, true, 'shared memory');
    } else {
      equal(profile.crossOriginIsolated, globalThis.crossOriginIsolated, 'shared memory');
    }
    const config = generateConfig(profile);
    equal(config.implausible, [], 'nothing implausible');
    equal(config.wake, profile.crossOriginIsolated ? 'shared memory' : 'messages', 'wake');
    equal(config.compute, profile.gpu?.kind === 'hardware' ? 'gpu' : 'cpu', 'compute');
  },

  async 'a driver that never answers is unknown after its time'({ quillwork: { detectHardware } }) {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    const stuck = { hardwareConcurrency: 4, gpu: { requestAdapter: () => new Promise(() => {}) }, getBattery: () => Promise.reject(new Error('refused')) };
    Object.defineProperty(globalThis, 'navigator', { value: stuck, configurable: true });
    try {
      const profile = await detectHardware({ timeoutMs: 1 });
      equal([profile.gpu, profile.power], [undefined, undefined], 'unknown');
      ok(profile.logicalCores >= 1, 'the rest is known');
    } finally {
      if (own === undefined) {
        delete globalThis.navigator;
      } else {
        Object.defineProperty(globalThis, 'navigator', own);
      }
    }
  },
};
