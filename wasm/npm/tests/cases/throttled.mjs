import { equal, ok, refused, rejection } from './check.mjs';
import { after, watch, withFakeTime } from './fake-time.mjs';
import { Random } from './random.mjs';

export default {
  async 'runs so many at once, in order, and gives each its own end'({ quillwork: { throttled } }) {
    await withFakeTime(async (time) => {
      const calls = throttled({ maxConcurrent: 2 });
      const started = [];
      const ends = [0, 1, 2, 3].map((n) =>
        watch(
          calls.execute(async () => {
            started.push([n, time.now - 1_000_000]);
            await after(100);
            if (n === 2) {
              throw new Error('two');
            }
            return n;
          }),
        ),
      );
      await time.advance(50);
      const { activeOperations, queueLength } = calls.getMetrics();
      equal([activeOperations, queueLength], [2, 2]);
      await time.advance(150);
      equal(started, [[0, 0], [1, 0], [2, 100], [3, 100]]);
      equal(ends.map(({ value, error }) => value ?? error.message), [0, 1, 'two', 3]);
      const { performance: done } = calls.getMetrics();
      equal([done.completed, done.failed, Math.round(done.runMs.p50), Math.round(done.waitMs.max)], [3, 1, 100, 100]);
      equal(time.pending, 0);
    });
  },

  async 'keeps to its rate, its bursts, and the rest after them'({ quillwork: { throttled } }) {
    await withFakeTime(async (time) => {
      const paced = throttled({ maxPerSecond: 10, maxBurstSize: 2 });
      const at = [];
      for (let n = 0; n < 5; n += 1) {
        paced.execute(() => at.push(time.now - 1_000_000));
      }
      await time.advance(1_000);
      equal(at, [0, 0, 100, 200, 300]);

      const resting = throttled({ maxBurstSize: 3, cooldownPeriod: 500 });
      const from = time.now;
      const starts = [];
      for (let n = 0; n < 7; n += 1) {
        resting.execute(() => starts.push(time.now - from));
      }
      await time.advance(200);
      const { isCooling, coolingMs } = resting.getMetrics();
      equal([isCooling, coolingMs], [true, 300]);
      await time.advance(2_000);
      equal(starts, [0, 0, 0, 500, 500, 500, 1_000]);
      equal(resting.getMetrics().isCooling, false);

      const slow = throttled({ maxPerSecond: 0.5 });
      const slowFrom = time.now;
      const slowly = [];
      for (let n = 0; n < 3; n += 1) {
        slow.execute(() => slowly.push(time.now - slowFrom));
      }
      await time.advance(5_000);
      equal(slowly, [0, 2_000, 4_000]);
    });
  },

  async 'urgent operations go first, and an aborted one leaves the queue at once'({ quillwork: { throttled } }) {
    await withFakeTime(async (time) => {
      const calls = throttled({ maxConcurrent: 1 });
      const order = [];
      const controller = new AbortController();
      let heard;
      const running = watch(
        calls.execute(
          ({ signal }) => {
            signal.addEventListener('abort', () => (heard = signal.reason.message));
            return after(100);
          },
          { signal: controller.signal },
        ),
      );
      const waiting = watch(calls.execute(() => order.push('aborted'), { signal: controller.signal }));
      for (const [name, priority] of [['low', 1], ['normal', 5], ['high', 9]]) {
        calls.execute(() => order.push(name), { priority });
      }
      await time.advance(10);
      controller.abort(new Error('enough'));
      await time.settle();
      equal([running.error?.message, waiting.error?.message, heard], ['enough', 'enough', 'enough']);
      // The one that runs keeps its place until it has really ended.
      equal([order, calls.getMetrics().activeOperations, calls.getMetrics().queueLength], [[], 1, 3]);
      await time.advance(100);
      equal(order, ['high', 'normal', 'low']);
      equal((await rejection(calls.execute(() => order.push('never'), { signal: controller.signal }))).message, 'enough');
    });
  },

  async 'a full queue refuses, drops or lets wait, as it is told'({ quillwork: { throttled } }) {
    await withFakeTime(async (time) => {
      const outcome = async (options, priorities) => {
        const calls = throttled({ maxConcurrent: 1, maxQueued: 2, ...options });
        const order = [];
        calls.execute(() => after(100));
        const ends = priorities.map((priority, n) => watch(calls.execute(() => order.push(n), { priority })));
        await time.settle();
        const codes = ends.map(({ error }) => error?.code);
        await time.advance(1_000);
        return [order, codes.map((code) => code?.slice(4))];
      };
      equal(await outcome({}, [5, 5, 5]), [[0, 1], [undefined, undefined, 'QUEUE_FULL']]);
      equal(await outcome({ overflow: 'drop-oldest' }, [5, 5, 5]), [[1, 2], ['DROPPED', undefined, undefined]]);
      equal(await outcome({ overflow: 'drop-lowest-priority' }, [5, 1, 9]), [[2, 0], [undefined, 'DROPPED', undefined]]);
      equal(await outcome({ overflow: 'wait', maxWaiting: 1 }, [5, 5, 5, 5]), [[0, 1, 2], [undefined, undefined, undefined, 'QUEUE_FULL']]);
      const calls = throttled({ maxConcurrent: 1 });
      calls.execute(() => after(1_000));
      const expiring = watch(calls.execute(() => 1, { maxWait: 100 }));
      await time.advance(100);
      equal(expiring.error?.code, 'ERR_QUEUE_EXPIRED');
    });
  },

  async 'pauses, resumes, widens and closes'({ quillwork: { throttled } }) {
    await withFakeTime(async (time) => {
      const calls = throttled({ maxConcurrent: 1 });
      const order = [];
      calls.pause();
      const ends = [0, 1, 2].map((n) =>
        watch(
          calls.execute(async () => {
            order.push(n);
            await after(100);
          }),
        ),
      );
      await time.advance(500);
      equal(order, []);
      calls.setMaxConcurrent(2);
      calls.resume();
      equal(order, [0, 1]);
      const closing = watch(calls.close());
      await time.settle();
      equal([ends[2].error?.code, closing.state], ['ERR_CLOSED', 'pending']);
      await refused(calls.execute(() => 1), 'ERR_CLOSED');
      await time.advance(100);
      equal([closing.state, ends[0].state, ends[1].state], ['resolved', 'resolved', 'resolved']);
      await calls.close();
    });
  },

  async 'every promise settles once, whatever comes'({ quillwork: { throttled } }) {
    await withFakeTime(async (time) => {
      for (let seed = 0; seed < 12; seed += 1) {
        const random = new Random(seed);
        const overflow = random.one(['reject', 'drop-oldest', 'drop-lowest-priority', 'wait']);
        const calls = throttled({
          maxConcurrent: 1 + random.below(4),
          maxPerSecond: 50 + random.below(200),
          maxBurstSize: 1 + random.below(10),
          ...(random.below(2) === 0 ? { cooldownPeriod: 20 } : {}),
          maxQueued: random.below(20) + 1,
          maxWaiting: 5,
          overflow,
        });
        const ends = [];
        let running = 0;
        let most = 0;
        for (let n = 0; n < 300; n += 1) {
          const controller = new AbortController();
          const takes = random.below(60);
          const fails = random.below(4) === 0;
          const run = async () => {
            running += 1;
            most = Math.max(most, running);
            await after(takes);
            running -= 1;
            if (fails) {
              throw new Error('failed');
            }
          };
          const settings = { priority: random.below(11), signal: controller.signal, maxWait: 50 + random.below(500) };
          ends.push(watch(calls.execute(run, settings)));
          if (random.below(6) === 0) {
            setTimeout(() => controller.abort(), random.below(80));
          }
          await time.advance(random.below(12));
        }
        await time.advance(3_000);
        equal(ends.filter(({ state }) => state === 'pending').length, 0, `pending with seed ${seed}`);
        const { performance: all, activeOperations, queueLength } = calls.getMetrics();
        equal([all.accepted + all.refused, activeOperations, queueLength], [300, 0, 0]);
        equal(all.completed + all.failed + all.aborted + all.expired + all.dropped, all.accepted);
        ok(most <= 4, 'no more at once than may');
      }
    });
  },

  async 'refuses settings that can not work'({ quillwork: { throttled } }) {
    for (const options of [{ maxConcurrent: 0 }, { maxPerSecond: 0 }, { cooldownPeriod: 10 }, { overflow: 'panic' }, { maxQueued: 0, overflow: 'wait' }]) {
      await refused((async () => throttled(options))(), 'ERR_INVALID_OPTION');
    }
    await refused(throttled({ maxPerSecond: 2 }).execute(() => 1, { weight: 3 }), 'ERR_INVALID_OPTION');
    await refused(throttled().execute(() => 1, { priority: 11 }), 'ERR_INVALID_OPTION');
    await refused(throttled().execute('text'), 'ERR_INVALID_OPTION');
  },
};
