import { expose } from 'quillwork/worker';
import { tasks } from './tasks.mjs';

expose(tasks);
