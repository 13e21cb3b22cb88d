// quillwork/react from the packed package: an app in strict mode in Chromium, and rendering on a server.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { RuntimeProvider, useRuntime, useTask } from 'quillwork/react';
import { build } from 'vite';
import { launch, open, serve } from './browser.mjs';

const folder = import.meta.dirname;
const options = { timeout: 60_000 };
let browser;
let site;
let page;
let complaints;

before(async () => {
  const outDir = join(folder, 'built-react');
  await build({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    base: './',
    worker: { format: 'es' },
    // Strict mode shows itself in development builds only.
    mode: 'development',
    define: { 'process.env.NODE_ENV': '"development"' },
    build: { outDir, emptyOutDir: true, minify: false, rolldownOptions: { input: join(folder, 'pages/react.html') } },
  });
  site = await serve(outDir);
  browser = await launch();
  ({ page, complaints } = await open(browser, `${site.origin}/pages/react.html`));
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** Waits until an output shows this. */
const shows = (id, text) =>
  page.waitForFunction(([element, wanted]) => document.getElementById(element)?.textContent === wanted, [id, text]);
const stats = () => page.evaluate(() => window.runtime.stats());

describe('React in strict mode', () => {
  it('renders before the runtime is there, and again when it is', options, async () => {
    await shows('ready', 'true');
  });

  it('runs a task from an effect, and again when what it depends on changes', options, async () => {
    await shows('auto', 'done 9');
    await page.evaluate(() => window.app.setNumber(5));
    await shows('auto', 'done 25');
  });

  it('shows a result, and keeps it while the task runs again', options, async () => {
    await shows('square', 'idle data undefined error undefined progress undefined');
    await page.evaluate(() => window.tasks.square.run(4));
    await shows('square', 'done data 16 error undefined progress undefined');
  });

  it('shows progress while the task runs', options, async () => {
    await page.evaluate(() => void window.tasks.hold.run('never opened'));
    await shows('hold', 'running data undefined error undefined progress "holding"');
    await page.evaluate(() => window.tasks.hold.cancel());
  });

  it("shows an error, which is nobody else's to handle", options, async () => {
    await page.evaluate(() => void window.tasks.failing.run());
    await shows('failing', 'error data undefined error "TypeError: typed" progress undefined'.replaceAll('"', ''));
    assert.deepEqual(await page.evaluate(() => window.unhandled), []);
  });

  it('cancels, and lets a newer run replace an older one', options, async () => {
    const before = await stats();
    await page.evaluate(() => void window.tasks.hold.run('never opened'));
    await page.waitForFunction(() => document.getElementById('hold').textContent.includes('progress "holding"'));
    await page.evaluate(() => void window.tasks.hold.run('never opened either'));
    await page.waitForFunction((aborted) => window.runtime.stats().aborted === aborted, before.aborted + 1);
    await page.waitForFunction(() => document.getElementById('hold').textContent.includes('progress "holding"'));
    await page.evaluate(() => window.tasks.hold.cancel());
    await shows('hold', 'idle data undefined error undefined progress undefined');
    await page.waitForFunction((aborted) => window.runtime.stats().aborted === aborted, before.aborted + 2);
  });

  it('aborts what a component runs when that goes away', options, async () => {
    const before = await stats();
    await page.evaluate(() => void window.tasks.hold.run('never opened'));
    await page.waitForFunction(() => document.getElementById('hold').textContent.includes('progress "holding"'));
    await page.evaluate(() => window.app.setMounted(false));
    await page.waitForFunction((aborted) => window.runtime.stats().aborted === aborted, before.aborted + 1);
    assert.equal((await stats()).running, 0);
    assert.deepEqual(await page.evaluate(() => window.unhandled), []);
    assert.deepEqual(complaints, []);
  });
});

describe('React on a server', () => {
  function Component() {
    const task = useTask('square');
    return h('p', null, `${task.status} ${useRuntime() === undefined ? 'without' : 'with'} runtime`);
  }

  it('renders idle tasks without a runtime', () => {
    assert.equal(renderToString(h(RuntimeProvider, null, h(Component))), '<p>idle without runtime</p>');
  });

  it('says that a provider is missing', () => {
    assert.throws(() => renderToString(h(Component)), /RuntimeProvider/);
  });
});
