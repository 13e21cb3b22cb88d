// What belongs to Node alone: how long the process lives, and importing on a server.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { until } from './cases/check.mjs';
import { createRuntime } from 'quillwork';

const options = { timeout: 60_000 };
const entry = new URL('./workers/entry.mjs', import.meta.url);

/** Runs a program that begins with a runtime, and gives what it printed. */
function program(name, code) {
  const file = join(import.meta.dirname, `${name}.program.mjs`);
  writeFileSync(
    file,
    `import { createRuntime } from 'quillwork';
    const runtime = await createRuntime({ worker: new URL('./workers/entry.mjs', import.meta.url), workers: 2, telemetry: {} });
    ${code}`,
  );
  return execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 50_000 });
}

/** Runs a program of flow control, and gives what it printed. */
function flowProgram(name, code) {
  const file = join(import.meta.dirname, `${name}.program.mjs`);
  writeFileSync(file, `import * as quillwork from 'quillwork';\n${code}`);
  return execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 50_000 });
}

describe('a Node process', () => {
  it('lives on for a retry, a turn or a batch that somebody waits for', options, () => {
    const output = flowProgram(
      'waits',
      `const { batch, rateLimit, retry } = quillwork;
      retry(({ attempt }) => (attempt < 3 ? Promise.reject(new Error('down')) : attempt), { base: 20, jitter: 'none' }).then(console.log);
      const limiter = rateLimit({ limit: 1, interval: 150 });
      limiter.tryAcquire();
      limiter.acquire().then(() => console.log('turn'));
      batch((items) => items, { maxDelay: 250 }).add('item').then(console.log);`,
    );
    // Which comes first is a matter of the machine.
    assert.deepEqual(output.trim().split('\n').sort(), ['3', 'item', 'turn']);
  });

  it('ends where policies have nothing to do', options, () => {
    const output = flowProgram(
      'policies',
      `const { batch, circuitBreaker, keyedRateLimit, throttled, timeout } = quillwork;
      const breaker = circuitBreaker({ consecutiveFailures: 1, openTime: 3_600_000 });
      breaker.on('change', ({ to }) => console.log(to));
      await breaker.execute(() => { throw new Error('down'); }).catch(() => {});
      keyedRateLimit({ limit: 1, interval: 3_600_000 }).for('key').tryAcquire();
      await throttled({ maxPerSecond: 1 }).execute(() => {});
      await timeout(3_600_000).execute(() => {});
      batch((items) => items, { maxDelay: 3_600_000 });
      console.log('done');`,
    );
    assert.equal(output, 'open\ndone\n');
  });

  it('lives on for as long as tasks are unsettled', options, () => {
    assert.equal(program('busy', "runtime.run('busy', 200).then((millis) => console.log(millis));"), '200\n');
  });

  it('ends by itself when there is nothing to do, without close()', options, () => {
    assert.equal(program('idle', "console.log(await runtime.run('square', 3));"), '9\n');
    assert.equal(program('unused', "console.log('made');"), 'made\n');
  });

  it('waits for a time-out that must end a task', options, () => {
    const output = program(
      'timeout',
      "runtime.run('ignoreAbort', undefined, { timeoutMs: 50 }).catch((error) => console.log(error.code));",
    );
    assert.equal(output, 'ERR_TIMEOUT\n');
  });

  it('lets go of what a task was given and gave once its promise has settled', options, () => {
    const output = program(
      'collected',
      `const { setFlagsFromString } = await import('node:v8');
      const { runInNewContext } = await import('node:vm');
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc');
      async function kept(task, input, settings) {
        const refs = [new WeakRef(input)];
        await runtime.run(task, input, settings).then((result) => refs.push(new WeakRef(result)), (error) => refs.push(new WeakRef(error)));
        return refs;
      }
      // A turn of the event loop, for a weak reference that was just made keeps its target until then.
      const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
      for (const task of ['echo', 'throwValue', 'hang']) {
        const refs = await kept(task, { bytes: new Uint8Array(1_000) }, task === 'hang' ? { timeoutMs: 10 } : {});
        let held = refs.length;
        for (const giveUpAt = performance.now() + 10_000; held > 0 && performance.now() < giveUpAt; ) {
          await turn();
          collect();
          held = refs.filter((ref) => ref.deref() !== undefined).length;
        }
        console.log(task, held);
      }`,
    );
    assert.equal(output, 'echo 0\nthrowValue 0\nhang 0\n');
  });

  it('measures what can be measured without a display', options, async () => {
    const runtime = await createRuntime({ worker: entry, workers: 1, telemetry: { intervalMs: 100 } });
    await runtime.run('square', 2);
    await until(() => runtime.telemetry.latest?.pool.workers === 1, 'a sample of the ready worker');
    const { latest, status } = runtime.telemetry;
    assert.deepEqual([latest.visible, latest.framesPerSecond, latest.longTasks, latest.heapUsedBytes], [false, null, null, null]);
    assert.equal(status, 'off');
    assert.ok(latest.wasmBytes > 0);
    await runtime.close();
  });

  it('refuses an address for telemetry that is none', options, async () => {
    await assert.rejects(createRuntime({ worker: entry, telemetry: { url: 'ftp://host' } }), { code: 'ERR_INVALID_OPTION', message: /telemetry\.url/ });
  });

  it('imports every entry without a worker or a browser around it', options, async () => {
    for (const name of ['quillwork', 'quillwork/worker', 'quillwork/react', 'quillwork/compute']) {
      assert.ok(Object.keys(await import(name)).length > 0, name);
    }
    const { expose } = await import('quillwork/worker');
    assert.equal(expose({ square: (n) => n * n }), undefined, 'a test may import the module of the tasks');
    assert.throws(() => expose({}), { code: 'ERR_INVALID_OPTION' });
  });
});
