import { equal, refused, rejection } from './check.mjs';
import { withFakeTime } from './fake-time.mjs';

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

  async 'refuses settings that can not work, saying what to do'({ quillwork: { circuitBreaker } }) {
    for (const options of [{ window: false }, { failureRatio: 0 }, { trials: 0 }, { window: { calls: 5 }, minCalls: 6 }, { openTimeCap: 1 }]) {
      await refused((async () => circuitBreaker(options))(), 'ERR_INVALID_OPTION');
    }
  },
};
