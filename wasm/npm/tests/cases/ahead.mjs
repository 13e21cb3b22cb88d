import { equal, gate, ok, refused, until } from './check.mjs';

/** The most that the option allows: tasks are given ahead however slow the machine is. */
const AHEAD_MS = 1_000;

/** The pool has measured that tasks of this name are short. */
async function measured(runtime, task) {
  await Promise.all(Array.from({ length: 200 }, () => runtime.run(task)));
}

export default {
  async 'short tasks are given ahead, and each gives its own result'(t) {
    const runtime = await t.runtime({ prefetchMs: AHEAD_MS });
    let ahead = 0;
    const results = await Promise.all(
      Array.from({ length: 3_000 }, async (_, n) => {
        const result = await runtime.run('square', n);
        ahead = Math.max(ahead, runtime.stats().prefetched);
        return result;
      }),
    );
    // How many depends on how long the machine takes for one; without giving ahead it is none.
    ok(ahead > 2, `several tasks at a worker at a time, not ${ahead}`);
    equal(results, Array.from({ length: 3_000 }, (_, n) => n * n));
    equal([runtime.stats().completed, runtime.stats().prefetched], [3_000, 0]);
  },

  async 'with prefetchMs of 0 each task waits for its turn on the page'(t) {
    const runtime = await t.runtime({ prefetchMs: 0 });
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        await runtime.run('square', n);
        equal(runtime.stats().prefetched, 0);
      }),
    );
  },

  async 'what waits behind a task that turns out to be long moves to a worker that has nothing to do'(t) {
    const runtime = await t.runtime({ workers: 2, prefetchMs: AHEAD_MS });
    await measured(runtime, 'mayHold');
    const door = gate();
    const long = runtime.run('mayHold', door.name);
    await Promise.all(Array.from({ length: 100 }, () => runtime.run('mayHold')));
    ok(runtime.stats().takenBack > 0, 'tasks taken back');
    door.open();
    equal(await long, 'through');
    door.close();
  },

  async 'a task that never ends takes none with it that was given to its worker before or after it'(t) {
    const runtime = await t.runtime({ workers: 1, leaseMs: 1_000, abortGraceMs: 50, prefetchMs: AHEAD_MS });
    await measured(runtime, 'mayHang');
    const before = Array.from({ length: 20 }, () => runtime.run('mayHang'));
    const endless = refused(runtime.run('mayHang', true, { timeoutMs: 100 }), 'ERR_TIMEOUT');
    const after = Array.from({ length: 20 }, () => runtime.run('mayHang'));
    equal(new Set(await Promise.all([...before, ...after])), new Set(['ended']));
    await endless;
  },

  async 'an answer on which a time-out depends does not wait for what the worker does next'(t) {
    const runtime = await t.runtime({ workers: 1, prefetchMs: AHEAD_MS });
    await measured(runtime, 'mayHang');
    const first = [runtime.run('mayHang', false, { timeoutMs: 20_000 }), runtime.run('mayHang', false, { timeoutMs: 20_000 })];
    const endless = refused(runtime.run('mayHang', true), 'ERR_CLOSED');
    equal(await Promise.all(first), ['ended', 'ended']);
    await runtime.close();
    await endless;
  },

  async 'tasks that were given ahead can be aborted, and never run'(t) {
    const runtime = await t.runtime({ workers: 1, prefetchMs: AHEAD_MS });
    await measured(runtime, 'mayHold');
    const door = gate();
    const holding = runtime.run('mayHold', door.name);
    const controller = new AbortController();
    let ran = 0;
    const aborted = Array.from({ length: 20 }, () =>
      runtime.run('mayHold', undefined, { signal: controller.signal, onProgress: () => (ran += 1) }).catch((reason) => reason),
    );
    ok(runtime.stats().prefetched > 0, 'tasks given ahead');
    controller.abort('not needed');
    equal(new Set(await Promise.all(aborted)), new Set(['not needed']));
    door.open();
    equal(await holding, 'through');
    equal([await runtime.run('mayHold'), ran], ['at once', 0]);
    await until(() => runtime.stats().running === 0, 'nothing is left at the worker');
    door.close();
  },

  async 'a message with several tasks that can not be deserialised costs none of them its result'(t) {
    const started = [];
    const runtime = await t.runtime({
      workers: 1,
      prefetchMs: AHEAD_MS,
      worker: () => {
        const worker = t.start('entry');
        started.push(worker);
        return worker;
      },
    });
    await measured(runtime, 'mayHold');
    const door = gate();
    const holding = runtime.run('mayHold', door.name);
    const others = Array.from({ length: 20 }, () => runtime.run('mayHold'));
    ok(runtime.stats().prefetched > 0, 'tasks given ahead');
    t.garble(started[0]);
    door.open();
    equal([await holding, ...new Set(await Promise.all(others))], ['through', 'at once']);
    door.close();
  },
};
