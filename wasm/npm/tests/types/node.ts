import { Worker } from 'node:worker_threads';
import { createRuntime } from 'quillwork';
import type { Tasks } from './tasks.js';

export const byAddress = createRuntime<Tasks>({ worker: new URL('./tasks.js', import.meta.url) });
export const byFunction = createRuntime<Tasks>({ worker: () => new Worker(new URL('./tasks.js', import.meta.url)) });
