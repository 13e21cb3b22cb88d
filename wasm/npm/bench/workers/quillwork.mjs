import { expose } from 'quillwork-worker';
import * as tasks from './tasks.mjs';

expose({ ...tasks });
