// What a runtime records in Node and in Chromium leads to the same decisions when it is replayed natively.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createRuntime } from 'quillwork';
import { launch, open, serve } from './browser.mjs';
import { writePlainWorkers } from './plain-workers.mjs';

const folder = import.meta.dirname;
const replay = process.env.QUILLWORK_REPLAY;
const options = { timeout: 60_000, skip: replay === undefined && 'QUILLWORK_REPLAY does not name the built example' };

/** A run with something of everything: results, errors, retries, aborts, time-outs, a lost worker, a full queue, and a close. */
async function live(createRuntime, worker) {
  const runtime = await createRuntime({
    worker,
    workers: { min: 1, max: 3, idleAfterMs: 20 },
    concurrency: 2,
    maxQueue: 40,
    overflow: 'drop-lowest',
    retry: { baseMs: 1 },
    types: { flaky: { retries: 2 } },
    abortGraceMs: 10,
    record: true,
  });
  const tasks = [];
  for (let n = 0; n < 200; n += 1) {
    const controller = new AbortController();
    const task = [
      () => runtime.run('square', n, { priority: n % 11, signal: controller.signal }),
      () => runtime.run('flaky', 2),
      () => runtime.run('throwValue', n),
      () => runtime.run('busy', n % 7, { timeoutMs: 3 }),
    ][n % 4]();
    tasks.push(task.then(() => undefined, () => undefined));
    if (n % 9 === 0) {
      controller.abort();
    }
    if (n === 90) {
      runtime.killWorker(0);
    }
    if (n % 10 === 0) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  await Promise.all(tasks);
  await runtime.close();
  const { log, inputs, decisions, complete } = runtime.recording();
  return { log: [...log], inputs, decisions, complete };
}

function replayed(name, log) {
  const path = join(folder, `${name}.log`);
  writeFileSync(path, Uint8Array.from(log));
  return execFileSync(replay, [path], { encoding: 'utf8' }).trim();
}

describe('a recording', () => {
  it('made in Node replays natively to the same decisions', options, async () => {
    const { log, inputs, decisions, complete } = await live(createRuntime, new URL('./workers/entry.mjs', import.meta.url));
    assert.ok(complete && inputs > 200, `${inputs} inputs`);
    assert.equal(replayed('node', log), `${inputs} inputs, complete, decisions ${decisions}`);
  });

  it('made in Chromium replays natively to the same decisions', options, async () => {
    writePlainWorkers(folder);
    const site = await serve(folder);
    const browser = await launch();
    try {
      const { page } = await open(browser, `${site.origin}/pages/plain.html`);
      await page.waitForFunction(() => window.runCase !== undefined);
      const recording = await page.evaluate(
        `(${live})(window.quillwork.createRuntime, () => window.quillwork.start('entry'))`,
      );
      const { log, inputs, decisions, complete } = recording;
      assert.ok(complete && inputs > 200, `${inputs} inputs`);
      assert.equal(replayed('chromium', log), `${inputs} inputs, complete, decisions ${decisions}`);
    } finally {
      await browser.close();
      await site.close();
    }
  });

  it('ends at its largest size, and says so', options, async () => {
    const runtime = await createRuntime({ worker: new URL('./workers/entry.mjs', import.meta.url), workers: 1, record: { maxBytes: 1_024 } });
    await runtime.map('square', Array.from({ length: 1_000 }, (_, n) => n));
    await runtime.close();
    const { log, inputs, decisions, complete } = runtime.recording();
    assert.ok(!complete && log.length < 2_048, `${log.length} bytes`);
    assert.equal(replayed('full', log), `${inputs} inputs, cut off, decisions ${decisions}`);
  });

  it('is not there unless it was asked for', { timeout: 60_000 }, async () => {
    const runtime = await createRuntime({ worker: new URL('./workers/entry.mjs', import.meta.url), workers: 1 });
    assert.throws(() => runtime.recording(), { code: 'ERR_INVALID_OPTION', message: /record: true/ });
    await runtime.close();
  });
});
