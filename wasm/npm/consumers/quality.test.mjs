// What tools that look at packages from outside say of the tarball.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const installed = join(import.meta.dirname, 'node_modules/quillwork');

describe('the package', () => {
  it('is right by publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, level: 'suggestion', strict: true, pack: false });
    assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
  });

  it('has types that fit how it is resolved, in Node and by bundlers', () => {
    try {
      execFileSync(
        process.execPath,
        [
          join(import.meta.dirname, 'node_modules/@arethetypeswrong/cli/dist/index.js'),
          process.env.QUILLWORK_TARBALL,
          // Node 10's resolution knows no `exports`; CommonJS programs import() the package, which is ESM.
          ...['--profile', 'esm-only', '--no-color', '--format', 'ascii', '--exclude-entrypoints', 'runtime.wasm', 'runtime-full.wasm', 'compute.wasm'],
        ],
        { encoding: 'utf8' },
      );
    } catch ({ stdout, stderr }) {
      assert.fail(`${stdout}${stderr}`);
    }
  });

  it('has a reference without a gap: what a public type speaks of is public, and every link leads somewhere', { timeout: 300_000 }, () => {
    try {
      const typedoc = join(import.meta.dirname, 'node_modules/typedoc/bin/typedoc');
      execFileSync(process.execPath, [typedoc, '--emit', 'none'], { cwd: import.meta.dirname, encoding: 'utf8' });
    } catch ({ stdout, stderr }) {
      assert.fail(`${stdout}${stderr}`);
    }
  });
});
