import { equal, gate, occupied, ok, refused, rejection, until } from './check.mjs';

/** Resolves with the next event of this name. */
const next = (runtime, name) =>
  new Promise((resolve) => {
    const off = runtime.on(name, (event) => {
      off();
      resolve(event);
    });
  });

const states = (runtime) => runtime.stats().workers.map(({ state }) => state);

export default {
  async 'an elastic pool grows with its queue and shrinks when it is idle'(t) {
    const runtime = await t.runtime({ workers: { min: 1, max: 3, idleAfterMs: 50 } });
    const lost = [];
    runtime.on('workerlost', (event) => lost.push(event));
    const grows = next(runtime, 'resize');
    const [door, rest] = [gate(), gate()];
    const held = [await occupied(runtime, door), occupied(runtime, rest), occupied(runtime, rest)];
    const growth = await grows;
    equal([growth.from, growth.to > 1], [1, true]);
    ok(['queue', 'saturated'].includes(growth.reason), `a reason, not ${growth.reason}`);
    const all = await Promise.all(held);
    equal(states(runtime).filter((state) => state === 'busy').length, 3);
    const shrinks = next(runtime, 'resize');
    door.open();
    rest.open();
    await Promise.all(all.map(({ done }) => done));
    equal((await shrinks).reason, 'idle');
    await until(() => states(runtime).filter((state) => state === 'retired').length === 2, () => `one worker is left, they are ${states(runtime)}`);
    equal(lost, [], 'a worker that is not needed is not lost');
    equal(await runtime.run('square', 5), 25);
    door.close();
    rest.close();
  },

  async 'a worker runs as many tasks at a time as its concurrency says'(t) {
    const runtime = await t.runtime({ workers: 1, concurrency: 3 });
    const door = gate();
    const held = await Promise.all([1, 2, 3].map(() => occupied(runtime, door)));
    let fourth = false;
    const waits = runtime.run('hold', door.name, { onProgress: () => (fourth = true) });
    const { workers, queued, running } = runtime.stats();
    equal([workers[0].load, workers[0].capacity, workers[0].held, queued, running], [3, 3, 3, 1, 3]);
    equal(fourth, false);
    door.open();
    equal(await Promise.all([...held.map(({ done }) => done), waits]), Array(4).fill('through'));
    door.close();
  },

  async 'a task of high complexity takes up the room of several'(t) {
    const runtime = await t.runtime({ workers: 1, concurrency: 3 });
    const door = gate();
    const small = await occupied(runtime, door);
    let large = false;
    const second = runtime.run('hold', door.name, { complexity: 3, onProgress: () => (large = true) });
    equal([runtime.stats().queued, large], [1, false]);
    door.open();
    equal(await Promise.all([small.done, second]), ['through', 'through']);
    const error = await refused(runtime.run('square', 2, { complexity: 4 }), 'ERR_TOO_LARGE');
    ok(error.message.includes('concurrency') && error.message.includes('4'), `what to raise in "${error.message}"`);
    equal(await runtime.run('square', 3), 9);
    door.close();
  },

  async 'an error that belongs to no promise fails the tasks that run beside each other'(t) {
    const runtime = await t.runtime({ workers: 1, concurrency: 2 });
    const door = gate();
    const beside = await occupied(runtime, door);
    const [one, two] = await Promise.all([rejection(beside.done), rejection(runtime.run('throwInTimer'))]);
    equal([one.message, two.message], ['in a timer', 'in a timer']);
    equal(await runtime.run('square', 2), 4);
    equal(runtime.stats().workersLost, 0);
    door.close();
  },

  async 'a task that fails is tried again, and tells of it'(t) {
    const runtime = await t.runtime({ retry: { baseMs: 1 } });
    const told = [];
    runtime.on('retry', ({ task, error, afterMs }) => told.push([task, error.message, afterMs <= 2]));
    const attempts = [];
    equal(await runtime.run('flaky', 3, { retries: 2, onProgress: (attempt) => attempts.push(attempt) }), 3);
    equal(attempts, [1, 2, 3]);
    equal(told, [
      ['flaky', 'attempt 1', true],
      ['flaky', 'attempt 2', true],
    ]);
    const { retried, completed, failed } = runtime.stats();
    equal([retried, completed, failed], [2, 1, 0]);
  },

  async 'retries end with the last error, and never run what must not run twice'(t) {
    const runtime = await t.runtime({ retry: { baseMs: 0, jitter: 'none' } });
    equal((await rejection(runtime.run('flaky', 9, { retries: 2 }))).message, 'attempt 3');
    equal((await rejection(runtime.run('flaky', 9, { retries: 2, redeliver: false }))).message, 'attempt 1');
    const buffer = new ArrayBuffer(8);
    equal((await rejection(runtime.run('throwValue', buffer, { retries: 2, transfer: [buffer] }))).byteLength, 8);
    await refused(runtime.run('nonsense', 1, { retries: 1_000 }), 'ERR_UNKNOWN_TASK');
    await refused(runtime.run('echo', () => 1, { retries: 1_000 }), 'ERR_NOT_CLONEABLE');
    equal(await runtime.run('square', 3), 9);
  },

  async 'a task that waits for its next attempt can be aborted'(t) {
    const runtime = await t.runtime({ workers: 1, retry: { baseMs: 60_000, jitter: 'none' } });
    const controller = new AbortController();
    const task = rejection(runtime.run('flaky', 2, { retries: 1, signal: controller.signal }));
    await next(runtime, 'retry');
    equal(runtime.stats().delayed, 1);
    controller.abort('enough');
    equal(await task, 'enough');
    equal(runtime.stats().delayed, 0);
  },

  async 'what is said of a type holds for its tasks, unless one says otherwise'(t) {
    const runtime = await t.runtime({
      workers: 1,
      retry: { baseMs: 0 },
      types: { flaky: { retries: 2 }, hang: { timeoutMs: 20 }, square: { capabilities: ['gpu'] } },
      abortGraceMs: 20,
    });
    equal(await runtime.run('flaky', 3), 3);
    equal((await rejection(runtime.run('flaky', 2, { retries: 0 }))).message, 'attempt 1');
    const error = await refused(runtime.run('hang'), 'ERR_TIMEOUT');
    ok(error.message.includes('20'), 'the limit of the type');
    equal(await runtime.run('square', 2), 4);
    const { types } = runtime.stats();
    equal(
      types.map(({ task, executions, failures }) => [task, executions, failures]),
      [['flaky', 4, 3], ['hang', 1, 1], ['square', 1, 0]],
    );
    ok(types[0].runMs.p95 !== null, 'run times by type');
  },

  async 'a full queue drops the oldest, or what is least urgent, as told'(t) {
    for (const [overflow, expected] of [['drop-oldest', ['ERR_DROPPED', 4, 9]], ['drop-lowest', [1, 'ERR_DROPPED', 9]]]) {
      const runtime = await t.runtime({ workers: 1, maxQueue: 2, overflow });
      const door = gate();
      const first = await occupied(runtime, door);
      const priorities = [10, 0, 5];
      const tasks = priorities.map((priority, n) => runtime.run('square', n + 1, { priority }).catch(({ code }) => code));
      door.open();
      equal(await first.done, 'through');
      equal(await Promise.all(tasks), expected, overflow);
      equal(runtime.stats().dropped, 1);
      door.close();
    }
  },

  async 'with overflow wait, tasks wait outside a full queue until there is room'(t) {
    const runtime = await t.runtime({ workers: 1, maxQueue: 1, overflow: 'wait', maxWaiting: 2 });
    const full = next(runtime, 'saturated');
    const door = gate();
    const first = await occupied(runtime, door);
    const tasks = [1, 2, 3].map((n) => runtime.run('square', n));
    equal(await full, { queued: 1 });
    const error = await refused(runtime.run('square', 4), 'ERR_QUEUE_FULL');
    ok(error.message.includes('maxWaiting'), `the option to raise in "${error.message}"`);
    equal([runtime.stats().queued, runtime.stats().parked], [3, 2]);
    const empty = next(runtime, 'drained');
    door.open();
    equal(await Promise.all([first.done, ...tasks]), ['through', 1, 4, 9]);
    equal(await empty, { queued: 0 });
    door.close();
  },

  async 'an abort handler lets the worker live, even where the task never ends'(t) {
    const runtime = await t.runtime({ workers: 1, abortGraceMs: 10_000 });
    for (const fail of [false, true]) {
      const controller = new AbortController();
      const task = runtime.run('letsGo', fail, { signal: controller.signal, onProgress: () => controller.abort('stop') });
      equal(await rejection(task), 'stop');
      equal(await runtime.run('square', 2), 4, 'by the same worker');
    }
    const { workers, workersOverdue } = runtime.stats();
    equal([workers[0].generation, workersOverdue], [1, 0]);
  },

  async 'ready waits for the workers, and says why there will be none'(t) {
    const runtime = await t.runtime({ workers: 2, worker: t.workers.late });
    await runtime.ready();
    equal(states(runtime), ['ready', 'ready']);
    await runtime.ready();
    const missing = await t.runtime({ workers: 1, worker: t.workers.missing });
    await refused(missing.ready(), 'ERR_WORKER_LOAD');
    const never = await t.runtime({ workers: 1, worker: t.workers.never });
    const waiting = refused(never.ready(), 'ERR_CLOSED');
    await never.close();
    await waiting;
    await refused(never.ready(), 'ERR_CLOSED');
  },

  async 'a new worker is warmed up before it is given a task'(t) {
    const runtime = await t.runtime({ workers: 1, warmUp: { task: 'warm' } });
    equal(await runtime.run('isWarm'), true);
    await runtime.ready();
    runtime.killWorker(0);
    equal(await runtime.run('isWarm'), true, 'its replacement too');
    equal(runtime.stats().completed, 2, 'warming up is no task of the app');
    for (const warmUp of [{ task: 'warm', input: true }, { task: 'nonsense' }, { task: 'warm', input: () => 1 }]) {
      const cold = await t.runtime({ workers: 1, warmUp });
      const error = await refused(cold.ready(), 'ERR_WORKER_LOAD');
      ok(error.message.includes(`"${warmUp.task}"`), `the task in "${error.message}"`);
      await refused(cold.run('square', 1), 'ERR_WORKER_LOAD');
    }
  },

  async 'idle waits until nothing is left to do'(t) {
    const runtime = await t.runtime({ workers: 1 });
    await runtime.idle();
    let settled = 0;
    const tasks = [1, 2, 3].map((n) => runtime.run('square', n).then(() => (settled += 1)));
    await runtime.idle();
    await Promise.all(tasks);
    equal([settled, runtime.stats().queued, runtime.stats().running], [3, 0, 0]);
  },

  async 'a runtime can be disposed of without waiting'(t) {
    const runtime = await t.create({});
    const pending = rejection(runtime.run('square', 1));
    runtime[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
    equal((await pending).code, 'ERR_CLOSED');
  },

  async 'memory that runs short sheds what is least urgent, and says so'(t) {
    let memoryBytes = 0;
    const runtime = await t.runtime({ workers: 1, budgets: { memoryBytes: 2 ** 20, read: () => ({ memoryBytes }) } });
    const door = gate();
    const first = await occupied(runtime, door, { priority: 10 });
    const measures = [];
    const sheds = new Promise((resolve) =>
      runtime.on('pressure', (event) => {
        measures.push(`${event.measure} ${event.active} ${event.cause}`);
        if (event.measure === 'shed' && event.active) {
          resolve(event);
        }
      }),
    );
    const waiting = refused(runtime.run('square', 2, { priority: 0 }), 'ERR_SHED');
    const urgent = runtime.run('square', 3, { priority: 8 });
    memoryBytes = 2 ** 20;
    equal((await sheds).level >= 1, true);
    equal(measures.slice(0, 3), ['warn true memory', 'shrink-caches true memory', 'stop-growth true memory']);
    const error = await waiting;
    ok(error.message.includes('memory'), `why in "${error.message}"`);
    door.open();
    equal([await first.done, await urgent], ['through', 9], 'urgent work is never shed');
    door.close();
  },

  async 'what is read of this machine is fed without a fault'(t) {
    const runtime = await t.runtime({ workers: 1, budgets: {} });
    await next(runtime, 'stats');
    await next(runtime, 'stats');
    equal(await runtime.run('square', 2), 4);
  },

  async 'a worker makes room for another one after so many tasks, and no task is lost or run twice'(t) {
    const runtime = await t.runtime({ workers: 2, recycle: { afterTasks: 20 } });
    const recycled = [];
    const lost = [];
    runtime.on('recycle', (event) => recycled.push(event));
    runtime.on('workerlost', (event) => lost.push(event));
    const results = await runtime.map('square', Array.from({ length: 200 }, (_, n) => n));
    equal(results, Array.from({ length: 200 }, (_, n) => n * n));
    await until(() => recycled.length >= 3, 'workers were recycled');
    const stats = runtime.stats();
    equal([stats.completed, stats.redelivered, stats.workersLost, lost.length], [200, 0, 0, 0]);
    equal(stats.workersRecycled, recycled.length);
  },

  async 'a worker whose heap has grown too large makes room for another one, where its engine tells'(t) {
    const runtime = await t.runtime({ workers: 1, recycle: { aboveHeapBytes: 2 ** 20 } });
    equal(await runtime.map('square', Array.from({ length: 100 }, (_, n) => n)).then(({ length }) => length), 100);
    if (t.environment === 'node') {
      await until(() => runtime.stats().workersRecycled > 0, 'a heap of a mebibyte is soon there');
    }
    equal(await runtime.run('square', 3), 9);
    equal(runtime.stats().workersLost, 0);
  },
};
