import { equal, gate, occupied, ok, overhear, refused, rejection, until } from './check.mjs';

export default {
  async 'an aborted signal submits nothing'(t) {
    const runtime = await t.runtime();
    const reason = new Error('changed my mind');
    equal(await rejection(runtime.run('square', 1, { signal: AbortSignal.abort(reason) })), reason);
    equal(runtime.stats().aborted, 0);
  },

  async 'abort of a queued task rejects with the reason at once, and it never runs'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const door = gate();
    const first = await occupied(runtime, door);
    const controller = new AbortController();
    let ran = false;
    const second = runtime.run('progress', 1, { signal: controller.signal, onProgress: () => (ran = true) });
    const reason = { why: 'not needed' };
    controller.abort(reason);
    ok((await rejection(second)) === reason, 'the very reason');
    equal(runtime.stats().queued, 0);
    door.open();
    await first.done;
    await runtime.run('square', 2);
    equal(ran, false);
    door.close();
  },

  async 'abort of a running task reaches its signal, and the worker goes on'(t) {
    const runtime = await t.runtime({ workers: 1, abortGraceMs: 60_000 });
    let heard;
    const reason = new Promise((resolve) => (heard = resolve));
    await overhear('reasons', heard);
    const controller = new AbortController();
    const task = runtime.run('reason', undefined, { signal: controller.signal, onProgress: () => controller.abort(new RangeError('too far')) });
    const error = await rejection(task);
    equal([error.name, error.message], ['RangeError', 'too far']);
    equal(await reason, { name: 'RangeError', message: 'too far' });
    equal(await runtime.run('square', 2), 4);
    equal(runtime.stats().workers[0].generation, 1, 'generation of the worker');
  },

  async 'a task that ignores its abort loses its worker, and the next one runs on another'(t) {
    const runtime = await t.runtime({ workers: 1, abortGraceMs: 50 });
    const lost = new Promise((resolve) => runtime.on('workerlost', resolve));
    const controller = new AbortController();
    const error = await rejection(
      runtime.run('ignoreAbort', undefined, { signal: controller.signal, onProgress: () => controller.abort('stop') }),
    );
    equal(error, 'stop');
    equal(await runtime.run('square', 2), 4);
    equal((await lost).reason, 'ignored-abort');
    equal(runtime.stats().workers[0].generation, 2, 'generation of the worker');
  },

  async 'a loop that looks whether it is aborted stops, and keeps its worker; it need not let go of it where memory can be shared'(t) {
    const runtime = await t.runtime({ workers: 1, abortGraceMs: 30_000 });
    const shares = t.environment === 'node' || globalThis.crossOriginIsolated;
    for (const hears of shares ? [true, false] : [true]) {
      const controller = new AbortController();
      const task = runtime.run('untilAborted', hears, { signal: controller.signal, onProgress: () => controller.abort('enough') });
      equal(await rejection(task), 'enough');
      await refused(runtime.run('untilAborted', hears, { timeoutMs: 30 }), 'ERR_TIMEOUT');
      equal(await runtime.run('square', 3), 9);
    }
    equal(runtime.stats().workers[0].generation, 1, 'generation of the worker');
  },

  async 'a time-out ends a task that waits, with its signal, and one that hangs, with its worker'(t) {
    const patient = await t.runtime({ workers: 1, abortGraceMs: 60_000 });
    let heard;
    const reason = new Promise((resolve) => (heard = resolve));
    await overhear('reasons', heard);
    const error = await refused(patient.run('reason', undefined, { timeoutMs: 50 }), 'ERR_TIMEOUT');
    ok(error.message.includes('"reason"') && error.message.includes('50'), 'task and limit');
    equal((await reason).code, 'ERR_TIMEOUT');
    equal(await patient.run('square', 2), 4);
    const hurried = await t.runtime({ workers: 1, abortGraceMs: 50 });
    await refused(hurried.run('hang', undefined, { timeoutMs: 50 }), 'ERR_TIMEOUT');
    equal(await hurried.run('square', 2), 4);
    const counts = (runtime) => [runtime.stats().timedOut, runtime.stats().workers[0].generation];
    equal([counts(patient), counts(hurried)], [[1, 1], [1, 2]], 'time-outs and generations');
  },

  async 'a time-out counts from the start of execution'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const [, second] = await Promise.all([runtime.run('busy', 1_500), runtime.run('square', 2, { timeoutMs: 1_200 })]);
    equal(second, 4);
  },

  async 'a task that waits for longer than its queueTtlMs expires'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const door = gate();
    const first = await occupied(runtime, door);
    const error = await refused(runtime.run('square', 1, { queueTtlMs: 20 }), 'ERR_QUEUE_EXPIRED');
    ok(error.message.includes('20'), 'the limit');
    door.open();
    equal(await first.done, 'through');
    door.close();
  },

  async 'a full queue refuses, and takes tasks again once there is room'(t) {
    const runtime = await t.runtime({ workers: 1, maxQueue: 1 });
    const door = gate();
    const first = await occupied(runtime, door);
    const second = runtime.run('square', 2);
    const error = await refused(runtime.run('square', 3), 'ERR_QUEUE_FULL');
    ok(error.message.includes('maxQueue'), 'the option to raise');
    door.open();
    equal([await first.done, await second], ['through', 4]);
    equal(await runtime.run('square', 4), 16);
    door.close();
  },

  async 'options out of range are refused by name'(t) {
    const runtime = await t.runtime();
    for (const [name, value] of Object.entries({
      priority: 11,
      timeoutMs: -1,
      queueTtlMs: Number.NaN,
      complexity: 0,
      retries: -1,
      affinity: Array(9).fill(0),
      antiAffinity: [64],
      patienceMs: -1,
    })) {
      const error = await refused(runtime.run('square', 1, { [name]: value }), 'ERR_INVALID_OPTION');
      ok(error.message.includes(`\`${name}\``), `the option's name in "${error.message}"`);
    }
    for (const [name, options] of Object.entries({
      workers: { workers: 0 },
      'workers.min': { workers: { min: 0 } },
      'workers.max': { workers: { min: 3, max: 2 } },
      'workers.idleAfterMs': { workers: { idleAfterMs: 0 } },
      concurrency: { concurrency: 1_025 },
      maxQueue: { maxQueue: 1.5 },
      overflow: { overflow: 'explode' },
      maxWaiting: { maxWaiting: -1 },
      leaseMs: { leaseMs: 1 },
      bootTimeoutMs: { bootTimeoutMs: -1 },
      maxRedeliveries: { maxRedeliveries: -1 },
      ageingMs: { ageingMs: 0 },
      'retry.baseMs': { retry: { baseMs: Infinity } },
      'retry.maxMs': { retry: { baseMs: 10, maxMs: 5 } },
      'retry.factor': { retry: { factor: 0.5 } },
      'retry.jitter': { retry: { jitter: 'toString' } },
      'budgets.warn': { budgets: { warn: 0.9 } },
      'budgets.cpu': { budgets: { cpu: 0 } },
      'budgets.memoryBytes': { budgets: { memoryBytes: 5 } },
      binding: { binding: 'best' },
      'binding.fallback': { binding: { choose: () => 0, fallback: 'nobody' } },
      'binding.answerWithinMs': { binding: { choose: () => 0, answerWithinMs: 0 } },
      'binding.stealAfterMs': { binding: { strategy: 'random', stealAfterMs: -1 } },
      'offer(0).concurrency': { offer: () => ({ concurrency: 0 }) },
      'recycle.afterTasks': { recycle: { afterTasks: 0 } },
      'recycle.aboveHeapBytes': { recycle: { aboveHeapBytes: 5 } },
      'record.maxBytes': { record: { maxBytes: 10 } },
      'types.square.priority': { types: { square: { priority: 11 } } },
    })) {
      const error = await refused(t.create(options), 'ERR_INVALID_OPTION');
      ok(error.message.includes(`\`${name}\``), `the option's name in "${error.message}"`);
    }
    await refused(t.create({ worker: undefined }), 'ERR_INVALID_OPTION');
    equal(await runtime.run('square', 2), 4);
  },

  async 'close ends running and queued tasks, once, and later ones are refused'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const door = gate();
    const closed = new Promise((resolve) => runtime.on('close', () => resolve('closed')));
    const first = await occupied(runtime, door);
    const second = runtime.run('square', 1);
    const [one, two] = [rejection(first.done), rejection(second)];
    await Promise.all([runtime.close(), runtime.close({ drain: true })]);
    equal([(await one).code, (await two).code], ['ERR_CLOSED', 'ERR_CLOSED']);
    await refused(runtime.run('square', 1), 'ERR_CLOSED');
    equal(await closed, 'closed');
    equal(runtime.stats().closed, 2);
    await runtime.close();
    door.close();
  },

  async 'close ends a queue of any length'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const codes = Promise.all(Array.from({ length: 1_000 }, (_, n) => runtime.run('square', n).catch((error) => error.code)));
    await runtime.close();
    equal(new Set(await codes).has('ERR_CLOSED'), true);
    const { completed, closed } = runtime.stats();
    equal(completed + closed, 1_000);
  },

  async 'close with drain finishes what there is'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const results = [1, 2, 3].map((n) => runtime.run('square', n));
    const closing = runtime.close({ drain: true });
    await refused(runtime.run('square', 9), 'ERR_CLOSED');
    equal(await Promise.all(results), [1, 4, 9]);
    await closing;
  },

  async 'close cuts a draining close short'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const door = gate();
    const first = await occupied(runtime, door);
    const ended = rejection(first.done);
    const draining = runtime.close({ drain: true });
    await runtime.close();
    equal((await ended).code, 'ERR_CLOSED');
    await draining;
    door.close();
  },

  async 'a runtime can be disposed of, even before its workers are there'(t) {
    const runtime = await t.create({});
    const pending = rejection(runtime.run('square', 1));
    await runtime[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
    equal((await pending).code, 'ERR_CLOSED');
  },

  async 'whatever happens, every promise settles exactly once and the counts add up'(t) {
    const runtime = await t.runtime({ workers: 2, maxQueue: 40, abortGraceMs: 20, maxRedeliveries: 1 });
    await runtime.run('square', 1);
    let seed = 12_345;
    const random = (below) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    let settled = 0;
    const all = [];
    for (let n = 0; n < 300; n += 1) {
      const controller = new AbortController();
      const options = { signal: controller.signal, priority: random(11), ...(random(3) === 0 ? { timeoutMs: random(20) } : {}) };
      const task = [
        () => runtime.run('square', n, options),
        () => runtime.run('throwValue', n, options),
        () => runtime.run('busy', random(5), options),
        () => runtime.run('echo', () => n, options),
        () => runtime.run('uncloneableResult', undefined, options),
        () => runtime.run('nonsense', undefined, options),
      ][random(6)]();
      all.push(task.then(() => (settled += 1), () => (settled += 1)));
      if (random(4) === 0) {
        controller.abort();
      }
      if (random(40) === 0) {
        runtime.killWorker(random(2));
      }
      if (random(5) === 0) {
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    await Promise.all(all);
    equal(settled, 300);
    const stats = runtime.stats();
    const sum = ['completed', 'failed', 'aborted', 'timedOut', 'expired', 'refused', 'workerLost', 'closed']
      .map((name) => stats[name])
      .reduce((a, b) => a + b);
    equal([sum, stats.queued, stats.running], [301, 0, 0]);
    await until(() => runtime.stats().workers.every(({ state }) => state === 'ready'), 'both workers are back');
    equal(await runtime.run('square', 5), 25);
  },
};
