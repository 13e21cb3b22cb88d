import * as tasks from './tasks.mjs';

// It takes for a browser only what has a `window`, which a worker has not.
globalThis.window = globalThis;
const { ThreadWorker } = await import('poolifier-web-worker');

export default new ThreadWorker({ ...tasks });
