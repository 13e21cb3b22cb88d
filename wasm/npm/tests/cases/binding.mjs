import { equal, gate, occupied, ok, refused } from './check.mjs';

const completed = (runtime) => runtime.stats().workers.map((worker) => worker.completed);

/** Runs tasks one after the other, so that all workers are free for each. */
async function oneByOne(runtime, count, options) {
  for (let n = 0; n < count; n += 1) {
    await runtime.run('square', n, typeof options === 'function' ? options(n) : options);
  }
}

export default {
  async 'tasks go to the workers that they prefer, and never to those they ban'(t) {
    const runtime = await t.runtime({ workers: 2 });
    await runtime.ready();
    await oneByOne(runtime, 4, { affinity: [1] });
    equal(completed(runtime), [0, 4]);
    await oneByOne(runtime, 3, { antiAffinity: [1] });
    equal(completed(runtime), [3, 4]);
    const error = await refused(runtime.run('square', 1, { antiAffinity: [0, 1] }), 'ERR_NO_CAPABLE_WORKER');
    ok(error.message.includes('antiAffinity'), `why in "${error.message}"`);
  },

  async 'a patient task waits for its worker while another one is free'(t) {
    const runtime = await t.runtime({ workers: 2, types: { square: { affinity: [1] } } });
    await runtime.ready();
    const door = gate();
    const held = await occupied(runtime, door, { affinity: [1] });
    equal(await runtime.run('square', 3), 9, 'without patience by whoever is free');
    const patient = runtime.run('square', 4, { patienceMs: 60_000 });
    equal(await runtime.run('square', 5, { affinity: [0] }), 25);
    equal(runtime.stats().queued, 1, 'it waits');
    door.open();
    equal([await held.done, await patient], ['through', 16]);
    equal(completed(runtime), [2, 2]);
    door.close();
  },

  async 'workers offer what they are told to: capabilities, room, a region'(t) {
    const runtime = await t.runtime({
      workers: 2,
      offer: (worker) => (worker === 1 ? { capabilities: ['parser'], concurrency: 2, region: 'far' } : { region: 'near' }),
    });
    await runtime.ready();
    const { workers } = runtime.stats();
    equal(
      workers.map(({ capabilities, capacity }) => [capabilities, capacity]),
      [
        [['gpu'], 1],
        [['parser'], 2],
      ],
    );
    await oneByOne(runtime, 2, { capabilities: ['parser'] });
    await oneByOne(runtime, 2, { region: 'far' });
    await oneByOne(runtime, 1, { region: 'near' });
    equal(completed(runtime), [1, 4]);
    const door = gate();
    const both = await Promise.all([1, 2].map(() => occupied(runtime, door, { capabilities: ['parser'] })));
    equal(runtime.stats().workers[1].load, 2);
    door.open();
    equal(await Promise.all(both.map(({ done }) => done)), ['through', 'through']);
    door.close();
  },

  async 'a consistent hash keeps tasks of one key at one worker'(t) {
    const runtime = await t.runtime({ workers: 2, binding: { strategy: 'consistent-hash', stealAfterMs: Infinity } });
    await runtime.ready();
    await oneByOne(runtime, 6, { key: 'chapter 1' });
    equal(completed(runtime).sort(), [0, 6]);
    await oneByOne(runtime, 30, (n) => ({ key: n }));
    ok(completed(runtime).every((count) => count > 0), 'other keys have other workers');
  },

  async 'every built-in strategy runs tasks to their end'(t) {
    for (const binding of ['round-robin', 'least-loaded', 'shortest-expected-delay', 'adaptive', 'late']) {
      const runtime = await t.runtime({ workers: 2, binding });
      equal(await runtime.map('square', [1, 2, 3, 4, 5]), [1, 4, 9, 16, 25], binding);
    }
  },
};
