import { equal, ok, thrown } from './check.mjs';
import { withFakeTime } from './fake-time.mjs';

const worker = (id, fields = {}) => ({ id, maxCapacity: 10, currentLoad: 0, ...fields });
const idle = (...ids) => ids.map((id) => worker(id));
const ids = (chosen) => chosen.map((one) => one?.id ?? null);

/** Chooses so often, each choice adding to the load that the caller keeps. */
function place(balancer, workers, times, task = {}) {
  return Array.from({ length: times }, () => {
    const chosen = balancer.selectWorker(task, workers);
    if (chosen !== null) {
      chosen.currentLoad += task.complexity ?? 1;
    }
    return chosen?.id ?? null;
  });
}

export default {
  'round robin takes turns, by capacity and without bursts'({ quillwork: { RoundRobinStrategy } }) {
    const equals = new RoundRobinStrategy();
    equal(ids(Array.from({ length: 6 }, () => equals.selectWorker({}, idle('a', 'b', 'c')))), ['a', 'b', 'c', 'a', 'b', 'c']);
    const weighted = new RoundRobinStrategy();
    const workers = [worker('a', { maxCapacity: 5 }), worker('b', { maxCapacity: 1 }), worker('c', { maxCapacity: 1 })];
    equal(ids(Array.from({ length: 7 }, () => weighted.selectWorker({}, workers))), ['a', 'a', 'b', 'a', 'c', 'a', 'a']);
  },

  'least loaded goes by the share of the capacity, and ties to whom nobody chose for longest'({ quillwork: { LeastLoadedStrategy } }) {
    const strategy = new LeastLoadedStrategy();
    equal(strategy.selectWorker({}, [worker('a', { currentLoad: 4 }), worker('b', { maxCapacity: 100, currentLoad: 20 })]).id, 'b');
    equal(place(strategy, idle('x', 'y', 'z'), 6), ['x', 'y', 'z', 'x', 'y', 'z']);
  },

  'capability based keeps common work off specialists until the others are rather full'({ quillwork: { CapabilityBasedStrategy } }) {
    const workers = [worker('special', { capabilities: ['gpu'] }), worker('plain')];
    const placed = place(new CapabilityBasedStrategy(), workers, 10);
    equal(placed.slice(0, 6), Array(6).fill('plain'));
    ok(placed.includes('special'), 'the specialist to help when the other is full');
    equal(new CapabilityBasedStrategy().selectWorker({ capabilities: new Set(['gpu']) }, workers).id, 'special');
  },

  'performance based goes by what workers say of themselves, and then by what was seen'({ quillwork: { PerformanceBasedStrategy } }) {
    const workers = [
      worker('bad', { metrics: { successRate: 0.3, averageResponseTime: 50, uptime: 1 } }),
      worker('good', { metrics: { successRate: 0.99, averageResponseTime: 50, uptime: 1 } }),
    ];
    const strategy = new PerformanceBasedStrategy();
    equal(strategy.selectWorker({}, workers).id, 'good');
    for (let n = 0; n < 20; n += 1) {
      strategy.updateContext('good', '', false, 50);
      strategy.updateContext('bad', '', true, 50);
    }
    equal(strategy.selectWorker({}, workers).id, 'bad');
    const byErrors = [worker('x', { metrics: { errorRate: 0.5 } }), worker('y', { metrics: { tasksCompleted: 99, tasksFailed: 1 } })];
    equal(new PerformanceBasedStrategy().selectWorker({}, byErrors).id, 'y');
    const slow = [worker('x', { metrics: { averageResponseTime: 900 } }), worker('y', { metrics: { averageDurationMs: 30 } })];
    equal(new PerformanceBasedStrategy().selectWorker({}, slow).id, 'y');
  },

  'shortest expected delay weighs speed against load'({ quillwork: { ShortestExpectedDelayStrategy } }) {
    const strategy = new ShortestExpectedDelayStrategy();
    for (let n = 0; n < 20; n += 1) {
      strategy.updateContext('fast', 'render', true, 10);
      strategy.updateContext('slow', 'render', true, 100);
    }
    equal(strategy.selectWorker({ taskType: 'render' }, [worker('fast', { currentLoad: 4 }), worker('slow')]).id, 'fast');
    equal(strategy.selectWorker({ taskType: 'render' }, [worker('fast', { currentLoad: 9 }), worker('slow')]).id, 'slow');
  },

  'consistent hash sends a key to one worker, and a worker that leaves moves only its own'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer('consistent-hash');
    const home = (workers) => Array.from({ length: 60 }, (_, n) => balancer.selectWorker({ key: `passage ${n}` }, workers).id);
    const before = home(idle('a', 'b', 'c', 'd'));
    equal(home(idle('a', 'b', 'c', 'd')), before);
    const without = home(idle('a', 'b', 'd'));
    ok(
      before.every((id, n) => id === 'c' || without[n] === id),
      'the keys of the others to stay',
    );
    equal(new Set(before).size, 4);
  },

  'the same seed makes the same choices, another makes others'({ quillwork: { LoadBalancer } }) {
    const choices = (seed) => {
      const balancer = new LoadBalancer('random', { seed });
      return ids(Array.from({ length: 40 }, () => balancer.selectWorker({}, idle('a', 'b', 'c'))));
    };
    equal(choices(7), choices(7));
    ok(choices(7).join() !== choices(8).join(), 'another seed to choose otherwise');
  },

  'refuses nobody without saying why'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    const gpu = (fields) => worker('g', { capabilities: ['gpu'], ...fields });
    const CASES = [
      ['no-workers', {}, [], false],
      ['no-capable-worker', { capabilities: ['gpu', 'fp64'] }, [worker('a'), gpu()], false],
      ['too-large', { complexity: 11 }, idle('a'), false],
      ['all-excluded', { antiAffinity: ['a', 'b'] }, idle('a', 'b'), false],
      ['all-offline', {}, [worker('a', { status: 'error' }), worker('b', { status: 'starting' })], true],
      ['no-room', { complexity: 4 }, [worker('a', { currentLoad: 7 })], true],
      ['no-room', { capabilities: ['gpu'] }, [worker('a'), gpu({ currentLoad: 10 })], true],
    ];
    equal(balancer.explain(), undefined);
    for (const [reason, task, workers, mayPass] of CASES) {
      equal(balancer.selectWorker(task, workers), null, reason);
      const why = balancer.explain();
      equal([why.worker, why.reason, why.mayPass, why.strategy], [null, reason, mayPass, 'least-loaded']);
      equal(why.workers.length, workers.length);
      ok(why.workers.every((one) => one.reason !== 'eligible' && one.message.length > 0), 'a reason for each worker');
    }
    balancer.selectWorker({ capabilities: ['gpu', 'fp64'] }, [gpu()]);
    ok(balancer.explain().message.includes('"fp64"'), 'the missing name');
    balancer.selectWorker({ complexity: 4 }, [worker('a', { currentLoad: 7 }), worker('b', { status: 'draining' }), gpu({ currentLoad: 9 })]);
    equal(
      balancer.explain().workers.map((one) => [one.worker, one.reason, one.message.match(/\d|draining/g)?.join()]),
      [['a', 'no-room', '4,3'], ['b', 'not-up', 'draining'], ['g', 'no-room', '4,1']],
    );
    equal(balancer.selectWorker({}, idle('a')).id, 'a');
    equal([balancer.explain().reason, balancer.explain().worker], ['selected', 'a']);
    const { assigned, refused, refusals } = balancer.getMetrics();
    equal([assigned, refused, refusals['no-room'], refusals['no-workers']], [1, 9, 3, 1]);
  },

  'affinity is a preference, anti-affinity a ban'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer('least-loaded');
    const workers = [worker('a'), worker('b', { currentLoad: 2 }), worker('c')];
    equal(balancer.selectWorker({ affinity: ['b'] }, workers).id, 'b');
    equal(balancer.selectWorker({ affinity: new Set(['b']) }, workers).id, 'b');
    equal(balancer.selectWorker({ affinity: 'nobody' }, workers).id !== 'b', true);
    // One that is far busier than the others loses it.
    ok(balancer.selectWorker({ affinity: 'b' }, [worker('a'), worker('b', { currentLoad: 9 })]).id === 'a', 'the overloaded to lose');
    for (let n = 0; n < 10; n += 1) {
      equal(balancer.selectWorker({ antiAffinity: ['a', 'c'] }, workers).id, 'b');
    }
    equal(balancer.selectWorker({ affinity: ['a'], antiAffinity: ['a'] }, idle('a')), null);
  },

  'prefers the region, then the nearest'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    const workers = [
      worker('near', { region: 'eu', latency: 20, currentLoad: 5 }),
      worker('far', { region: 'us', latency: 150 }),
      worker('farther', { region: 'ap', latency: 300 }),
    ];
    equal(balancer.selectWorkerByRegion({}, workers, 'eu').id, 'near');
    equal(balancer.selectWorkerByRegion({ region: 'us' }, workers).id, 'far');
    equal(balancer.selectWorkerByRegion({}, workers, 'sa').id, 'near');
    equal(balancer.selectWorker({}, workers).id !== 'near', true);
  },

  'scores every worker in four terms'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    const workers = [worker('a', { currentLoad: 4 }), worker('b', { currentLoad: 10 }), worker('c', { currentLoad: 2 })];
    const scores = balancer.scoreWorkers({ affinity: 'a' }, workers);
    equal(scores[0].worker === workers[0], true, 'the object that was given');
    equal(scores.map(({ worker: { id }, eligible }) => [id, eligible]), [['a', true], ['c', true], ['b', false]]);
    for (const { score, breakdown } of scores) {
      const { capacityScore, performanceScore, affinityScore, reliabilityScore } = breakdown;
      const sum = 0.4 * capacityScore + 0.3 * performanceScore + 0.2 * affinityScore + 0.1 * reliabilityScore;
      ok(Math.abs(score - sum) < 1e-9, 'the weighted sum');
    }
    equal(scores[0].breakdown, { capacityScore: 0.6, performanceScore: 1, affinityScore: 1, reliabilityScore: 0.75 });
    const own = new LoadBalancer('best-score', { scoreWeights: { capacity: 1, performance: 0, affinity: 0, reliability: 0 } });
    equal(own.scoreWorkers({ affinity: 'a' }, workers)[0].worker.id, 'c');
  },

  'begins with the history and the rules that it is given, and holds on to neither'({ quillwork: { LoadBalancer } }) {
    const entries = (workerId, success) => Array.from({ length: 10 }, () => ({ workerId, success, durationMs: 20 }));
    const taskHistory = new Map([['render', [...entries('bad', false), ...entries('good', true)]]]);
    const affinityRules = new Map([
      ['search', ['s']],
      ['pay', { require: new Set(['p', 's']), forbid: 's' }],
    ]);
    const balancer = new LoadBalancer('performance-based', { taskHistory, affinityRules });
    taskHistory.clear();
    affinityRules.clear();
    for (let n = 0; n < 5; n += 1) {
      equal(balancer.selectWorker({ taskType: 'render' }, idle('bad', 'good')).id, 'good');
      equal(balancer.selectWorker({ taskType: 'search' }, idle('s', 'p', 'x')).id, 's');
      equal(balancer.selectWorker({ taskType: 'pay' }, idle('s', 'p', 'x')).id, 'p');
    }
    equal(balancer.selectWorker({ taskType: 'search' }, idle('x')).id, 'x');
    equal(balancer.selectWorker({ taskType: 'pay' }, idle('s', 'x')), null);
    equal(balancer.explain().reason, 'all-forbidden');
    equal(balancer.getMetrics().byWorker.get('bad'), undefined);
  },

  'adaptive learns from outcomes, for each type, and goes on from what was saved'({ quillwork: { LoadBalancer, AdaptiveStrategy } }) {
    return withFakeTime((time) => {
      const entries = [{ workerId: 'slow', durationMs: 500 }, { workerId: 'quick', durationMs: 50 }];
      const balancer = new LoadBalancer(new AdaptiveStrategy({ seed: 3 }), { taskHistory: new Map([['render', entries]]) });
      const fresh = balancer.getWeights('render');
      equal(Object.values(fresh).reduce((sum, weight) => sum + weight).toFixed(9), '1.000000000');
      // One worker is ten times slower than it looks by its load.
      const run = (rounds) => {
        const counts = { slow: 0, quick: 0 };
        for (let n = 0; n < rounds; n += 1) {
          const workers = [worker('slow', { currentLoad: n % 3 }), worker('quick', { currentLoad: 2 })];
          const { id } = balancer.selectWorker({ taskType: 'render' }, workers);
          counts[id] += 1;
          time.now += 20;
          balancer.updateContext(id, 'render', true, id === 'slow' ? 500 : 50);
        }
        return counts;
      };
      run(300);
      const learned = balancer.getWeights('render');
      ok(learned['least-loaded'] < fresh['least-loaded'] / 2, `less trust in loads: ${learned['least-loaded']}`);
      const later = run(50);
      ok(later.quick > later.slow * 4, `the quick one to get most: ${JSON.stringify(later)}`);
      const other = new LoadBalancer('adaptive');
      equal(other.getWeights('render'), fresh, 'balancers are independent');
      other.restore(balancer.save());
      equal(other.getWeights('render'), balancer.getWeights('render'));
      for (const wrong of [new Uint8Array(3), balancer.save().slice(0, 20), new Uint8Array(0)]) {
        equal(thrown(() => other.restore(wrong)).code, 'ERR_INVALID_OPTION');
      }
      equal(thrown(() => other.restore('text')).code, 'ERR_INVALID_OPTION');
    });
  },

  'overload begins high and ends low'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    const report = (currentLoad) => balancer.detectOverload([worker('a', { currentLoad }), worker('b', { currentLoad: 1 })]);
    equal(report(8).isOverloaded, false);
    const high = report(9);
    equal([high.isOverloaded, high.isFleetOverloaded, high.overloadedWorkers], [true, false, ['a']]);
    const { action, fromWorker, toWorker, load, reason } = high.recommendations[0];
    equal([action, fromWorker, toWorker, reason, load > 0], ['move', 'a', 'b', 'overloaded', true]);
    equal(report(8).isOverloaded, true, 'between the levels it stays as it was');
    equal(report(6).isOverloaded, false);
    equal(report(8).isOverloaded, false);
    const full = balancer.detectOverload([worker('a', { currentLoad: 10 }), worker('b', { currentLoad: 10 })]);
    equal([full.isFleetOverloaded, full.fleetPressure], [true, 1]);
    ok(full.recommendations.some(({ action: what, count }) => what === 'add-workers' && count >= 1), 'more workers');
    const gone = balancer.detectOverload([worker('a', { currentLoad: 3, status: 'offline' }), worker('b')]);
    equal(gone.recommendations[0].reason, 'unreachable');
    const many = Array.from({ length: 400 }, (_, n) => worker(n, { currentLoad: 10 }));
    return withFakeTime((time) => {
      const slow = new LoadBalancer('least-loaded', { overload: { dwellMs: 100 } });
      slow.detectOverload(many);
      time.now += 100;
      equal(slow.detectOverload(many).overloadedWorkers.length, 400);
      equal(slow.detectOverload(idle('x')).overloadedWorkers, [], 'who is away is not spoken of');
      const patient = new LoadBalancer('least-loaded', { overload: { dwellMs: 500 } });
      const look = () => patient.detectOverload([worker('a', { currentLoad: 10 })]).isOverloaded;
      equal(look(), false);
      time.now += 499;
      equal(look(), false);
      time.now += 1;
      equal(look(), true);
    });
  },

  'suggests a move where it is worth it, and none where it is not'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    const queue = (count, requirements) => Array.from({ length: count }, (_, id) => ({ id, requirements, assignedWorker: 'a' }));
    const busy = [worker('a', { currentLoad: 5 }), worker('b')];
    const moves = balancer.suggestMigration(busy, queue(4));
    ok(moves.length > 0 && moves.length < 4, 'some of them');
    for (const { taskId, fromWorker, toWorker, reason, priority, gainMs, costMs } of moves) {
      equal([fromWorker, toWorker, reason], ['a', 'b', 'shorter-wait']);
      ok(taskId !== null && priority >= 1 && priority <= 10 && gainMs >= 20 && costMs >= 5, 'figures');
    }
    equal(balancer.suggestMigration([worker('a', { currentLoad: 1 }), worker('b')], queue(1)), [], 'what runs stays');
    equal(balancer.suggestMigration([worker('a', { currentLoad: 4 }), worker('b', { latency: 60_000 })], queue(3)), [], 'too far');
    equal(balancer.suggestMigration(busy, queue(4, { antiAffinity: 'b' })).filter(({ taskId }) => taskId !== null), [], 'banned');
    equal(balancer.suggestMigration(busy, queue(4, { capabilities: ['gpu'] })).filter(({ taskId }) => taskId !== null), [], 'incapable');
    equal(balancer.suggestMigration(busy, [{ id: 1 }, { id: 2, assignedWorker: null }]).every(({ taskId }) => taskId === null), true);
    // What the queue doesn't name moves to a worker that can do all that its own can.
    const unnamed = balancer.suggestMigration([worker('a', { currentLoad: 8, capabilities: ['gpu'] }), worker('b')]);
    equal(unnamed, []);
    const alike = balancer.suggestMigration([worker('a', { currentLoad: 8, capabilities: ['gpu'] }), worker('b', { capabilities: ['gpu'] })]);
    equal([alike.length, alike[0].taskId, alike[0].load > 1], [1, null, true]);
    const away = balancer.suggestMigration([worker('a', { currentLoad: 3, status: 'offline' }), worker('b')], queue(3));
    equal(away[0].reason, 'offline');
  },

  'reorders by urgency and length, gives each a worker, and starves nobody'({ quillwork: { LoadBalancer } }) {
    return withFakeTime((time) => {
      const balancer = new LoadBalancer('least-loaded', { reorder: { maxOvertaken: 3 } });
      const item = (id, priority) => Object.freeze({ id, note: `of ${id}`, requirements: Object.freeze({ priority }) });
      const first = balancer.reorderQueue([item('low', 0), item('high', 10), item('mid', 5)], [worker('a', { maxCapacity: 2 })]);
      equal(first.map(({ id, assignedWorker, note }) => [id, assignedWorker, note]), [
        ['high', 'a', 'of high'],
        ['mid', 'a', 'of mid'],
        ['low', null, 'of low'],
      ]);
      const queue = [item('patient', 0)];
      const taken = [];
      for (let n = 0; n < 12; n += 1) {
        queue.push(item(`urgent ${n}`, 10));
        const [{ id }] = balancer.reorderQueue(queue, idle('a'));
        taken.push(id);
        queue.splice(queue.findIndex((one) => one.id === id), 1);
        time.now += 1;
      }
      equal(taken.indexOf('patient'), 3);
      const aged = new LoadBalancer();
      aged.reorderQueue([item('old', 2)], []);
      time.now += 10_000;
      equal(aged.reorderQueue([item('old', 2), item('new', 10)], []).map(({ id }) => id), ['old', 'new']);
      const given = new LoadBalancer().reorderQueue([{ id: 1, submittedAt: Date.now() }, { id: 2, submittedAt: new Date(Date.now() - 60_000) }], []);
      equal(given.map(({ id }) => id), [2, 1]);
      equal(thrown(() => aged.reorderQueue([item('x', 1), item('x', 2)], [])).code, 'ERR_INVALID_OPTION');
    });
  },

  'distributes a list by priority, each choice with the load of those before'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    const workers = [worker('a', { maxCapacity: 3 }), worker('b', { maxCapacity: 2 })];
    const tasks = [{ id: 1, priority: 1 }, { id: 2, priority: 9, complexity: 3 }, { id: 3 }, { id: 4 }, { id: 5, priority: 0 }];
    const given = balancer.distributeTasks(tasks, workers);
    equal(given.map(({ task, worker: to, reason }) => [task.id, to?.id ?? null, reason]), [
      [2, 'a', undefined],
      [3, 'b', undefined],
      [4, 'b', undefined],
      [1, null, 'no-room'],
      [5, null, 'no-room'],
    ]);
    equal(workers.map(({ currentLoad }) => currentLoad), [0, 0], 'loads are the caller’s');
    equal(balancer.selectWorker({ complexity: 3 }, workers).id, 'a', 'and forgotten with the next question');
    equal(balancer.getMetrics().byWorker.get('b').assigned, 2);
  },

  'lets a strategy of the app choose among those that may'({ quillwork: { LoadBalancer } }) {
    const seen = [];
    const last = {
      name: 'last',
      selectWorker(task, workers) {
        seen.push([task.taskType, workers.map(({ id }) => id).join('')]);
        return workers.at(-1);
      },
    };
    const balancer = new LoadBalancer(last);
    const workers = [worker('a'), worker('b', { extra: 1 }), worker('c', { status: 'offline' }), worker('d', { currentLoad: 10 })];
    equal(balancer.selectWorker({ taskType: 'x' }, workers) === workers[1], true, 'the object that was given');
    equal(seen, [['x', 'ab']]);
    equal([balancer.getCurrentStrategy(), balancer.getStrategies().at(-1)], ['last', 'last']);
    balancer.registerStrategy({ name: 'by id', selectWorker: () => 'a' });
    balancer.setStrategy('by id');
    equal(balancer.selectWorker({}, workers).id, 'a');
    balancer.setStrategy('round-robin');
    equal(balancer.getCurrentStrategy(), 'round-robin');
    for (const name of ['nonsense', 'Round-Robin', '', undefined]) {
      const error = thrown(() => balancer.setStrategy(name));
      equal(error.code, 'ERR_INVALID_OPTION');
      ok(error.message.includes('least-loaded'), 'the names');
    }
    equal(balancer.getCurrentStrategy(), 'round-robin');
    for (const wrong of [null, {}, { name: 'x' }, { name: '', selectWorker() {} }, last, { ...last, name: 'adaptive' }]) {
      equal(thrown(() => balancer.registerStrategy(wrong)).code, 'ERR_INVALID_OPTION');
    }
    const nobody = new LoadBalancer({ name: 'nobody', selectWorker: () => null });
    equal([nobody.selectWorker({}, workers), nobody.explain().reason], [null, 'declined']);
    equal([nobody.selectWorker({}, []), nobody.explain().reason], [null, 'no-workers'], 'and is not asked where nobody may');
    const spread = new LoadBalancer({ name: 'first', selectWorker: (_, [first]) => first });
    equal(spread.distributeTasks([{}, {}, {}], [worker('a', { maxCapacity: 2 }), worker('b')]).map((one) => one.worker.id), ['a', 'a', 'b']);
  },

  'a strategy of the app that fails is an error, or the fall-back chooses'({ quillwork: { LoadBalancer } }) {
    const cause = new Error('out of ideas');
    const FAULTY = {
      throws() {
        throw cause;
      },
      unknown: () => 'z',
      full: (_, workers) => ({ ...workers[0], id: 'full' }),
      promise: async (_, workers) => workers[0],
      nonsense: () => true,
    };
    const workers = [worker('a', { currentLoad: 3 }), worker('b'), worker('full', { currentLoad: 10 })];
    for (const [name, selectWorker] of Object.entries(FAULTY)) {
      const strict = new LoadBalancer({ name, selectWorker });
      const error = thrown(() => strict.selectWorker({}, workers));
      equal([error.code, error.message.includes(`"${name}"`)], ['ERR_STRATEGY', true]);
      equal(error.cause === cause, name === 'throws');
      ok(name !== 'promise' || error.message.includes('promise'), 'a promise to be named');
      equal(strict.getMetrics().strategyFailures, 1);
      const lenient = new LoadBalancer({ name, selectWorker }, { fallback: 'least-loaded' });
      equal(lenient.selectWorker({}, workers).id, 'b');
      equal([lenient.explain().strategy, lenient.getMetrics().strategyFailures], ['least-loaded', 1]);
      equal(lenient.getCurrentStrategy(), name);
    }
    let depth = 0;
    const asking = new LoadBalancer({
      name: 'asking',
      selectWorker(task, candidates) {
        depth += 1;
        return depth === 1 ? (asking.selectWorker(task, [worker('q')]), candidates.at(-1)) : candidates[0];
      },
    });
    equal(asking.selectWorker({}, idle('a', 'b')).id, 'b');
  },

  'remembers a worker that was not among those of a call'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer('performance-based');
    for (let n = 0; n < 10; n += 1) {
      balancer.updateContext('a', '', false, 10);
    }
    equal(balancer.selectWorker({}, idle('a')).id, 'a');
    equal(balancer.selectWorker({}, idle('b', 'c')).id !== 'a', true);
    for (let n = 0; n < 4; n += 1) {
      equal(balancer.selectWorker({}, idle('a', 'b')).id, 'b');
    }
    equal(balancer.selectWorker({ capabilities: ['x'] }, [worker('d', { capabilities: ['x'] })]).id, 'd');
    equal(balancer.selectWorker({ capabilities: ['x'] }, idle('a')), null);
    equal(balancer.explain().reason, 'no-capable-worker', 'who is away is not spoken of');
    equal(balancer.explain().workers.length, 1);
  },

  'forgets workers that are long gone, and capability names with them'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    for (let n = 0; n < 6_000; n += 1) {
      const fresh = worker(`w${n}`, { capabilities: [`v${n}`] });
      equal(balancer.selectWorker({ capabilities: [`v${n}`] }, [fresh]).id, fresh.id);
    }
    const known = balancer.getMetrics().byWorker.size;
    ok(known > 500 && known < 3_000, `a bounded memory, not ${known}`);
    const names = Array.from({ length: 65 }, (_, n) => `n${n}`);
    equal(thrown(() => balancer.selectWorker({}, [worker('a', { capabilities: names })])).code, 'ERR_INVALID_OPTION');
    equal(balancer.selectWorker({ capabilities: ['n63'] }, [worker('a', { capabilities: names.slice(0, 64) })]).id, 'a');
  },

  'reads what is incomplete with its defaults, and refuses nonsense with what to do'({ quillwork: { LoadBalancer } }) {
    const balancer = new LoadBalancer();
    equal(balancer.selectWorker({}, [Object.freeze({ id: 1 })]).id, 1);
    equal(balancer.selectWorker({ complexity: 8 }, [{ id: 1 }]).id, 1, 'a capacity of 8');
    equal(balancer.selectWorker({ complexity: 9 }, [{ id: 1 }]), null);
    equal(balancer.selectWorker({ complexity: 2.5 }, [{ id: 1, maxCapacity: 5.9, currentLoad: 1.2 }]).id, 1);
    equal(balancer.selectWorker({ complexity: 3.5 }, [{ id: 1, maxCapacity: 5.9, currentLoad: 1.2 }]), null);
    equal(balancer.selectWorker({ complexity: 1e6 }, [{ id: 1, maxCapacity: Infinity }]).id, 1);
    equal(ids([balancer.selectWorker({}, [{ id: 1, currentLoad: 1 }, { id: '1' }])]), ['1'], '1 and "1" are two');
    const unknown = { successRate: NaN, averageResponseTime: 0, uptime: undefined, tasksCompleted: 0 };
    equal(balancer.selectWorker({}, [{ id: 1, metrics: unknown, status: undefined, capabilities: undefined }]).id, 1);
    equal(balancer.scoreWorkers({}, [{ id: 1, metrics: { successRate: 0, errorRate: 0, tasksCompleted: 0 } }])[0].breakdown.performanceScore, 1);
    const WRONG = [
      [{ currentLoad: -1 }, 'currentLoad'],
      [{ currentLoad: NaN }, 'currentLoad'],
      [{ currentLoad: '3' }, 'currentLoad'],
      [{ maxCapacity: 0.5 }, 'multiply'],
      [{ maxCapacity: NaN }, 'maxCapacity'],
      [{ status: 'bored' }, 'idle'],
      [{ capabilities: 'gpu' }, 'Set'],
      [{ latency: -1 }, 'latency'],
      [{ region: 7 }, 'region'],
      [{ concurrency: 0 }, 'concurrency'],
      [{ metrics: 5 }, 'metrics'],
      [{ metrics: { successRate: 99.5 } }, 'divide'],
      [{ metrics: { uptime: 3_600 } }, 'uptime'],
      [{ metrics: { averageResponseTime: -4 } }, 'averageResponseTime'],
      [{ id: {} }, 'id'],
      [{ id: undefined }, 'id'],
    ];
    for (const [fields, hint] of WRONG) {
      const error = thrown(() => balancer.selectWorker({}, [worker('fine'), { ...worker('odd'), ...fields }]));
      equal([error.code, error.message.includes(hint)], ['ERR_INVALID_OPTION', true], `${JSON.stringify(fields)} ${error.message}`);
      equal(balancer.selectWorker({}, [worker('fine')]).id, 'fine', 'and it goes on');
    }
    equal(thrown(() => balancer.selectWorker({}, idle('a', 'a'))).code, 'ERR_INVALID_OPTION');
    for (const task of [null, 'x', { priority: 11 }, { complexity: -1 }, { capabilities: 'gpu' }, { affinity: {} }, { taskType: 3 }, { key: {} }]) {
      equal(thrown(() => balancer.selectWorker(task, idle('a'))).code, 'ERR_INVALID_OPTION', JSON.stringify(task));
    }
    for (const workers of [null, undefined, {}, 'abc', [null], [7]]) {
      equal(thrown(() => balancer.selectWorker({}, workers)).code, 'ERR_INVALID_OPTION', JSON.stringify(workers));
    }
    for (const options of [
      { seed: -1 },
      { seed: 0.5 },
      { evidenceHalfLifeMs: 0 },
      { failurePenalty: 0 },
      { failurePenalty: NaN },
      { scoreWeights: { capacity: 1, performance: 1, affinity: 0, reliability: 0 } },
      { scoreWeights: 3 },
      { overload: { enter: 0.5, leave: 0.6 } },
      { migration: { limit: 0 } },
      { reorder: { window: 0 } },
      { avoidFailing: { minSuccessRate: 2 } },
      { fallback: 'nobody' },
      { taskHistory: {} },
      { affinityRules: new Map([['x', { prefer: {} }]]) },
    ]) {
      equal(thrown(() => new LoadBalancer('least-loaded', options)).code, 'ERR_INVALID_OPTION', JSON.stringify(options));
    }
    equal(thrown(() => new LoadBalancer('leastLoaded')).code, 'ERR_INVALID_OPTION');
    for (const [id, type, took] of [[{}, 'x', 1], ['a', 7, 1], ['a', 'x', -1], ['a', 'x', NaN]]) {
      equal(thrown(() => balancer.updateContext(id, type, true, took)).code, 'ERR_INVALID_OPTION');
    }
  },

  'nothing that is malformed makes core fail'({ quillwork: { LoadBalancer } }) {
    const odd = [undefined, null, NaN, -1, 0, 1, 0.5, 2 ** 31, 2 ** 40, Infinity, -Infinity, '', 'a', 'idle', {}, [], ['a'], new Set(['a']), true, 1n, () => {}];
    let state = 9;
    const draw = (below) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const any = () => odd[draw(odd.length)];
    const fields = (names) => Object.fromEntries(names.flatMap((name) => (draw(3) === 0 ? [[name, any()]] : [])));
    const WORKER = ['maxCapacity', 'currentLoad', 'status', 'capabilities', 'region', 'latency', 'concurrency', 'metrics'];
    const TASK = ['id', 'capabilities', 'complexity', 'priority', 'taskType', 'affinity', 'antiAffinity', 'region', 'key', 'sizeBytes'];
    const balancer = new LoadBalancer('adaptive', { ejectFailing: true, avoidFailing: {} });
    let answered = 0;
    for (let n = 0; n < 3_000; n += 1) {
      const workers = Array.from({ length: draw(5) }, (_, at) => ({ id: draw(9) === 0 ? any() : at, ...fields(draw(2) === 0 ? [] : WORKER) }));
      const task = fields(draw(2) === 0 ? [] : TASK);
      const queue = [{ id: any(), requirements: draw(2) === 0 ? task : undefined, assignedWorker: draw(5), submittedAt: draw(4) === 0 ? any() : undefined }];
      const calls = [
        () => balancer.selectWorker(task, workers),
        () => balancer.scoreWorkers(task, workers),
        () => balancer.detectOverload(workers),
        () => balancer.suggestMigration(workers, queue),
        () => balancer.reorderQueue(queue, workers),
        () => balancer.distributeTasks([task, {}], workers),
        () => balancer.updateContext(any(), any(), any(), any()),
        () => balancer.setStrategy(balancer.getStrategies()[draw(11)]),
        () => balancer.explain(),
      ];
      try {
        calls[draw(calls.length)]();
        answered += 1;
      } catch (error) {
        equal(error.code, 'ERR_INVALID_OPTION', error.stack);
      }
    }
    ok(answered > 500, `calls to be answered, not ${answered}`);
    equal(balancer.selectWorker({}, [worker('fine')])?.id, 'fine');
  },

  'ejects failing workers where it is asked to'({ quillwork: { LoadBalancer } }) {
    return withFakeTime((time) => {
      const balancer = new LoadBalancer('round-robin', { ejectFailing: true });
      balancer.selectWorker({}, idle('a', 'b', 'c'));
      for (let n = 0; n < 5; n += 1) {
        balancer.updateContext('b', '', false, 10);
      }
      const chosen = () => new Set(ids(Array.from({ length: 9 }, () => balancer.selectWorker({}, idle('a', 'b', 'c')))));
      equal([...chosen()].sort(), ['a', 'c']);
      equal(balancer.selectWorker({ antiAffinity: ['a', 'c'] }, idle('a', 'b', 'c')), null);
      equal(balancer.explain().reason, 'all-ejected');
      time.now += 31_000;
      equal([...chosen()].sort(), ['a', 'b', 'c']);
    });
  },

  'frees its memory when it is disposed of'({ quillwork: { LoadBalancer } }) {
    for (let n = 0; n < 3_000; n += 1) {
      const balancer = new LoadBalancer('adaptive');
      balancer.selectWorker({}, idle('a', 'b'));
      balancer[Symbol.dispose]();
      balancer[Symbol.dispose]();
      if (n === 2_999) {
        equal(thrown(() => balancer.selectWorker({}, idle('a'))).code, 'ERR_CLOSED');
        equal(thrown(() => balancer.updateContext('a', '', true, 1)).code, 'ERR_CLOSED');
      }
    }
    const [one, two] = [new LoadBalancer(), new LoadBalancer()];
    one[Symbol.dispose]();
    equal(two.selectWorker({}, idle('a')).id, 'a');
  },
};
