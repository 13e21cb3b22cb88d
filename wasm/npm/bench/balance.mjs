// What one choice costs beside a plain loop over the same objects: `node bench/balance.mjs` after `npm run build`.
//
// The caller keeps the loads: each chosen worker gets one unit more, and the one chosen `HELD` choices before gives its own back.
import { LoadBalancer } from '../dist/index.js';

const ROUNDS = 11;
const HELD = 3;

function fleet(size) {
  return Array.from({ length: size }, (_, n) => ({
    id: `worker-${n}`,
    capabilities: n % 4 === 0 ? ['gpu', 'simd'] : ['simd'],
    maxCapacity: 16,
    currentLoad: 0,
    status: 'idle',
    metrics: { successRate: 0.99, averageResponseTime: 20 + n, uptime: 1 },
  }));
}

/** What most apps have: the least loaded of those that can. */
function loop(task, workers) {
  let best = null;
  for (const worker of workers) {
    const isUp = worker.status === 'idle' || worker.status === 'busy';
    if (!isUp || worker.currentLoad + 1 > worker.maxCapacity || !task.capabilities.every((name) => worker.capabilities.includes(name))) {
      continue;
    }
    if (best === null || worker.currentLoad / worker.maxCapacity < best.currentLoad / best.maxCapacity) {
      best = worker;
    }
  }
  return best;
}

/** Nanoseconds of one choice. */
function measure(choose, workers, choices) {
  const task = { capabilities: ['simd'], taskType: 'layout' };
  const held = [];
  const from = performance.now();
  for (let n = 0; n < choices; n += 1) {
    const worker = choose(task, workers);
    worker.currentLoad += 1;
    held.push(worker);
    if (held.length > HELD) {
      held.shift().currentLoad -= 1;
    }
  }
  return ((performance.now() - from) * 1e6) / choices;
}

const median = (values) => values.sort((one, other) => one - other)[values.length >> 1];

console.log('| workers | plain loop | least-loaded | shortest-expected-delay | adaptive |');
console.log('|---|---|---|---|---|');
for (const size of [2, 8, 64, 512]) {
  const contenders = {
    loop,
    ...Object.fromEntries(
      ['least-loaded', 'shortest-expected-delay', 'adaptive'].map((name) => {
        const balancer = new LoadBalancer(name);
        return [name, (task, workers) => balancer.selectWorker(task, workers)];
      }),
    ),
  };
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, choose] of Object.entries(contenders)) {
      times[name].push(measure(choose, fleet(size), Math.ceil(400_000 / (size + 8))));
    }
  }
  const [base, ...others] = Object.values(times).map(median);
  console.log(`| ${size} | ${base.toFixed(0)} ns | ${others.map((ns) => `${ns.toFixed(0)} ns, ${(ns / base).toFixed(1)} times`).join(' | ')} |`);
}
