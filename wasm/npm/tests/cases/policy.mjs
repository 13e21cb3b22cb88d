import { equal, ok, refused, rejection } from './check.mjs';
import { after, watch, withFakeTime } from './fake-time.mjs';

/** A promise that is settled from outside. */
function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

export default {
  async 'retries until it works, waiting longer each time'({ quillwork: { retry } }) {
    await withFakeTime(async (time) => {
      const at = [];
      const result = watch(
        retry(
          ({ attempt }) => {
            at.push(time.now - 1_000_000);
            if (attempt < 4) {
              throw new Error(`attempt ${attempt}`);
            }
            return attempt;
          },
          { attempts: 5, base: 100, cap: 250, jitter: 'none' },
        ),
      );
      await time.advance(1_000);
      equal(at, [0, 100, 300, 550]);
      equal(result, { state: 'resolved', value: 4 });
      equal(time.pending, 0);
    });
  },

  async 'gives the last error when attempts, time or patience are over'({ quillwork: { retry } }) {
    await withFakeTime(async (time) => {
      let calls = 0;
      const failing = () => {
        calls += 1;
        throw new Error(`call ${calls}`);
      };
      const all = watch(retry(failing, { attempts: 2, base: 10 }));
      await time.advance(1_000);
      equal([all.error?.message, calls], ['call 2', 2]);
      const own = watch(retry(failing, { shouldRetry: () => false }));
      await time.advance(0);
      equal([own.error?.message, calls], ['call 3', 3]);
      const late = watch(retry(() => new Promise(() => {}), { totalDeadline: 500 }));
      await time.advance(499);
      equal(late.state, 'pending');
      await time.advance(1);
      equal(late.error?.code, 'ERR_TIMEOUT');
      await refused(retry(failing, { attempts: 0 }), 'ERR_INVALID_OPTION');
      await refused(retry(7), 'ERR_INVALID_OPTION');
    });
  },

  async 'an aborted retry ends at once and never calls again'({ quillwork: { retry } }) {
    await withFakeTime(async (time) => {
      const controller = new AbortController();
      let calls = 0;
      const failing = () => {
        calls += 1;
        throw new Error('down');
      };
      const waiting = watch(retry(failing, { signal: controller.signal, base: 1_000, jitter: 'none' }));
      await time.advance(10);
      controller.abort(new Error('enough'));
      await time.settle();
      equal([waiting.error?.message, calls, time.pending], ['enough', 1, 0]);
      await time.advance(100_000);
      equal(calls, 1);
      equal((await rejection(retry(failing, { signal: controller.signal }))).message, 'enough');
      equal(calls, 1);
      // One that runs hears of it through its own signal.
      const other = new AbortController();
      let heard;
      const running = watch(
        retry(
          ({ signal }) => {
            signal.addEventListener('abort', () => (heard = signal.reason.message));
            return new Promise(() => {});
          },
          { signal: other.signal },
        ),
      );
      await time.settle();
      other.abort(new Error('stop'));
      await time.settle();
      equal([running.error?.message, heard], ['stop', 'stop']);
    });
  },

  async 'follows the other side\'s wish, within bounds'({ quillwork: { retry } }) {
    await withFakeTime(async (time) => {
      const at = [];
      const busy = (wish) => () => {
        at.push(time.now - 1_000_000);
        if (at.length < 2) {
          throw Object.assign(new Error('busy'), { wish });
        }
        return 'done';
      };
      const done = watch(retry(busy(700), { base: 10, retryAfter: ({ wish }) => wish }));
      await time.advance(5_000);
      equal([at, done.value], [[0, 700], 'done']);
    });
  },

  async 'a budget shared by many bounds their retries together'({ quillwork: { policy, retry, retryBudget } }) {
    await withFakeTime(async (time) => {
      const budget = retryBudget({ depositRatio: 0.5, reservePerSecond: 0, maxSaved: 4 });
      let calls = 0;
      const failing = async () => {
        calls += 1;
        throw new Error('down');
      };
      const settings = { attempts: 10, base: 1, jitter: 'none' };
      const shared = [policy({ retry: settings, retryBudget: budget }), policy({ retry: settings, retryBudget: budget })];
      const ends = [watch(shared[0].execute(failing)), watch(shared[1].execute(failing)), watch(retry(failing, { ...settings, budget }))];
      await time.advance(60_000);
      equal(ends.map(({ state }) => state), ['rejected', 'rejected', 'rejected']);
      equal(calls, 3 + 4);
      equal(budget.getMetrics().available, 0);
      await shared[1].execute(() => 1);
      await shared[0].execute(() => 1);
      equal(budget.getMetrics(), { available: 1, capacity: 4, deposits: 2, withdrawals: 4, refusals: 3 });
    });
  },

  async 'a time-out ends an attempt and aborts its signal'({ quillwork: { timeout } }) {
    await withFakeTime(async (time) => {
      const limited = timeout(100);
      let aborted = false;
      const slow = watch(
        limited.execute(({ signal }) => {
          signal.addEventListener('abort', () => (aborted = true));
          return after(200, 'late');
        }),
      );
      const quick = watch(limited.execute(() => after(99, 'in time')));
      await time.advance(99);
      equal([quick.value, slow.state], ['in time', 'pending']);
      await time.advance(1);
      equal([slow.error?.code, aborted], ['ERR_TIMEOUT', true]);
      await time.advance(1_000);
      equal(limited.getMetrics().activeAttempts, 0);
      await refused((async () => timeout(0))(), 'ERR_INVALID_OPTION');
    });
  },

  async 'a bulkhead runs so many, queues so many, and refuses the rest'({ quillwork: { bulkhead } }) {
    await withFakeTime(async (time) => {
      const calls = bulkhead({ maxConcurrent: 2, maxQueued: 2, maxWait: 1_000 });
      const gates = Array.from({ length: 5 }, deferred);
      const started = [];
      const controller = new AbortController();
      const ends = gates.map(({ promise }, n) =>
        watch(
          calls.execute(
            () => {
              started.push(n);
              return promise;
            },
            n === 2 ? { signal: controller.signal } : undefined,
          ),
        ),
      );
      await time.settle();
      equal([started, ends[4].error?.code], [[0, 1], 'ERR_QUEUE_FULL']);
      equal([calls.getMetrics().bulkhead.running, calls.getMetrics().bulkhead.queued], [2, 2]);
      // An abort takes it out of the queue: the next one moves up.
      controller.abort();
      await time.settle();
      equal([ends[2].state, calls.getMetrics().bulkhead.queued], ['rejected', 1]);
      gates[0].resolve('first');
      await time.settle();
      equal([started, ends[0].value], [[0, 1, 3], 'first']);
      const waiting = watch(calls.execute(() => 'never'));
      await time.advance(1_000);
      equal(waiting.error?.code, 'ERR_QUEUE_EXPIRED');
      gates[1].reject(new Error('own'));
      gates[3].resolve(3);
      await time.settle();
      equal([ends[1].error.message, ends[3].value, calls.getMetrics().activeCalls], ['own', 3, 0]);
    });
  },

  async 'a hedge makes a slow call a second time and takes what comes first'({ quillwork: { hedge } }) {
    await withFakeTime(async (time) => {
      const calls = hedge({ delay: 50 });
      const reasons = [];
      const end = watch(
        calls.execute(({ attempt, signal }) => {
          signal.addEventListener('abort', () => reasons.push([attempt, signal.reason.code]));
          return after(attempt === 1 ? 500 : 20, `attempt ${attempt}`);
        }),
      );
      await time.advance(70);
      equal([end.value, reasons], ['attempt 2', [[1, 'ERR_ABORTED']]]);
      await time.advance(1_000);
      equal(calls.getMetrics().hedge, { hedges: 1, refused: 0, won: 1 });
    });
  },

  async 'an adaptive limit refuses what a service does not take'({ quillwork: { adaptiveLimit } }) {
    await withFakeTime(async (time) => {
      const calls = adaptiveLimit({ algorithm: 'aimd', initial: 2, ceiling: 2, floor: 1, dropFactor: 0.5 });
      const gate = deferred();
      const ends = [1, 2].map(() => watch(calls.execute(() => gate.promise)));
      await refused(calls.execute(() => 1), 'ERR_OVERLOADED');
      gate.reject(new Error('too much'));
      await time.settle();
      equal(ends.map(({ state }) => state), ['rejected', 'rejected']);
      const { limit, inFlight, dropped } = calls.getMetrics().adaptiveLimit;
      equal([limit, inFlight, dropped], [1, 0, 2]);
    });
  },

  async 'composes layers in the documented order'({ quillwork: { policy } }) {
    await withFakeTime(async (time) => {
      const calls = policy({
        timeout: 200,
        totalDeadline: 1_000,
        retry: { attempts: 2, base: 50, jitter: 'none' },
        breaker: { consecutiveFailures: 2, openTime: 10_000 },
        fallback: (error) => `instead of ${error.code ?? error.message}`,
      });
      // The first attempt fails, the second hangs; two failures in a row open the breaker.
      const end = watch(
        calls.execute(({ attempt }) => {
          if (attempt === 1) {
            throw new Error('one');
          }
          return new Promise(() => {});
        }),
      );
      await time.advance(250);
      equal(end.value, 'instead of ERR_TIMEOUT');
      let called = false;
      const refusal = watch(calls.execute(() => (called = true)));
      await time.settle();
      await time.advance(1_000);
      equal([refusal.state, called], ['resolved', false]);
      equal(refusal.value, 'instead of ERR_CIRCUIT_OPEN');
      const { calls: count, attempts, fellBack } = calls.getMetrics();
      equal([count, attempts, fellBack], [2, 2, 2]);
      await refused((async () => policy({ bulkhead: {}, adaptiveLimit: {} }))(), 'ERR_INVALID_OPTION');
    });
  },

  async 'keeps this and arguments, and what is thrown at once rejects'({ quillwork: { policy } }) {
    const calls = policy({ retry: { attempts: 1 } });
    const object = {
      factor: 2,
      times: calls.wrap(function (n) {
        return this.factor * n;
      }),
    };
    equal(await object.times(21), 42);
    const thrown = await rejection(calls.wrap(() => { throw new RangeError('at once'); })());
    equal(thrown.message, 'at once');
  },

  async 'calls from within a call are taken one after the other, and all settle'({ quillwork: { policy } }) {
    const calls = policy({ bulkhead: { maxConcurrent: 3, maxQueued: 1_000 }, breaker: {} });
    const nested = [];
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        calls.execute(() => {
          nested.push(calls.execute(() => n));
          return n;
        }),
      ),
    );
    equal(results, Array.from({ length: 100 }, (_, n) => n));
    equal((await Promise.all(nested)).length, 100);
    ok(calls.getMetrics().activeCalls === 0, 'nothing left');
  },

  async 'every promise settles once whatever is thrown, aborted and timed out'({ quillwork: { policy } }) {
    await withFakeTime(async (time) => {
      const calls = policy({
        totalDeadline: 400,
        retry: { attempts: 3, base: 20, jitter: 'none' },
        breaker: { window: { calls: 20 }, minCalls: 10, openTime: 50, failureRatio: 0.8 },
        hedge: { delay: 30 },
        rate: { limit: 40, interval: 100, maxWait: 100 },
        bulkhead: { maxConcurrent: 8, maxQueued: 10, maxWait: 100 },
        timeout: 60,
      });
      let seed = 7;
      const draw = (bound) => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return (seed >>> 8) % bound;
      };
      const ends = [];
      for (let n = 0; n < 2_000; n += 1) {
        const controller = new AbortController();
        const takes = draw(120);
        const fails = draw(4) === 0;
        const end = watch(
          calls.execute(
            () =>
              draw(9) === 0
                ? 'at once'
                : new Promise((resolve, reject) => setTimeout(() => (fails ? reject(new Error('failed')) : resolve(n)), takes)),
            { signal: controller.signal },
          ),
        );
        ends.push(end);
        if (draw(5) === 0) {
          setTimeout(() => controller.abort(new Error('aborted')), draw(100));
        }
        await time.advance(draw(6));
      }
      await time.advance(2_000);
      equal(ends.filter(({ state }) => state === 'pending').length, 0);
      const { calls: all, succeeded, failed, activeCalls, activeAttempts } = calls.getMetrics();
      equal([all, succeeded + failed, activeCalls, activeAttempts], [2_000, 2_000, 0, 0]);
      ok(succeeded > 100 && failed > 100, `some of both, not ${succeeded} and ${failed}`);
    });
  },
};
