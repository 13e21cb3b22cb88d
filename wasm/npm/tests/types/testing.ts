import { createTestRuntime, virtualClock, type TestRuntime } from 'quillwork/testing';
import type { TaskContext } from 'quillwork/worker';

const tasks = {
  square: (n: number) => n * n,
  async layout(input: { nodes: string[] }, ctx: TaskContext<{ done: number }>) {
    ctx.progress({ done: 1 });
    return input.nodes.length;
  },
};

export async function check(): Promise<void> {
  const test: TestRuntime<typeof tasks> = await createTestRuntime({
    tasks,
    workers: { min: 1, max: 2 },
    latencyMs: [1, 5],
    durationMs: (task) => (task === 'square' ? 10 : 0),
    types: { layout: { timeoutMs: 5 } },
  });
  const square: number = await test.runtime.run('square', 2);
  await test.runtime.run('layout', { nodes: [] }, { onProgress: ({ done }) => done.toFixed() });
  // @ts-expect-error no such task
  await test.runtime.run('nonsense');
  // @ts-expect-error the workers are made of the tasks
  await createTestRuntime({ tasks, worker: './tasks.js' });
  // @ts-expect-error the tasks are missing
  await createTestRuntime({ workers: 2 });
  // @ts-expect-error no such task
  await createTestRuntime({ tasks, durationMs: (task) => (task === 'nonsense' ? 1 : 0) });
  test.slow(0, 2);
  await test.close();
  using clock = virtualClock({ now: new Date(0) });
  await clock.advance(square);
  await clock.runAll({ limit: 10 });
  // @ts-expect-error no such method
  clock.tick(5);
}
