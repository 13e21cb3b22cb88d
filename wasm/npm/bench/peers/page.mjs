// What runs tasks in a page. Each makes a pool of so many workers: `run` is one task, `send` one with bytes, `cancel` starts one that never
// ends and gives a way to cancel it, `close` is the end.
import * as comlink from 'comlink';
import { FixedThreadPool } from 'poolifier-web-worker';
import { createRuntime } from 'quillwork';
import workerpool from 'workerpool';
import { bareMessages, coalescedLoop, sharedCounters } from './by-hand.mjs';

const url = (name) => new URL(`./workers/${name}.mjs`, import.meta.url);
const start = (name) => new Worker(url(name), { type: 'module' });

export const peers = {
  async quillwork(workers) {
    const runtime = await createRuntime({ worker: () => start('quillwork'), workers, maxQueue: 1_000_000 });
    return {
      run: () => runtime.run('noop'),
      send: (bytes, move) => runtime.run('size', bytes, move ? { transfer: [bytes.buffer] } : undefined),
      cancel() {
        const controller = new AbortController();
        return { task: runtime.run('never', undefined, { signal: controller.signal }), end: () => controller.abort() };
      },
      close: () => runtime.close(),
    };
  },

  async workerpool(workers) {
    const pool = workerpool.pool(url('workerpool').href, {
      workerType: 'web',
      minWorkers: workers,
      maxWorkers: workers,
      workerOpts: { type: 'module' },
    });
    return {
      run: () => pool.exec('noop', []),
      send: (bytes, move) => pool.exec('size', [bytes], move ? { transfer: [bytes.buffer] } : undefined),
      cancel() {
        const task = pool.exec('never', []);
        return { task, end: () => task.cancel() };
      },
      close: () => pool.terminate(true),
    };
  },

  /** As it is by default: its queue makes a burst slower, and no other setting makes it faster. */
  async poolifier(workers) {
    const pool = new FixedThreadPool(workers, url('poolifier'));
    return {
      run: () => pool.execute(undefined, 'noop'),
      send: (bytes, move) => pool.execute(bytes, 'size', undefined, move ? [bytes.buffer] : undefined),
      cancel() {
        const controller = new AbortController();
        return { task: pool.execute(undefined, 'never', controller.signal), end: () => controller.abort() };
      },
      close: () => pool.destroy(),
    };
  },

  /** Has no pool: its workers take turns. */
  async comlink(workers) {
    const started = Array.from({ length: workers }, () => start('comlink'));
    const remotes = started.map((worker) => comlink.wrap(worker));
    let turn = 0;
    const next = () => remotes[(turn += 1) % workers];
    return {
      run: () => next().noop(),
      send: (bytes, move) => next().size(move ? comlink.transfer(bytes, [bytes.buffer]) : bytes),
      close: () => started.forEach((worker) => worker.terminate()),
    };
  },

  bare: (workers) => bareMessages(Array.from({ length: workers }, () => start('answer'))),
  loop: (workers) => coalescedLoop(Array.from({ length: workers }, () => start('answer'))),
  wake: (workers) => sharedCounters(Array.from({ length: workers }, () => start('wake'))),
};
