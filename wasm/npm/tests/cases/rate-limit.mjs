import { equal, ok, refused, rejection } from './check.mjs';
import { withFakeTime } from './fake-time.mjs';
import { Random } from './random.mjs';

/** The most weight that a window of so many milliseconds holds, of admissions in order. */
function fullest(admitted, window) {
  let most = 0;
  let held = 0;
  let first = 0;
  for (const [at, weight] of admitted) {
    held += weight;
    while (admitted[first][0] <= at - window) {
      held -= admitted[first][1];
      first += 1;
    }
    most = Math.max(most, held);
  }
  return most;
}

export default {
  async 'a strict limit never admits more than its quota in any window'({ quillwork: { rateLimit } }) {
    for (let seed = 0; seed < 40; seed += 1) {
      await withFakeTime(async (time) => {
        const random = new Random(seed);
        const limit = 1 + random.below(20);
        const interval = 10 + random.below(200);
        const limiter = rateLimit({ limit, interval, strict: true });
        const admitted = [];
        for (let n = 0; n < 2_000; n += 1) {
          const weight = 1 + random.below(Math.min(3, limit));
          const dice = random.below(8);
          if (dice === 0) {
            const controller = new AbortController();
            const done = () => admitted.push([time.now, weight]);
            limiter.acquire({ weight, signal: controller.signal, maxWait: interval * 3 }).then(done, () => {});
            if (random.below(3) === 0) {
              setTimeout(() => controller.abort(), random.below(interval));
            }
            await time.settle();
          } else if (limiter.tryAcquire(weight)) {
            admitted.push([time.now, weight]);
          }
          await time.advance(random.one([0, 0, 1, random.below(interval)]));
        }
        ok(fullest(admitted, interval) <= limit, `at most ${limit} in ${interval} ms (seed ${seed})`);
        ok(admitted.length > 200, 'enough admitted to mean something');
      });
    }
  },

  async 'a steady limit admits its burst, then its rate, and says when'({ quillwork: { rateLimit } }) {
    await withFakeTime(async (time) => {
      const limiter = rateLimit({ limit: 10, interval: 1_000, burst: 3 });
      equal([1, 2, 3, 4].map(() => limiter.tryAcquire()), [true, true, true, false]);
      equal([limiter.msUntil(), limiter.msUntil(2), limiter.msUntil(4)], [100, 200, Infinity]);
      await time.advance(100);
      equal([limiter.msUntil(), limiter.tryAcquire(), limiter.tryAcquire()], [0, true, false]);
      equal(limiter.getMetrics(), { admitted: 4, refused: 2, waiting: 0 });
      await refused((async () => limiter.reserve({ weight: 4 }))(), 'ERR_INVALID_OPTION');
      await refused((async () => limiter.tryAcquire(1.5))(), 'ERR_INVALID_OPTION');
    });
  },

  async 'turns come in order, aborted ones are given back, and nobody overtakes'({ quillwork: { rateLimit } }) {
    await withFakeTime(async (time) => {
      const limiter = rateLimit({ limit: 1, interval: 100 });
      const order = [];
      const controller = new AbortController();
      const turns = [0, 1, 2, 3].map((n) =>
        limiter.acquire({ signal: n === 3 ? controller.signal : undefined }).then(
          () => order.push([n, time.now - 1_000_000]),
          (error) => order.push([n, error.message]),
        ),
      );
      await time.settle();
      equal([order, limiter.tryAcquire(), limiter.msUntil()], [[[0, 0]], false, 400]);
      controller.abort(new Error('enough'));
      await time.settle();
      equal([order.at(-1), limiter.msUntil(), limiter.getMetrics().waiting], [[3, 'enough'], 300, 2]);
      await time.advance(250);
      await Promise.all(turns);
      equal(order.slice(2), [[1, 100], [2, 200]]);
      const refusal = await refused(limiter.acquire({ maxWait: 20 }), 'ERR_RATE_LIMITED');
      equal([refusal.retryAfterMs, time.pending], [50, 0]);
      const reservation = limiter.reserve();
      equal([reservation.waitMs, limiter.msUntil()], [50, 150]);
      reservation.cancel();
      equal(limiter.msUntil(), 50);
      const aborted = new AbortController();
      aborted.abort(new Error('before'));
      equal((await rejection(limiter.acquire({ signal: aborted.signal }))).message, 'before');
    });
  },

  async 'wraps a function, each call of which waits for its turn'({ quillwork: { rateLimited } }) {
    await withFakeTime(async (time) => {
      const at = [];
      const object = {
        name: 'this',
        load: rateLimited(
          function (n) {
            at.push([this.name, n, time.now - 1_000_000]);
            return n * 2;
          },
          { limit: 2, interval: 100, burst: 1 },
        ),
      };
      const results = [1, 2, 3].map((n) => object.load(n));
      await time.advance(100);
      equal(await Promise.all(results), [2, 4, 6]);
      equal(at, [['this', 1, 0], ['this', 2, 50], ['this', 3, 100]]);
    });
  },

  async 'keys are limited each, go when they are as new, and make room in that order'({ quillwork: { keyedRateLimit } }) {
    await withFakeTime(async (time) => {
      const readers = keyedRateLimit({ limit: 2, interval: 1_000, maxKeys: 100 });
      equal(['ada', 'ada', 'ada', 'bob'].map((key) => readers.for(key).tryAcquire()), [true, true, false, true]);
      equal(readers.getMetrics(), { keys: 2, evictedEarly: 0 });
      await time.advance(1_000);
      equal(readers.getMetrics().keys, 0);
      // Somebody far over the limit is not washed out by a flood of others.
      for (let n = 0; n < 20; n += 1) {
        readers.for('flooder').reserve();
      }
      for (let n = 0; n < 5_000; n += 1) {
        readers.for(`made up ${n}`).tryAcquire();
      }
      const { keys, evictedEarly } = readers.getMetrics();
      ok(keys <= 100 && evictedEarly > 0, `a bounded number of keys, not ${keys}`);
      equal([readers.for('flooder').tryAcquire(), readers.for('made up 0').tryAcquire()], [false, true]);
    });
  },

  async 'refuses settings that can not work'({ quillwork: { rateLimit } }) {
    for (const options of [{}, { limit: 0 }, { limit: 1, interval: 0 }, { limit: 1, burst: 0 }, { limit: 10, interval: 1e-6 }]) {
      await refused((async () => rateLimit(options))(), 'ERR_INVALID_OPTION');
    }
  },
};
