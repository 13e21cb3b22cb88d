// What runs tasks in Node, as in `page.mjs`; `crash` runs a task that ends its thread.
import { Piscina } from 'piscina';
import { createRuntime } from 'quillwork';
import workerpool from 'workerpool';

const path = (name) => new URL(`./workers/${name}.mjs`, import.meta.url);

export const peers = {
  async quillwork(workers) {
    const runtime = await createRuntime({ worker: path('quillwork'), workers, maxQueue: 1_000_000 });
    return {
      run: () => runtime.run('noop'),
      send: (bytes, move) => runtime.run('size', bytes, move ? { transfer: [bytes.buffer] } : undefined),
      cancel() {
        const controller = new AbortController();
        return { task: runtime.run('never', undefined, { signal: controller.signal }), end: () => controller.abort() };
      },
      crash: () => runtime.run('crash', undefined, { redeliver: false }),
      close: () => runtime.close(),
    };
  },

  async workerpool(workers) {
    const pool = workerpool.pool(path('workerpool').pathname, { workerType: 'thread', minWorkers: workers, maxWorkers: workers });
    return {
      run: () => pool.exec('noop', []),
      send: (bytes, move) => pool.exec('size', [bytes], move ? { transfer: [bytes.buffer] } : undefined),
      cancel() {
        const task = pool.exec('never', []);
        return { task, end: () => task.cancel() };
      },
      crash: () => pool.exec('crash', []),
      close: () => pool.terminate(true),
    };
  },

  async piscina(workers) {
    const pool = new Piscina({ filename: path('piscina').href, minThreads: workers, maxThreads: workers });
    return {
      run: () => pool.run(undefined, { name: 'noop' }),
      send: (bytes, move) => pool.run(bytes, move ? { name: 'size', transferList: [bytes.buffer] } : { name: 'size' }),
      cancel() {
        const controller = new AbortController();
        return { task: pool.run(undefined, { name: 'never', signal: controller.signal }), end: () => controller.abort() };
      },
      crash: () => pool.run(undefined, { name: 'crash' }),
      close: () => pool.destroy(),
    };
  },
};
