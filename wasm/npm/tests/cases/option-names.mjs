import { equal, ok, rejection, thrown } from './check.mjs';

// An option whose name is wrong would be ignored without a word: it is refused, and the nearest name told.

/** The error must say which option, where, and what to write instead. */
function says(error, name, ...parts) {
  equal(error?.code, 'ERR_INVALID_OPTION', `code of "${error?.message}"`);
  for (const part of [`\`${name}\` is no option of `, ...parts]) {
    ok(error.message.includes(part), `"${part}" in "${error.message}"`);
  }
}

/** What a call throws, or is rejected with. */
async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error(`expected ${call} to fail`);
}

export default {
  async 'a runtime, its parts and its tasks take no option that they do not know'(t) {
    for (const [options, name, ...parts] of [
      [{ maxQueu: 5 }, 'maxQueu', 'createRuntime', 'did you mean `maxQueue`?'],
      [{ MaxQueue: 5 }, 'MaxQueue', 'did you mean `maxQueue`?'],
      [{ colour: 'red' }, 'colour', 'createRuntime, which takes `worker`, `workers`, `concurrency`'],
      [{ workers: { min: 1, idleAfter: 5 } }, 'idleAfter', '`workers`', '`idleAfterMs`'],
      [{ retry: { base: 5 } }, 'base', '`retry`', '`baseMs`'],
      [{ recycle: { afterTask: 5 } }, 'afterTask', '`recycle`', '`afterTasks`'],
      [{ types: { square: { timeout: 5 } } }, 'timeout', '`types.square`', '`timeoutMs`'],
      [{ warmUp: { task: 'square', inputs: 2 } }, 'inputs', '`warmUp`', '`input`'],
      [{ offer: () => ({ capability: ['gpu'] }) }, 'capability', '`offer(0)`', '`capabilities`'],
      [{ binding: { strategy: 'round-robin', stealAfter: 5 } }, 'stealAfter', '`binding`', '`stealAfterMs`'],
      [{ binding: { choose: () => 0, fallBack: 'random' } }, 'fallBack', '`binding`', '`fallback`'],
      [{ budgets: { warm: 0.5 } }, 'warm', '`budgets`', '`warn`'],
      [{ record: { maxByte: 5_000 } }, 'maxByte', '`record`', '`maxBytes`'],
      [{ telemetry: { intervallMs: 5 } }, 'intervallMs', '`telemetry`', '`intervalMs`'],
      [{ telemetry: { consent: { report: true } } }, 'report', '`consent`', '`reporting`'],
      [{ telemetry: { offlineQueue: { bytes: 5 } } }, 'bytes', '`telemetry.offlineQueue`', '`maxBytes`'],
    ]) {
      says(await rejection(t.create(options)), name, ...parts);
    }
    const runtime = await t.runtime({ workers: 1, maxQueu: undefined });
    says(await rejection(runtime.run('square', 2, { timeout: 5 })), 'timeout', '`run`', '`timeoutMs`');
    says(await rejection(runtime.map('square', [2], { inflight: 5 })), 'inflight', '`map`', '`inFlight`');
    says(thrown(() => runtime.stream('count', 2, { retries: 5 })), 'retries', '`stream`', 'highWaterMark');
    says(thrown(() => runtime.cache('pages', { maxEntry: 5 })), 'maxEntry', '`cache`', '`maxEntries`');
    says(await rejection(runtime.close({ drained: true })), 'drained', '`close`', '`drain`');
    equal(await runtime.run('square', 2, { timeout: undefined }), 4, 'what is undefined is as left out, and nothing was closed');
  },

  async 'an object that binds keeps what it likes beside its options, where it is of a class'(t) {
    class Alternating {
      turn = 0;
      choose = (task, candidates) => candidates[this.turn++ % candidates.length].worker;
    }
    const runtime = await t.runtime({ workers: 2, binding: new Alternating() });
    equal(await runtime.run('square', 2), 4);
  },

  async 'flow control takes no option that it does not know'({ quillwork }) {
    const { adaptiveLimit, batch, bulkhead, circuitBreaker, hedge, keyedRateLimit, policy, rateLimit, rateLimited, retry, retryBudget, throttled } = quillwork;
    const run = () => 1;
    for (const [call, name, ...parts] of [
      [() => batch((items) => items, { maxSise: 5 }), 'maxSise', 'batch', 'did you mean `maxSize`?'],
      [() => throttled({ concurrency: 2 }), 'concurrency', 'throttled', '`maxConcurrent`'],
      [() => throttled({}).wrap(run, { prio: 5 }), 'prio', '`wrap`', 'priority'],
      [() => rateLimit({ limits: 5 }), 'limits', 'rateLimit', '`limit`'],
      [() => rateLimit({ limit: 5, intervalMs: 5 }), 'intervalMs', 'rateLimit', '`interval`'],
      [() => rateLimit({ limit: 5 }).wrap(run, { maxwait: 5 }), 'maxwait', '`wrap`', '`maxWait`'],
      [() => rateLimited(run, { limit: 5, wieght: 2 }), 'wieght', 'rateLimited', '`weight`'],
      [() => keyedRateLimit({ limit: 5, maxkeys: 2 }), 'maxkeys', 'keyedRateLimit', '`maxKeys`'],
      [() => retry(run, { attempt: 5 }), 'attempt', 'retry', '`attempts`'],
      [() => retryBudget({ maxSave: 5 }), 'maxSave', '`retryBudget`', '`maxSaved`'],
      [() => circuitBreaker({ consecutiveFailure: 5 }), 'consecutiveFailure', 'circuitBreaker', '`consecutiveFailures`'],
      [() => circuitBreaker({ window: { call: 5 } }), 'call', '`window`', '`calls`'],
      [() => bulkhead({ maxConcurency: 5 }), 'maxConcurency', '`bulkhead`', '`maxConcurrent`'],
      [() => hedge({ maxHedge: 2 }), 'maxHedge', 'hedge', '`maxHedges`'],
      [() => hedge({ delay: { quantil: 0.9 } }), 'quantil', '`hedge.delay`', '`quantile`'],
      [() => hedge({ budget: { deposit: 0.2 } }), 'deposit', '`hedge.budget`', 'depositRatio'],
      [() => adaptiveLimit({ ceilling: 5 }), 'ceilling', 'adaptiveLimit', '`ceiling`'],
      [() => policy({ timeoutMs: 5 }), 'timeoutMs', 'policy', '`timeout`'],
      [() => policy({ retry: { attemps: 5 } }), 'attemps', '`retry`', '`attempts`'],
      [() => policy({ retry: {}, retryBudget: { maxSave: 5 } }), 'maxSave', '`retryBudget`', '`maxSaved`'],
      [() => policy({ breaker: { isFailure: run } }), 'isFailure', '`breaker`', 'consecutiveFailures'],
      [() => policy({ hedge: { delays: 5 } }), 'delays', '`hedge`', '`delay`'],
      [() => policy({ rate: { limit: 5, maxWaitMs: 5 } }), 'maxWaitMs', '`rate`', '`maxWait`'],
      [() => policy({ bulkhead: { maxQueue: 5 } }), 'maxQueue', '`bulkhead`', '`maxQueued`'],
      [() => policy({ adaptiveLimit: { flor: 5 } }), 'flor', '`adaptiveLimit`', '`floor`'],
    ]) {
      says(await failure(call), name, ...parts);
    }
    const whole = rateLimited(run, { limit: 5, strict: true, weight: 2, maxWait: 10, signal: undefined });
    equal(await whole(), 1, 'options of the limit and of its calls go together');
    const gathered = batch((items) => items);
    says(await rejection(gathered.close({ drian: false })), 'drian', '`close`', '`drain`');
    equal(await gathered.add('still open'), 'still open');
  },

  'debounce and throttle ignore what they do not know, as lodash does'({ quillwork: { debounce, throttle }, lodash }) {
    for (const make of [debounce, throttle, lodash.debounce, lodash.throttle]) {
      for (const options of [{ laeding: true }, null]) {
        make(() => 1, 5, options).cancel();
      }
    }
  },

  async 'neither do balancing, hardware, processes, telemetry and tests'({ processing, quillwork, testing }) {
    const { createTelemetry, detectHardware, generateConfig, LoadBalancer, RoundRobinStrategy, WorkerRegistry } = quillwork;
    const { process, stage } = processing;
    const { createTestRuntime, virtualClock } = testing;
    const telemetry = createTelemetry({ consent: { reporting: false } });
    for (const [call, name, ...parts] of [
      [() => new LoadBalancer('random', { sede: 5 }), 'sede', 'LoadBalancer', 'seed'],
      [() => new LoadBalancer('random', { overload: { enters: 0.9 } }), 'enters', '`overload`', '`enter`'],
      [() => new LoadBalancer('random', { migration: { margins: 2 } }), 'margins', '`migration`', '`margin`'],
      [() => new LoadBalancer('random', { reorder: { windows: 2 } }), 'windows', '`reorder`', '`window`'],
      [() => new LoadBalancer('random', { avoidFailing: { minOutcome: 2 } }), 'minOutcome', '`avoidFailing`', '`minOutcomes`'],
      [() => new LoadBalancer('best-score', { scoreWeights: { capacities: 1 } }), 'capacities', '`scoreWeights`', '`capacity`'],
      [() => new LoadBalancer('random', { affinityRules: new Map([['index', { forbids: 1 }]]) }), 'forbids', '"index"', '`forbid`'],
      [() => new RoundRobinStrategy({ fallback: 'random' }), 'fallback', 'a strategy', 'seed'],
      [() => new WorkerRegistry({ lease: 5 }), 'lease', 'WorkerRegistry', '`leaseMs`'],
      [() => generateConfig({}, { minWorker: 1 }), 'minWorker', 'generateConfig', '`minWorkers`'],
      [() => detectHardware({ timeout: 5 }), 'timeout', 'detectHardware', '`timeoutMs`'],
      [() => process([], [], { order: false }), 'order', 'process', '`ordered`'],
      [() => stage(() => 1, { batchWait: 5 }), 'batchWait', 'stage', '`batchWaitMs`'],
      [() => createTelemetry({ sampleRatio: 1 }), 'sampleRatio', '`telemetry`', '`sampleRate`'],
      [() => telemetry.setConsent({ error: 'full' }), 'error', '`consent`', '`errors`'],
      [() => telemetry.counter('saved', { units: 'ms' }), 'units', 'counter "saved"', '`unit`'],
      [() => telemetry.startSpan('save', { tag: {} }), 'tag', 'span "save"', '`tags`'],
      [() => createTestRuntime({ tasks: {}, latency: 5 }), 'latency', 'createTestRuntime', '`latencyMs`'],
      [() => virtualClock({ at: 5 }), 'at', 'virtualClock', 'now'],
    ]) {
      says(await failure(call), name, ...parts);
    }
    telemetry.close();
    const { runtime, close } = await createTestRuntime({ tasks: { one: () => 1 }, worker: 'tasks.js', latencyMs: undefined });
    equal(await runtime.run('one'), 1, 'the options of the app may come along, its worker with them');
    await close();
  },

  async 'null in the place of options is told of'(t) {
    const { batch, circuitBreaker, policy, rateLimit, retry, throttled, LoadBalancer, WorkerRegistry, createTelemetry, detectHardware, generateConfig } = t.quillwork;
    const runtime = await t.runtime({ workers: 1 });
    const run = () => 1;
    for (const call of [
      () => t.createRuntime(null),
      () => runtime.run('square', 2, null),
      () => runtime.map('square', [2], null),
      () => runtime.stream('count', 2, null),
      () => runtime.cache('pages', null),
      () => runtime.close(null),
      () => batch(run, null),
      () => batch((items) => items).add(1, null),
      () => batch((items) => items).close(null),
      () => throttled(null),
      () => throttled().execute(run, null),
      () => throttled().wrap(run, null),
      () => rateLimit(null),
      () => rateLimit({ limit: 5 }).acquire(null),
      () => rateLimit({ limit: 5 }).wrap(run, null),
      () => retry(run, null),
      () => circuitBreaker(null),
      () => circuitBreaker().execute(run, null),
      () => policy(null),
      () => policy({}).execute(run, null),
      () => new LoadBalancer('random', null),
      () => new WorkerRegistry(null),
      () => createTelemetry(null),
      () => detectHardware(null),
      () => generateConfig(null),
      () => generateConfig({}, null),
      () => t.processing.process([], [], null),
      () => t.processing.stage(run, null),
      () => t.testing.createTestRuntime(null),
      () => t.testing.virtualClock(null),
    ]) {
      const error = await failure(call);
      equal([error.name, error.code], ['QuillworkError', 'ERR_INVALID_OPTION'], `${call}: ${error.message}`);
      ok(error.message.includes('an object') && error.message.includes('not null'), `${call}: ${error.message}`);
    }
    equal(await runtime.run('square', 2), 4, 'nothing was closed');
    await (await t.create({ workers: null, retry: null, types: null, recycle: null, budgets: null, record: null, telemetry: null, binding: null })).close();
  },
};
