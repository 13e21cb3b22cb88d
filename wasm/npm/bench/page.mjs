import * as comlink from 'comlink';
import { createRuntime } from 'quillwork';
import workerpool from 'workerpool';

const TASKS = 20_000;
const ROUND_TRIPS = 2_000;
const ROUNDS = 7;
const PIPELINED = 'no-op tasks, all at once, two workers';
const ONE_BY_ONE = 'no-op tasks, one after the other';
const module = (name) => new Worker(new URL(`./workers/${name}.mjs`, import.meta.url), { type: 'module' });

/** Each peer: `run()` is one task, `close()` its end. */
async function peers() {
  const runtime = await createRuntime({ worker: () => module('quillwork'), workers: 2, maxQueue: 1_000_000 });
  const pool = workerpool.pool(new URL('./workers/workerpool.mjs', import.meta.url).href, {
    workerType: 'web',
    minWorkers: 2,
    maxWorkers: 2,
    workerOpts: { type: 'module' },
  });
  const links = ['comlink', 'comlink'].map(module);
  const remotes = links.map((worker) => comlink.wrap(worker));
  const loop = handWrittenLoop();
  const bare = oneMessagePerTask();
  let turn = 0;
  return {
    quillwork: { run: () => runtime.run('noop'), close: () => runtime.close() },
    workerpool: { run: () => pool.exec('noop', []), close: () => pool.terminate() },
    comlink: { run: () => remotes[(turn += 1) % 2].noop(), close: () => links.forEach((worker) => worker.terminate()) },
    bare,
    loop,
  };
}

/** One worker each way, one message per task, an id map, and nothing else. */
function oneMessagePerTask() {
  const waiting = new Map();
  let next = 0;
  const workers = ['bare', 'bare'].map((name) => {
    const worker = module(name);
    worker.addEventListener('message', ({ data }) => {
      const settle = waiting.get(data);
      waiting.delete(data);
      settle();
    });
    return worker;
  });
  return {
    run: () =>
      new Promise((settle) => {
        next += 1;
        waiting.set(next, settle);
        workers[next % 2].postMessage(next);
      }),
    close: () => workers.forEach((worker) => worker.terminate()),
  };
}

/** The same with everything that one microtask asks for in one message: no queue, no priorities, no limits, no failures. */
function handWrittenLoop() {
  const waiting = new Map();
  let next = 0;
  const lines = ['loop', 'loop'].map((name) => {
    const line = { worker: module(name), ids: [], scheduled: false };
    line.worker.addEventListener('message', ({ data }) => {
      for (const id of data) {
        const settle = waiting.get(id);
        waiting.delete(id);
        settle();
      }
    });
    return line;
  });
  return {
    run: () =>
      new Promise((settle) => {
        next += 1;
        waiting.set(next, settle);
        const line = lines[next % 2];
        line.ids.push(next);
        if (!line.scheduled) {
          line.scheduled = true;
          queueMicrotask(() => {
            line.worker.postMessage(line.ids);
            line.ids = [];
            line.scheduled = false;
          });
        }
      }),
    close: () => lines.forEach(({ worker }) => worker.terminate()),
  };
}

/** All tasks at once, in microseconds for each. */
async function pipelined({ run }) {
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: TASKS }, run));
  return ((performance.now() - startedAt) * 1_000) / TASKS;
}

/** One task after the other, in microseconds for each. */
async function roundTrip({ run }) {
  const startedAt = performance.now();
  for (let n = 0; n < ROUND_TRIPS; n += 1) {
    await run();
  }
  return ((performance.now() - startedAt) * 1_000) / ROUND_TRIPS;
}

/** Rounds interleave the peers, in an order that turns, so that none always runs first or on a machine that is warm. */
window.bench = async () => {
  const all = Object.entries(await peers());
  const results = { [PIPELINED]: {}, [ONE_BY_ONE]: {} };
  for (const [name, peer] of all) {
    results[PIPELINED][name] = [];
    results[ONE_BY_ONE][name] = [];
    await pipelined(peer);
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, peer] of [...all.slice(round % all.length), ...all.slice(0, round % all.length)]) {
      results[PIPELINED][name].push(await pipelined(peer));
      results[ONE_BY_ONE][name].push(await roundTrip(peer));
    }
  }
  for (const [, peer] of all) {
    await peer.close();
  }
  return results;
};
