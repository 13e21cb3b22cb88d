// The cases that docs/flow/circuit-breaker.md writes out, made with the packed package.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { circuitBreaker } from 'quillwork';
import { withFakeTime } from './cases/fake-time.mjs';

const guide = readFileSync(join(process.env.QUILLWORK_GUIDES, 'flow/circuit-breaker.md'), 'utf8');
const rows = [...guide.matchAll(/^\| `(\{.*\})` \| (.*) \| (.*) \|$/gm)].map(([, settings, steps, states]) => [
  JSON.parse(settings),
  steps.split(' '),
  states.split(' '),
]);

const own = new Error('own fault');

/** Makes a call, and asserts what it comes to. */
async function call(breaker, time, step, running) {
  const controller = new AbortController();
  let made = false;
  const result = breaker.execute(
    () => {
      made = true;
      return new Promise((resolve, reject) => running.push({ resolve, reject }));
    },
    { signal: controller.signal },
  );
  const end = result.then(
    () => 'succeeded',
    (error) => error.code ?? error.message,
  );
  if (step === 'r') {
    assert.equal(await end, 'ERR_CIRCUIT_OPEN');
    assert.equal(made, false, 'a refused call is not made');
    return;
  }
  await time.settle();
  assert.equal(made, true, `${step} is let through`);
  if (step === 'b') {
    return;
  }
  const { resolve, reject } = running.pop();
  if (step === 'l') {
    await time.advance(1_000);
  }
  if (step === 'a') {
    controller.abort(new Error('aborted'));
    assert.equal(await end, 'aborted');
  } else if (step === 'f') {
    reject(new Error('down'));
    assert.equal(await end, 'down');
  } else if (step === 'i') {
    reject(own);
    assert.equal(await end, 'own fault');
  }
  resolve('done');
  await time.settle();
}

describe('the circuit breaker, case by case', () => {
  it('has its cases in the guide', () => assert.ok(rows.length >= 20, `${rows.length} cases`));

  for (const [settings, steps, states] of rows) {
    it(`${JSON.stringify(settings)}: ${steps.join(' ')}`, () =>
      withFakeTime(async (time) => {
        assert.equal(steps.length, states.length, 'a state after each step');
        const breaker = circuitBreaker({ ...settings, isFailure: (error) => error !== own });
        const running = [];
        for (const [index, step] of steps.entries()) {
          if (/^[sflairb]$/.test(step)) {
            await call(breaker, time, step, running);
          } else if (step === 'e') {
            running.shift().resolve('done');
          } else if (step === 'd') {
            running.shift().reject(new Error('down'));
          } else if (step === 'hold') {
            breaker.holdOpen(10_000);
          } else if (/^\d+$/.test(step)) {
            await time.advance(Number(step));
          } else {
            breaker.setMode(step);
          }
          await time.settle();
          assert.equal(breaker.state, states[index], `after step ${index + 1}, ${step}`);
        }
      }));
  }
});
