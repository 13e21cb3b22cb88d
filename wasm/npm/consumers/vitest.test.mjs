// An app's own tests in Vitest, in processes and in threads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const root = import.meta.dirname;

describe('tests of an app in Vitest', () => {
  for (const pool of ['forks', 'threads']) {
    it(`pass in ${pool}`, { timeout: 120_000 }, () => {
      const vitest = join(root, 'node_modules/vitest/vitest.mjs');
      const options = ['run', '--root', join(root, 'apps/vitest'), `--pool=${pool}`, '--testTimeout=60000', '--reporter=json'];
      const { numPassedTests, numFailedTests } = JSON.parse(run(vitest, options));
      assert.deepEqual([numPassedTests, numFailedTests], [4, 0]);
    });
  }
});

/** What it prints. Where it fails, that is the error. */
function run(script, options) {
  try {
    return execFileSync(process.execPath, [script, ...options], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch ({ stdout, stderr }) {
    return assert.fail(`${stdout}${stderr}`);
  }
}
