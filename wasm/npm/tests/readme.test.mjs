// The code of the package's README, as it stands there: it type-checks, works in Chromium when Vite has built it, and in Node.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { build } from 'vite';
import { launch, open, serve } from './browser.mjs';

const folder = join(import.meta.dirname, 'readme');
const files = new Map(
  [...readFileSync(join(import.meta.dirname, 'README.md'), 'utf8').matchAll(/```(?:tsx?|js)\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(
    ([, name, code]) => [name, code],
  ),
);
const options = { timeout: 120_000 };

before(() => {
  mkdirSync(folder, { recursive: true });
  for (const [name, code] of files) {
    writeFileSync(join(folder, name), code);
  }
});

describe('the guides', () => {
  const root = dirname(fileURLToPath(import.meta.resolve('quillwork/package.json')));
  const text = (...path) => readFileSync(join(root, ...path), 'utf8');

  it('that the README names are in the package', () => {
    const [, table = ''] = text('README.md').split('## Guides');
    const names = [...table.matchAll(/\| (`[^|]+`) \|$/gm)].flatMap(([, cell]) => cell.match(/[a-z-]+/g));
    assert.ok(names.length >= 12, `${names.length} names`);
    assert.deepEqual(names.filter((name) => !existsSync(join(root, 'dist/docs/guides', `${name}.md`))), []);
  });

  it('link to nothing that is not there', () => {
    const pages = readdirSync(join(root, 'dist/docs'), { recursive: true }).filter((page) => page.endsWith('.md'));
    assert.ok(pages.length >= 15, `${pages.length} pages`);
    for (const page of pages) {
      for (const [, link] of text('dist/docs', page).matchAll(/\]\(([^)#:\s]+)/g)) {
        assert.ok(existsSync(join(root, 'dist/docs', dirname(page), link)), `${page} links to ${link}`);
      }
    }
  });
});

describe('the code in the README', () => {
  it('is all there', () => {
    assert.deepEqual([...files.keys()], ['tasks.ts', 'main.ts', 'flow.ts']);
  });

  it('type-checks', options, () => {
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          target: 'es2022',
          module: 'esnext',
          moduleResolution: 'bundler',
          lib: ['es2022', 'dom', 'dom.iterable'],
          types: [],
        },
        include: ['*.ts'],
      }),
    );
    try {
      execFileSync(process.execPath, [join(import.meta.dirname, 'node_modules/typescript/bin/tsc'), '-p', folder], { encoding: 'utf8' });
    } catch (failure) {
      throw new Error(failure.stdout || String(failure));
    }
  });

  it('prints what it should in Node', options, () => {
    writeFileSync(join(folder, 'flow.js'), transformSync(files.get('flow.ts'), { loader: 'ts' }).code);
    const flow = execFileSync(process.execPath, [join(folder, 'flow.js')], { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual(flow.split('\n'), [
      'saved Once upon a time',
      "[ 'passage 1', 'passage 2', 'passage 1' ]",
      'online',
      '',
    ]);
  });

  describe('in Chromium', () => {
    let browser;
    let site;
    before(async () => {
      writeFileSync(
        join(folder, 'index.html'),
        '<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="./main.ts"></script></body>',
      );
      await build({
        root: folder,
        configFile: false,
        logLevel: 'warn',
        base: './',
        worker: { format: 'es' },
        build: { outDir: join(folder, 'built'), emptyOutDir: true, target: 'es2022' },
      });
      site = await serve(join(folder, 'built'));
      browser = await launch();
    });
    after(async () => {
      await browser?.close();
      await site?.close();
    });

    it('counts words in a worker', options, async () => {
      const { page, complaints } = await open(browser, `${site.origin}/index.html`);
      await page.waitForFunction(() => document.body.textContent === '6 words');
      assert.deepEqual(complaints, []);
    });
  });
});
