import { createRuntime } from 'quillwork';
import { createHooks, RuntimeProvider, useDebounced, useMetrics, useTask, type BatchItem } from 'quillwork/react';
import type { ReactElement } from 'react';
import type { Tasks } from './tasks.js';

const { useTask: useTypedTask, useMapWorker, useRuntime } = createHooks<Tasks>();
const runtime = createRuntime<Tasks>({ worker: './tasks.js' });

function Square(): ReactElement {
  const square = useTypedTask('square');
  const result: number | undefined = square.data;
  const layout = useTypedTask('layout');
  const done: number | undefined = layout.progress?.done;
  // @ts-expect-error no such task
  useTypedTask('nonsense');
  const named = useTask<Tasks, 'ping'>('ping');
  const pong: 'pong' | undefined = named.data;
  const completed: number | undefined = useRuntime()?.stats().completed;
  return (
    <button type="button" onClick={() => void square.run(2)}>
      {square.status === 'done' ? result : done} {pong} {completed}
    </button>
  );
}

function Squares({ text }: { text: string }): ReactElement {
  const squares = useMapWorker('square', { timeoutMs: 5_000, retries: 2 });
  const results: readonly (number | undefined)[] = squares.results;
  const first: number | undefined = squares.errors[0]?.input;
  const layouts = useMapWorker('layout');
  const done: number | undefined = layouts.progress.report?.done;
  // @ts-expect-error no such task
  useMapWorker('nonsense');
  // @ts-expect-error no such option
  useMapWorker('square', { timeout: 5 });
  const run = async (): Promise<void> => {
    const one: number = await squares.execute(2, { priority: 8 });
    const all: number[] = await squares.executeBatch(new Set([1, 2]), { onError: 'skip', onProgress: ({ ratio }) => ratio.toFixed() });
    const outcomes: BatchItem<number>[] = await squares.executeBatch([1], { onError: 'collect' });
    // @ts-expect-error an item is of another type
    await squares.executeBatch(['1']);
    // @ts-expect-error no way to treat errors
    await squares.executeBatch([1], { onError: 'ignore' });
    void [one, all, outcomes];
  };
  const shown: string = useDebounced(text, 200);
  const save = useDebounced((draft: string, version: number) => draft.length + version, 1_000, { maxWait: 5_000, onUnmount: 'flush' });
  const saved: number | undefined = save('draft', 1);
  // @ts-expect-error an argument is missing
  save('draft');
  const { pool, telemetry } = useMetrics({ intervalMs: 500 });
  const frames: number | null | undefined = pool?.responseMs.p95 ?? telemetry?.intervalMillis;
  return (
    <button type="button" onClick={() => void run()}>
      {shown} {results.length} {first} {done} {saved} {frames}
    </button>
  );
}

export function App(): ReactElement {
  return (
    <RuntimeProvider runtime={runtime}>
      <Square />
      <Squares text="a" />
    </RuntimeProvider>
  );
}
