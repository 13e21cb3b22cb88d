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

  async "a strategy of the app's own chooses among the workers that could"(t) {
    const asked = [];
    const runtime = await t.runtime({
      workers: 2,
      binding: {
        choose(task, candidates) {
          asked.push([task.name, task.input, task.priority, candidates.map(({ worker, capacity }) => [worker, capacity])]);
          return task.input % 2 === 0 ? 1 : Promise.resolve(0);
        },
        answerWithinMs: 60_000,
        stealAfterMs: Infinity,
      },
    });
    await runtime.ready();
    await oneByOne(runtime, 5, { priority: 7 });
    equal(completed(runtime), [2, 3]);
    equal(asked[1], [
      'square',
      1,
      7,
      [
        [0, 1],
        [1, 1],
      ],
    ]);
    await runtime.run('square', 8, { antiAffinity: [1] });
    equal(asked.at(-1)[3], [[0, 1]], 'not those that it bans');
    equal([completed(runtime), runtime.stats().answersInvalid], [[3, 3], 1], 'nor does its answer make one of them');
  },

  async 'where the strategy throws, stays silent or answers nonsense, the fall-back chooses'(t) {
    const uncaught = [t.expectUncaught('no idea'), t.expectUncaught('no idea later')];
    const answers = [
      () => {
        throw new Error('no idea');
      },
      () => Promise.reject(new Error('no idea later')),
      () => new Promise(() => {}),
      () => 17,
      () => 'first',
      () => undefined,
    ];
    let next = 0;
    const runtime = await t.runtime({ workers: 2, binding: { choose: () => answers[next++ % answers.length](), answerWithinMs: 500 } });
    await runtime.ready();
    await oneByOne(runtime, answers.length);
    await Promise.all(uncaught);
    equal(completed(runtime).reduce((a, b) => a + b), answers.length);
    const { answersMissing, answersInvalid } = runtime.stats();
    equal([answersMissing, answersInvalid], [1, 1]);
  },
};
