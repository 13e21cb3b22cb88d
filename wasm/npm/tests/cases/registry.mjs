import { equal, ok, thrown } from './check.mjs';
import { withFakeTime } from './fake-time.mjs';

const EVENTS = ['registered', 'left', 'assigned', 'completed', 'orphaned', 'probe', 'health', 'scaled'];

/** What a registry tells, as lines. */
function listen(registry) {
  const heard = [];
  for (const event of EVENTS) {
    registry.on(event, ({ worker, workerId, taskId, reason, to }) => {
      heard.push([event, worker?.id ?? workerId, taskId ?? reason ?? to].filter((part) => part !== undefined).join(' '));
    });
  }
  return heard;
}

export default {
  'knows its workers, what they have and how they do'({ quillwork: { WorkerRegistry, LoadBalancer } }) {
    return withFakeTime((time) => {
      const registry = new WorkerRegistry();
      const heard = listen(registry);
      registry.register({ id: 'a', capabilities: new Set(['gpu']), maxCapacity: 4, region: 'eu' });
      registry.register({ id: 'b' });
      equal(registry.assignTask('a', { id: 't', capabilities: ['gpu'], complexity: 3 }), { assigned: true });
      const a = registry.getWorker('a');
      equal([a.currentLoad, a.maxCapacity, a.status, a.assignedTasks, a.health, a.region], [3, 4, 'busy', 1, 'healthy', 'eu']);
      time.now += 40;
      equal(registry.completeTask('a', 't'), 40);
      equal(registry.completeTask('a', 't'), undefined, 'only once');
      registry.assignTask('a', 'u');
      time.now += 20;
      registry.completeTask('a', 'u', false);
      const { metrics, currentLoad, status } = registry.getWorker('a');
      equal([currentLoad, status, metrics], [0, 'ready', { tasksCompleted: 1, tasksFailed: 1, successRate: 0.5, averageResponseTime: 30 }]);
      equal(registry.getAll().map(({ id }) => id), ['a', 'b']);
      equal(new LoadBalancer().selectWorker({ capabilities: ['gpu'] }, registry.getAll()).id, 'a');
      equal(registry.getWorker('z'), undefined);
      equal(heard, ['registered a', 'registered b', 'assigned a t', 'completed a t', 'assigned a u', 'completed a u']);
    });
  },

  'says why a task is not assigned'({ quillwork: { WorkerRegistry } }) {
    const registry = new WorkerRegistry();
    registry.register({ id: 'a', maxCapacity: 2 });
    registry.register({ id: 'b' });
    registry.assignTask('a', 'held');
    registry.drain('b');
    const reason = (worker, task) => registry.assignTask(worker, task).reason;
    equal(reason('nobody', 'x'), 'not-registered');
    equal(reason('a', { id: 'x', capabilities: ['gpu'] }), 'lacks-capabilities');
    equal(reason('a', { id: 'x', complexity: 2 }), 'no-room');
    equal(reason('a', 'held'), 'already-assigned');
    equal(reason('b', 'x'), 'not-registered', 'drained with nothing to do, it has left');
    registry.drain('a');
    equal([reason('a', 'x'), registry.getWorker('a').status], ['draining', 'draining']);
    registry.completeTask('a', 'held');
    equal(registry.getWorker('a'), undefined);
  },

  'hands back what a worker had, once'({ quillwork: { WorkerRegistry } }) {
    const registry = new WorkerRegistry();
    const heard = listen(registry);
    registry.register({ id: 'a' });
    registry.assignTask('a', 1);
    registry.assignTask('a', 2);
    registry.register({ id: 'a' });
    equal(heard.splice(0), ['registered a', 'assigned a 1', 'assigned a 2', 'orphaned a 1', 'orphaned a 2', 'left a replaced', 'registered a']);
    equal(registry.completeTask('a', 1), undefined);
    equal(registry.assignTask('a', 1).assigned, true, 'an orphan may be assigned again');
    equal([registry.unregister('a'), registry.unregister('a')], [true, false]);
    equal(heard, ['assigned a 1', 'orphaned a 1', 'left a removed']);
    equal(registry.getAll(), []);
  },

  'asks silent workers, gives them up, and takes them back'({ quillwork: { WorkerRegistry } }) {
    return withFakeTime(async (time) => {
      const registry = new WorkerRegistry({ leaseMs: 10_000, forgetLostAfterMs: 60_000 });
      const heard = listen(registry);
      registry.register({ id: 'a' });
      registry.register({ id: 'b' });
      registry.assignTask('a', 't');
      await time.advance(4_000);
      equal(registry.heartbeat('b'), true);
      await time.advance(1_000);
      ok(heard.includes('probe a') && !heard.includes('probe b'), 'the silent one to be asked');
      await time.advance(5_000);
      ok(heard.includes('orphaned a t') && heard.includes('left a lost'), `a to be lost: ${heard.join(', ')}`);
      equal(registry.getWorker('a').status, 'offline');
      equal([registry.heartbeat('a'), registry.assignTask('a', 'x').reason], [false, 'lost']);
      registry.register({ id: 'a' });
      equal(registry.getWorker('a').status, 'ready');
      await time.advance(100_000);
      ok(heard.includes('left b forgotten'), 'the lost to be forgotten');
      registry[Symbol.dispose]();
      equal(time.pending, 0);
      equal(thrown(() => registry.register({ id: 'c' })).code, 'ERR_CLOSED');
    });
  },

  'grows and shrinks to the number that is asked for'({ quillwork: { WorkerRegistry } }) {
    let next = 0;
    const registry = new WorkerRegistry({ create: () => ({ id: `w${(next += 1)}` }) });
    equal(registry.scaleWorkers(3), { from: 0, to: 3, added: ['w1', 'w2', 'w3'], draining: [] });
    registry.assignTask('w3', 't');
    equal(registry.scaleWorkers(1), { from: 3, to: 1, added: [], draining: ['w2', 'w1'] });
    equal(registry.getAll().map(({ id }) => id), ['w3']);
    equal(registry.scaleWorkers(2).added, ['w4']);
    equal(registry.scaleWorkers(0).draining, ['w4', 'w3']);
    equal(registry.getAll().map(({ id, status }) => [id, status]), [['w3', 'draining']]);
    const bare = new WorkerRegistry();
    equal(thrown(() => bare.scaleWorkers(1)).code, 'ERR_INVALID_OPTION');
    equal(thrown(() => bare.scaleWorkers(-1)).code, 'ERR_INVALID_OPTION');
    equal(bare.scaleWorkers(0).to, 0);
  },

  'is bounded, refuses nonsense, and a listener that throws does no harm'({ quillwork: { WorkerRegistry }, expectUncaught }) {
    const registry = new WorkerRegistry({ maxWorkers: 2 });
    const uncaught = expectUncaught('a listener failed');
    const heard = listen(registry);
    const off = registry.on('registered', () => {
      throw new Error('a listener failed');
    });
    registry.register({ id: 'a' });
    off();
    registry.register({ id: 'b' });
    equal(thrown(() => registry.register({ id: 'c' })).code, 'ERR_INVALID_OPTION');
    registry.unregister('a');
    equal(registry.register({ id: 'c' }).id, 'c');
    equal(heard, ['registered a', 'registered b', 'left a removed', 'registered c']);
    for (const wrong of [undefined, null, {}, { id: {} }, { id: 'x', maxCapacity: 0 }, { id: 'x', capabilities: 'gpu' }]) {
      equal(thrown(() => registry.register(wrong)).code, 'ERR_INVALID_OPTION', JSON.stringify(wrong));
    }
    for (const options of [{ leaseMs: 1 }, { maxWorkers: 0 }, { maxWorkers: 70_000 }, null]) {
      equal(thrown(() => new WorkerRegistry(options)).code, 'ERR_INVALID_OPTION', JSON.stringify(options));
    }
    equal(thrown(() => registry.assignTask('c', {})).code, 'ERR_INVALID_OPTION');
    return uncaught;
  },
};
