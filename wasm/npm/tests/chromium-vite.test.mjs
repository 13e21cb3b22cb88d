// The packed package in Chromium, in an app that Vite builds and one that it serves for development.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, createServer } from 'vite';
import { launch, open, serve } from './browser.mjs';
import { names } from './cases/run.mjs';

const folder = import.meta.dirname;
const output = join(folder, 'built');
let browser;
let site;
let opened;

const config = {
  root: folder,
  configFile: false,
  logLevel: 'warn',
  base: './',
  publicDir: join(folder, 'public'),
  worker: { format: 'es' },
};

before(async () => {
  mkdirSync(join(folder, 'public'), { recursive: true });
  writeFileSync(join(folder, 'public/syntax.mjs'), 'this is not JavaScript\n');
  await build({
    ...config,
    build: { outDir: output, emptyOutDir: true, target: 'es2022', rolldownOptions: { input: join(folder, 'pages/bundled.html') } },
  });
  site = await serve(output);
  browser = await launch();
  opened = await open(browser, `${site.origin}/pages/bundled.html`);
  await opened.page.waitForFunction(() => window.runCase !== undefined);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

for (const [subject, cases] of Object.entries(names)) {
  describe(`${subject} in a built page`, () => {
    for (const name of cases) {
      it(name, { timeout: 60_000 }, () => opened.page.evaluate(([s, n]) => window.runCase(s, n), [subject, name]));
    }
  });
}

describe('Vite', () => {
  it('puts runtime.wasm and runtime-full.wasm beside the code', () => {
    const assets = readdirSync(join(output, 'assets'));
    assert.equal(assets.filter((name) => /^runtime-(full-)?[\w-]{8}\.wasm$/.test(name)).length, 2, assets.join(' '));
    assert.ok(existsSync(join(output, 'pages/bundled.html')));
  });

  it('serves the same page for development, package and workers optimised', { timeout: 120_000 }, async () => {
    const server = await createServer({
      ...config,
      cacheDir: join(folder, '.vite'),
      server: { host: '127.0.0.1', port: 0, watch: null, ws: false, hmr: false },
      optimizeDeps: { include: ['quillwork', 'quillwork/worker'] },
    });
    await server.listen();
    const { page } = await open(browser, `http://127.0.0.1:${server.httpServer.address().port}/pages/bundled.html`);
    await page.waitForFunction(() => window.runCase !== undefined);
    await page.evaluate(() => window.runCase('basics', 'gives the result of a task'));
    await page.evaluate(() => window.runCase('errors', 'keeps native classes'));
    await page.close();
    await server.close();
  });
});
