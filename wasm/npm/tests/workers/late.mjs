import { expose } from 'quillwork/worker';
import { tasks } from './tasks.mjs';

// Messages that come before this module has run are nobody's.
await new Promise((resolve) => setTimeout(resolve, 50));
expose(tasks);
