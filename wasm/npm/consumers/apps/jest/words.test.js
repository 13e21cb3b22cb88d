// Tests of an app in Jest: on the package's clock, on the runner's own, and with real workers.
import { afterEach, expect, jest, test } from '@jest/globals';
import { circuitBreaker, createRuntime, debounce, QuillworkError } from 'quillwork';
import { createTestRuntime, virtualClock } from 'quillwork/testing';

const tasks = { countWords: (text) => text.split(/\s+/).filter(Boolean).length };

afterEach(() => {
  jest.useRealTimers();
});

test('words are counted though a worker crashes', async () => {
  const { runtime, clock, crash, close } = await createTestRuntime({ tasks, workers: 2, durationMs: 100 });
  const words = runtime.run('countWords', 'Once upon a time');
  await clock.advance(50);
  crash(0);
  await clock.runAll();
  expect(await words).toBe(4);
  expect(runtime.stats().redelivered).toBe(1);
  await close();
});

test('a draft is saved once typing has paused', async () => {
  const clock = virtualClock();
  const saved = [];
  const save = debounce((draft) => saved.push(draft), 500);
  save('O');
  save('Once');
  await clock.advance(500);
  expect(saved).toEqual(['Once']);
  clock.uninstall();
});

test('a runtime works while the timers of the runner are fake', async () => {
  jest.useFakeTimers();
  const { runtime, clock, close } = await createTestRuntime({ tasks, durationMs: 100 });
  const words = runtime.run('countWords', 'Once upon a time');
  await clock.runAll();
  expect(await words).toBe(4);
  await close();
});

test('what tasks return and throw is as it was', async () => {
  const told = {
    echo: (value) => value,
    fail: () => {
      throw new TypeError('no number');
    },
  };
  const { runtime, close } = await createTestRuntime({ tasks: told });
  const bytes = new ArrayBuffer(4);
  expect(await runtime.run('echo', { found: [1], at: new Map([['a', 2]]) })).toEqual({ found: [1], at: new Map([['a', 2]]) });
  expect((await runtime.run('echo', bytes, { transfer: [bytes] })).byteLength).toBe(4);
  expect(bytes.byteLength).toBe(0);
  await expect(runtime.run('fail')).rejects.toThrow(TypeError);
  await expect(runtime.run('echo', () => 1)).rejects.toMatchObject({ code: 'ERR_NOT_CLONEABLE' });
  await close();
});

test('flow control goes by the fake timers of the runner', () => {
  jest.useFakeTimers();
  const save = jest.fn();
  debounce(save, 500)('Once');
  jest.advanceTimersByTime(499);
  expect(save).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(save).toHaveBeenCalledWith('Once');
});

test('an error is told by its class and its code', async () => {
  const breaker = circuitBreaker({ consecutiveFailures: 1 });
  await expect(breaker.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
  await expect(breaker.execute(() => 'here')).rejects.toThrow(QuillworkError);
  await expect(breaker.execute(() => 'here')).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
});

test('real workers are threads', async () => {
  const runtime = await createRuntime({ worker: new URL('../tasks.js', import.meta.url), workers: 2 });
  expect(await runtime.run('countWords', { text: 'Once upon a time' })).toBe(4);
  await runtime.close();
});
