import { equal, ok, refused, rejection, until } from './check.mjs';

/** Starts a task that never ends by itself, and waits until it runs. */
async function hanging(runtime, options = {}) {
  const task = {};
  await new Promise((running) => {
    task.result = runtime.run('hang', undefined, { ...options, onProgress: running });
  });
  return task;
}

export default {
  async 'a task whose worker is terminated in mid-task runs again on another'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const lost = new Promise((resolve) => runtime.on('workerlost', resolve));
    let kills = 0;
    const seen = [];
    const result = await runtime.run('progress', 3, {
      onProgress: (done) => {
        seen.push(done);
        if (kills === 0) {
          kills += 1;
          ok(runtime.killWorker(0), 'a worker to kill');
        }
      },
    });
    equal(result, 3);
    equal(seen, [1, 1, 2, 3], 'progress: what the killed worker still said is not heard');
    const event = await lost;
    equal([event.worker, event.generation, event.reason], [0, 1, 'failed']);
    const stats = runtime.stats();
    equal([stats.redelivered, stats.workersLost, stats.completed], [1, 1, 1]);
  },

  async 'a task that kills its workers is given up after its redeliveries'(t) {
    const runtime = await t.runtime({ workers: 2, maxRedeliveries: 2 });
    let starts = 0;
    const poison = runtime.run('hang', undefined, {
      onProgress: () => {
        starts += 1;
        const busy = runtime.stats().workers.find((worker) => worker.running);
        runtime.killWorker(busy.id);
      },
    });
    const error = await refused(poison, 'ERR_WORKER_LOST');
    equal(starts, 3, 'executions');
    ok(error.message.includes('"hang"') && error.message.includes('3 times'), `task and count in "${error.message}"`);
    ok(error.cause !== undefined, 'what became of the worker');
    equal(await runtime.run('square', 6), 36);
  },

  async 'tasks that must not run twice, or whose input was moved, are not redelivered'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const once = await hanging(runtime, { redeliver: false });
    const ended = rejection(once.result);
    runtime.killWorker(0);
    equal((await ended).code, 'ERR_WORKER_LOST');

    const buffer = new ArrayBuffer(8);
    const moved = {};
    await new Promise((running) => {
      moved.result = runtime.run('hang', buffer, { transfer: [buffer], onProgress: running });
    });
    const movedEnded = rejection(moved.result);
    runtime.killWorker(0);
    const error = await movedEnded;
    equal(error.code, 'ERR_WORKER_LOST');
    ok(error.message.includes('transferred'), 'the reason');
    equal(runtime.stats().redelivered, 0);
  },

  async 'a silent worker is given up after its lease'(t) {
    const runtime = await t.runtime({ workers: 1, leaseMs: 1_000, maxRedeliveries: 0 });
    const lost = new Promise((resolve) => runtime.on('workerlost', resolve));
    const error = await refused(runtime.run('hang'), 'ERR_WORKER_LOST');
    equal((await lost).reason, 'silent');
    ok(error.cause.message.includes('leaseMs'), 'the option to raise');
    equal(await runtime.run('square', 2), 4);
  },

  async 'progress of a busy task and pings of an idle worker renew the lease'(t) {
    const runtime = await t.runtime({ workers: 1, leaseMs: 2_000 });
    await runtime.run('square', 1);
    equal(await runtime.run('busyAndAlive', { millis: 3_000, every: 50 }), 'alive');
    const longEnough = performance.now() + 3_000;
    await until(() => performance.now() > longEnough, 'idle for longer than the lease');
    equal(runtime.stats().workersLost, 0);
    equal(runtime.stats().workers[0].generation, 1);
  },

  async 'a worker whose address is wrong is told by its address, and nothing hangs'(t) {
    const runtime = await t.runtime({ worker: t.workers.missing, workers: 2 });
    const errors = await Promise.all([1, 2, 3].map((n) => refused(runtime.run('square', n), 'ERR_WORKER_LOAD')));
    for (const error of errors) {
      ok(error.message.includes('missing.mjs') || t.environment !== 'node', `the address in "${error.message}"`);
      ok(error.message.includes('worker'), 'what to look at');
    }
    await refused(runtime.run('square', 4), 'ERR_WORKER_LOAD');
    const { workersLost } = runtime.stats();
    ok(workersLost >= 6 && workersLost <= 8, `a bounded number of tries, not ${workersLost}`);
    await runtime.close();
  },

  async 'an address that is given as such is in the message'(t) {
    const runtime = await t.runtime({ worker: t.workers.missingUrl, workers: 1 });
    const error = await refused(runtime.run('square', 1), 'ERR_WORKER_LOAD');
    ok(error.message.includes('missing.mjs'), `the address in "${error.message}"`);
    await runtime.close();
  },

  async 'so are modules that do not parse, throw, or never call expose()'(t) {
    for (const name of ['syntax', 'throws']) {
      const runtime = await t.runtime({ worker: t.workers[name], workers: 1 });
      const error = await refused(runtime.run('square', 1), 'ERR_WORKER_LOAD');
      ok(name !== 'throws' || error.message.includes('thrown while loading'), `the cause in "${error.message}"`);
      await runtime.close();
    }
    const silent = await t.runtime({ worker: t.workers.never, workers: 1, bootTimeoutMs: 100 });
    const error = await refused(silent.run('square', 1), 'ERR_WORKER_LOAD');
    ok(error.message.includes('expose()') && error.message.includes('bootTimeoutMs'), `what to do in "${error.message}"`);
    await silent.close();
  },

  async 'a worker function that throws is told with what it threw'(t) {
    const runtime = await t.runtime({
      workers: 1,
      worker: () => {
        throw new TypeError('no workers today');
      },
    });
    const error = await refused(runtime.run('square', 1), 'ERR_WORKER_LOAD');
    ok(error.message.includes('no workers today'), `the cause in "${error.message}"`);
    await runtime.close();
  },

  async 'a pool whose workers could not start recovers when they can'(t) {
    let tries = 0;
    const runtime = await t.runtime({
      workers: 1,
      worker: () => {
        tries += 1;
        if (tries <= 2) {
          throw new Error('not yet');
        }
        return t.start('entry');
      },
    });
    equal(await runtime.run('square', 7), 49);
    equal(tries, 3);
  },

  async 'a message that can not be deserialised ends the task and replaces the worker'(t) {
    const started = [];
    const runtime = await t.runtime({
      workers: 1,
      worker: () => {
        const worker = t.start('entry');
        started.push(worker);
        return worker;
      },
    });
    const task = await hanging(runtime);
    const ended = rejection(task.result);
    const next = runtime.run('square', 2, { redeliver: false });
    t.garble(started[0]);
    equal((await ended).code, 'ERR_NOT_CLONEABLE');
    equal(await next, 4, 'the task behind it');
    equal([started.length, runtime.stats().redelivered], [2, 0]);
  },

  async "leaves the app's own messages alone"(t) {
    const started = [];
    const runtime = await t.runtime({
      workers: 1,
      worker: () => {
        const worker = t.start('entry');
        started.push(worker);
        return worker;
      },
    });
    await runtime.run('square', 1);
    started[0].postMessage({ hello: 'from the app' }, []);
    started[0].postMessage([1, 2, 3], []);
    equal(await runtime.run('square', 2), 4);
    equal(runtime.stats().workersLost, 0);
  },
};
