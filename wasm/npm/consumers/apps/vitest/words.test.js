// Tests of an app in Vitest: on the package's clock, on the runner's own, and with real workers.
import { afterEach, expect, test, vi } from 'vitest';
import { createRuntime, debounce } from 'quillwork';
import { createTestRuntime, virtualClock } from 'quillwork/testing';

const tasks = { countWords: (text) => text.split(/\s+/).filter(Boolean).length };

afterEach(() => {
  vi.useRealTimers();
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

test('flow control goes by the fake timers of the runner', () => {
  vi.useFakeTimers();
  const save = vi.fn();
  debounce(save, 500)('Once');
  vi.advanceTimersByTime(499);
  expect(save).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(save).toHaveBeenCalledWith('Once');
});

test('real workers are threads', async () => {
  const runtime = await createRuntime({ worker: new URL('../tasks.js', import.meta.url), workers: 2 });
  expect(await runtime.run('countWords', { text: 'Once upon a time' })).toBe(4);
  await runtime.close();
});
