import { equal, ok, refused, rejection } from './check.mjs';
import { after, watch, withFakeTime } from './fake-time.mjs';
import { Random } from './random.mjs';

export default {
  async 'gathers items by number, size, time, the app\'s word and flush, and gives each its result'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      const processed = [];
      const gather = (options) =>
        batch((items) => {
          processed.push([...items]);
          return items.map((item) => item * 10);
        }, options);
      const byNumber = gather({ maxSize: 3, maxDelay: 50 });
      const results = [1, 2, 3, 4].map((n) => byNumber.add(n));
      await time.settle();
      equal([processed, byNumber.getMetrics().currentBatchSize], [[[1, 2, 3]], 1]);
      await time.advance(50);
      equal([processed, await Promise.all(results)], [[[1, 2, 3], [4]], [10, 20, 30, 40]]);
      processed.length = 0;
      const bySize = gather({ maxBytes: 10, sizeOf: (n) => n, maxDelay: Infinity });
      [4, 5, 6, 4, 20].forEach((n) => bySize.add(n));
      await time.settle();
      equal(processed, [[4, 5], [6, 4], [20]]);
      processed.length = 0;
      const byWord = gather({ predicate: (n) => (n === 3 ? 'before' : n === 5), maxDelay: Infinity });
      const last = [1, 2, 3, 4, 5, 6].map((n) => byWord.add(n));
      await time.settle();
      equal(processed, [[1, 2], [3, 4, 5]]);
      await byWord.flush();
      equal([processed.at(-1), await last[5]], [[6], 60]);
      processed.length = 0;
      const inOneTurn = gather({ maxDelay: 0 });
      inOneTurn.add(1);
      inOneTurn.add(2);
      equal(processed, []);
      await time.advance(0);
      equal([processed, time.pending], [[[1, 2]], 0]);
    });
  },

  async 'items of one key are processed once and share the result'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      const processed = [];
      const load = batch(
        (items) => {
          processed.push(items.map(({ id }) => id));
          return items.map(({ id }) => `user ${id}`);
        },
        { key: ({ id }) => id, maxDelay: 5 },
      );
      const results = ['ada', 'bob', 'ada', 'ada'].map((id) => load.add({ id }));
      await time.advance(5);
      equal([processed, await Promise.all(results)], [[['ada', 'bob']], ['user ada', 'user bob', 'user ada', 'user ada']]);
      // In the next batch the same keys are new.
      const again = ['bob', 'ada', 'bob'].map((id) => load.add({ id }));
      await time.advance(5);
      equal([processed[1], await Promise.all(again)], [['bob', 'ada'], ['user bob', 'user ada', 'user bob']]);
      equal(load.getMetrics().performance.deduplicated, 3);
    });
  },

  async 'tries again what failed, and only that'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      const processed = [];
      const progress = [];
      const save = batch(
        (items, { attempt }) => {
          processed.push([time.now - 1_000_000, ...items]);
          return items.map((item) => (item > attempt ? new Error(`${item} at ${attempt}`) : item));
        },
        { retryAttempts: 2, retryDelay: 100, maxDelay: 10, onProgress: ({ settled, items }) => progress.push([settled, items]) },
      );
      const ends = [1, 2, 3, 4].map((n) => watch(save.add(n)));
      await time.advance(1_000);
      equal(processed, [[10, 1, 2, 3, 4], [110, 2, 3, 4], [210, 3, 4]]);
      equal(ends.map(({ value, error }) => value ?? error.message), [1, 2, 3, '4 at 3']);
      equal(progress, [[1, 4], [2, 4], [4, 4]]);

      const own = batch((items) => items.map((n) => (n === 2 ? new Error('own fault') : n)), { retryAttempts: 5, shouldRetry: () => false, maxDelay: 0 });
      const quick = [1, 2].map((n) => watch(own.add(n)));
      await time.advance(0);
      equal(quick.map(({ state }) => state), ['resolved', 'rejected']);
    });
  },

  async 'a batch that fails as a whole, or is done as a whole'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      let calls = 0;
      const failing = batch(
        async () => {
          calls += 1;
          throw new Error(`down ${calls}`);
        },
        { retryAttempts: 1, retryDelay: 10, maxDelay: 0 },
      );
      const ends = [1, 2].map((n) => watch(failing.add(n)));
      await time.advance(100);
      equal(ends.map(({ error }) => error.message), ['down 2', 'down 2']);

      const attempts = [];
      const transaction = batch(
        (items, { attempt }) => {
          attempts.push(items.length);
          return items.map((n) => (n === 2 && attempt === 1 ? new Error('conflict') : n));
        },
        { wholeBatch: true, retryAttempts: 1, retryDelay: 10, maxDelay: 0 },
      );
      const whole = [1, 2].map((n) => watch(transaction.add(n)));
      await time.advance(5);
      equal(whole.map(({ state }) => state), ['pending', 'pending']);
      await time.advance(10);
      equal([attempts, whole.map(({ value }) => value)], [[2, 2], [1, 2]]);
      const broken = batch((items) => items.map((n) => (n === 2 ? new Error('conflict') : n)), { wholeBatch: true, maxDelay: 0 });
      const given = [1, 2].map((n) => watch(broken.add(n)));
      await time.advance(0);
      equal(given.map(({ error }) => error?.message), ['conflict', 'conflict']);
    });
  },

  async 'says so where results do not match'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      for (const results of [[], [1, 2, 3], undefined, 'two']) {
        const wrong = batch(() => results, { maxDelay: 0, retryAttempts: 3 });
        const ends = [1, 2].map((n) => watch(wrong.add(n)));
        await time.advance(0);
        equal(ends.map(({ error }) => error?.code), ['ERR_BATCH_RESULTS', 'ERR_BATCH_RESULTS']);
      }
    });
  },

  async 'an aborted item is not processed, and a batch nobody waits for is cancelled'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      const processed = [];
      let heard = false;
      const slow = batch(
        (items, { signal }) => {
          processed.push([...items]);
          signal.addEventListener('abort', () => (heard = true));
          return after(100, items);
        },
        { maxDelay: 10 },
      );
      const controllers = [0, 1, 2].map(() => new AbortController());
      const ends = controllers.map(({ signal }, n) => watch(slow.add(n, { signal })));
      controllers[1].abort(new Error('one'));
      await time.advance(10);
      equal([processed, ends[1].error?.message], [[[0, 2]], 'one']);
      controllers[0].abort(new Error('zero'));
      controllers[2].abort(new Error('two'));
      await time.settle();
      equal([heard, ends[0].error?.message, ends[2].error?.message], [true, 'zero', 'two']);
      await time.advance(1_000);
      equal([slow.getMetrics().pendingItems, slow.getMetrics().isProcessing], [0, false]);
    });
  },

  async 'holds back who adds too much, processes so many at a time, and closes'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      let running = 0;
      let most = 0;
      const busy = batch(
        async (items) => {
          running += 1;
          most = Math.max(most, running);
          await after(100);
          running -= 1;
          return items;
        },
        { maxSize: 2, maxDelay: 1, concurrency: 2, maxQueued: 8 },
      );
      const ends = Array.from({ length: 8 }, (_, n) => watch(busy.add(n)));
      await busy.ready();
      await refused(busy.add(8), 'ERR_QUEUE_FULL');
      const room = watch(busy.ready());
      await time.settle();
      equal(room.state, 'pending');
      await time.advance(100);
      equal([room.state, most, busy.getMetrics().pendingItems], ['resolved', 2, 4]);
      const late = watch(busy.add(9));
      const closed = watch(busy.close());
      await refused(busy.add(10), 'ERR_CLOSED');
      await time.advance(1_000);
      equal([closed.state, late.value, ends.every(({ state }) => state === 'resolved')], ['resolved', 9, true]);
      await busy.close();

      const given = batch(() => after(100, [1]), { maxDelay: 0 });
      const running2 = watch(given.add(1));
      await time.advance(0);
      const waiting = watch(given.add(2));
      await given.close({ drain: false });
      await time.settle();
      equal([running2.error?.code, waiting.error?.code], ['ERR_CLOSED', 'ERR_CLOSED']);
      await time.advance(1_000);
    });
  },

  async 'a batch of thousands keeps its order'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      const large = batch((items) => items.map((n) => (n % 7 === 0 ? new Error(`${n}`) : n + 1)), { maxSize: 5_000, maxDelay: 0 });
      const ends = Array.from({ length: 5_000 }, (_, n) => watch(large.add(n)));
      await time.advance(0);
      ok(ends.every(({ value, error }, n) => (n % 7 === 0 ? error?.message === `${n}` : value === n + 1)), 'each its own');
    });
  },

  async 'every item settles once with its own result, whatever comes'({ quillwork: { batch } }) {
    await withFakeTime(async (time) => {
      for (let seed = 0; seed < 12; seed += 1) {
        const random = new Random(seed);
        const batcher = batch(
          async (items) => {
            await after(random.below(40));
            if (random.below(10) === 0) {
              throw new Error('all');
            }
            return items.map((item) => (random.below(8) === 0 ? new Error(`${item.n}`) : item.n * 2));
          },
          {
            maxSize: 1 + random.below(300),
            maxDelay: random.below(30),
            concurrency: 1 + random.below(3),
            maxQueued: 50 + random.below(500),
            retryAttempts: random.below(3),
            retryDelay: random.below(30),
            wholeBatch: random.below(4) === 0,
            ...(random.below(2) === 0 ? { key: ({ k }) => k } : {}),
          },
        );
        const ends = [];
        for (let n = 0; n < 600; n += 1) {
          const controller = new AbortController();
          const k = random.below(200);
          ends.push([k, watch(batcher.add({ n: k, k }, { signal: controller.signal }))]);
          if (random.below(8) === 0) {
            setTimeout(() => controller.abort(), random.below(60));
          }
          if (random.below(3) === 0) {
            await time.advance(random.below(12));
          }
        }
        const closed = watch(batcher.close({ drain: random.below(3) > 0 }));
        await time.advance(10_000);
        equal(closed.state, 'resolved');
        for (const [k, { state, value }] of ends) {
          ok(state === 'rejected' || (state === 'resolved' && value === k * 2), `item ${k} is ${state} with ${value} (seed ${seed})`);
        }
        equal(batcher.getMetrics().pendingItems, 0);
      }
    });
  },

  async 'refuses settings that can not work'({ quillwork: { batch } }) {
    for (const options of [{ maxSize: 0 }, { maxBytes: 10 }, { concurrency: 0 }, { maxQueued: 0 }, { retryAttempts: -1 }, { key: 'id' }, { retryFactor: 0.5 }]) {
      await refused((async () => batch((items) => items, options))(), 'ERR_INVALID_OPTION');
    }
    await refused((async () => batch('text'))(), 'ERR_INVALID_OPTION');
    const thrown = await rejection(batch((items) => items, { key: () => { throw new Error('no key'); } }).add(1));
    equal(thrown.message, 'no key');
  },
};
