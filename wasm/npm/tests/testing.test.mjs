// The virtual clock beside the fake timers of test runners.
import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { setTimeout as realPause } from 'node:timers/promises';
import { promisify } from 'node:util';
import fakeTimers from '@sinonjs/fake-timers';
import { createTestRuntime, virtualClock } from 'quillwork/testing';
import { tasks } from './workers/tasks.mjs';

const real = { setTimeout, now: Date.now };

/** Both clocks are used in turn, the virtual one inside of the other. */
async function beside(theirs) {
  const heard = [];
  setTimeout(() => heard.push('theirs'), 100);
  const outside = Date.now();
  const clock = virtualClock({ now: 5_000 });
  setTimeout(() => heard.push('ours'), 100);
  assert.equal(Date.now(), 5_000);
  await clock.advance(100);
  assert.deepEqual(heard, ['ours']);
  clock.uninstall();
  assert.equal(Date.now(), outside);
  theirs.tick(100);
  assert.deepEqual(heard, ['ours', 'theirs']);
}

describe('a virtual clock', () => {
  afterEach(() => {
    assert.equal(setTimeout, real.setTimeout);
    assert.equal(Date.now, real.now);
  });

  it("works on top of node:test's fake timers", async () => {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
    try {
      await beside(mock.timers);
    } finally {
      mock.timers.reset();
    }
  });

  it('works on top of the fake timers that Jest and Vitest use', async () => {
    // Without `nextTick`, by which this runner reports.
    const theirs = fakeTimers.install({ toNotFake: ['nextTick'] });
    try {
      await beside(theirs);
      const { runtime, clock, close } = await createTestRuntime({ tasks, durationMs: 30 });
      const square = runtime.run('square', 3);
      await clock.advance(30);
      assert.equal(await square, 9);
      await close();
    } finally {
      theirs.uninstall();
    }
  });

  it('is left alone by who installs theirs on top, and leaves theirs', async () => {
    const clock = virtualClock({ now: 0 });
    const theirs = fakeTimers.install({ now: 7, toNotFake: ['nextTick'] });
    clock.uninstall();
    assert.equal(Date.now(), 7);
    theirs.uninstall();
    // They put back what they found, which does what was there before it.
    assert.ok(Math.abs(Date.now() - real.now()) < 60_000);
    await new Promise((resolve) => setTimeout(resolve, 1));
    globalThis.setTimeout = real.setTimeout;
    for (const name of ['setInterval', 'clearTimeout', 'clearInterval', 'Date']) {
      globalThis[name] = originals[name];
    }
    performance.now = originals.performanceNow;
  });

  it('makes promises of timers as Node does, keeps order, and lets what is real be', async () => {
    const clock = virtualClock();
    try {
      let value;
      void promisify(setTimeout)(1_000, 'later').then((later) => (value = later));
      await clock.advance(999);
      assert.equal(value, undefined);
      await clock.advance(1);
      assert.equal(value, 'later');
      const timer = setTimeout(() => {}, 50).unref();
      assert.equal(timer.hasRef(), false);
      await clock.runAll();
      assert.equal(clock.pending, 1, 'what keeps no process alive is not run to its end');
      await clock.advance(30);
      timer.refresh();
      await clock.advance(49);
      assert.equal(clock.pending, 1);
      timer.close();
      assert.equal(clock.pending, 0);
      await realPause(1);
    } finally {
      clock.uninstall();
    }
  });
});

const originals = { setInterval, clearTimeout, clearInterval, Date, performanceNow: performance.now };
