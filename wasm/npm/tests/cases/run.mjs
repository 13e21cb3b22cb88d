// Runs one case in the environment at hand: the same cases hold in Node, in a plain page and in a bundled one.
import ahead from './ahead.mjs';
import balanceVectors from './balance-vectors.mjs';
import balance from './balance.mjs';
import basics from './basics.mjs';
import binding from './binding.mjs';
import batch from './batch.mjs';
import breaker from './breaker.mjs';
import cache from './cache.mjs';
import chaos from './chaos.mjs';
import debounce from './debounce.mjs';
import errors from './errors.mjs';
import { closeGates } from './check.mjs';
import hardware from './hardware.mjs';
import heldBack from './held-back.mjs';
import hostile from './hostile.mjs';
import limits from './limits.mjs';
import mistakes from './mistakes.mjs';
import mixed from './mixed.mjs';
import optionNames from './option-names.mjs';
import options from './options.mjs';
import policy from './policy.mjs';
import streams from './streams.mjs';
import rateLimit from './rate-limit.mjs';
import registry from './registry.mjs';
import throttled from './throttled.mjs';
import process from './process.mjs';
import testing from './testing.mjs';
import workers from './workers.mjs';

const CASES = {
  basics,
  ahead,
  errors,
  hostile,
  limits,
  'held back': heldBack,
  mistakes,
  mixed,
  options,
  'option names': optionNames,
  streams,
  binding,
  workers,
  cache,
  chaos,
  breaker,
  debounce,
  policy,
  throttled,
  batch,
  'rate limit': rateLimit,
  balance,
  'balance vectors': balanceVectors,
  registry,
  hardware,
  process,
  testing,
};

/** Names of the cases by subject. */
export const names = Object.fromEntries(Object.entries(CASES).map(([subject, cases]) => [subject, Object.keys(cases)]));

/** Runs a case and closes what it started. `environment` brings the package and ways to start workers. */
export async function run(environment, subject, name) {
  const started = [];
  const expected = [];
  const stopListening = environment.listenForUncaught((error) => {
    const match = expected.find(({ message }) => message === error?.message);
    match?.heard();
    return match !== undefined;
  });
  const create = (options) => environment.createRuntime({ worker: environment.workers.entry, workers: 2, ...options });
  const { clearTimeout, setTimeout } = globalThis;
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the case has not ended in ${TOO_LONG_MS} ms, with ${started.map(told).join(' and ') || 'no runtime'}`)), TOO_LONG_MS);
  });
  try {
    const ended = CASES[subject][name]({
      ...environment,
      create,
      async runtime(options = {}) {
        const runtime = await create(options);
        started.push(runtime);
        return runtime;
      },
      expectUncaught: (message) => new Promise((heard) => expected.push({ message, heard })),
    });
    await Promise.race([ended, tooLong]);
  } finally {
    clearTimeout(timer);
    closeGates();
    await Promise.all(started.map((runtime) => runtime.close()));
    stopListening();
  }
}

/** Before the test that runs the case gives up: that one doesn't know what the case waits for. */
const TOO_LONG_MS = 55_000;

/** How far a runtime is. */
function told(runtime) {
  try {
    const { workers, submitted, completed, queued, running, prefetched, delayed, workersLost } = runtime.stats();
    const states = workers.map(({ state, generation, held }) => `${state} (generation ${generation}, holds ${held})`);
    return JSON.stringify({ states, submitted, completed, queued, running, prefetched, delayed, workersLost });
  } catch (error) {
    return String(error);
  }
}
