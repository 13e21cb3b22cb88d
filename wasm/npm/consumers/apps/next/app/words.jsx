'use client';
import { useEffect, useState } from 'react';
import { circuitBreaker, createRuntime, debounce, LoadBalancer } from 'quillwork';
import { createHooks, RuntimeProvider } from 'quillwork/react';
import { use } from '../../use.js';

const { useTask } = createHooks();
const worker = () => new Worker(new URL('../../tasks.js', import.meta.url), { type: 'module' });

/** The pool on the page, by its functions and by its hooks. */
export function Words() {
  const [runtime, setRuntime] = useState();
  useEffect(() => {
    const made = createRuntime({ worker, workers: 1 });
    setRuntime(made);
    use({ circuitBreaker, createRuntime, debounce, LoadBalancer }, worker).then(
      (result) => (document.body.dataset.result = JSON.stringify(result)),
      (error) => (document.body.dataset.result = String(error)),
    );
    return () => void made.then((ready) => ready.close());
  }, []);
  return (
    <RuntimeProvider runtime={runtime}>
      <Count />
    </RuntimeProvider>
  );
}

function Count() {
  const { run, status, data } = useTask('countWords');
  return (
    <button type="button" onClick={() => run({ text: 'Once upon a time' })}>
      {status === 'done' ? `${data} words` : 'Count'}
    </button>
  );
}
