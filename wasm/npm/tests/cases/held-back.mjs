// What keeps queued tasks from free workers: limits of their type, and pauses. Which failures are tried again.
import { equal, gate, occupied, ok, refused, rejection, until } from './check.mjs';

const told = (runtime, ...names) => {
  const events = [];
  for (const name of names) {
    runtime.on(name, () => events.push(name));
  }
  return events;
};

export default {
  async 'no more tasks of a type run than may, and others go by'(t) {
    const runtime = await t.runtime({ workers: 3, types: { hold: { maxConcurrent: 1 } } });
    await runtime.ready();
    const door = gate();
    const first = await occupied(runtime, door);
    const second = runtime.run('hold', door.name);
    equal(await runtime.run('square', 3), 9, 'no head-of-line blocking');
    const { queued, heldBack, running, paused } = runtime.stats();
    equal([queued, heldBack, running, paused], [1, 1, 1, false]);
    door.open();
    equal(await Promise.all([first.done, second]), ['through', 'through']);
    equal(runtime.stats().heldBack, 0);
    door.close();
  },

  async 'a limit holds for whatever a single call says besides'(t) {
    const runtime = await t.runtime({ workers: 4, types: { hold: { maxConcurrent: 2, priority: 3 } } });
    await runtime.ready();
    const door = gate();
    const first = await occupied(runtime, door, { priority: 9 });
    const second = await occupied(runtime, door, { retries: 1 });
    const controller = new AbortController();
    const third = rejection(runtime.run('hold', door.name, { signal: controller.signal }));
    await refused(runtime.run('hold', door.name, { queueTtlMs: 1 }), 'ERR_QUEUE_EXPIRED');
    controller.abort('enough');
    equal(await third, 'enough');
    door.open();
    equal(await Promise.all([first.done, second.done]), ['through', 'through']);
    door.close();
  },

  async 'settings of types are checked'(t) {
    for (const maxConcurrent of [0, -1, 1.5, '2', NaN]) {
      const error = await refused(t.create({ types: { hold: { maxConcurrent } } }), 'ERR_INVALID_OPTION');
      ok(error.message.includes('types.hold.maxConcurrent'), `the option in "${error.message}"`);
    }
    const error = await refused(t.create({ retry: { shouldRetry: 'never' } }), 'ERR_INVALID_OPTION');
    ok(error.message.includes('retry.shouldRetry'), `the option in "${error.message}"`);
  },

  async 'a paused runtime finishes what runs and starts nothing until it is resumed'(t) {
    const runtime = await t.runtime({ workers: 2 });
    await runtime.ready();
    const events = told(runtime, 'pause', 'resume');
    const door = gate();
    const running = await occupied(runtime, door);
    runtime.pause();
    runtime.pause();
    let idle = false;
    runtime.idle().then(() => (idle = true));
    const waiting = runtime.run('square', 4);
    door.open();
    equal(await running.done, 'through');
    const { queued, heldBack, paused, workersBusy } = runtime.stats();
    equal([queued, heldBack, paused, workersBusy, idle], [1, 1, true, 0, false]);
    await refused(runtime.run('square', 5, { queueTtlMs: 5 }), 'ERR_QUEUE_EXPIRED');
    runtime.resume();
    runtime.resume();
    equal(await waiting, 16);
    await until(() => idle, 'nothing is left');
    equal([events, runtime.stats().paused], [['pause', 'resume'], false]);
  },

  async 'what was given to a worker ahead waits for the end of the pause too'(t) {
    const runtime = await t.runtime({ workers: 1, prefetchMs: 1_000 });
    await runtime.run('square', 1);
    await runtime.run('square', 1);
    const many = Array.from({ length: 200 }, (_, n) => runtime.run('square', n));
    runtime.pause();
    await until(() => runtime.stats().prefetched === 0 && runtime.stats().running === 0, 'nothing is at the worker');
    const before = runtime.stats().completed;
    equal(await runtime.run('square', 9, { queueTtlMs: 20 }).catch(({ code }) => code), 'ERR_QUEUE_EXPIRED');
    equal(runtime.stats().completed, before);
    runtime.resume();
    equal((await Promise.all(many)).length, 200);
  },

  async 'draining ends a pause, and closing needs no end of it'(t) {
    const drained = await t.runtime({ workers: 1 });
    const events = told(drained, 'pause', 'resume', 'close');
    drained.pause();
    const last = drained.run('square', 3);
    await drained.close({ drain: true });
    equal([await last, events], [9, ['pause', 'resume', 'close']]);
    drained.pause();
    equal(drained.stats().paused, false);

    const closed = await t.runtime({ workers: 1 });
    closed.pause();
    const lost = refused(closed.run('square', 3), 'ERR_CLOSED');
    await closed.close();
    await lost;
  },

  async 'only errors that are worth it are tried again'(t) {
    const judged = [];
    const shouldRetry = (error, task) => {
      judged.push([task, error.message]);
      return error.message !== 'attempt 2';
    };
    const runtime = await t.runtime({ retry: { baseMs: 0, shouldRetry } });
    equal((await rejection(runtime.run('flaky', 9, { retries: 5 }))).message, 'attempt 2');
    equal(judged, [['flaky', 'attempt 1'], ['flaky', 'attempt 2']]);
    equal((await rejection(runtime.run('flaky', 9))).message, 'attempt 1');
    equal(judged.length, 2, 'without further attempts nobody is asked');
    const { failed, retried } = runtime.stats();
    equal([failed, retried], [2, 1]);
  },

  async 'who throws while judging an error ends the task with that'(t) {
    const runtime = await t.runtime({
      retry: {
        shouldRetry() {
          throw new Error('at a loss');
        },
      },
    });
    equal((await rejection(runtime.run('flaky', 9, { retries: 5 }))).message, 'at a loss');
    equal(runtime.stats().retried, 0);
  },

  async 'strategies as objects: built-in ones by their name, your own asked for each task'(t) {
    const { LeastLoadedStrategy, ConsistentHashStrategy } = t.quillwork;
    for (const binding of [new LeastLoadedStrategy(), { strategy: new ConsistentHashStrategy(), stealAfterMs: 1_000 }]) {
      const runtime = await t.runtime({ binding });
      equal(await runtime.run('square', 3, { key: 'a' }), 9);
    }
    const asked = [];
    const always = {
      name: 'always the last',
      last: 1,
      selectWorker(task, workers) {
        asked.push([task.taskType, task.priority, workers.map(({ id, maxCapacity }) => [id, maxCapacity])]);
        return workers.find(({ id }) => id === this.last);
      },
    };
    const runtime = await t.runtime({ binding: { strategy: always, stealAfterMs: Infinity } });
    await runtime.ready();
    equal(await runtime.run('square', 3, { priority: 7 }), 9);
    equal(await runtime.run('square', 4), 16);
    equal(runtime.stats().workers.map(({ completed }) => completed), [0, 2]);
    equal(asked[0], ['square', 7, [[0, 1], [1, 1]]]);
    const error = await refused(t.create({ binding: new LeastLoadedStrategy({ seed: 1 }) }), 'ERR_INVALID_OPTION');
    ok(error.message.includes('seed') && error.message.includes('choose'), `what to do in "${error.message}"`);
    await refused(t.create({ binding: { strategy: { name: 'nothing' } } }), 'ERR_INVALID_OPTION');
  },
};
