import { known, millis, whole } from '../checks.js';
import { Alarm } from '../flow/alarm.js';
import { FlowClock } from '../flow/clock.js';
import { balanceCore, type BalanceCore, type BalanceModule } from '../balance-core.js';
import { BESIDE, MAX_RECORDS, RECORD } from '../embedded.js';
import { callSafely, Emitter } from '../runtime/emitter.js';
import { afterPendingMessages, LATE_MS } from '../turn.js';
import { Handle } from './engine.js';
import { TOO_MANY_NAMES } from './fleet.js';
import { CapabilityBits } from './names.js';
import { regionOf } from './row.js';
import type { BalanceTask, BalanceWorker, OfferNames, WorkerKey } from './types.js';
import { capabilities, capacity, invalid, key, load, object, show, text } from './values.js';

/** What a worker says of itself. */
export interface WorkerRegistration {
  readonly id: WorkerKey;
  /** What it can do. Default: nothing special. */
  readonly capabilities?: OfferNames | undefined;
  /** How much it may hold at once, in units of a task's `complexity`. Default 8. */
  readonly maxCapacity?: number | undefined;
  readonly region?: string | undefined;
}

/** How well a worker does: by its errors, its times and its silence. */
export type WorkerHealth = 'healthy' | 'degraded' | 'suspect' | 'lost';

/** A worker at one moment, as {@link LoadBalancer} takes it. */
export interface RegisteredWorker extends BalanceWorker {
  readonly capabilities: readonly string[];
  readonly maxCapacity: number;
  /** What its assigned tasks weigh together. */
  readonly currentLoad: number;
  /** `busy` with tasks, `ready` without; `draining` when it is to leave; `offline` when it is lost. */
  readonly status: 'ready' | 'busy' | 'draining' | 'offline';
  readonly health: WorkerHealth;
  /** How many tasks it has. */
  readonly assignedTasks: number;
  /** Over all its lives. Rates and times are `NaN` before the first task ended. */
  readonly metrics: {
    readonly tasksCompleted: number;
    readonly tasksFailed: number;
    readonly successRate: number;
    readonly averageResponseTime: number;
  };
}

/** Why a task could not be assigned. */
export type AssignRefusalReason = 'not-registered' | 'lost' | 'draining' | 'lacks-capabilities' | 'no-room' | 'already-assigned';

/** Whether a task was assigned. */
export type AssignResult =
  | { readonly assigned: true }
  | { readonly assigned: false; readonly reason: AssignRefusalReason; readonly message: string };

/** What a registry tells its listeners. */
export interface WorkerRegistryEvents {
  registered: { readonly worker: RegisteredWorker };
  /** A life of a worker is over. */
  left: { readonly workerId: WorkerKey; readonly reason: 'lost' | 'drained' | 'removed' | 'replaced' | 'forgotten' };
  assigned: { readonly workerId: WorkerKey; readonly taskId: WorkerKey };
  completed: { readonly workerId: WorkerKey; readonly taskId: WorkerKey; readonly success: boolean; readonly durationMs: number };
  /** The worker won't report on this task any more: give it to another. */
  orphaned: { readonly workerId: WorkerKey; readonly taskId: WorkerKey };
  /** Half of its lease has passed without a word: ask it for one. */
  probe: { readonly workerId: WorkerKey };
  health: { readonly workerId: WorkerKey; readonly from: WorkerHealth; readonly to: WorkerHealth };
  scaled: ScaleResult;
}

/** What {@link WorkerRegistry.scaleWorkers} did. */
export interface ScaleResult {
  /** How many workers took part before, and how many will. */
  readonly from: number;
  readonly to: number;
  readonly added: readonly WorkerKey[];
  /** They finish what they have and leave. */
  readonly draining: readonly WorkerKey[];
}

/** Settings of a registry. */
export interface WorkerRegistryOptions {
  /**
   * For how long a worker may be silent, in milliseconds: asked after half of it, lost after the other half. Where the page was busy or
   * asleep meanwhile, what waits to be heard counts, and one that had no time to answer is asked again. Default: for ever.
   */
  readonly leaseMs?: number | undefined;
  /** How many workers may be known, lost ones included: 1 to 65,536. Default 1,024. */
  readonly maxWorkers?: number | undefined;
  /** For how long a lost worker is remembered, in milliseconds. Default 600,000. */
  readonly forgetLostAfterMs?: number | undefined;
  /** Starts a worker for {@link WorkerRegistry.scaleWorkers} and says what it is. */
  readonly create?: (() => WorkerRegistration) | undefined;
}

/** What is known of a worker on this side. */
interface Known {
  readonly number: number;
  readonly registration: { readonly capabilities: readonly string[]; readonly maxCapacity: number; readonly region: string | undefined };
  readonly generation: number;
}

/**
 * The workers of your own: which there are, what they have, how they do. Each task that is assigned is handed back once: completed, or
 * orphaned when its worker leaves, is lost or registers anew. Which worker gets a task is decided elsewhere, for instance by
 * `balancer.selectWorker(task, registry.getAll())`.
 */
export class WorkerRegistry {
  readonly #core: BalanceCore;
  readonly #handle: Handle;
  readonly #clock = new FlowClock();
  readonly #alarm = new Alarm(this.#clock, false, (_, late) => this.#onDue(late));
  readonly #events = new Emitter<WorkerRegistryEvents>();
  readonly #bits = new CapabilityBits();
  readonly #known = new Map<WorkerKey, Known>();
  readonly #ids: WorkerKey[] = [];
  readonly #numbers = new Map<WorkerKey, number>();
  readonly #free: number[] = [];
  readonly #tasks = new Map<WorkerKey, number>();
  readonly #taskIds = new Map<number, WorkerKey>();
  #nextTask = 0;
  readonly #create: WorkerRegistryOptions['create'];

  constructor(options: WorkerRegistryOptions = {}) {
    known('WorkerRegistry', options, 'leaseMs maxWorkers forgetLostAfterMs create');
    const lease = millis('leaseMs', options.leaseMs ?? Infinity, 2);
    const most = whole('maxWorkers', options.maxWorkers ?? 1_024, 1, 65_536);
    const forgetAfter = millis('forgetLostAfterMs', options.forgetLostAfterMs ?? 600_000, 0);
    this.#create = options.create;
    this.#core = balanceCore();
    const free = (core: BalanceModule, registry: number): void => core.registry_free(registry);
    const handle = new Handle(this.#core.make([], (core) => core.registry_new(lease, most, forgetAfter)), 'registry', free);
    this.#handle = handle;
    this.#core.freeWith(this, (core) => handle.free(core));
  }

  /**
   * A worker introduces itself. One that is known by this id begins a new life: what it had is orphaned, its totals go on. Throws
   * `ERR_INVALID_OPTION` where there are `maxWorkers`, none of them lost.
   */
  register(worker: WorkerRegistration): RegisteredWorker {
    object('a worker', worker);
    const id = key('`id` of a worker', worker.id);
    const owner = { id };
    const names = [...capabilities(owner, worker.capabilities)];
    const most = capacity(owner, worker.maxCapacity);
    const region = text('region', owner, worker.region);
    const bits = this.#bitsOf(names);
    const number = this.#numbers.get(id) ?? this.#free.pop() ?? this.#ids.length;
    this.#numbers.set(id, number);
    this.#ids[number] = id;
    const now = this.#clock.now();
    let generation = 0;
    this.#input(
      (core, registry) => core.registry_register(registry, now, number, bits.low, bits.high, most, regionOf(region)),
      (answer) => {
        generation = answer;
      },
    );
    if (generation === 0) {
      this.#forget(id, number);
      throw invalid('as many workers are registered as may be: remove one, or raise `maxWorkers`');
    }
    this.#known.set(id, { number, generation, registration: { capabilities: Object.freeze(names), maxCapacity: most, region } });
    const registered = this.getWorker(id) as RegisteredWorker;
    this.#events.emit('registered', { worker: registered });
    return registered;
  }

  /** A sign of life, which renews the lease. `false` where the worker is not registered (any more): it has to register anew. */
  heartbeat(workerId: WorkerKey): boolean {
    const known = this.#known.get(workerId);
    const now = this.#clock.now();
    return known !== undefined && this.#answer((core, registry) => core.registry_heartbeat(registry, now, known.number, known.generation)) === 1;
  }

  /** All workers, lost ones included, in the order in which they first registered. */
  getAll(): RegisteredWorker[] {
    return [...this.#known.keys()].flatMap((id) => this.getWorker(id) ?? []);
  }

  /** One worker. */
  getWorker(workerId: WorkerKey): RegisteredWorker | undefined {
    const known = this.#known.get(workerId);
    if (known === undefined) {
      return undefined;
    }
    const now = this.#clock.now();
    if (this.#call((core, registry) => core.registry_view(registry, now, known.number)) === 0) {
      return undefined;
    }
    const [membership = 0, health = 0, tasks = 0, currentLoad = 0, , , completed = 0, failed = 0, , , heldMs = 0] = this.#core.floats;
    const { capabilities: names, maxCapacity, region } = known.registration;
    const up = tasks > 0 ? 'busy' : 'ready';
    return Object.freeze({
      id: workerId,
      capabilities: names,
      maxCapacity,
      currentLoad,
      status: membership === LOST ? 'offline' : membership === DRAINING ? 'draining' : up,
      health: HEALTH[health] as WorkerHealth,
      assignedTasks: tasks,
      region,
      metrics: Object.freeze({
        tasksCompleted: completed,
        tasksFailed: failed,
        successRate: completed / (completed + failed),
        averageResponseTime: heldMs / (completed + failed),
      }),
    });
  }

  /** A worker is given a task, by its id or with what it requires. */
  assignTask(workerId: WorkerKey, task: WorkerKey | (BalanceTask & { readonly id: WorkerKey })): AssignResult {
    const { id, ...needs } = typeof task === 'object' && task !== null ? task : { id: task };
    const taskId = key('`id` of the task', id);
    const known = this.#known.get(workerId);
    if (known === undefined) {
      return refused('not-registered', `no worker is registered as ${show(workerId)}`);
    }
    const bits = this.#bitsOf(capabilities('the task', needs.capabilities));
    const weight = load('complexity', 'the task', needs.complexity, 1);
    const number = this.#tasks.get(taskId) ?? this.#nextTask++;
    const now = this.#clock.now();
    let detail = 0;
    const code = this.#answer(
      (core, registry) => core.registry_assign(registry, now, known.number, number, bits.low, bits.high, weight),
      (second) => {
        detail = second;
      },
    );
    if (code === 0) {
      this.#tasks.set(taskId, number);
      this.#taskIds.set(number, taskId);
      this.#events.emit('assigned', { workerId, taskId });
      return { assigned: true };
    }
    const messages: Record<AssignRefusalReason, string> = {
      'not-registered': `no worker is registered as ${show(workerId)}`,
      lost: `worker ${show(workerId)} is lost: it has to register anew`,
      draining: `worker ${show(workerId)} is draining and takes nothing more`,
      'lacks-capabilities': `worker ${show(workerId)} lacks capabilities of the task`,
      'no-room': `worker ${show(workerId)} has room for ${detail} units of load only`,
      'already-assigned': `worker ${show(this.#ids[detail])} has task ${show(taskId)} already`,
    };
    const reason = REFUSALS[code - 1] as AssignRefusalReason;
    return refused(reason, messages[reason]);
  }

  /** A worker is done with a task. Returns how long it had it, in milliseconds; `undefined` where it doesn't have it (any more). */
  completeTask(workerId: WorkerKey, taskId: WorkerKey, success = true): number | undefined {
    const known = this.#known.get(workerId);
    const number = this.#tasks.get(taskId);
    if (known === undefined || number === undefined) {
      return undefined;
    }
    const now = this.#clock.now();
    let durationMs = 0;
    const code = this.#answer(
      (core, registry) => core.registry_complete(registry, now, known.number, known.generation, number, success ? 1 : 0),
      (second) => {
        durationMs = second;
      },
    );
    if (code !== 0) {
      return undefined;
    }
    this.#tasks.delete(taskId);
    this.#taskIds.delete(number);
    this.#events.emit('completed', { workerId, taskId, success, durationMs });
    return durationMs;
  }

  /** The worker finishes what it has, gets nothing more and leaves. `false` where there is none. */
  drain(workerId: WorkerKey): boolean {
    return this.#leave(workerId, (core, registry, now, worker) => core.registry_drain(registry, now, worker));
  }

  /** The worker leaves at once, and what it has is orphaned. `false` where there is none. */
  unregister(workerId: WorkerKey): boolean {
    return this.#leave(workerId, (core, registry, now, worker) => core.registry_remove(registry, now, worker));
  }

  /**
   * Brings the number of workers that take part to `target`: by `options.create`, or by draining those with the least load, of equals the newest.
   */
  scaleWorkers(target: number): ScaleResult {
    whole('target', target, 0, 65_536);
    const active = this.getAll().filter(({ status }) => status === 'ready' || status === 'busy');
    const added: WorkerKey[] = [];
    const create = this.#create;
    if (target > active.length && create === undefined) {
      throw invalid(`${target - active.length} workers are missing: give the registry \`create\`, a function that starts one and says what it is`);
    }
    while (active.length + added.length < target) {
      added.push(this.register((create as () => WorkerRegistration)()).id);
    }
    const spare = active.reverse().sort((one, other) => one.currentLoad - other.currentLoad);
    const draining = spare.slice(0, Math.max(0, active.length - target)).map(({ id }) => id);
    for (const id of draining) {
      this.drain(id);
    }
    const result = { from: active.length, to: target, added, draining };
    this.#events.emit('scaled', result);
    return result;
  }

  /** Listens; the function returned stops it. */
  on<Name extends keyof WorkerRegistryEvents>(event: Name, listener: (event: WorkerRegistryEvents[Name]) => void): () => void {
    return this.#events.on(event, listener);
  }

  /** Frees what it holds now instead of when it is collected. It can't be used any more then. */
  [Symbol.dispose](): void {
    this.#alarm.set(Infinity);
    this.#handle.free(this.#core.exports);
  }

  /** Where the page was busy or asleep, what workers said meanwhile waits behind this, and counts first. */
  #onDue(late: number): void {
    if (late > LATE_MS) {
      afterPendingMessages(() => this.#onDue(0));
    } else if (!this.#handle.isFree) {
      const now = this.#clock.now();
      this.#input((core, registry) => core.registry_deadline(registry, now));
    }
  }

  #leave(workerId: WorkerKey, run: (core: BalanceModule, registry: number, now: number, worker: number) => number): boolean {
    const known = this.#known.get(workerId);
    const now = this.#clock.now();
    return known !== undefined && this.#answer((core, registry) => run(core, registry, now, known.number)) === 1;
  }

  #bitsOf(names: Iterable<string>): { readonly low: number; readonly high: number } {
    const bits = { low: 0, high: 0 };
    this.#bits.of(names, bits);
    if (this.#bits.isFull) {
      this.#bits.isFull = false;
      throw invalid(TOO_MANY_NAMES);
    }
    return bits;
  }

  #call(run: (core: BalanceModule, registry: number) => number): number {
    const registry = this.#handle.check();
    return this.#core.call((core) => run(core, registry));
  }

  /** Hands something in and gives its answer, the second part of it to `second`. */
  #answer(run: (core: BalanceModule, registry: number) => number, second?: (value: number) => void): number {
    let answer = 0;
    this.#input(run, (first, detail) => {
      answer = first;
      second?.(detail);
    });
    return answer;
  }

  /** Hands something in; all that came of it is told after it has been taken out. */
  #input(run: (core: BalanceModule, registry: number) => number, answer?: (first: number, second: number) => void): void {
    const told: (() => void)[] = [];
    for (let count = this.#call(run); ; count = this.#call((core, registry) => core.registry_drain_records(registry))) {
      const { floats } = this.#core;
      for (let at = 1; at < 1 + count * RECORD; at += RECORD) {
        told.push(this.#record([...floats.subarray(at, at + RECORD)]));
      }
      if (count < MAX_RECORDS) {
        break;
      }
    }
    const { floats } = this.#core;
    const due = floats[0] ?? Infinity;
    answer?.(floats[BESIDE] ?? 0, floats[BESIDE + 1] ?? 0);
    this.#alarm.set(due > FAR_MS ? Infinity : due);
    told.forEach(callSafely);
  }

  /** Takes one record in, and gives what listeners are told of it. */
  #record([tag = 0, worker = 0, , one = 0, two = 0]: number[]): () => void {
    const workerId = this.#ids[worker] as WorkerKey;
    switch (tag) {
      case 1:
        return () => this.#events.emit('probe', { workerId });
      case 2:
        return () => this.#events.emit('health', { workerId, from: HEALTH[one] as WorkerHealth, to: HEALTH[two] as WorkerHealth });
      case 3: {
        const taskId = this.#taskIds.get(one) as WorkerKey;
        this.#taskIds.delete(one);
        this.#tasks.delete(taskId);
        return () => this.#events.emit('orphaned', { workerId, taskId });
      }
      default: {
        const reason = LEFT[one - 1] as WorkerRegistryEvents['left']['reason'];
        if (reason === 'drained' || reason === 'removed' || reason === 'forgotten') {
          this.#forget(workerId, worker);
        }
        return () => this.#events.emit('left', { workerId, reason });
      }
    }
  }

  #forget(id: WorkerKey, number: number): void {
    this.#known.delete(id);
    this.#numbers.delete(id);
    this.#free.push(number);
  }
}

function refused(reason: AssignRefusalReason, message: string): AssignResult {
  return { assigned: false, reason, message };
}

const HEALTH: readonly WorkerHealth[] = ['healthy', 'degraded', 'suspect', 'lost'];
const LEFT = ['lost', 'drained', 'removed', 'replaced', 'forgotten'] as const;
const REFUSALS = ['not-registered', 'lost', 'draining', 'lacks-capabilities', 'no-room', 'already-assigned'] as const;
const DRAINING = 1;
const LOST = 2;
/** Thirty years: a lease that never lapses needs no timer. */
const FAR_MS = 1e12;
