import { equal, gate, occupied, ok, refused, rejection, until } from './check.mjs';

/** Everything that a stream gives. */
async function all(stream) {
  const items = [];
  for await (const item of stream) {
    items.push(item);
  }
  return items;
}

export default {
  async 'a stream gives what a generator yields, in order, then what it returns'(t) {
    const runtime = await t.runtime();
    equal(await all(runtime.stream('count', 40)), Array.from({ length: 40 }, (_, n) => n + 1));
    const stream = runtime.stream('count', 1);
    equal(await stream.next(), { done: false, value: 1 });
    equal(await stream.next(), { done: true, value: 'counted' });
    equal(await stream.next(), { done: true, value: undefined });
    equal((await all(runtime.stream('parts', [1, 2, 3]))).map((part) => part[0]), [1, 2, 3]);
    equal(runtime.stats().completed, 3);
  },

  async 'asked for all at once, each call gets its item'(t) {
    const stream = (await t.runtime()).stream('count', 3);
    const steps = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next(), stream.next()]);
    equal(steps.map(({ value }) => value), [1, 2, 3, 'counted', undefined]);
  },

  async 'a task is never further ahead of its reader than the high-water mark'(t) {
    const runtime = await t.runtime({ workers: 1 });
    let ahead = 0;
    const stream = runtime.stream('count', 1_000, { highWaterMark: 4, onProgress: (n) => (ahead = n) });
    const first = await stream.next();
    await until(() => ahead >= 4, 'the task ran ahead');
    // Whatever it could still send comes before the answer to this.
    equal((await rejection(runtime.run('square', 2, { queueTtlMs: 20 }))).code, 'ERR_QUEUE_EXPIRED');
    ok(ahead <= 5, `at most four items ahead of the first, not ${ahead}`);
    equal(first.value, 1);
    const rest = await all(stream);
    equal([rest.length, rest.at(-1)], [999, 1_000]);
  },

  async 'leaving a stream early runs what the task has to finish, and frees its worker'(t) {
    const runtime = await t.runtime({ workers: 1, abortGraceMs: 60_000 });
    const seen = [];
    for await (const item of runtime.stream('count', 1_000_000, { onProgress: (at) => seen.push(at) })) {
      if (item === 5) {
        break;
      }
    }
    equal(await runtime.run('square', 2), 4);
    const { aborted, workers } = runtime.stats();
    equal([aborted, workers[0].generation], [1, 1], 'aborted, and the same worker');
  },

  async 'a stream that nobody reads starts nothing'(t) {
    const runtime = await t.runtime();
    const stream = runtime.stream('count', 5);
    await stream.return();
    equal(await stream.next(), { done: true, value: undefined });
    equal(runtime.stats().submitted, 0);
  },

  async 'what breaks a generator comes after its items'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const stream = runtime.stream('breaks');
    equal((await stream.next()).value, 1);
    const error = await rejection(stream.next());
    equal([error.name, error.message], ['RangeError', 'broken']);
    equal(await stream.next(), { done: true, value: undefined });
    const uncloneable = runtime.stream('uncloneableItem');
    equal((await uncloneable.next()).value, 1);
    await refused(uncloneable.next(), 'ERR_NOT_CLONEABLE');
    const error2 = await refused(runtime.stream('square', 2).next(), 'ERR_NOT_A_STREAM');
    ok(error2.message.includes('`run`'), `what to do in "${error2.message}"`);
    await refused(runtime.stream('nonsense').next(), 'ERR_UNKNOWN_TASK');
    equal(await runtime.run('square', 2), 4);
  },

  async 'a stream ends with its signal, in mid-wait too'(t) {
    const runtime = await t.runtime({ workers: 1, abortGraceMs: 60_000 });
    const controller = new AbortController();
    const stream = runtime.stream('yieldsThenHangs', undefined, {
      signal: controller.signal,
      onProgress: (at) => at === 'waits' && controller.abort(new RangeError('enough')),
    });
    equal((await stream.next()).value, 'first');
    equal((await rejection(stream.next())).message, 'enough');
    equal(await runtime.run('square', 2), 4);
    equal(runtime.stats().workers[0].generation, 1, 'the same worker');
    equal((await rejection(runtime.stream('count', 1, { signal: AbortSignal.abort('before') }).next())), 'before');
  },

  async 'a stream whose worker is lost is not begun anew'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const stream = runtime.stream('count', 1_000, { highWaterMark: 2 });
    equal((await stream.next()).value, 1);
    runtime.killWorker(0);
    const error = await rejection(all(stream));
    equal(error.code, 'ERR_WORKER_LOST');
    equal(runtime.stats().redelivered, 0);
  },

  async 'map runs a task for each item and gives the results in their order'(t) {
    const runtime = await t.runtime();
    equal(await runtime.map('square', [3, 1, 2]), [9, 1, 4]);
    let taken = 0;
    function* many() {
      for (; taken < 500; taken += 1) {
        yield taken;
      }
    }
    const seen = [];
    const results = await runtime.map('square', many(), { inFlight: 3, onResult: (result, index) => seen.push([result, index]) });
    equal(results, Array.from({ length: 500 }, (_, n) => n * n));
    equal(seen.length, 500);
    ok(seen.every(([result, index]) => result === index * index), 'each result with its index');
    async function* slow() {
      yield 4;
      yield 5;
    }
    equal(await runtime.map('square', slow()), [16, 25]);
    equal(await runtime.map('square', []), []);
  },

  async 'map takes no more items than are in flight'(t) {
    const runtime = await t.runtime({ workers: 1 });
    const door = gate();
    let taken = 0;
    function* doors() {
      for (; taken < 20; taken += 1) {
        yield door.name;
      }
    }
    const done = runtime.map('hold', doors(), { inFlight: 2 });
    await until(() => runtime.stats().submitted === 2, 'two were submitted');
    ok(taken <= 2, `two or fewer were taken, not ${taken}`);
    door.open();
    equal((await done).length, 20);
    equal(runtime.stats().maxQueued <= 2, true);
    door.close();
  },

  async 'the first failure of map aborts the rest'(t) {
    const runtime = await t.runtime({ workers: 2 });
    const door = gate();
    const held = await occupied(runtime, door);
    const error = await rejection(runtime.map('throwValue', ['bad', 'good', 'late'], { inFlight: 2 }));
    ok(['bad', 'good'].includes(error), `what a task threw, not ${error}`);
    const controller = new AbortController();
    const stopped = rejection(runtime.map('hold', [door.name, door.name], { signal: controller.signal }));
    controller.abort('stop');
    equal(await stopped, 'stop');
    await refused(runtime.map('square', [1], { inFlight: 0 }), 'ERR_INVALID_OPTION');
    door.open();
    equal(await held.done, 'through');
    door.close();
  },
};
