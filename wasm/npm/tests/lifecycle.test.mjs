// Pages that stand still, or come back: every promise stays honest.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isolation, launch, launchWithPageCache, open, serve } from './browser.mjs';
import { writePlainWorkers } from './plain-workers.mjs';

const folder = import.meta.dirname;
const options = { timeout: 60_000 };
/** What a worker that goes on keeps on a busy machine, too: it is asked after half of it, and has the other half to answer. */
const LEASE_MS = 2_000;
let browser;
let site;

before(async () => {
  writePlainWorkers(folder);
  site = await serve(folder);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** A page with a runtime whose workers must not be silent for long, two tasks that wait at a gate, and one that waits behind them. */
async function pageWithTasks(inside = browser, origin = site.origin) {
  const { page } = await open(inside, `${origin}/pages/plain.html`);
  await page.waitForFunction(() => window.quillwork !== undefined);
  await page.evaluate(async (leaseMs) => {
    const { createRuntime, start } = window.quillwork;
    window.runtime = await createRuntime({ worker: () => start('entry'), workers: 2, leaseMs, maxRedeliveries: 0 });
    await window.runtime.ready();
    let held = 0;
    const both = new Promise((resolve) => {
      window.tasks = ['one', 'two'].map(() =>
        window.runtime.run('hold', 'gate', { onProgress: () => (held += 1) === 2 && resolve(), timeoutMs: 60_000 }),
      );
    });
    await both;
    window.tasks.push(window.runtime.run('square', 7));
    let longest = 0;
    let last = performance.now();
    // The turn that ends the longest may be yet to come.
    window.gap = () => Math.max(longest, performance.now() - last);
    setInterval(() => {
      longest = window.gap();
      last = performance.now();
    }, 10);
  }, LEASE_MS);
  return page;
}

/** Opens the gate and gives what became of the tasks. */
async function outcome(page) {
  return page.evaluate(async () => {
    const gate = new BroadcastChannel('gate');
    const repeat = setInterval(() => gate.postMessage('open'), 5);
    const results = await Promise.allSettled(window.tasks);
    clearInterval(repeat);
    gate.close();
    const { workersLost, running, queued } = window.runtime.stats();
    return { results: results.map(({ value, reason }) => value ?? String(reason)), workersLost, running, queued, gap: window.gap() };
  });
}

const asIfNothing = { results: ['through', 'through', 49], workersLost: 0, running: 0, queued: 0 };

/** By the clock of this process: a page that stands still has none. */
async function longerThanTheLease() {
  const end = performance.now() + 1.5 * LEASE_MS;
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A browser keeps a process in reserve, and ends it when it likes. */
function signal(id, name) {
  try {
    process.kill(id, name);
  } catch (error) {
    if (error.code !== 'ESRCH') {
      throw error;
    }
  }
}

describe('a page', () => {
  it('that is stopped together with its workers, and goes on, loses no worker and no task', options, async () => {
    const page = await pageWithTasks();
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    assert.ok(renderers.length > 0, 'processes to stop');
    // What freezing a page does, and a machine that sleeps; the browser's own switch needs a window that can be hidden.
    try {
      renderers.forEach((id) => signal(id, 'SIGSTOP'));
      await longerThanTheLease();
    } finally {
      renderers.forEach((id) => signal(id, 'SIGCONT'));
    }
    const { gap, ...rest } = await outcome(page);
    assert.deepEqual(rest, asIfNothing);
    assert.ok(gap > LEASE_MS, `it stood still, for ${gap} ms`);
    await page.close();
  });

  it('whose main thread stands still for longer than the lease loses no worker and no task', options, async () => {
    const page = await pageWithTasks();
    await page.evaluate((ms) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    }, 1.5 * LEASE_MS);
    const { gap, ...rest } = await outcome(page);
    assert.deepEqual(rest, asIfNothing);
    assert.ok(gap > LEASE_MS, `it stood still, for ${gap} ms`);
    await page.close();
  });

  for (const [kind, extra] of Object.entries({ '': {}, ' and is isolated': isolation })) {
    it(`that comes back from the back/forward cache${kind} goes on with its tasks, and loses no worker`, options, () => comesBack(extra));
  }

  async function comesBack(extra) {
    let tell;
    const outcome = new Promise((resolve) => (tell = resolve));
    const elsewhere = await serve(folder, {
      // What must not be stored is not kept.
      headers: { 'cache-control': 'max-age=60', ...extra },
      handle(request, response, { pathname }) {
        if (pathname === '/elsewhere') {
          const comeBack = `onpageshow = () => setTimeout(() => history.back(), ${1.5 * LEASE_MS})`;
          response.writeHead(200, { 'content-type': 'text/html', ...extra }).end(`<!doctype html><script>${comeBack}</script>`);
        } else if (pathname === '/outcome') {
          const parts = [];
          request.on('data', (part) => parts.push(part)).on('end', () => tell(JSON.parse(Buffer.concat(parts).toString())));
          response.writeHead(204).end();
        } else {
          return false;
        }
        return true;
      },
    });
    const cached = await launchWithPageCache();
    try {
      const page = await pageWithTasks(cached, elsewhere.origin);
      // One that is loaded anew says why; a case of its own below.
      await page.addInitScript(() => {
        const [{ type, notRestoredReasons }] = performance.getEntriesByType('navigation');
        if (type === 'back_forward') {
          void fetch('/outcome', { method: 'POST', body: JSON.stringify({ persisted: false, notRestoredReasons }) });
        }
      });
      // It tells the server itself: what drives a page from outside loses hold of one that comes back.
      await page.evaluate(() => {
        addEventListener('pageshow', async ({ persisted }) => {
          const gate = new BroadcastChannel('gate');
          const repeat = setInterval(() => gate.postMessage('open'), 5);
          const results = (await Promise.allSettled(window.tasks)).map(({ value, reason }) => value ?? String(reason));
          clearInterval(repeat);
          const { workersLost } = window.runtime.stats();
          const later = await window.runtime.run('square', 9);
          await fetch('/outcome', { method: 'POST', body: JSON.stringify({ persisted, results, workersLost, later }) });
        });
        setTimeout(() => (location.href = '/elsewhere'));
      });
      assert.deepEqual(await outcome, { persisted: true, results: ['through', 'through', 49], workersLost: 0, later: 81 });
    } finally {
      await cached.close();
      await elsewhere.close();
    }
  }

  it('that comes back, from the back/forward cache or anew, has a runtime that works', options, async () => {
    const page = await pageWithTasks();
    await page.goto(`${site.origin}/pages/plain.mjs`);
    await page.goBack();
    await page.waitForFunction(() => window.quillwork !== undefined);
    if (await page.evaluate(() => window.runtime !== undefined)) {
      const { gap: _, ...rest } = await outcome(page);
      assert.deepEqual(rest, asIfNothing);
    }
    const result = await page.evaluate(async () => {
      const runtime = await window.quillwork.createRuntime({ worker: () => window.quillwork.start('entry'), workers: 1 });
      const square = await runtime.run('square', 9);
      await runtime.close();
      return square;
    });
    assert.equal(result, 81);
    await page.close();
  });
});
