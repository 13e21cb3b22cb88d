// What messages cost at least, without a queue, priorities, limits or failures.

/** One message per task, and an id map. */
export function bareMessages(workers) {
  const waiting = new Map();
  let next = 0;
  for (const worker of workers) {
    worker.addEventListener('message', ({ data }) => {
      const settle = waiting.get(data);
      waiting.delete(data);
      settle();
    });
  }
  return {
    run: () =>
      new Promise((settle) => {
        next += 1;
        waiting.set(next, settle);
        workers[next % workers.length].postMessage(next);
      }),
    close: () => workers.forEach((worker) => worker.terminate()),
  };
}

/** The same with everything that one microtask asks for in one message. */
export function coalescedLoop(workers) {
  const waiting = new Map();
  let next = 0;
  const lines = workers.map((worker) => {
    const line = { worker, ids: [], scheduled: false };
    worker.addEventListener('message', ({ data }) => {
      for (const id of data) {
        const settle = waiting.get(id);
        waiting.delete(id);
        settle();
      }
    });
    return line;
  });
  return {
    run: () =>
      new Promise((settle) => {
        next += 1;
        waiting.set(next, settle);
        const line = lines[next % lines.length];
        line.ids.push(next);
        if (!line.scheduled) {
          line.scheduled = true;
          queueMicrotask(() => {
            line.worker.postMessage(line.ids);
            line.ids = [];
            line.scheduled = false;
          });
        }
      }),
    close: () => workers.forEach((worker) => worker.terminate()),
  };
}
