// An app's own tests in Jest, in Node and under jsdom.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const root = import.meta.dirname;

describe('tests of an app in Jest', () => {
  for (const environment of ['node', 'jsdom']) {
    it(`pass in ${environment}`, { timeout: 120_000 }, () => {
      const jest = join(root, 'node_modules/jest/bin/jest.js');
      const options = ['--experimental-vm-modules', jest, '--rootDir', join(root, 'apps/jest'), `--env=${environment}`, '--json', '--ci', '--testTimeout=60000'];
      const { stdout, stderr } = spawnSync(process.execPath, options, { cwd: join(root, 'apps/jest'), encoding: 'utf8' });
      assert.ok(stdout.startsWith('{'), `${stdout}${stderr}`);
      const { numPassedTests, numFailedTests } = JSON.parse(stdout);
      assert.deepEqual([numPassedTests, numFailedTests], [7, 0], stderr);
    });
  }
});
