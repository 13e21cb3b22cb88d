// Comparisons of flow control with the packages that apps use for it.
import { circuitBreaker as cockatielBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel';
import * as toolkit from 'es-toolkit';
import lodash from 'lodash';
import PQueue from 'p-queue';
import { circuitBreaker, debounce, throttle, throttled } from 'quillwork';
import { inRounds, micros } from './rounds.mjs';

const CALLS = 50_000;
const OPERATIONS = 2_000;
const WAIT_MS = 60_000;

/** Everything about flow control. `breakers` are further peers: each runs an operation behind a closed breaker. */
export async function compareFlow(rounds, tell, breakers = {}) {
  const results = {};
  const compare = async (what, measures) => {
    Object.assign(results, await inRounds(rounds, measures, (done, all) => tell(`${what}: round ${done} of ${all}`)));
  };
  await compare('debounce', {
    quillwork: calls('debounce, a call', debounce(() => undefined, WAIT_MS)),
    lodash: calls('debounce, a call', lodash.debounce(() => undefined, WAIT_MS)),
    toolkit: calls('debounce, a call', toolkit.debounce(() => undefined, WAIT_MS)),
  });
  await compare('throttle', {
    quillwork: calls('throttle, a call', throttle(() => undefined, WAIT_MS)),
    lodash: calls('throttle, a call', lodash.throttle(() => undefined, WAIT_MS)),
    toolkit: calls('throttle, a call', toolkit.throttle(() => undefined, WAIT_MS)),
  });
  const limited = throttled({ maxConcurrent: 10, maxQueued: OPERATIONS });
  const queue = new PQueue({ concurrency: 10 });
  await compare('queue', {
    quillwork: operations('queue of 10 at a time, an operation', (operation) => limited.execute(operation)),
    queue: operations('queue of 10 at a time, an operation', (operation) => queue.add(operation)),
  });
  const breaker = circuitBreaker();
  const cockatiel = cockatielBreaker(handleAll, { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(5) });
  await compare('breaker', {
    quillwork: operations('closed breaker, a call', (operation) => breaker.execute(operation)),
    ...Object.fromEntries(Object.entries(breakers).map(([name, run]) => [name, operations('closed breaker, a call', run)])),
    cockatiel: operations('closed breaker, a call', (operation) => cockatiel.execute(operation)),
  });
  return results;
}

function calls(name, debounced) {
  return async () => {
    const took = await micros(() => {
      for (let n = 0; n < CALLS; n += 1) {
        debounced(n);
      }
    });
    debounced.cancel();
    return { [name]: took / CALLS };
  };
}

function operations(name, run) {
  const operation = async () => undefined;
  return async () => ({ [name]: (await micros(() => Promise.all(Array.from({ length: OPERATIONS }, () => run(operation))))) / OPERATIONS });
}
