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

/** Without any message: a counter in shared memory for each direction, and wake-ups. What is asked for before the other side looks is one wake-up. */
export function sharedCounters(workers) {
  const lines = workers.map((worker) => {
    const line = { counters: new Int32Array(new SharedArrayBuffer(8)), waiting: [], answered: 0 };
    worker.postMessage(line.counters);
    return line;
  });
  const listen = async (line) => {
    while (line.waiting.length > 0) {
      const waits = Atomics.waitAsync(line.counters, 1, line.answered);
      if (waits.async) {
        await waits.value;
      }
      const settled = line.waiting.splice(0, Atomics.load(line.counters, 1) - line.answered);
      line.answered += settled.length;
      settled.forEach((settle) => settle());
    }
  };
  let next = 0;
  return {
    run: () =>
      new Promise((settle) => {
        next += 1;
        const line = lines[next % lines.length];
        line.waiting.push(settle);
        Atomics.add(line.counters, 0, 1);
        Atomics.notify(line.counters, 0);
        if (line.waiting.length === 1) {
          void listen(line);
        }
      }),
    close: () => workers.forEach((worker) => worker.terminate()),
  };
}
