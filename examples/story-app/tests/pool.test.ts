import type { WorkerLost } from 'quillwork';
import { expect, test } from 'vitest';
import { Pool } from '../src/state/pool';
import type { StoryRuntime } from '../src/state/runtime';

/** A runtime that loses a worker when it is told to. */
function losingRuntime() {
  let hear: (event: Pick<WorkerLost, 'reason'>) => void = () => undefined;
  let redelivered = 0;
  const runtime = {
    stats: () => ({ workers: [], redelivered }),
    on: (name: string, listener: typeof hear) => {
      if (name === 'workerlost') hear = listener;
    },
  } as unknown as StoryRuntime;
  return {
    runtime,
    lose(reason: WorkerLost['reason'], tasks: number): void {
      redelivered += tasks;
      hear({ reason });
    },
  };
}

test('of a lost worker is told what became of its task, where it had one', () => {
  const { runtime, lose } = losingRuntime();
  const pool = new Pool(runtime);
  const told = (reason: WorkerLost['reason'], tasks: number): string | undefined => {
    lose(reason, tasks);
    return pool.store.get().notice;
  };
  expect(told('failed', 0)).toBe('A worker was lost; a new one took its place.');
  expect(told('failed', 1)).toBe('A worker was lost; a new one took its place, and its task was given to another.');
  expect(told('failed', 0)).toBe('A worker was lost; a new one took its place.');
  expect(told('silent', 1)).toContain('task was given to another');
  expect(told('ignored-abort', 0)).not.toContain('given to another');
});
