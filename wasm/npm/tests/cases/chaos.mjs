import { equal, ok, until } from './check.mjs';

/** What may happen to a task whose worker is killed, hangs or runs out of memory by the deed of another. */
const COLLATERAL = ['ERR_WORKER_LOST'];

/** Numbers that are the same in each run. */
function seeded(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** The kinds of tasks: how often, what to run, and whether an outcome is one that it may have. */
const KINDS = [
  { weight: 40, run: (runtime, n) => runtime.run('square', n), result: (n, value) => value === n * n },
  { weight: 10, run: (runtime, n, o) => runtime.run('later', n, o), result: (n, value) => value === n },
  { weight: 6, run: (runtime, n) => runtime.run('busy', n % 4), result: (n, value) => value === n % 4 },
  { weight: 8, run: (runtime, n) => runtime.run('throwValue', n), rejects: (n, reason) => reason === n },
  { weight: 4, run: (runtime) => runtime.run('throwUnreadable'), rejects: (_, reason) => reason instanceof Error },
  { weight: 6, run: (runtime) => runtime.run('uncloneableResult'), rejects: code('ERR_NOT_CLONEABLE') },
  { weight: 4, run: (runtime) => runtime.run('trap', 'then'), rejects: (_, reason) => reason?.message === 'sprung' },
  { weight: 6, run: (runtime) => runtime.run('echo', () => 1), rejects: code('ERR_NOT_CLONEABLE') },
  { weight: 3, run: (runtime) => runtime.run('nonsense'), rejects: code('ERR_UNKNOWN_TASK') },
  { weight: 6, run: moved, result: (n, value) => value.byteLength === 1_000 && new Uint8Array(value)[999] === n % 251 },
  { weight: 1, run: (runtime) => runtime.run('hang', undefined, { timeoutMs: 20 }), rejects: code('ERR_TIMEOUT') },
  { weight: 1, run: (runtime) => runtime.run('ignoreAbort', undefined, { timeoutMs: 20 }), rejects: code('ERR_TIMEOUT') },
  { weight: 1, run: (runtime) => runtime.run('exhaust', undefined, { redeliver: false }), rejects: (_, reason) => reason instanceof Error },
  { weight: 4, run: aborted, rejects: (_, reason) => reason === 'not needed', result: (n, value) => value === n * n },
];
const TOTAL = KINDS.reduce((sum, { weight }) => sum + weight, 0);

function code(expected) {
  return (_, reason) => reason?.code === expected;
}

function moved(runtime, n) {
  const bytes = new Uint8Array(1_000).fill(n % 251);
  return runtime.run('reverse', bytes.buffer, { transfer: [bytes.buffer] });
}

function aborted(runtime, n) {
  const controller = new AbortController();
  const task = runtime.run('square', n, { signal: controller.signal });
  queueMicrotask(() => controller.abort('not needed'));
  return task;
}

/** So many tasks of all kinds while workers are killed. Every promise settles, once, as its task may. */
export async function chaos(runtime, seed, count) {
  const random = seeded(seed);
  const before = runtime.stats();
  const kinds = Array.from({ length: count }, () => {
    let at = random(TOTAL);
    return KINDS.find(({ weight }) => (at -= weight) < 0);
  });
  const executions = new Array(count).fill(0);
  const tasks = [];
  for (const [n, kind] of kinds.entries()) {
    // What may not run twice says so each time that it runs.
    const once = n % 2 === 0 ? { redeliver: false, onProgress: () => (executions[n] += 1) } : {};
    tasks.push(Promise.allSettled([kind.run(runtime, n, once)]));
    if (random(50) === 0) {
      runtime.killWorker(random(4));
    }
    if (random(20) === 0) {
      // Lets what was submitted go out, and what came back be heard.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  const outcomes = (await Promise.all(tasks)).flat();
  for (const [n, { status, value, reason }] of outcomes.entries()) {
    const { result, rejects } = kinds[n];
    const expected =
      status === 'fulfilled' ? result?.(n, value) === true : rejects?.(n, reason) === true || COLLATERAL.includes(reason?.code);
    ok(expected, `task ${n} to end as it may, not ${status} with ${String(value ?? reason?.code ?? reason)}`);
    ok(executions[n] <= 1, `task ${n} to run once at most, not ${executions[n]} times`);
  }
  const states = () => runtime.stats().workers.map(({ state }) => state);
  await until(() => states().every((state) => state === 'ready'), () => `all workers are back, they are ${states()}`);
  const after = runtime.stats();
  const ended = (stats) =>
    ['completed', 'failed', 'aborted', 'timedOut', 'expired', 'refused', 'workerLost', 'dropped', 'closed'].reduce(
      (sum, name) => sum + stats[name],
      0,
    );
  equal([ended(after) - ended(before), after.queued, after.running, after.prefetched], [count, 0, 0, 0], 'tasks that ended, and that are left');
}

/** A runtime whose workers have little memory where that can be set. */
export function chaosRuntime(t) {
  return t.runtime({
    worker: () => t.start('entry', { resourceLimits: { maxOldGenerationSizeMb: 24 } }),
    workers: 4,
    abortGraceMs: 20,
    leaseMs: 20_000,
  });
}

export default {
  async 'a thousand tasks with faults of all kinds while workers are lost: each promise settles as its task may'(t) {
    const runtime = await chaosRuntime(t);
    await runtime.ready();
    await chaos(runtime, 12_345, 1_000);
    const { workersLost, workersOverdue, redelivered, timedOut } = runtime.stats();
    const faults = { workersLost, workersOverdue, redelivered, timedOut };
    ok(Object.values(faults).every((n) => n > 0), `faults of all kinds, not ${JSON.stringify(faults)}`);
    equal(await Promise.all([1, 2, 3, 4].map((n) => runtime.run('square', n))), [1, 4, 9, 16]);
  },
};
