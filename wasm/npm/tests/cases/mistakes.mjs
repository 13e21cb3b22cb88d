import { equal, ok, refused, rejection, thrown } from './check.mjs';

// What people get wrong where no compiler looks: each is told what to write instead, and leaves everything as it was.

/** The message, which must say all of this. */
function says(error, code, ...parts) {
  equal(error?.code, code, `code of "${error?.message}"`);
  for (const part of parts) {
    ok(error.message.includes(part), `"${part}" in "${error.message}"`);
  }
}

const NO_SIGNALS = [null, 'now', {}, new AbortController()];

export default {
  async 'a task with something else for a signal is refused, and nobody waits for it afterwards'(t) {
    const runtime = await t.runtime({ workers: 1 });
    for (const signal of NO_SIGNALS) {
      says(await rejection(runtime.run('square', 2, { signal })), 'ERR_INVALID_OPTION', '`signal`', 'controller');
      says(await rejection(runtime.map('square', [2], { signal })), 'ERR_INVALID_OPTION', '`signal`');
      says(thrown(() => runtime.stream('count', 2, { signal })), 'ERR_INVALID_OPTION', '`signal`');
    }
    equal(runtime.stats().submitted, 0);
    await runtime.idle();
    equal(await runtime.run('square', 2, { signal: undefined }), 4);
  },

  async 'what flow control is given for a signal is refused, and holds up no close'({ quillwork: { batch, policy, rateLimit, retry, throttled } }) {
    const limiter = rateLimit({ limit: 1 });
    const gathered = batch((items) => items);
    const line = throttled({ maxConcurrent: 1 });
    const around = policy({ timeout: 1_000 });
    for (const signal of NO_SIGNALS) {
      for (const call of [
        () => limiter.acquire({ signal }),
        () => gathered.add(1, { signal }),
        () => line.execute(() => 1, { signal }),
        () => around.execute(() => 1, { signal }),
        () => retry(() => 1, { signal }),
      ]) {
        says(await rejection(call()), 'ERR_INVALID_OPTION', '`signal`', 'controller');
      }
    }
    equal(await limiter.acquire(), undefined, 'no turn was used up');
    equal(await line.execute(() => 'next'), 'next', 'no place is taken');
    await Promise.all([gathered.close(), line.close()]);
  },

  async 'options of a task that are of another kind are refused by name'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const bytes = new Uint8Array(4);
    for (const [options, ...parts] of [
      [5_000, 'options', '5000'],
      [null, 'options', 'null'],
      [{ onProgress: 'log' }, '`onProgress`', '"log"'],
      [{ transfer: bytes.buffer }, '`transfer`', 'list'],
      [{ transfer: null }, '`transfer`', 'list'],
      [{ capabilities: 'gpu' }, '`capabilities`', '"gpu"'],
      [{ timeoutMs: '5' }, '`timeoutMs`', '"5"'],
      [{ priority: '8' }, '`priority`', '"8"'],
    ]) {
      says(await rejection(runtime.run('square', 2, options)), 'ERR_INVALID_OPTION', ...parts);
    }
    equal(bytes.length, 4, 'what was not sent was not moved');
    await runtime.idle();
    says(thrown(() => t.quillwork.rateLimit({ limit: 5 }).reserve(2)), 'ERR_INVALID_OPTION', '{ weight', '2');
    says(await rejection(t.quillwork.rateLimit({ limit: 5 }).acquire(2)), 'ERR_INVALID_OPTION', '{ weight', '2');
  },

  async 'map iterates whatever can be, and refuses the rest'(t) {
    const runtime = await t.runtime({ workers: 1 });
    equal(await runtime.map('echo', 'ab'), ['a', 'b']);
    for (const items of [undefined, null, 5, { 0: 'a', length: 1 }, Promise.resolve([])]) {
      const error = await refused(runtime.map('echo', items), 'ERR_INVALID_OPTION');
      ok(error.message.includes('iterate'), `what to give in "${error.message}"`);
    }
    const controller = new AbortController();
    says(await rejection(runtime.map('echo', [1], { transfer: [], signal: controller.signal })), 'ERR_INVALID_OPTION', '`transfer`', 'function');
  },

  'a balancer that could not read a task knows the workers all the same'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    const workers = [{ id: 'a' }, { id: 'b' }];
    equal(thrown(() => balancer.selectWorker({ priority: 11 }, workers)).code, 'ERR_INVALID_OPTION');
    equal(balancer.selectWorker({}, workers)?.id, 'a');
    equal(balancer.scoreWorkers({}, workers).length, 2);
    // Nor does it choose one that was not there any more.
    equal(thrown(() => balancer.selectWorker({ priority: 11 }, [workers[1]])).code, 'ERR_INVALID_OPTION');
    equal([1, 2, 3].map(() => balancer.selectWorker({}, [workers[1]])?.id), ['b', 'b', 'b']);
    equal(balancer.scoreWorkers({}, [workers[1]]).length, 1);
  },

  async 'options of a runtime that are of another kind are refused by name'(t) {
    for (const [options, ...parts] of [
      [{ workers: '2' }, '`workers`', '"2"'],
      [{ types: 5 }, '`types`'],
      [{ types: { square: 5 } }, '`types.square`'],
      [{ offer: { region: 'eu' } }, '`offer`', 'function'],
      [{ recycle: 100 }, '`recycle`', '100'],
      [{ retry: 3 }, '`retry`', '3'],
      [{ warmUp: 'square' }, '`warmUp`', '{ task, input }'],
    ]) {
      says(await rejection(t.create(options)), 'ERR_INVALID_OPTION', ...parts);
    }
    says(await rejection(t.createRuntime()), 'ERR_INVALID_OPTION', '`worker`');
    const runtime = await t.runtime({ workers: { max: 1 }, types: undefined, warmUp: undefined });
    says(thrown(() => runtime.on('stats')), 'ERR_INVALID_OPTION', '"stats"');
    says(thrown(() => runtime.cache('pages')), 'ERR_INVALID_OPTION', '`maxEntries`');
    equal(await runtime.run('square', 3), 9);
  },

  async 'a function that starts no worker is told of'(t) {
    for (const worker of [() => undefined, async () => undefined]) {
      const runtime = await t.runtime({ workers: 1, worker });
      says(await rejection(runtime.run('square', 2)), 'ERR_WORKER_LOAD', 'returned no worker', 'return the one');
    }
  },

  async 'a generator that is run and not read is told of stream'(t) {
    const runtime = await t.runtime({ workers: 1 });
    for (const task of ['count', 'parts']) {
      says(await rejection(runtime.run(task, 2)), 'ERR_NOT_CLONEABLE', 'generator', '`runtime.stream`');
    }
    says(await rejection(runtime.run('uncloneableResult')), 'ERR_NOT_CLONEABLE', 'plain data');
  },

  async 'options of flow control that are of another kind are refused by name'({ quillwork: { debounce, policy, rateLimit, retry, throttle } }) {
    says(thrown(() => policy()), 'ERR_INVALID_OPTION', 'options of a policy');
    for (const layer of ['retry', 'retryBudget', 'breaker', 'hedge', 'rate', 'bulkhead', 'adaptiveLimit']) {
      says(thrown(() => policy({ [layer]: 3 })), 'ERR_INVALID_OPTION', `\`${layer}\``, '3');
    }
    says(thrown(() => rateLimit()), 'ERR_INVALID_OPTION', '`limit`');
    says(await rejection(retry(() => 1, { shouldRetry: 5 })), 'ERR_INVALID_OPTION', '`shouldRetry`');
    equal(await policy({ retry: undefined }).execute(() => 1), 1);
    for (const calm of [debounce, throttle]) {
      const calls = [];
      const calmed = calm((n) => calls.push(n), 10, null);
      calmed(1);
      calmed.flush();
      equal(calls, [1], 'no options, as lodash has it');
    }
  },

  async 'what tests and stages are given of another kind is refused, and leaves the real clock'({ testing: { createTestRuntime }, processing: { process } }) {
    const tasks = { square: (n) => n * n };
    for (const [options, ...parts] of [
      [undefined, '`tasks`'],
      [{}, 'no task'],
      [{ tasks, durationMs: -1 }, '`durationMs`', '-1'],
      [{ tasks, durationMs: NaN }, '`durationMs`'],
      [{ tasks, latencyMs: '5' }, '`latencyMs`'],
    ]) {
      says(await rejection(createTestRuntime(options)), 'ERR_INVALID_OPTION', ...parts);
    }
    await new Promise((resolve) => setTimeout(resolve));
    for (const signal of NO_SIGNALS) {
      says(thrown(() => process([1], [(n) => n], { signal })), 'ERR_INVALID_OPTION', '`signal`');
    }
  },

  'what telemetry is given of another kind is refused, and a consent that is none is no consent'({ quillwork: { createTelemetry } }) {
    for (const [options, ...parts] of [
      [{ consent: false }, '`consent`', 'reporting'],
      [{ name: 5 }, '`telemetry.name`', '5'],
      [{ token: 5 }, '`telemetry.token`'],
      [{ offlineQueue: 'yes' }, '`telemetry.offlineQueue`', '"yes"'],
    ]) {
      says(thrown(() => createTelemetry(options)), 'ERR_INVALID_OPTION', ...parts);
    }
    const telemetry = createTelemetry({ consent: { reporting: false } });
    for (const consent of [true, false, undefined, null]) {
      says(thrown(() => telemetry.setConsent(consent)), 'ERR_INVALID_OPTION', '`consent`', 'reporting');
    }
    says(thrown(() => telemetry.observe('pay', 5)), 'ERR_INVALID_OPTION', '"pay"', 'function');
    says(thrown(() => telemetry.span('pay')), 'ERR_INVALID_OPTION', '"pay"', '`startSpan`');
    says(thrown(() => telemetry.counter()), 'ERR_INVALID_OPTION', 'undefined');
    telemetry.close();
  },
};
