// Items through stages: in order, bounded, and gone when nobody wants them.
import { equal, gate, ok, refused, rejection, until } from './check.mjs';
import { Random } from './random.mjs';

/** The numbers from 0 to below `count`, by a generator that says how far it is. */
function source(count) {
  const seen = { read: 0, ended: false };
  function* numbers() {
    try {
      for (let n = 0; n < count; n += 1) {
        seen.read += 1;
        yield n;
      }
    } finally {
      seen.ended = true;
    }
  }
  return { items: numbers(), seen };
}

/** As many kinds of source as there are. */
const SOURCES = [
  (items) => items,
  (items) => items.values(),
  async function* (items) {
    for (const item of items) {
      await undefined;
      yield item;
    }
  },
  async function* (items, random) {
    for (const item of items) {
      await new Promise((resolve) => setTimeout(resolve, random.below(4)));
      yield item;
    }
  },
  (items) =>
    new ReadableStream({
      pull(controller) {
        if (items.length === 0) {
          controller.close();
        } else {
          controller.enqueue(items.shift());
        }
      },
    }),
];

/** One random pipeline: its stages, and what a loop over the items would give. */
function plan(random) {
  const items = Array.from({ length: random.below(30) }, (_, index) => ({ index, bytes: 1 + random.below(9), trace: 0 }));
  const failing = random.one([0, 0, 5, 20]);
  const stages = Array.from({ length: 1 + random.below(3) }, (_, number) => ({
    number,
    concurrency: 1 + random.below(4),
    batch: random.one([undefined, undefined, 2, 5]),
    batchWaitMs: random.one([undefined, 3]),
    delay: random.one(['none', 'promise', 'timer']),
    fails: new Set(items.filter(() => random.below(100) < failing).map(({ index }) => index)),
  }));
  const onError = random.one(['throw', 'skip', 'replace']);
  return { items, stages, onError, ordered: random.below(4) > 0, budget: random.one([undefined, 6, 30]) };
}

const step = (item, number) => ({ ...item, trace: item.trace * 7 + number + 1 });
const replaced = (item) => ({ ...item, trace: -1 });
const failure = (item, number) => new Error(`item ${item.index} in stage ${number}`);

/** What a loop would give: results, and the error that ends it. A batch that fails, fails for each of its items: none fails in the plans. */
function naive({ items, stages, onError }) {
  const results = [];
  for (const item of items) {
    let current = item;
    for (const { number, fails } of stages) {
      if (!fails.has(item.index)) {
        current = step(current, number);
      } else if (onError === 'replace') {
        current = replaced(current);
      } else {
        current = undefined;
        if (onError === 'throw') {
          return { results, error: failure(item, number).message };
        }
        break;
      }
    }
    if (current !== undefined) {
      results.push(current);
    }
  }
  return { results, error: undefined };
}

/** The stages of a plan as functions; `calls` counts those that run. */
function build({ stage }, { stages }, random, calls) {
  return stages.map(({ number, concurrency, batch, batchWaitMs, delay, fails }) => {
    const pause = () =>
      delay === 'timer' ? new Promise((resolve) => setTimeout(resolve, random.below(10))) : Promise.resolve();
    const one = (item) => {
      if (fails.has(item.index)) {
        throw failure(item, number);
      }
      return step(item, number);
    };
    calls[number] = { now: 0, most: 0, started: 0, ended: 0 };
    const counted = (act) => async (given) => {
      const count = calls[number];
      count.started += 1;
      count.now += 1;
      count.most = Math.max(count.most, count.now);
      try {
        await pause();
        return act(given);
      } finally {
        count.now -= 1;
        count.ended += 1;
      }
    };
    if (batch !== undefined) {
      // One that fails alone, so that the loop knows it: batches fail as a whole.
      fails.clear();
      return stage(counted((given) => given.map(one)), { concurrency, batch, batchWaitMs });
    }
    return stage(delay === 'none' ? one : counted(one), { concurrency });
  });
}

export default {
  'gives what a loop would give, whatever the stages, the source and the failures': async ({ processing, testing }) => {
    const clock = testing.virtualClock();
    try {
      for (let seed = 0; seed < 400; seed += 1) {
        const random = new Random(seed);
        const made = plan(random);
        const calls = [];
        const stages = build(processing, made, random, calls);
        const expected = naive(made);
        const run = processing.process(random.one(SOURCES)([...made.items], random), stages, {
          ordered: made.ordered,
          onError: made.onError === 'replace' ? (_, item) => replaced(item) : made.onError,
          ...(made.budget === undefined ? {} : { memoryBudgetBytes: made.budget, sizeOf: ({ bytes }) => bytes }),
        });
        const results = [];
        let error;
        let ended = false;
        const reading = (async () => {
          try {
            for await (const result of run) {
              results.push(result);
              if (random.below(3) === 0) {
                await new Promise((resolve) => setTimeout(resolve, random.below(20)));
              }
            }
          } catch (thrown) {
            error = thrown.message;
          }
          ended = true;
        })();
        await clock.runAll();
        ok(ended, `seed ${seed} to end: ${JSON.stringify(run.metrics())}`);
        await reading;
        if (made.ordered) {
          equal({ results, error }, expected, `seed ${seed}`);
        } else if (expected.error === undefined) {
          const sorted = results.toSorted((a, b) => a.index - b.index);
          equal({ results: sorted, error }, expected, `seed ${seed}, sorted`);
        } else {
          ok(error?.startsWith('item '), `seed ${seed} to fail`);
        }
        const metrics = run.metrics();
        let before = 0;
        let room = 0;
        for (const [at, { concurrency, batch = 1 }] of made.stages.entries()) {
          const width = concurrency * batch;
          ok(calls[at].most <= concurrency, `seed ${seed}: at most ${concurrency} calls, not ${calls[at].most}`);
          equal(calls[at].started, calls[at].ended, `seed ${seed}: ended calls`);
          const { maxQueued } = metrics.stages[at];
          ok(maxQueued <= before + width + 1, `seed ${seed}: at most ${before + width + 1} to wait, not ${maxQueued}`);
          before = width;
          room += 2 * width;
        }
        ok(metrics.maxInFlight <= room, `seed ${seed}: at most ${room} in flight, not ${metrics.maxInFlight}`);
        if (made.budget !== undefined) {
          ok(metrics.maxBytes < made.budget + 9, `seed ${seed}: at most ${made.budget + 9} bytes, not ${metrics.maxBytes}`);
        }
        equal([metrics.inFlight, metrics.bytes ?? 0], [0, 0], `seed ${seed}: what is left`);
        equal(clock.pending, 0, `seed ${seed}: timers`);
      }
    } finally {
      clock.uninstall();
    }
  },

  'runs stages on workers and in this thread': async ({ processing, runtime: start }) => {
    const runtime = await start();
    const { process, stage, workerStage } = processing;
    const run = process(
      source(50).items,
      [workerStage(runtime, 'square'), (n) => n + 1, stage((all) => all.map((n) => `#${n}`), { batch: 8, name: 'words' })],
      { concurrency: 2 },
    );
    equal(
      await run.collect(),
      Array.from({ length: 50 }, (_, n) => `#${n * n + 1}`),
    );
    const { stages, read, delivered } = run.metrics();
    equal([read, delivered], [50, 50]);
    equal(stages.map((each) => [each.name, each.in, each.out, each.errors]), [
      ['square', 50, 50, 0],
      ['stage 2', 50, 50, 0],
      ['words', 50, 50, 0],
    ]);
    equal(stages[0].bytes, undefined);
    equal(runtime.stats().completed, 50);
  },

  'tells how long the calls of a stage took': async ({ processing, runtime: start }) => {
    const { process, workerStage } = processing;
    // Longer than the coarsest clock's step.
    const run = process([20, 20, 20], [workerStage(await start(), 'busy')]);
    equal(await run.collect(), [20, 20, 20]);
    const { busyMs, p50Ms, p95Ms } = run.metrics().stages[0];
    ok(p50Ms > 15 && p95Ms >= p50Ms && busyMs > 45, `times of calls, not ${p50Ms}, ${p95Ms} and ${busyMs} ms together`);
  },

  'keeps to the source: nothing before it is asked for, and no more than there is room for': async ({ processing }) => {
    const { items, seen } = source(1_000);
    const run = processing.process(items, [async (n) => n, async (n) => n], { concurrency: 3 });
    await undefined;
    equal(seen.read, 0);
    equal(await run.next(), { done: false, value: 0 });
    let before = -1;
    while (seen.read !== before) {
      before = seen.read;
      await new Promise((resolve) => setTimeout(resolve));
    }
    ok(seen.read <= 1 + 12, `${seen.read} read of 12 that there is room for`);
    equal(await run.return(), { done: true, value: undefined });
    ok(seen.ended, 'the source to be let go of');
    equal(await run.next(), { done: true, value: undefined });
  },

  'ends everything when its reader leaves: the source, calls, and tasks in workers': async ({ processing, runtime: start }) => {
    const runtime = await start();
    const door = gate();
    const { items, seen } = source(100);
    const reasons = [];
    const { process, stage, workerStage } = processing;
    const wait = stage(
      (n, { signal }) =>
        n === 0
          ? n
          : new Promise((_, reject) => signal.addEventListener('abort', () => (reasons.push(signal.reason.name), reject(signal.reason)))),
      { concurrency: 4 },
    );
    const named = stage((n) => (n === 0 ? door.name : 'never opened'));
    for await (const first of process(items, [wait])) {
      equal(first, 0);
      break;
    }
    ok(seen.ended, 'the source to be let go of');
    ok(reasons.length > 0 && reasons.every((reason) => reason === 'AbortError'), 'calls to be aborted');
    door.open();
    for await (const first of process(source(100).items, [named, workerStage(runtime, 'hold')])) {
      equal(first, 'through');
      break;
    }
    door.close();
    await until(() => runtime.stats().running === 0 && runtime.stats().queued === 0, 'no task runs');
    ok(runtime.stats().aborted > 0, 'tasks to be aborted');
  },

  'ends by its signal, with its reason': async ({ processing }) => {
    const { process } = processing;
    const controller = new AbortController();
    const { items, seen } = source(10);
    const run = process(items, [() => new Promise(() => {})], { signal: controller.signal });
    const outcome = rejection(run.next());
    const behind = run.next();
    controller.abort(new RangeError('enough'));
    equal((await outcome).message, 'enough');
    equal(await behind, { done: true, value: undefined });
    ok(seen.ended, 'the source to be let go of');
    equal((await rejection(process([1], [], { signal: controller.signal }).collect())).message, 'enough');
  },

  'ends with the error of an item once those before it are out, or skips or replaces it': async ({ processing }) => {
    const { process, stage } = processing;
    const fragile = stage(
      (n) => {
        if (n % 3 === 2) {
          throw new RangeError(`not ${n}`);
        }
        return n;
      },
      { name: 'fragile', concurrency: 4 },
    );
    const seen = [];
    const error = await rejection(
      (async () => {
        for await (const n of process(source(9).items, [fragile])) {
          seen.push(n);
        }
      })(),
    );
    equal([error.message, seen], ['not 2', [0, 1]]);
    const skipping = process(source(9).items, [fragile], { onError: 'skip' });
    equal(await skipping.collect(), [0, 1, 3, 4, 6, 7]);
    const { skipped, stages } = skipping.metrics();
    equal([skipped, stages[0].errors, stages[0].out], [3, 3, 6]);
    const told = [];
    const replacing = process(source(4).items, [fragile, (n) => 10 * n], {
      onError: async ({ message }, item, { stage: name, index }) => {
        told.push([message, item, name, index]);
        return -1;
      },
    });
    equal(await replacing.collect(), [0, 10, -10, 30]);
    equal(told, [['not 2', 2, 'fragile', 2]]);
    const worse = process(source(4).items, [fragile], {
      onError: () => {
        throw new TypeError('the handler itself');
      },
    });
    equal((await rejection(worse.collect())).message, 'the handler itself');
  },

  'ends with what the source throws, after what came before': async ({ processing }) => {
    async function* broken() {
      yield 1;
      yield 2;
      throw new RangeError('no more');
    }
    const run = processing.process(broken(), [async (n) => n * 10], { onError: 'skip', concurrency: 4 });
    equal([await run.next(), await run.next()].map(({ value }) => value), [10, 20]);
    equal((await rejection(run.next())).message, 'no more');
    equal((await run.next()).done, true);
  },

  'fills batches, and sends what is there when no more can come': async ({ processing, testing }) => {
    const { process, stage } = processing;
    const sizes = [];
    const count = (batch, more) => stage((all) => (sizes.push(all.length), all), { batch, ...more });
    await process(source(10).items, [count(4)]).collect();
    equal(sizes.splice(0), [4, 4, 2]);
    await process(source(10).items, [async (n) => n, count(4)], { concurrency: 4 }).collect();
    equal(sizes.splice(0), [4, 4, 2]);
    equal(await process(Array.from({ length: 6 }, () => new Uint8Array(900)), [count(100)], { memoryBudgetBytes: 1_000 }).collect().then((all) => all.length), 6);
    equal(sizes.splice(0).reduce((sum, size) => sum + size), 6, 'no batch waits for what the budget keeps out');
    await refused(process([1, 2], [stage(() => [1], { batch: 2 })]).collect(), 'ERR_BATCH_RESULTS');
    await refused(process([1, 2], [stage(() => 'nothing', { batch: 2 })]).collect(), 'ERR_BATCH_RESULTS');
    const clock = testing.virtualClock();
    try {
      async function* slow() {
        for (let n = 0; n < 4; n += 1) {
          yield n;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      const all = process(slow(), [count(3, { batchWaitMs: 150 })]).collect();
      await clock.runAll();
      await all;
      equal(sizes, [2, 2]);
    } finally {
      clock.uninstall();
    }
  },

  'reads streams, and cancels them': async ({ processing }) => {
    const told = [];
    const stream = () => {
      let n = 0;
      return new ReadableStream({
        pull: (controller) => (n < 5 ? controller.enqueue((n += 1)) : controller.close()),
        cancel: (reason) => told.push(reason.name),
      });
    };
    const whole = stream();
    equal(await processing.process(whole, [(n) => n * 2]).collect(), [2, 4, 6, 8, 10]);
    equal(whole.locked, false, 'locked');
    const left = stream();
    for await (const n of processing.process(left, [(each) => each])) {
      equal(n, 1);
      break;
    }
    equal(told, ['AbortError']);
    const endless = new ReadableStream({});
    const run = processing.process(endless, []);
    const waiting = run.next();
    await run.return();
    equal(await waiting, { done: true, value: undefined });
  },

  'does not wait for a generator that never answers': async ({ processing }) => {
    async function* stuck() {
      yield 1;
      await new Promise(() => {});
    }
    const run = processing.process(stuck(), [(n) => n], { concurrency: 2 });
    equal((await run.next()).value, 1);
    await run.return();
  },

  'keeps to a budget of bytes, by its own estimate': async ({ processing }) => {
    const { process } = processing;
    const large = Array.from({ length: 20 }, () => ({ pixels: new Uint8Array(1_000), name: 'a' }));
    const run = process(large, [async (item) => item, async (item) => item], { concurrency: 8, memoryBudgetBytes: 3_500 });
    equal((await run.collect()).length, 20);
    const { maxBytes, bytes, maxInFlight } = run.metrics();
    ok(maxBytes >= 3_500 && maxBytes <= 3_500 + 1_100, `${maxBytes} bytes`);
    ok(maxInFlight === 4, `${maxInFlight} in flight`);
    equal(bytes, 0);
    const sizeOf = async (item) => {
      const one = process([item], [], { memoryBudgetBytes: 1e12 });
      await one.next();
      return one.metrics().maxBytes;
    };
    const shared = new Uint8Array(500);
    equal(await sizeOf('abc'), 14);
    equal(await sizeOf(new Float64Array(10)), 88);
    ok((await sizeOf([shared, shared])) < 600, 'what occurs twice to count once');
    const ring = { text: 'a' };
    ring.self = ring;
    ok((await sizeOf(ring)) < 100, 'rings to end');
    const many = await sizeOf(Array.from({ length: 100_000 }, (_, n) => n));
    ok(many >= 800_000 && many < 810_000, `${many} bytes of 100,000 numbers`);
    const map = await sizeOf(new Map([['key', new Uint8Array(1_000)]]));
    ok(map > 1_000 && map < 1_100, `${map} bytes of a map`);
  },

  'refuses what makes no sense': async ({ processing }) => {
    const { process, stage } = processing;
    const thrown = (act) => rejection(Promise.resolve().then(act));
    for (const act of [
      () => process([], 'stages'),
      () => process([], [5]),
      () => process([], [], { concurrency: 0 }),
      () => process([], [], { memoryBudgetBytes: 0 }),
      () => process([], [], { onError: 'ignore' }),
      () => process([], [], { sizeOf: 5 }),
      () => stage(undefined),
      () => stage((n) => n, { concurrency: 1.5 }),
      () => stage((n) => n, { batch: 0 }),
      () => process(5, []).collect(),
      () => process({}, []).collect(),
      () => process([1], [], { sizeOf: () => -1 }).collect(),
    ]) {
      const error = await thrown(act);
      equal(error.code, 'ERR_INVALID_OPTION', String(act));
    }
  },
};
