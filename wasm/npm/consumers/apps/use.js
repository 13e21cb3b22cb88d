// What every app here does with the package, whatever made it: a task on a worker, calls that core decides about, and calls that JavaScript does.

/** Uses the package and gives what came of it. `worker` is how this app starts one. */
export async function use({ circuitBreaker, createRuntime, debounce, LoadBalancer }, worker, options = {}) {
  const runtime = await createRuntime({ worker, workers: 2, ...options });
  try {
    const words = await runtime.run('countWords', { text: 'Once upon a time' });
    const lengths = await runtime.map('countWords', [{ text: 'a' }, { text: 'a b' }, { text: 'a b c' }]);
    const { worker: inWorker } = await runtime.run('where');

    const breaker = circuitBreaker({ consecutiveFailures: 2 });
    const fail = () => breaker.execute(() => Promise.reject(new Error('down'))).catch(({ code, message }) => code ?? message);
    const failures = [await fail(), await fail(), await fail()];

    const heard = await new Promise((resolve) => {
      const say = debounce(resolve, 1);
      say('first');
      say('last');
    });

    const workers = [
      { id: 'busy', currentLoad: 6 },
      { id: 'free', currentLoad: 1 },
    ];
    const chosen = new LoadBalancer('least-loaded').selectWorker({}, workers)?.id;
    return { words, lengths, inWorker, failures, heard, chosen };
  } finally {
    await runtime.close();
  }
}
