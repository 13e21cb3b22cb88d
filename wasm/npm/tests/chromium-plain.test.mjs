// The packed package in Chromium, unbundled: nothing but a static server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch, open, serve } from './browser.mjs';
import { names } from './cases/run.mjs';
import { writePlainWorkers } from './plain-workers.mjs';

const folder = import.meta.dirname;
let browser;
let site;
let opened;

before(async () => {
  writePlainWorkers(folder);
  site = await serve(folder);
  browser = await launch();
  opened = await open(browser, `${site.origin}/pages/plain.html`);
  await opened.page.waitForFunction(() => window.runCase !== undefined);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

for (const [subject, cases] of Object.entries(names)) {
  describe(`${subject} in a plain page`, () => {
    for (const name of cases) {
      it(name, { timeout: 60_000 }, () => opened.page.evaluate(([s, n]) => window.runCase(s, n), [subject, name]));
    }
  });
}

describe('a plain page', () => {
  it('works where the server does not know the media type of WebAssembly', { timeout: 60_000 }, async () => {
    const plain = await serve(folder, { types: { '.wasm': 'application/octet-stream' } });
    const { page } = await open(browser, `${plain.origin}/pages/plain.html`);
    await page.waitForFunction(() => window.runCase !== undefined);
    await page.evaluate(() => window.runCase('basics', 'gives the result of a task'));
    await page.close();
    await plain.close();
  });

  it('says where runtime.wasm is missing', { timeout: 60_000 }, async () => {
    const message = await opened.page.evaluate(() =>
      window.quillwork
        .createRuntime({ worker: () => window.quillwork.start('entry'), wasm: '/nowhere/runtime.wasm' })
        .then(() => 'loaded', (error) => `${error.code} ${error.message}`),
    );
    assert.match(message, /^ERR_WASM_LOAD .*\/nowhere\/runtime\.wasm .*404/);
  });

  it('works under a strict Content-Security-Policy and cross-origin isolation', { timeout: 60_000 }, async () => {
    const strict = await serve(folder, {
      headers: {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        // The import map is inline; an app that is bundled needs no hash.
        'content-security-policy': `default-src 'self'; img-src data:; script-src 'self' 'wasm-unsafe-eval' 'sha256-${await importMapHash()}'`,
      },
    });
    const { page, complaints } = await open(browser, `${strict.origin}/pages/plain.html`);
    await page.waitForFunction(() => window.runCase !== undefined);
    assert.equal(await page.evaluate(() => window.crossOriginIsolated), true);
    await page.evaluate(() => window.runCase('basics', 'moves buffers in both directions'));
    // Only here is memory shared between page and workers.
    const loops = names.limits.find((name) => name.startsWith('a loop that looks whether it is aborted'));
    await page.evaluate((name) => window.runCase('limits', name), loops);
    await page.evaluate(() => window.runCase('policy', 'composes layers in the documented order'));
    assert.deepEqual(complaints, []);
    await page.close();
    await strict.close();
  });

  it('says so where a page forbids WebAssembly, and does without what can', { timeout: 60_000 }, async () => {
    const without = await serve(folder, {
      headers: { 'content-security-policy': `default-src 'self'; img-src data:; script-src 'self' 'sha256-${await importMapHash()}'` },
    });
    const { page } = await open(browser, `${without.origin}/pages/plain.html`);
    await page.waitForFunction(() => window.runCase !== undefined);
    const message = await page.evaluate(() => {
      try {
        return window.quillwork.circuitBreaker().state;
      } catch (error) {
        return `${error.code} ${error.message}`;
      }
    });
    assert.match(message, /^ERR_WASM_LOAD .*'wasm-unsafe-eval'/);
    await page.evaluate(() => window.runCase('rate limit', 'a steady limit admits its burst, then its rate, and says when'));
    await page.close();
    await without.close();
  });
});

async function importMapHash() {
  const html = readFileSync(join(folder, 'pages/plain.html'), 'utf8');
  const [, map] = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(map));
  return Buffer.from(digest).toString('base64');
}
