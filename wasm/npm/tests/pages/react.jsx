// An app in strict mode, where React mounts every component twice.
import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createRuntime } from 'quillwork';
import { createHooks, RuntimeProvider } from 'quillwork/react';

const runtime = createRuntime({
  worker: () => new Worker(new URL('../workers/entry.mjs', import.meta.url), { type: 'module' }),
  workers: 2,
});
const { useTask, useRuntime } = createHooks();

function show(value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : JSON.stringify(value);
}

/** A task that runs as soon as it is shown. */
function Auto({ number }) {
  const { run, status, data } = useTask('square');
  useEffect(() => {
    run(number).catch(() => {});
  }, [run, number]);
  return <output id="auto">{`${status} ${show(data)}`}</output>;
}

function Task({ name, id }) {
  const task = useTask(name);
  window.tasks[id] = task;
  return <output id={id}>{`${task.status} data ${show(task.data)} error ${show(task.error)} progress ${show(task.progress)}`}</output>;
}

function App() {
  const ready = useRuntime() !== undefined;
  const [mounted, setMounted] = useState(true);
  const [number, setNumber] = useState(3);
  window.app = { setMounted, setNumber };
  return (
    <main>
      <p id="ready">{String(ready)}</p>
      <Auto number={number} />
      <Task name="square" id="square" />
      <Task name="progress" id="progress" />
      <Task name="rejectType" id="failing" />
      {mounted && <Task name="hold" id="hold" />}
    </main>
  );
}

window.tasks = {};
window.unhandled = [];
addEventListener('unhandledrejection', (event) => window.unhandled.push(String(event.reason)));
runtime.then((ready) => {
  window.runtime = ready;
});
createRoot(document.getElementById('root')).render(
  <StrictMode>
    <RuntimeProvider runtime={runtime}>
      <App />
    </RuntimeProvider>
  </StrictMode>,
);
