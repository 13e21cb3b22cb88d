// quillwork/testing: an app's tests without threads and without waiting.
import { tasks } from '../workers/tasks.mjs';
import { equal, ok, refused, rejection } from './check.mjs';

/** Tasks that take their time by the clock. */
const slowTasks = {
  ...tasks,
  later: ({ ms, value }) => new Promise((resolve) => setTimeout(() => resolve(value), ms)),
  stubborn: () => new Promise(() => {}),
  attemptAt: (until, ctx) => {
    ctx.progress(Date.now());
    if (ctx.attempt < until) {
      throw new Error(`attempt ${ctx.attempt}`);
    }
  },
  async *count(upTo) {
    for (let n = 1; n <= upTo; n += 1) {
      yield n;
    }
  },
};

/** Runs `act` with a test runtime and closes that. */
async function withTest({ testing }, options, act) {
  const test = await testing.createTestRuntime({ tasks: slowTasks, ...options });
  try {
    return await act({ ...test, startedAt: test.clock.now });
  } finally {
    await test.close();
  }
}

/** Runs `act` with a virtual clock. */
async function withClock({ testing }, act, options) {
  const clock = testing.virtualClock(options);
  try {
    return await act(clock);
  } finally {
    clock.uninstall();
  }
}

export default {
  'runs real tasks in this thread, while the clock stands still': (environment) =>
    withTest(environment, {}, async ({ runtime, clock, startedAt }) => {
      equal(await runtime.run('square', 7), 49);
      equal(await runtime.run('siblings'), true);
      const reported = [];
      equal(await runtime.run('progress', 3, { onProgress: (done) => reported.push(done) }), 3);
      equal(reported, [1, 2, 3]);
      const items = [];
      for await (const item of runtime.stream('count', 40)) {
        items.push(item);
      }
      equal(items.length, 40);
      equal(clock.now, startedAt);
    }),

  'clones and moves as between threads': (environment) =>
    withTest(environment, {}, async ({ runtime }) => {
      const input = { nested: [1, new Map([['a', 1]])] };
      const copy = await runtime.run('echo', input);
      equal(copy, input);
      ok(copy !== input && copy.nested !== input.nested, 'a copy');
      const { buffer } = new Uint8Array([1, 2, 3]);
      equal([...(await runtime.run('reverse', buffer, { transfer: [buffer] }))], [3, 2, 1]);
      equal(buffer.byteLength, 0, 'bytes left behind');
      await refused(runtime.run('echo', () => {}), 'ERR_NOT_CLONEABLE');
      await refused(runtime.run('uncloneableResult'), 'ERR_NOT_CLONEABLE');
      const error = await rejection(runtime.run('throwCustom'));
      equal([error.name, error.status, error.cause.name], ['CustomError', 404, 'RangeError']);
      await refused(runtime.run('nonsense'), 'ERR_UNKNOWN_TASK');
    }),

  'takes as long as the clock says: tasks, messages, and both': async (environment) => {
    const took = (options) =>
      withTest(environment, options, async ({ runtime, clock, startedAt }) => {
        const ends = [];
        const all = [1, 2, 3, 4].map((n) => runtime.run('square', n).then(() => ends.push(clock.now - startedAt)));
        await clock.runAll();
        await Promise.all(all);
        return ends;
      });
    equal(await took({ durationMs: 100 }), [100, 100, 200, 200]);
    equal(await took({ durationMs: (task, input) => (task === 'square' ? 10 * input : 0), workers: 4 }), [10, 20, 30, 40]);
    // Hello, ready, the task and its answer.
    equal(await took({ latencyMs: 5, workers: 4 }), [20, 20, 20, 20]);
    equal(await took({ latencyMs: [1, 30], seed: 4 }), await took({ latencyMs: [1, 30], seed: 4 }), 'with the same seed');
  },

  'runs the clock to the answer, however far that is': (environment) =>
    withTest(environment, {}, async ({ runtime, clock, startedAt }) => {
      const day = runtime.run('later', { ms: 86_400_000, value: 'next day' });
      await clock.runAll({ limit: 100_000 });
      equal(await day, 'next day');
      equal(clock.now - startedAt, 86_400_000);
    }),

  'times out on the clock': (environment) =>
    withTest(environment, {}, async ({ runtime, clock, startedAt }) => {
      const outcome = refused(runtime.run('later', { ms: 10_000 }, { timeoutMs: 3_000 }), 'ERR_TIMEOUT');
      let ended = false;
      void outcome.then(() => (ended = true));
      await clock.advance(2_999);
      equal(ended, false, 'ended too early');
      await clock.advance(1);
      equal(ended, true, 'ended in time');
      await outcome;
      equal(clock.now - startedAt, 3_000);
    }),

  'crashes a worker: its task goes to another': (environment) =>
    withTest(environment, { durationMs: 100 }, async ({ runtime, clock, crash }) => {
      const losses = [];
      runtime.on('workerlost', ({ worker, reason, error }) => losses.push([worker, reason, error.message]));
      const context = runtime.run('context');
      await clock.advance(50);
      equal(runtime.stats().workers.map(({ running }) => running), [true, false]);
      crash(0, new Error('out of memory'));
      await clock.advance(100);
      equal((await context).attempt, 2);
      equal(losses, [[0, 'failed', 'out of memory']]);
      equal(runtime.stats().redelivered, 1);
      equal(runtime.stats().workers[0].generation, 2);
      equal(await Promise.all([runtime.run('square', 2), clock.advance(200)]).then(([four]) => four), 4);
    }),

  'hangs a worker: it is replaced when its lease has passed': (environment) =>
    withTest(environment, { durationMs: 10, leaseMs: 5_000 }, async ({ runtime, clock, hang, startedAt }) => {
      const losses = [];
      runtime.on('workerlost', ({ worker, reason }) => losses.push([worker, reason]));
      const square = runtime.run('square', 3);
      await clock.advance(5);
      hang(0);
      await clock.runAll();
      equal(await square, 9);
      equal(losses, [[0, 'silent']]);
      ok(clock.now - startedAt >= 5_000, 'the lease has passed');
    }),

  'gives up a task that loses every worker': (environment) =>
    withTest(environment, { durationMs: 10, maxRedeliveries: 1 }, async ({ runtime, clock, crash }) => {
      const outcome = refused(runtime.run('square', 3), 'ERR_WORKER_LOST');
      await clock.advance(5);
      crash(0);
      await clock.advance(5);
      crash(1);
      await clock.runAll();
      equal((await outcome).cause.message, 'worker 1 was made to crash');
    }),

  'slows a worker, not the one after it': (environment) =>
    withTest(environment, { durationMs: 10, workers: 1 }, async ({ runtime, clock, slow, crash, startedAt }) => {
      const timed = async (...args) => {
        const from = clock.now;
        await Promise.all([runtime.run(...args), clock.runAll()]);
        return clock.now - from;
      };
      slow(0, 3);
      equal(await timed('square', 1), 30);
      equal(await timed('later', { ms: 100 }), 300);
      crash(0);
      equal(await timed('square', 1), 10);
      ok(clock.now > startedAt, 'time has passed');
    }),

  'ends with tasks that never end': async (environment) => {
    const { runtime, clock, close } = await environment.testing.createTestRuntime({ tasks: slowTasks });
    const outcome = refused(runtime.run('stubborn'), 'ERR_CLOSED');
    await clock.advance(1);
    await close();
    await outcome;
    ok(await new Promise((resolve) => setTimeout(() => resolve(true), 1)), 'the real clock is back');
  },

  'does the same with the same seed': async (environment) => {
    const attempts = (seed) =>
      withTest(environment, { seed, latencyMs: [0, 3] }, async ({ runtime, clock, startedAt }) => {
        const starts = [];
        const runs = [4, 3, 5].map((until) =>
          runtime.run('attemptAt', until, { retries: 4, onProgress: (at) => starts.push(at - startedAt) }),
        );
        await Promise.all([...runs, clock.runAll()]);
        return starts;
      });
    const first = await attempts(7);
    equal(first.length, 12);
    equal(await attempts(7), first);
    ok(JSON.stringify(await attempts(8)) !== JSON.stringify(first), 'another seed to lead elsewhere');
  },

  'refuses what makes no sense': async ({ testing }) => {
    await refused(testing.createTestRuntime({ tasks: {} }), 'ERR_INVALID_OPTION');
    await refused(testing.createTestRuntime({ tasks, latencyMs: [5, 1] }), 'ERR_INVALID_OPTION');
    await refused(testing.createTestRuntime({ tasks, workers: 0 }), 'ERR_INVALID_OPTION');
    ok(await new Promise((resolve) => setTimeout(() => resolve(true), 1)), 'the real clock is back');
    await withTest({ testing }, {}, async ({ crash, slow, clock }) => {
      equal((await rejection(Promise.resolve().then(() => crash(7)))).code, 'ERR_INVALID_OPTION');
      equal((await rejection(Promise.resolve().then(() => slow(0, 0)))).code, 'ERR_INVALID_OPTION');
      await refused(clock.advance(-1), 'ERR_INVALID_OPTION');
      const moving = clock.advance(1);
      await refused(clock.advance(1), 'ERR_INVALID_OPTION');
      await moving;
    });
  },

  'moves what debounces, throttles, retries and breaks circuits': (environment) =>
    withClock(environment, async (clock) => {
      const { debounce, throttle, retry, circuitBreaker } = environment.quillwork;
      const calls = [];
      const save = debounce((text) => calls.push(text), 500, { maxWait: 1_200 });
      const scroll = throttle((at) => calls.push(at), 100);
      save('a');
      scroll(1);
      scroll(2);
      await clock.advance(499);
      equal(calls, [1, 2]);
      await clock.advance(1);
      equal(calls, [1, 2, 'a']);
      let attempts = 0;
      const third = retry(() => {
        attempts += 1;
        return attempts < 3 ? Promise.reject(new Error('not yet')) : clock.now;
      });
      const startedAt = clock.now;
      await clock.runAll();
      equal(attempts, 3);
      ok((await third) >= startedAt, 'the third attempt');
      const breaker = circuitBreaker({ consecutiveFailures: 1, openTime: 5_000, trials: 1 });
      await rejection(breaker.execute(() => Promise.reject(new Error('down'))));
      equal(breaker.state, 'open');
      await clock.advance(5_000);
      equal(await breaker.execute(() => 'up'), 'up');
      equal(breaker.state, 'closed');
    }),

  'stands in for every clock of the platform': (environment) =>
    withClock(
      environment,
      async (clock) => {
        const from = performance.now();
        const seen = [];
        setTimeout((a, b) => seen.push([a, b, performance.now() - from]), 20, 'a', 'b');
        setTimeout(() => seen.push('now'), 0);
        setTimeout(() => seen.push('cleared'), 10);
        const first = setTimeout(() => {}, 10);
        clearTimeout(Number(first) - 1);
        const ticks = setInterval(() => seen.push('tick'), 8);
        const { signal } = { signal: AbortSignal.timeout(15) };
        signal.addEventListener('abort', () => seen.push(signal.reason.name));
        await clock.advance(20);
        clearInterval(ticks);
        equal(seen, ['now', 'tick', 'TimeoutError', 'tick', ['a', 'b', 20]]);
        equal(new Date().toISOString(), '2024-02-29T12:00:00.020Z');
        equal(Date.now(), clock.now);
        ok(new Date() instanceof Date && new Date(5).getTime() === 5 && Date.UTC(1970, 0) === 0, 'Date is itself');
        equal(clock.pending, 0);
      },
      { now: new Date('2024-02-29T12:00:00Z') },
    ),

  'tells what a timer threw, and of timers without end': (environment) =>
    withClock(environment, async (clock) => {
      let called = 0;
      setTimeout(() => {
        throw new Error('in a timer');
      }, 5);
      setTimeout(() => (called += 1), 6);
      equal((await rejection(clock.advance(10))).message, 'in a timer');
      equal(called, 1);
      const again = () => setTimeout(again, 0);
      again();
      await refused(clock.runAll({ limit: 50 }), 'ERR_INVALID_OPTION');
      await clock.advance(3);
    }),

  'leaves everything as it was': async ({ testing }) => {
    const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'];
    const all = () => [...names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name)), performance.now, AbortSignal.timeout];
    const before = all();
    const outer = testing.virtualClock({ now: 0 });
    const inner = testing.virtualClock({ now: 1_000_000 });
    const stale = globalThis.setTimeout;
    equal(Date.now(), 1_000_000);
    inner.uninstall();
    equal(Date.now(), 0, 'the outer clock');
    outer.uninstall();
    outer.uninstall();
    const now = all();
    for (const [index, was] of before.entries()) {
      ok(was === now[index] || was.value === now[index].value, `${names[index] ?? index} as it was`);
    }
    ok(await new Promise((resolve) => stale(() => resolve(true), 1)), 'a kept setTimeout works');
  },
};
