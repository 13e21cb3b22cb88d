// An app in strict mode, where React mounts every component twice.
import { startTransition, StrictMode, useEffect, useState, version } from 'react';
import { createRoot } from 'react-dom/client';
import { createRuntime } from 'quillwork';
import { createHooks, RuntimeProvider, useDebounced, useMetrics } from 'quillwork/react';

const runtime = createRuntime({
  worker: () => new Worker(new URL('../workers/entry.mjs', import.meta.url), { type: 'module' }),
  workers: 2,
});
const { useTask, useMapWorker, useRuntime } = createHooks();

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

function Map({ name, id }) {
  const map = useMapWorker(name, { timeoutMs: 600_000 });
  window.maps[id] = map;
  window.renders[id] = (window.renders[id] ?? 0) + 1;
  const { status, progress, results, errors, error, metrics } = map;
  const items = errors.map(({ index, input, error: why }) => `${index}:${input}:${why.name}`);
  return (
    <output id={id}>
      {`${status} ${progress.settled}/${progress.total} results ${show(results)} errors ${show(items)} error ${show(error)} executions ${metrics.executions}`}
    </output>
  );
}

function Typed({ onUnmount }) {
  const [text, setText] = useState('a');
  const shown = useDebounced(text, 40);
  const [saves, setSaves] = useState(0);
  const save = useDebounced((draft) => (window.saved.push(`${saves} ${draft}`), draft), 60_000, { onUnmount });
  window.typed = { setText, setSaves, save };
  return <output id="typed">{`${text} ${shown}`}</output>;
}

function Numbers() {
  const metrics = useMetrics({ intervalMs: 20 });
  const again = useMetrics({ intervalMs: 20 });
  return <output id="numbers">{metrics.pool === undefined ? 'none' : `${metrics.pool.completed} ${metrics === again}`}</output>;
}

function App() {
  const ready = useRuntime() !== undefined;
  const [mounted, setMounted] = useState(true);
  const [number, setNumber] = useState(3);
  const [extra, setExtra] = useState({ map: true, typed: 'flush' });
  window.app = { setMounted, setNumber, setExtra: (next) => startTransition(() => setExtra(next)) };
  return (
    <main>
      <p id="ready">{String(ready)}</p>
      <Auto number={number} />
      <Task name="square" id="square" />
      <Task name="progress" id="progress" />
      <Task name="rejectType" id="failing" />
      {mounted && <Task name="hold" id="hold" />}
      <Map name="square" id="squares" />
      <Map name="flaky" id="flaky" />
      {extra.map && <Map name="hold" id="holds" />}
      {extra.typed && <Typed onUnmount={extra.typed} />}
      <Numbers />
    </main>
  );
}

window.react = version;
window.tasks = {};
window.maps = {};
window.renders = {};
window.saved = [];
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
