// The packed package in Node: workers are worker threads.
import { describe, it } from 'node:test';
import { names, run } from './cases/run.mjs';
import { environment } from './env/node.mjs';

for (const [subject, cases] of Object.entries(names)) {
  describe(`${subject} in Node`, () => {
    for (const name of cases) {
      it(name, { timeout: 60_000 }, async () => {
        // An idle runtime keeps no process alive, which is right, and would end this one.
        const alive = setInterval(() => {}, 60_000);
        try {
          await run(environment, subject, name);
        } finally {
          clearInterval(alive);
        }
      });
    }
  });
}
