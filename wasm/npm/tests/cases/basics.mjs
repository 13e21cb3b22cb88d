import { equal, gate, ok, rejection, refused, until } from './check.mjs';

export default {
  async 'gives the result of a task'(t) {
    equal(await (await t.runtime()).run('square', 12), 144);
  },

  async 'carries what structured clone carries'(t) {
    const runtime = await t.runtime();
    const sent = { map: new Map([['a', new Date(5)]]), bytes: new Float32Array([1.5, 2]), big: 2n ** 70n, none: undefined };
    const back = await runtime.run('echo', sent);
    equal(back.map.get('a').getTime(), 5);
    equal([...back.bytes], [1.5, 2]);
    ok(back.big === 2n ** 70n, 'a big integer');
    ok('none' in back, 'a field that is undefined');
    equal(await runtime.run('noop'), undefined);
  },

  async 'gives each of a thousand results to its own caller, from all workers'(t) {
    const runtime = await t.runtime({ workers: 2 });
    // One that is up could be done with all before the other has loaded.
    await until(() => runtime.stats().workers.every(({ state }) => state === 'ready'), 'both workers are up');
    const results = await Promise.all(Array.from({ length: 1_000 }, (_, n) => runtime.run('square', n)));
    equal(results, Array.from({ length: 1_000 }, (_, n) => n * n));
    const { completed, workers } = runtime.stats();
    equal(completed, 1_000);
    ok(workers.every((worker) => worker.completed > 0), 'both workers to have worked');
  },

  async 'runs tasks that were submitted before the worker module had loaded'(t) {
    const runtime = await t.runtime({ worker: t.workers.late });
    equal(await Promise.all([1, 2, 3].map((n) => runtime.run('square', n))), [1, 4, 9]);
  },

  async 'reports progress in order and before the result'(t) {
    const seen = [];
    const result = await (await t.runtime()).run('progress', 5, { onProgress: (done) => seen.push(done) }).then((count) => [...seen, `result ${count}`]);
    equal(result, [1, 2, 3, 4, 5, 'result 5']);
  },

  async 'moves buffers in both directions'(t) {
    const buffer = new Uint8Array([1, 2, 3]).buffer;
    const back = await (await t.runtime()).run('reverse', buffer, { transfer: [buffer] });
    equal([...back], [3, 2, 1]);
    equal(buffer.byteLength, 0, 'size of what was moved away');
  },

  async 'starts urgent tasks before others'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const order = [];
    const door = gate();
    let opened;
    const held = new Promise((resolve) => (opened = resolve));
    const first = runtime.run('hold', door.name, { onProgress: opened });
    await held;
    const rest = [0, 5, 10].map((priority) => runtime.run('square', priority, { priority }).then(() => order.push(priority)));
    door.open();
    await Promise.all([first, ...rest]);
    door.close();
    equal(order, [10, 5, 0]);
  },

  async 'gives tasks that need the GPU to the worker that carries it'(t) {
    const runtime = await t.runtime({ workers: 2 });
    await Promise.all(Array.from({ length: 6 }, () => runtime.run('square', 1, { capabilities: ['gpu'] })));
    const { workers } = runtime.stats();
    equal(workers.map((worker) => worker.completed), [6, 0]);
    equal(workers.map((worker) => worker.capabilities), [['gpu'], []]);
  },

  async 'refuses what no worker can do, by name'(t) {
    const runtime = await t.runtime({ gpu: false });
    const error = await refused(runtime.run('square', 1, { capabilities: ['gpu'] }), 'ERR_NO_CAPABLE_WORKER');
    ok(error.message.includes('gpu'), 'the name of what is missing');
    equal(await runtime.run('square', 2), 4);
  },

  async 'refuses tasks that the worker does not expose, inherited names too'(t) {
    const runtime = await t.runtime();
    const error = await refused(runtime.run('nonsense', 1), 'ERR_UNKNOWN_TASK');
    ok(error.message.includes('"nonsense"') && error.message.includes('"square"'), 'the name and those that exist');
    await refused(runtime.run('toString', 1), 'ERR_UNKNOWN_TASK');
    await refused(runtime.run('constructor', 1), 'ERR_UNKNOWN_TASK');
  },

  async 'tells the task its name and attempt, and lets it reach its siblings'(t) {
    const runtime = await t.runtime();
    equal(await runtime.run('context'), { task: 'context', attempt: 1, aborted: false });
    equal(await runtime.run('siblings'), true);
  },

  async 'a task may take its context apart'(t) {
    const seen = [];
    const bytes = await (await t.runtime()).run('takenApart', 3, { onProgress: (progress) => seen.push(progress) });
    equal([bytes.length, seen], [3, [false, 'cleaned up']]);
  },

  async 'cleans up before the result, the last cleanup first'(t) {
    const runtime = await t.runtime();
    const seen = [];
    equal(await runtime.run('cleanup', false, { onProgress: (order) => seen.push(order) }), 'result');
    equal(seen, [['last added', 'first added']]);
    const error = await rejection(runtime.run('cleanup', true));
    equal(error.message, 'cleanup failed');
    equal(await runtime.run('square', 3), 9);
  },

  async 'a listener that throws stops neither the task nor the others'(t) {
    const uncaught = t.expectUncaught('listener failed');
    const result = await (await t.runtime()).run('progress', 2, {
      onProgress: () => {
        throw new Error('listener failed');
      },
    });
    equal(result, 2);
    await uncaught;
  },

  async 'counts what it did'(t) {
    const runtime = await t.runtime({ workers: 2 });
    await runtime.run('square', 2);
    await rejection(runtime.run('throwValue', 1));
    const stats = runtime.stats();
    equal([stats.completed, stats.failed, stats.queued, stats.running], [1, 1, 0, 0]);
    ok(stats.responseMs.p95 !== null && stats.responseMs.p95 >= 0, 'a response time');
    ok(stats.utilisation >= 0 && stats.utilisation <= 1, 'a utilisation of 0 to 1');
  },

  async 'tells the numbers once a second to who listens'(t) {
    const runtime = await t.runtime();
    await runtime.run('square', 2);
    const stats = await new Promise((resolve) => {
      const off = runtime.on('stats', (event) => {
        off();
        resolve(event);
      });
    });
    equal(stats.completed, 1);
  },
};
