import { equal, refused, rejection } from './check.mjs';
import { withFakeTime } from './fake-time.mjs';
import { Random } from './random.mjs';

const fail = () => {
  throw new Error('down');
};

export default {
  async 'opens after failures, lets trials through when its time is over, and closes on them'({ quillwork: { circuitBreaker } }) {
    await withFakeTime(async (time) => {
      const breaker = circuitBreaker({ consecutiveFailures: 3, openTime: 1_000, trials: 2 });
      for (let n = 0; n < 3; n += 1) {
        equal(breaker.state, 'closed');
        equal((await rejection(breaker.execute(fail))).message, 'down');
      }
      equal(breaker.state, 'open');
      await time.advance(400);
      const refusal = await refused(breaker.execute(() => 1), 'ERR_CIRCUIT_OPEN');
      equal(refusal.retryAfterMs, 600);
      await time.advance(600);
      equal(breaker.state, 'half-open');
      equal(await breaker.execute(() => 1), 1);
      equal(breaker.state, 'half-open');
      equal(await breaker.execute(async () => 2), 2);
      equal(breaker.state, 'closed');
      const { succeeded, failed, refused: refusals, opened } = breaker.getMetrics();
      equal([succeeded, failed, refusals, opened], [2, 3, 1, 1]);
    });
  },

  async 'tells listeners of a change when it is due'({ quillwork: { circuitBreaker } }) {
    await withFakeTime(async (time) => {
      const breaker = circuitBreaker({ consecutiveFailures: 1, openTime: 1_000 });
      const heard = [];
      const off = breaker.on('change', ({ from, to, cause }) => heard.push(`${from} ${to} ${cause}`));
      await rejection(breaker.execute(fail));
      equal(heard, ['closed open consecutive-failures']);
      await time.advance(1_000);
      equal(heard.at(-1), 'open half-open open-time-over');
      off();
      breaker.setMode('forced-open');
      equal(heard.length, 2);
    });
  },

  async 'decides alike about calls that can be aborted and calls that can not'({ quillwork: { circuitBreaker } }) {
    for (const [seed, window] of [{ calls: 10 }, { bucketMs: 100, buckets: 5 }, { calls: 10 }, { bucketMs: 50, buckets: 20 }].entries()) {
      await withFakeTime(async (time) => {
        const random = new Random(seed);
        const isFailure = ({ message }) => message !== 'the caller’s own';
        const options = { window, minCalls: 5, failureRatio: 0.5, slowCall: 50, slowRatio: 0.7, openTime: 200, openTimeFactor: 1, trials: 2, isFailure };
        const breakers = [circuitBreaker(options), circuitBreaker(options)];
        const changes = breakers.map((breaker) => {
          const heard = [];
          breaker.on('change', ({ from, to, cause, counts }) => heard.push([from, to, cause, counts]));
          return heard;
        });
        const { signal } = new AbortController();
        const ends = [[], []];
        for (let n = 0; n < 400; n += 1) {
          const [ms, error] = [random.one([0, 0, 20, 80]), random.one([undefined, undefined, 'down', 'down', 'the caller’s own'])];
          const call = () => {
            if (ms === 0 && error !== undefined) {
              throw new Error(error);
            }
            const settle = (resolve, reject) => setTimeout(() => (error === undefined ? resolve(n) : reject(new Error(error))), ms);
            return ms === 0 ? n : new Promise(settle);
          };
          breakers.forEach((breaker, which) => {
            const made = breaker.execute(call, which === 0 ? undefined : { signal });
            made.then((value) => ends[which].push(value), ({ message }) => ends[which].push(`${n} ${message}`));
          });
          await time.advance(random.below(40));
          equal(breakers[0].state, breakers[1].state, `state after call ${n}`);
        }
        await time.advance(1_000);
        equal(breakers[0].getMetrics(), breakers[1].getMetrics());
        equal(changes[0], changes[1]);
        equal([...ends[0]].sort(), [...ends[1]].sort());
        equal([ends[0].length, changes[0].length > 10], [400, true], `settled, and changes (${changes[0].length})`);
      });
    }
  },

  async 'refuses settings that can not work, saying what to do'({ quillwork: { circuitBreaker } }) {
    for (const options of [{ window: false }, { failureRatio: 0 }, { trials: 0 }, { window: { calls: 5 }, minCalls: 6 }, { openTimeCap: 1 }]) {
      await refused((async () => circuitBreaker(options))(), 'ERR_INVALID_OPTION');
    }
  },
};
