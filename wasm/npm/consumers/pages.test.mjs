// Pages as four kinds of app have them: each built as its tool's manual says, served below a path under a strict policy, and run.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { launch, open, serve } from '../tests/browser.mjs';
import { RESULT } from './result.mjs';

const root = import.meta.dirname;
const apps = join(root, 'apps');
const installed = join(root, 'node_modules/quillwork');
const CSP = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; img-src data:";

/** Each builds its app into a folder. */
const APPS = {
  async static(out) {
    cpSync(join(apps, 'static'), out, { recursive: true });
    cpSync(join(apps, 'use.js'), join(out, 'use.js'));
    cpSync(installed, join(out, 'quillwork'), { recursive: true });
  },
  async vite(out) {
    await vite({
      root: join(apps, 'vite'),
      configFile: false,
      logLevel: 'warn',
      base: './',
      worker: { format: 'es' },
      build: { outDir: out, emptyOutDir: true, target: 'es2022' },
    });
  },
  async 'webpack 5'(out) {
    const stats = await new Promise((resolve, reject) => {
      webpack(
        {
          mode: 'production',
          context: apps,
          entry: { page: './page.js' },
          output: { path: out, filename: '[name].js', publicPath: 'auto' },
          performance: false,
        },
        (error, result) => (error ? reject(error) : resolve(result)),
      );
    });
    assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }).errors, []);
    assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }).warnings, []);
    writePage(out);
  },
  async esbuild(out) {
    await esbuild({
      absWorkingDir: apps,
      entryPoints: ['page.js', 'tasks.js'],
      outdir: out,
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
    });
    // esbuild leaves `new URL('./runtime.wasm', import.meta.url)` as it is: the files go beside the code.
    for (const file of ['runtime.wasm', 'runtime-full.wasm']) {
      cpSync(join(installed, 'dist', file), join(out, file));
    }
    writePage(out);
  },
};

function writePage(out) {
  writeFileSync(join(out, 'index.html'), '<!doctype html><link rel="icon" href="data:," /><body><script type="module" src="./page.js"></script></body>');
}

describe('an app', () => {
  let browser;
  let folder;
  let site;
  before(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'quillwork-apps-')));
    browser = await launch();
    site = await serve(folder, { headers: { 'content-security-policy': CSP } });
  });
  after(async () => {
    await browser?.close();
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [name, build] of Object.entries(APPS)) {
    it(`of ${name}`, { timeout: 300_000 }, async () => {
      const out = join(folder, 'below', name.replace(' ', '-'));
      await build(out);
      const { page, complaints } = await open(browser, `${site.origin}/below/${name.replace(' ', '-')}/index.html`);
      await page.waitForFunction(() => document.body.dataset.result !== undefined);
      assert.deepEqual(JSON.parse(await page.evaluate(() => document.body.dataset.result)), RESULT);
      assert.deepEqual(complaints, []);
      await page.close();
    });
  }

  it('of Node', { timeout: 60_000 }, () => {
    const output = execFileSync(process.execPath, [join(apps, 'node/main.js')], { encoding: 'utf8', timeout: 60_000 });
    assert.deepEqual(JSON.parse(output), RESULT);
  });
});
