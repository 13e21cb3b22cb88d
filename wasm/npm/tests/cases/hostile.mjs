import { equal, ok, overhear, refused, rejection } from './check.mjs';

export default {
  async 'results that throw when looked at or sent fail their own task only'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const traps = await Promise.all(['then', 'proxy', 'getter', 'symbol'].map((kind) => rejection(runtime.run('trap', kind))));
    equal([traps[0].message, traps[1].message], ['sprung', 'sprung']);
    equal([traps[2].code, traps[3].code], ['ERR_NOT_CLONEABLE', 'ERR_NOT_CLONEABLE']);
    equal(await runtime.run('square', 3), 9);
    equal(runtime.stats().workers[0].generation, 1, 'generation of the worker');
  },

  async 'input that throws when it is sent fails its own task only'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const sprung = { toString: () => { throw new Error('sprung'); } };
    await refused(runtime.run('echo', { get value() { throw sprung; } }), 'ERR_NOT_CLONEABLE');
    equal(await runtime.run('square', 3), 9);
  },

  async 'errors with the names of what every object has arrive like others'(t) {
    const runtime = await t.runtime({ workers: 1 });
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const error = await rejection(runtime.run('throwNamed', name));
      ok(error instanceof Error, 'an Error');
      equal([error.name, error.message], [name, `named ${name}`]);
    }
  },

  async 'errors that refer to each other without end arrive, and soon'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const error = await rejection(runtime.run('throwTangle'));
    equal([error.message, error.others, error.other1.message], ['tangle 0', 12, 'tangle 1']);
    ok(error.other0 === error && error.other1.other2 === error.other2, 'the same errors at the ends of all ways');
    equal(await runtime.run('square', 3), 9);
  },

  async 'what is thrown and can not be read is an error all the same'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const error = await rejection(runtime.run('throwUnreadable'));
    ok(error instanceof Error && error.message !== '', `an Error that says something, not ${String(error)}`);
    equal(await rejection(runtime.run('throwFickle')), { value: 'first' });
    equal(await runtime.run('square', 3), 9);
  },

  async 'an abort reason with such a name reaches the task'(t) {
    const runtime = await t.runtime({ workers: 1, abortGraceMs: 60_000 });
    let heard;
    const reason = new Promise((resolve) => (heard = resolve));
    await overhear('reasons', heard);
    const controller = new AbortController();
    const why = new Error('odd');
    why.name = 'toString';
    const error = await rejection(runtime.run('reason', undefined, { signal: controller.signal, onProgress: () => controller.abort(why) }));
    ok(error === why, 'the very reason');
    equal(await reason, { name: 'toString', message: 'odd' });
    equal(await runtime.run('square', 2), 4);
    equal(runtime.stats().workers[0].generation, 1, 'generation of the worker');
  },

  async 'a buffer that two tasks want to move goes to the first, and the second is told'(t) {
    const runtime = await t.runtime({ workers: 1 });
    await runtime.run('noop');
    const buffer = new ArrayBuffer(8);
    const [first, second] = await Promise.allSettled([
      runtime.run('echo', buffer, { transfer: [buffer] }),
      runtime.run('echo', buffer, { transfer: [buffer] }),
    ]);
    equal(first.value.byteLength, 8);
    equal(second.reason?.code, 'ERR_NOT_CLONEABLE');
    const twice = new ArrayBuffer(8);
    await refused(runtime.run('echo', twice, { transfer: [twice, twice] }), 'ERR_NOT_CLONEABLE');
    equal(twice.byteLength, 8, 'size of what was not moved');
  },

  async 'thousands of tasks end with the signal that they share'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const controller = new AbortController();
    const reason = new Error('all of them');
    const tasks = Array.from({ length: 5_000 }, () => runtime.run('square', 2, { signal: controller.signal }));
    controller.abort(reason);
    const outcomes = await Promise.allSettled(tasks);
    equal(outcomes.filter((outcome) => outcome.reason === reason).length, 5_000);
    equal(await runtime.run('square', 3, { signal: new AbortController().signal }), 9);
  },

  async 'a task may use the messages of its worker for itself'(t) {
    const runtime = await t.runtime({ workers: 1 });
    equal([await runtime.run('talk'), await runtime.run('square', 3)], ['talked', 9]);
  },

  async 'limits of nothing and of everything mean what they say'(t) {
    const runtime = await t.runtime({ workers: 1 });
    await runtime.run('noop');
    equal(await runtime.run('square', 2, { queueTtlMs: 0 }), 4);
    equal(await runtime.run('square', 2, { timeoutMs: Infinity, queueTtlMs: 1e300 }), 4);
    await refused(runtime.run('ignoreAbort', undefined, { timeoutMs: 0 }), 'ERR_TIMEOUT');
    equal(await runtime.run('square', 3), 9);
  },

  async 'a worker that is killed before it is ready loses no task'(t) {
    const runtime = await t.runtime({ worker: t.workers.late, workers: 1 });
    const task = runtime.run('square', 5);
    equal([runtime.killWorker(0), runtime.killWorker(7), runtime.killWorker(0.5)], [true, false, false]);
    equal(await task, 25);
  },

  async 'a runtime that is closed while its workers boot finishes or rejects, as asked'(t) {
    const draining = await t.runtime({ worker: t.workers.late, workers: 1 });
    const last = draining.run('square', 5);
    const drained = draining.close({ drain: true });
    equal(await last, 25);
    await drained;
    const closing = await t.runtime({ worker: t.workers.late, workers: 1 });
    const cut = refused(closing.run('square', 5), 'ERR_CLOSED');
    await Promise.all([closing.close(), closing.close({ drain: true }), cut]);
    await refused(closing.run('square', 5), 'ERR_CLOSED');
  },
};
