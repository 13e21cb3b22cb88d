// quillwork/react from the packed package: an app in strict mode in Chromium, and rendering on a server, with both versions of React.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as bundle } from 'esbuild';
import { build } from 'vite';
import { launch, open, serve, untilInPage } from './browser.mjs';

const folder = import.meta.dirname;
const options = { timeout: 60_000 };
const VERSIONS = { 18: { react: 'react18', 'react-dom': 'react-dom18' }, 19: {} };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** The component on a server: rendered, or what it throws. */
async function renderOnServer(alias) {
  const out = mkdtempSync(join(folder, 'server-'));
  const outfile = join(out, 'server.mjs');
  await bundle({
    stdin: {
      contents: `
        import { createElement as h, version } from 'react';
        import { renderToString } from 'react-dom/server';
        import { RuntimeProvider } from 'quillwork/react';
        import { Everything } from './pages/everything.jsx';
        export { version };
        export const render = () => renderToString(h(RuntimeProvider, null, h(Everything, { text: 'draft' })));
        export const renderAlone = () => renderToString(h(Everything, { text: 'draft' }));
      `,
      resolveDir: folder,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    alias,
    // What React's own modules ask for.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(out, { recursive: true });
  }
}

for (const [version, alias] of Object.entries(VERSIONS)) {
  describe(`React ${version}`, () => {
    let site;
    let page;
    let complaints;
    let server;

    before(async () => {
      server = await renderOnServer(alias);
      const outDir = join(folder, `built-react${version}`);
      await build({
        root: folder,
        configFile: false,
        logLevel: 'warn',
        base: './',
        worker: { format: 'es' },
        // Strict mode shows itself in development builds only.
        mode: 'development',
        define: { 'process.env.NODE_ENV': '"development"' },
        resolve: { alias },
        build: {
          outDir,
          emptyOutDir: true,
          minify: false,
          rolldownOptions: { input: [join(folder, 'pages/react.html'), join(folder, 'pages/hydrate.html')] },
        },
      });
      site = await serve(outDir, {
        handle(_, response, url) {
          if (url.pathname !== '/rendered') {
            return false;
          }
          response.writeHead(200, { 'content-type': 'text/html' }).end(server.render());
          return true;
        },
      });
      ({ page, complaints } = await open(browser, `${site.origin}/pages/react.html`));
    });

    after(async () => {
      await page?.close();
      await site?.close();
    });

    /** Waits until an output shows this. */
    const shown = ([element]) => document.getElementById(element)?.textContent;
    const shows = (id, text) =>
      untilInPage(page, ([element, wanted]) => document.getElementById(element)?.textContent === wanted, [id, text], shown);
    const includes = (id, text) =>
      untilInPage(page, ([element, wanted]) => document.getElementById(element)?.textContent.includes(wanted), [id, text], shown);
    const stats = () => page.evaluate(() => window.runtime.stats());

    it('renders before the runtime is there, and again when it is', options, async () => {
      await shows('ready', 'true');
      assert.equal(await page.evaluate(() => window.react.split('.')[0]), version);
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
      await includes('hold', 'progress "holding"');
      await page.evaluate(() => void window.tasks.hold.run('never opened either'));
      await page.waitForFunction((aborted) => window.runtime.stats().aborted === aborted, before.aborted + 1);
      await includes('hold', 'progress "holding"');
      await page.evaluate(() => window.tasks.hold.cancel());
      await shows('hold', 'idle data undefined error undefined progress undefined');
      await page.waitForFunction((aborted) => window.runtime.stats().aborted === aborted, before.aborted + 2);
    });

    it('aborts what a component runs when that goes away', options, async () => {
      const before = await stats();
      await page.evaluate(() => void window.tasks.hold.run('never opened'));
      await includes('hold', 'progress "holding"');
      await page.evaluate(() => window.app.setMounted(false));
      await page.waitForFunction((aborted) => window.runtime.stats().aborted === aborted, before.aborted + 1);
      assert.equal((await stats()).running, 0);
    });

    it('maps many items, and renders seldom while it does', options, async () => {
      const { most, renders, results, told } = await page.evaluate(async () => {
        const before = window.renders.squares;
        const startedAt = performance.now();
        const told = [];
        const results = await window.maps.squares.executeBatch(Array.from({ length: 2_000 }, (_, n) => n), {
          concurrency: 1_000,
          onProgress: ({ settled }) => told.push(settled),
        });
        // News come a frame apart, and a beginning and an end; each is rendered twice in strict mode.
        const most = 2 * (4 + (performance.now() - startedAt) / 15);
        return { most, renders: window.renders.squares - before, results, told };
      });
      assert.deepEqual(results, Array.from({ length: 2_000 }, (_, n) => n * n));
      assert.deepEqual(told, Array.from({ length: 2_000 }, (_, n) => n + 1));
      assert.ok(renders <= most, `${renders} renders, where ${most} may be`);
      await includes('squares', 'done 2000/2000 results [0,1,4,9,');
    });

    it('runs one item with its own options, and retries what fails', options, async () => {
      assert.equal(await page.evaluate(() => window.maps.flaky.execute(2, { retries: 1 })), 2);
      await shows('flaky', 'done 1/1 results [2] errors [] error undefined executions 1');
    });

    it('ends a batch with its first error, collects errors, or skips them', options, async () => {
      const outcome = await page.evaluate(() =>
        window.maps.flaky.executeBatch([1, 2, 3], { concurrency: 1 }).catch((error) => `${error.name}: ${error.message}`),
      );
      assert.equal(outcome, 'RangeError: attempt 1');
      await includes('flaky', 'error 2/3 results [1,null,null] errors ["1:2:RangeError"] error RangeError: attempt 1');
      const collected = await page.evaluate(async () =>
        (await window.maps.flaky.executeBatch([2, 1, 3], { onError: 'collect' })).map(({ status, value, reason }) => [status, value ?? reason.name]),
      );
      assert.deepEqual(collected, [
        ['rejected', 'RangeError'],
        ['fulfilled', 1],
        ['rejected', 'RangeError'],
      ]);
      assert.deepEqual(await page.evaluate(() => window.maps.flaky.executeBatch([2, 1, 3, 1], { onError: 'skip' })), [1, 1]);
      await includes('flaky', 'done 4/4 results [null,1,null,1]');
      assert.match(
        await page.evaluate(() => window.maps.flaky.executeBatch([1], { concurrency: 0 }).catch(String)),
        /`concurrency` is a whole number/,
      );
    });

    it('times out, cancels and resets', options, async () => {
      const code = await page.evaluate(() => window.maps.holds.execute('never opened', { timeoutMs: 20 }).catch((error) => error.code));
      assert.equal(code, 'ERR_TIMEOUT');
      await page.evaluate(() => void window.maps.holds.executeBatch(['a', 'b']));
      await page.waitForFunction(() => window.maps.holds.progress.report === 'holding');
      await page.evaluate(() => window.maps.holds.cancel());
      await includes('holds', 'idle 0/2');
      await page.waitForFunction(() => window.maps.holds.metrics.cancelled === 2 && window.runtime.stats().running === 0);
      await page.evaluate(() => window.maps.holds.reset());
      await shows('holds', 'idle 0/0 results [] errors [] error undefined executions 0');
    });

    it('what it is given of another kind is refused, and ends nothing that runs', options, async () => {
      await page.evaluate(() => void window.maps.holds.executeBatch(['a', 'b']));
      await page.waitForFunction(() => window.maps.holds.progress.report === 'holding');
      const refused = await page.evaluate(async () => {
        const told = (error) => `${error.code}: ${error.message}`;
        const signal = new AbortController();
        return [
          await window.maps.holds.executeBatch(['c'], { signal }).catch(told),
          await window.maps.holds.executeBatch(undefined).catch(told),
          await window.tasks.square.run(4, { signal }).catch(told),
        ];
      });
      for (const [at, words] of ['`signal`', 'iterate', '`signal`'].entries()) {
        assert.ok(refused[at].startsWith('ERR_INVALID_OPTION') && refused[at].includes(words), refused[at]);
      }
      await includes('holds', 'running 0/2');
      assert.equal(await page.evaluate(() => window.runtime.stats().running), 2);
      await page.evaluate(() => window.maps.holds.cancel());
      await page.waitForFunction(() => window.runtime.stats().running === 0);
      await page.evaluate(() => window.maps.holds.reset());
      await page.evaluate(() => window.tasks.square.run(4));
    });

    it('aborts a batch when its component goes away in a transition', options, async () => {
      await page.evaluate(() => {
        window.outcome = window.maps.holds.executeBatch(['a', 'b', 'c']).then(String, (error) => error.name);
      });
      await page.waitForFunction(() => window.maps.holds.progress.report === 'holding');
      await page.evaluate(() => window.app.setExtra({ map: false, typed: 'flush' }));
      assert.equal(await page.evaluate(() => window.outcome), 'AbortError');
      await page.waitForFunction(() => {
        const { running, queued } = window.runtime.stats();
        return running === 0 && queued === 0 && document.getElementById('holds') === null;
      });
    });

    it('shows a value once it has settled', options, async () => {
      await shows('typed', 'a a');
      await page.evaluate(() => {
        window.typed.setText('b');
        window.typed.setText('c');
      });
      await shows('typed', 'c c');
    });

    it('calls the newest function, and saves or forgets what is pending at the end', options, async () => {
      assert.ok(
        await page.evaluate(async () => {
          const before = window.typed.save;
          before('first');
          window.typed.setSaves(7);
          await new Promise((resolve) => setTimeout(resolve));
          return window.typed.save === before;
        }),
        'the same function in each render',
      );
      await page.evaluate(() => window.app.setExtra({ map: false, typed: false }));
      await page.waitForFunction(() => window.saved.length === 1);
      assert.deepEqual(await page.evaluate(() => window.saved), ['7 first']);
      await page.evaluate(() => window.app.setExtra({ map: false, typed: 'cancel' }));
      await shows('typed', 'a a');
      const stale = await page.evaluateHandle(() => window.typed.save);
      await page.evaluate(() => window.typed.save('second'));
      await page.evaluate(() => window.app.setExtra({ map: false, typed: false }));
      await page.waitForFunction(() => document.getElementById('typed') === null);
      assert.equal(await stale.evaluate((save) => save.pending()), false);
      await stale.evaluate((save) => {
        save('after the end');
        save.flush();
      });
      assert.deepEqual(await page.evaluate(() => window.saved), ['7 first']);
    });

    it('shows the numbers of the pool as they change', options, async () => {
      await page.waitForFunction(() => document.getElementById('numbers').textContent === `${window.runtime.stats().completed} true`);
      await page.evaluate(() => window.runtime.run('square', 1));
      await page.waitForFunction(() => document.getElementById('numbers').textContent === `${window.runtime.stats().completed} true`);
    });

    it('complains of nothing', options, async () => {
      assert.deepEqual(await page.evaluate(() => window.unhandled), []);
      assert.deepEqual(complaints, []);
    });

    it('renders on a server without a runtime, and says that a provider is missing', () => {
      assert.equal(server.version.split('.')[0], version);
      assert.equal(server.render(), '<p>idle idle 0 0 draft false no pool unmeasured</p>');
      assert.throws(server.renderAlone, /RuntimeProvider/);
    });

    it('comes to life on what a server rendered, without a mismatch', options, async () => {
      const { page: hydrated, complaints: found } = await open(browser, `${site.origin}/pages/hydrate.html`);
      await hydrated.waitForFunction(
        () => document.querySelector('p')?.textContent === 'idle idle 0 0 draft false 1 unmeasured',
      );
      assert.ok(await hydrated.evaluate(() => window.rendered === document.querySelector('p')), 'the same element');
      assert.deepEqual(await hydrated.evaluate(() => window.mismatches), []);
      assert.deepEqual(found, []);
      await hydrated.close();
    });
  });
}
