// Node: workers are threads.
import { Worker } from 'node:worker_threads';
import lodash from 'lodash';
import * as quillwork from 'quillwork';
import * as processing from 'quillwork/process';
import * as testing from 'quillwork/testing';

const at = (name) => new URL(`../workers/${name}.mjs`, import.meta.url);

export const environment = {
  environment: 'node',
  quillwork,
  processing,
  testing,
  lodash,
  createRuntime: quillwork.createRuntime,
  workers: {
    ...Object.fromEntries(['entry', 'late', 'never', 'syntax', 'throws', 'missing'].map((name) => [name, at(name)])),
    missingUrl: at('missing').href,
  },
  start: (name, options) => new Worker(at(name), options),
  garble: (worker) => worker.emit('messageerror', new Error('garbled')),
  listenForUncaught(handle) {
    // The test runner's own listeners would fail the test for what a case expects.
    const others = process.listeners('uncaughtException');
    const listener = (error) => {
      if (!handle(error)) {
        for (const other of others) {
          other(error, 'uncaughtException');
        }
      }
    };
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', listener);
    return () => {
      process.off('uncaughtException', listener);
      for (const other of others) {
        process.on('uncaughtException', other);
      }
    };
  },
};
