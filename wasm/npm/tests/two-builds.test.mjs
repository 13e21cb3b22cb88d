// runtime.wasm and runtime-full.wasm differ in what they can do, never in what they decide.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { source } from './source.mjs';

const { Core, RECORD_WORDS, MAX_RECORDS } = await source('abi');
const { checkBinding } = await source('pool/binding');
const { newPool, submitTask } = await source('pool/settings');
const { poolSettings } = await source('runtime/options');
const { TaskTypes } = await source('runtime/task-options');
const { OfferNames } = await source('pool/capabilities');
const [small, full] = await Promise.all(
  ['runtime', 'runtime-full'].map((name) =>
    WebAssembly.compile(readFileSync(fileURLToPath(import.meta.resolve(`quillwork/${name}.wasm`)))),
  ),
);

/** As in cases/random.mjs. */
function random(seed) {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % bound;
  };
}

/** Everything that a pool of one module says in a run of this seed. */
function run(module, seed) {
  const below = random(seed);
  const core = new Core(module);
  const { exports } = core;
  const overflow = ['reject', 'drop-oldest', 'drop-lowest', 'wait'][below(4)];
  const options = { worker: 'tasks.js', workers: { min: 1, max: 1 + below(4) }, concurrency: 1 + below(2), maxQueue: 4 + below(30), overflow };
  const pool = newPool(core, 0, poolSettings({ ...options, seed, leaseMs: 500, retry: { baseMs: 5 }, budgets: {} }, checkBinding('late')));
  const types = new TaskTypes({}, new OfferNames());
  const said = [];
  const workers = new Map();
  const running = [];
  let now = 0;
  const take = (first) => {
    for (let count = first; ; count = exports.pool_drain(pool)) {
      const records = [...core.words.subarray(0, count * RECORD_WORDS)];
      said.push(...records, core.floats[0]);
      for (let at = 0; at < records.length; at += RECORD_WORDS) {
        const [tag, task, worker, generation] = records.slice(at, at + 4);
        if (tag === 1) {
          workers.set(worker, generation);
        } else if (tag === 3) {
          running.push([task, worker, generation]);
        }
      }
      if (count < MAX_RECORDS) {
        return;
      }
    }
  };
  const anyWorker = (act) => {
    const all = [...workers];
    if (all.length > 0) {
      take(act(...all[below(all.length)]));
    }
  };
  const moves = [
    (id) => take(submitTask(core, pool, now, id, types.spec('task', { priority: below(11), retries: below(3), timeoutMs: 1 + below(200) }))),
    (id) => take(submitTask(core, pool, now, id, types.spec('other', { queueTtlMs: 1 + below(300), affinity: [below(4)], patienceMs: below(50) }))),
    () => anyWorker((worker, generation) => exports.pool_worker_ready(pool, now, worker, generation, 0, 1 + below(2), 0)),
    () => {
      const [task, worker, generation] = running.length === 0 ? [0, 0, 1] : running.splice(below(running.length), 1)[0];
      core.answers.set([task, below(5) === 0 ? 1 : 0]);
      take(exports.pool_answers(pool, now, worker, generation, 0, 1));
    },
    (id) => take(exports.pool_abort(pool, now, below(id + 1))),
    () => below(8) === 0 && anyWorker((worker, generation) => exports.pool_worker_lost(pool, now, worker, generation)),
    () => below(8) === 0 && take(exports.pool_resources(pool, now, below(120) / 100, below(120) / 100)),
    () => take(exports.pool_deadline(pool, now)),
  ];
  for (let step = 0; step < 600; step += 1) {
    now += below(20);
    moves[[0, 0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 7][below(12)]](step);
  }
  exports.pool_stats(pool, now);
  said.push(...core.floats.subarray(0, 48));
  const count = exports.pool_worker_stats(pool, now);
  said.push(count, ...core.floats.subarray(0, count * 18));
  take(exports.pool_close(pool, now, 0));
  return said;
}

describe('runtime.wasm and runtime-full.wasm', () => {
  it('decide alike, record for record and deadline for deadline', () => {
    let dispatched = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const [one, other] = [run(small, seed), run(full, seed)];
      assert.deepEqual(one, other, `seed ${seed}`);
      dispatched += one.length;
    }
    assert.ok(dispatched > 200 * 2_000, `${dispatched} numbers were compared`);
  });

  it('are told apart by what they export', () => {
    assert.deepEqual([new Core(small).isFull, new Core(full).isFull], [false, true]);
  });
});
