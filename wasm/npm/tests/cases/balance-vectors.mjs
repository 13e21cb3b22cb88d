// A sequence of calls gives the same choices as core makes natively: wasm/balance/tests/vectors.rs draws the same.
import vectors from '../vectors/balance.mjs';
import { equal } from './check.mjs';
import { withFakeTime } from './fake-time.mjs';

const CAPACITIES = [4, 8, 8, 12, 16, 3];
const STEPS = 200;
const METRICS = {
  1: { successRate: 0.8, averageResponseTime: 40 },
  4: { averageResponseTime: 120, uptime: 0.9 },
};

/** Mulberry32 (Ettinger): the same few lines in both languages. */
function draws(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function drawWorker(draw, index) {
  const currentLoad = draw(CAPACITIES[index] + 1);
  const status = ['draining', 'offline', 'booting', 'busy', 'busy', 'busy'][draw(12)] ?? 'ready';
  const isThere = draw(10) > 0;
  return isThere
    ? [
        {
          id: `w${index}`,
          capabilities: [...(index % 2 === 0 ? ['gpu'] : []), ...(index % 3 === 0 ? ['fast'] : [])],
          maxCapacity: CAPACITIES[index],
          currentLoad,
          status,
          metrics: METRICS[index],
          region: index < 3 ? 'eu' : 'us',
          latency: index * 2,
          concurrency: 1 + (index % 2),
        },
      ]
    : [];
}

function play(LoadBalancer, strategy, seed, time) {
  const draw = draws(seed);
  const balancer = new LoadBalancer(strategy, { seed });
  const list = (oneIn) => (draw(oneIn) > 0 ? [] : [`w${draw(6)}`]);
  const step = () => {
    time.now += draw(40);
    const workers = CAPACITIES.flatMap((_, index) => drawWorker(draw, index));
    const taskType = `t${draw(3)}`;
    const complexity = 1 + draw(3);
    const capabilities = draw(5) === 0 ? ['gpu'] : [];
    const affinity = list(4);
    const antiAffinity = list(6);
    const region = [undefined, 'eu', 'us'][draw(3)];
    const key = draw(50);
    const chosen = balancer.selectWorker({ taskType, complexity, capabilities, affinity, antiAffinity, region, key }, workers);
    if (chosen === null) {
      return '-';
    }
    if (draw(3) > 0) {
      const success = draw(5) > 0;
      balancer.updateContext(chosen.id, taskType, success, 5 + draw(200));
    }
    return chosen.id.slice(1);
  };
  return Array.from({ length: STEPS }, step).join('');
}

export default Object.fromEntries(
  Object.entries(vectors).map(([strategy, choices], index) => [
    `${strategy} chooses as core does natively`,
    ({ quillwork: { LoadBalancer } }) =>
      withFakeTime((time) => equal(play(LoadBalancer, strategy, index + 1, time), choices, 'choices')),
  ]),
);
