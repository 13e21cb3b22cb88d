import { createRuntime } from 'quillwork';
import { createHooks, RuntimeProvider, useTask } from 'quillwork/react';
import type { ReactElement } from 'react';
import type { Tasks } from './tasks.js';

const { useTask: useTypedTask, useRuntime } = createHooks<Tasks>();
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

export function App(): ReactElement {
  return (
    <RuntimeProvider runtime={runtime}>
      <Square />
    </RuntimeProvider>
  );
}
