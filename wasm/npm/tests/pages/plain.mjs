// No bundler: files as they are in the package, an import map for the page, and workers that import by address.
// A script for pages: it leaves its name in the global scope.
import '/node_modules/lodash/lodash.min.js';
import * as quillwork from 'quillwork';
import * as processing from 'quillwork/process';
import * as testing from 'quillwork/testing';
import { run } from '../cases/run.mjs';
import { page } from '../env/page.mjs';

const start = (name) => new Worker(new URL(`../workers/plain/${name}.mjs`, import.meta.url), { type: 'module' });
const starts = (name) => () => start(name);

const environment = {
  ...page,
  quillwork,
  processing,
  testing,
  lodash: globalThis._,
  createRuntime: quillwork.createRuntime,
  workers: {
    ...Object.fromEntries(['entry', 'late', 'never', 'syntax', 'throws', 'missing'].map((name) => [name, starts(name)])),
    missingUrl: new URL('../workers/plain/missing.mjs', import.meta.url).href,
  },
  start,
};

window.runCase = (subject, name) => run(environment, subject, name);
window.quillwork = { ...quillwork, start };
