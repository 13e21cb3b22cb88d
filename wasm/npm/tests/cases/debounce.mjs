import { equal, ok, refused, rejection } from './check.mjs';
import { withFakeTime } from './fake-time.mjs';
import { Random } from './random.mjs';

/** Random calls of one function under both; what it saw and what the calls gave must be the same, throws included. */
async function besideLodash(seed, ours, theirs, options) {
  await withFakeTime(async (time) => {
    const logs = [[], []];
    const wait = options.wait;
    const functions = [ours, theirs].map((limit, index) => {
      const log = logs[index];
      const limited = limit(
        function (label, nested) {
          log.push(['invoked', time.now, time.skew, label, this?.name]);
          if (nested === 'call') {
            log.push(['nested', limited.call({ name: 'inner' }, `${label}+`)]);
          } else if (nested === 'cancel' || nested === 'flush') {
            log.push([nested, limited[nested]()]);
          } else if (nested === 'throw') {
            throw new Error(label);
          }
          return `${label}!`;
        },
        wait,
        options.given,
      );
      return limited;
    });
    const both = (what) => {
      for (const index of [0, 1]) {
        let result;
        try {
          result = what(functions[index]);
        } catch (thrown) {
          result = `threw ${thrown.message}`;
        }
        logs[index].push([time.now, result]);
      }
    };
    const random = new Random(seed);
    for (let step = 0; step < 60; step += 1) {
      const dice = random.below(24);
      if (dice === 0) {
        both((limited) => limited.cancel());
      } else if (dice <= 2) {
        both((limited) => limited.flush());
      } else if (dice === 3) {
        time.skew -= random.below(300);
      } else if (dice === 4) {
        time.skew += random.below(300);
      } else if (dice > 8) {
        const nested = random.one([undefined, undefined, undefined, undefined, 'call', 'cancel', 'flush', 'throw']);
        both((limited) => limited.call({ name: `this ${step}` }, `call ${step}`, nested));
      }
      try {
        time.advanceSync(random.one([0, 1, random.below(20), random.below(20), random.below(250)]));
      } catch {
        // A timer's invocation threw, in one of the two; the other one's is still to come.
        for (let again = true; again; ) {
          try {
            time.advanceSync(0);
            again = false;
          } catch {
            // Both threw.
          }
        }
      }
    }
    equal(logs[0], logs[1], `seed ${seed}, ${JSON.stringify(options)}`);
    ok(logs[0].length > 0, 'something to compare');
  });
}

function optionsOf(random, throttles) {
  const given = {};
  for (const edge of ['leading', 'trailing']) {
    if (random.below(3) > 0) {
      given[edge] = random.below(2) === 1;
    }
  }
  if (!throttles && random.below(2) === 1) {
    given.maxWait = random.one([0, 5, 20, 100, 250]);
  }
  return { wait: random.one([0, 1, 10, 50, 100]), given: random.below(8) === 0 && !throttles ? undefined : given };
}

export default {
  async 'debounces as lodash does, call by call'({ quillwork: { debounce }, lodash }) {
    for (let seed = 0; seed < 2_000; seed += 1) {
      await besideLodash(seed, debounce, lodash.debounce, optionsOf(new Random(seed + 1e6), false));
    }
  },

  async 'throttles as lodash does, call by call'({ quillwork: { throttle }, lodash }) {
    for (let seed = 0; seed < 2_000; seed += 1) {
      await besideLodash(seed, throttle, lodash.throttle, optionsOf(new Random(seed + 2e6), true));
    }
  },

  async 'a wait longer than a timer can be does not spin'({ quillwork: { debounce } }) {
    await withFakeTime(async (time) => {
      let invoked = 0;
      const limited = debounce(() => (invoked += 1), Infinity, { leading: true });
      limited();
      limited();
      await time.advance(2 ** 31);
      equal([invoked, time.pending, limited.pending()], [1, 1, true]);
      limited.flush();
      equal(invoked, 2);
    });
  },

  async 'tells what it has done'({ quillwork: { debounce } }) {
    await withFakeTime(async (time) => {
      const limited = debounce((n) => n, 100);
      equal([limited.pending(), limited.getMetrics().lastCallTime, limited.getMetrics().performance.averageInvokeMs], [false, undefined, 0]);
      limited(1);
      await time.advance(40);
      limited(2);
      const waiting = limited.getMetrics();
      equal([waiting.isWaiting, waiting.lastCallTime, waiting.lastInvokeTime], [true, time.now, undefined]);
      await time.advance(100);
      const { isWaiting, lastInvokeTime, performance: done } = limited.getMetrics();
      equal([isWaiting, lastInvokeTime, done.calls, done.invocations], [false, time.now, 2, 1]);
    });
  },

  async 'settles a promise for each caller with the invocation that served it'({ quillwork: { debounceAsync, throttleAsync } }) {
    await withFakeTime(async (time) => {
      const served = [];
      const debounced = debounceAsync(async (n) => {
        served.push(n);
        if (n === 5) {
          throw new Error('five');
        }
        return n * 10;
      }, 100);
      const first = [debounced(1), debounced(2), debounced(3)];
      await time.advance(100);
      equal(await Promise.all(first), [30, 30, 30]);
      const second = [debounced(4), debounced(5)];
      second.forEach((promise) => promise.catch(() => {}));
      await time.advance(100);
      equal((await Promise.all(second.map(rejection))).map(({ message }) => message), ['five', 'five']);
      const cancelled = debounced(6);
      debounced.cancel();
      await refused(cancelled, 'ERR_ABORTED');
      const flushed = debounced(7);
      equal(await debounced.flush(), 70);
      equal(await flushed, 70);
      equal(served, [3, 5, 7]);

      const throttled = throttleAsync((n) => n, 100);
      const edges = [throttled(1), throttled(2), throttled(3)];
      await time.advance(100);
      equal(await Promise.all(edges), [1, 3, 3]);
      const leading = throttleAsync((n) => n, 100, { trailing: false });
      await time.advance(1_000);
      equal(await Promise.all([leading(1), leading(2), leading(3)]), [1, 1, 1]);
      const throwing = throttleAsync(() => {
        throw new Error('at once');
      }, 100);
      equal((await rejection(throwing())).message, 'at once');
    });
  },

  async 'refuses what can not be called, or served'({ quillwork: { debounce, throttle, debounceAsync, throttleAsync } }) {
    for (const limit of [debounce, throttle, debounceAsync, throttleAsync]) {
      await refused((async () => limit('text', 100))(), 'ERR_INVALID_OPTION');
    }
    await refused((async () => debounceAsync(() => 1, 10, { trailing: false }))(), 'ERR_INVALID_OPTION');
    await refused((async () => throttleAsync(() => 1, 10, { leading: false, trailing: false }))(), 'ERR_INVALID_OPTION');
  },
};
