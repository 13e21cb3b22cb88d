import {
  AdaptiveStrategy,
  LoadBalancer,
  RoundRobinStrategy,
  WorkerRegistry,
  type AdaptiveWeights,
  type BalanceWorker,
  type CustomStrategy,
  type Explanation,
  type RefusalReason,
  type RegisteredWorker,
} from 'quillwork';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only where both types are the same. */
const same = <A, B>(_proof: Same<A, B>): void => {};

interface Machine extends BalanceWorker {
  readonly host: string;
}

export function balance(machines: readonly Machine[], plain: { id: string; status: string; currentLoad: number }[]): void {
  const balancer = new LoadBalancer('adaptive', {
    seed: 1,
    taskHistory: new Map([['render', [{ workerId: 'a', success: true, durationMs: 20 }]]]),
    affinityRules: new Map([['search', ['a', 'b']]]),
  });
  const chosen = balancer.selectWorker({ taskType: 'render', capabilities: new Set(['gpu']), affinity: 'a' }, machines);
  // The caller's own type comes back.
  same<typeof chosen, Machine | null>(true);
  same<ReturnType<typeof balancer.getWeights>, AdaptiveWeights>(true);
  const score = balancer.scoreWorkers({}, machines)[0];
  same<NonNullable<typeof score>['worker'], Machine>(true);
  const name: string | undefined = balancer.selectWorkerByRegion({ priority: 3 }, plain, 'eu')?.status;
  const why: Explanation | undefined = balancer.explain();
  if (why?.reason !== undefined && why.reason !== 'selected') {
    same<typeof why.reason, RefusalReason>(true);
  }
  const queue = [{ id: 1, requirements: { priority: 9 }, note: 'x' }] as const;
  const [first] = balancer.reorderQueue(queue, machines);
  const assigned: string | number | null | undefined = first?.assignedWorker;
  const note: 'x' | undefined = first?.note;
  const host: string | undefined = balancer.distributeTasks([{ id: 1 }], machines)[0]?.worker?.host;
  balancer.restore(balancer.save());

  const own: CustomStrategy = { name: 'own', selectWorker: (task, [one]) => (task.priority === 10 ? one : one?.id) };
  balancer.registerStrategy(own);
  balancer.setStrategy('own');
  new LoadBalancer(own, { fallback: 'round-robin' });
  new LoadBalancer(new RoundRobinStrategy());
  new AdaptiveStrategy({ seed: 2 }).getWeights('render')['peak-ewma'].toFixed();

  const registry = new WorkerRegistry({ create: () => ({ id: 1 }) });
  registry.on('completed', ({ durationMs, success }) => void [durationMs.toFixed(), success satisfies boolean]);
  const workers: RegisteredWorker[] = registry.getAll();
  const picked: RegisteredWorker | null = balancer.selectWorker({}, workers);
  const result = registry.assignTask('a', { id: 't', complexity: 2 });
  if (!result.assigned) {
    result.reason satisfies string;
  }

  // @ts-expect-error a worker has an id
  balancer.selectWorker({}, [{ currentLoad: 1 }]);
  // @ts-expect-error a load is a number
  balancer.selectWorker({}, [{ id: 'a', currentLoad: '1' }]);
  // @ts-expect-error capabilities are an array or a Set
  balancer.selectWorker({ capabilities: 'gpu' }, machines);
  // @ts-expect-error no such strategy
  new LoadBalancer('nonsense');
  // @ts-expect-error no such option
  new LoadBalancer('adaptive', { seeds: 1 });
  // @ts-expect-error a strategy of one's own has a name
  new LoadBalancer({ selectWorker: () => null });
  // @ts-expect-error no such event
  registry.on('nonsense', () => {});
  // @ts-expect-error only adaptive has weights
  new RoundRobinStrategy().getWeights();
  void [name, assigned, note, host, picked];
}
