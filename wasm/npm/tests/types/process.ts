import type { Runtime } from 'quillwork';
import { process, stage, workerStage, type Processed } from 'quillwork/process';
import type { Tasks } from './tasks.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only where both types are the same. */
const same = <A, B>(_proof: Same<A, B>): void => {};

export async function check(runtime: Runtime<Tasks>, stream: AsyncIterable<Uint8Array>): Promise<void> {
  const words = process([1, 2], [(n) => n * 2, async (n) => `${n}`, (text) => ({ text })], { concurrency: 2 });
  same<typeof words, Processed<{ text: string }>>(true);
  const squares = process(
    new Set(['1']),
    [
      stage((text: string) => Number(text), { name: 'parse' }),
      workerStage(runtime, 'square', { timeoutMs: 5, concurrency: 4 }),
      stage(async (all: readonly number[]) => all.map(String), { batch: 10, batchWaitMs: 5 }),
    ],
    { memoryBudgetBytes: 1e6, onError: (error, item, { index, stage: name }) => [error, item, index, name] },
  );
  const texts: string[] = await squares.collect();
  for await (const bytes of process(stream, [], { ordered: false, onError: 'skip' })) {
    same<typeof bytes, Uint8Array>(true);
  }
  const p95: number | null | undefined = squares.metrics().stages[0]?.p95Ms;
  // @ts-expect-error the second stage takes something else
  process([1], [(n: number) => n, (text: string) => text]);
  // @ts-expect-error the source gives something else
  process(['1'], [workerStage(runtime, 'square')]);
  // @ts-expect-error no such task
  workerStage(runtime, 'nonsense');
  // @ts-expect-error not a list of results
  stage((all: readonly number[]) => all.length, { batch: 2 });
  // @ts-expect-error no such option
  process([1], [], { parallel: 2 });
  void [texts, p95];
}
