// Built by Vite, which must see the address of each worker.
import lodash from 'lodash';
import * as quillwork from 'quillwork';
import * as processing from 'quillwork/process';
import * as testing from 'quillwork/testing';
import { run } from '../cases/run.mjs';
import { page } from '../env/page.mjs';

const STARTS = {
  entry: () => new Worker(new URL('../workers/entry.mjs', import.meta.url), { type: 'module' }),
  late: () => new Worker(new URL('../workers/late.mjs', import.meta.url), { type: 'module' }),
  never: () => new Worker(new URL('../workers/never.mjs', import.meta.url), { type: 'module' }),
  throws: () => new Worker(new URL('../workers/throws.mjs', import.meta.url), { type: 'module' }),
  // A bundler would refuse to build these.
  syntax: () => new Worker(new URL('/syntax.mjs', location.href), { type: 'module' }),
  missing: () => new Worker(new URL('/missing.mjs', location.href), { type: 'module' }),
};

const environment = {
  ...page,
  quillwork,
  processing,
  testing,
  lodash,
  createRuntime: quillwork.createRuntime,
  workers: { ...STARTS, missingUrl: new URL('/missing.mjs', location.href).href },
  start: (name) => STARTS[name](),
};

window.runCase = (subject, name) => run(environment, subject, name);
