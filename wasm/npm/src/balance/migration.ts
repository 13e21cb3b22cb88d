import { rowsOf, type Engine } from './engine.js';
import type { Row } from './row.js';
import { TaskNumbers } from './task.js';
import type { BalanceTask, BalanceWorker, WorkerKey } from './types.js';
import { key, list, object, show } from './values.js';

/** A task that waits. */
export interface QueueItem {
  /** Unique in the queue. */
  readonly id: WorkerKey;
  /** What it needs. Default: any worker, one unit of load. */
  readonly requirements?: BalanceTask | undefined;
  /** The worker that it waits on, where it was given to one already. */
  readonly assignedWorker?: WorkerKey | null | undefined;
  /** When it was submitted: a `Date`, or Unix milliseconds. Default: when it was first seen. */
  readonly submittedAt?: Date | number | undefined;
}

/** A move that is worth it. */
export interface MigrationSuggestion {
  /** Which task; `null` where the worker holds more than the queue names: any of its load that has not started. */
  readonly taskId: WorkerKey | null;
  readonly fromWorker: WorkerKey;
  readonly toWorker: WorkerKey;
  /** How many units of load. */
  readonly load: number;
  /** `offline`: its worker can't be reached. `shorter-wait`: it would be done sooner. */
  readonly reason: 'offline' | 'shorter-wait';
  /** The same in words. */
  readonly message: string;
  /** 1 for a gain that is just worth it, one more for each doubling; 10 the most. */
  readonly priority: number;
  /** By how many milliseconds it would be done sooner, the cost taken off. */
  readonly gainMs: number;
  /** What the move itself costs, in milliseconds. */
  readonly costMs: number;
}

/** A task as it is written for core: its worker, and the queue's item behind it. */
interface Held {
  readonly row: Row;
  readonly numbers: TaskNumbers;
  readonly item: QueueItem | undefined;
}

/** Asks core. */
export function migrations(engine: Engine, workers: readonly BalanceWorker[], queue: readonly QueueItem[]): MigrationSuggestion[] {
  list('`queue`', queue);
  let held: Held[] = [];
  engine.follow(workers, () => {
    held = heldBy(engine, queue);
  });
  const floats = engine.reserve(held.reduce((room, { numbers }) => room + 1 + numbers.room, 0));
  let at = 0;
  for (const { row, numbers } of held) {
    floats[at] = row.number;
    at = numbers.write(floats, at + 1);
  }
  const now = engine.now();
  const count = engine.call((core, balancer) => core.balance_migrations(balancer, now, held.length));
  const moves = rowsOf(engine.reserve(count * WIDTH), count, WIDTH, ([task = 0, , to = 0, gainMs = 0, costMs = 0, priority = 0]) =>
    suggestion(held[task] as Held, engine.fleet.row(to) as Row, { gainMs, costMs, priority }),
  );
  return merged(moves);
}

/** What each worker holds: first the load that the queue doesn't name, then the queue's tasks in their order. */
function heldBy(engine: Engine, queue: readonly QueueItem[]): Held[] {
  const named = new Map<Row, Held[]>();
  for (const item of queue) {
    object('an entry of `queue`', item);
    const id = key('`id` of an entry of `queue`', item.id);
    const row = item.assignedWorker === undefined || item.assignedWorker === null ? undefined : engine.fleet.find(item.assignedWorker);
    if (row?.isPresent === true) {
      const numbers = new TaskNumbers();
      numbers.read({ id, ...item.requirements }, engine.fleet, 0, `task ${show(id)} of \`queue\``);
      named.set(row, [...(named.get(row) ?? []), { row, numbers, item }]);
    }
  }
  return engine.fleet.present.flatMap((row) => {
    const own = named.get(row) ?? [];
    const unnamed = row.load - own.reduce((sum, { numbers }) => sum + numbers.complexity, 0);
    return [...anonymous(engine, row, Math.min(Math.max(0, unnamed), MOST_UNNAMED)), ...own];
  });
}

/** Load that nobody names needs whoever holds it, and can go where all that one can do is there. */
function anonymous(engine: Engine, row: Row, count: number): Held[] {
  const numbers = new TaskNumbers();
  numbers.read({}, engine.fleet, 0);
  numbers.required = [row.low, row.high];
  return Array.from({ length: count }, () => ({ row, numbers, item: undefined }));
}

function suggestion({ row, numbers, item }: Held, to: Row, of: { gainMs: number; costMs: number; priority: number }): MigrationSuggestion {
  const isOffline = row.status === OFFLINE;
  const what = item === undefined ? 'what waits there' : `task ${show(item.id)}`;
  const why = isOffline ? `worker ${show(row.id)} is offline` : `${what} would be done ${Math.round(of.gainMs)} ms sooner on worker ${show(to.id)}`;
  return {
    taskId: item?.id ?? null,
    fromWorker: row.id,
    toWorker: to.id,
    load: numbers.complexity,
    reason: isOffline ? 'offline' : 'shorter-wait',
    message: why,
    ...of,
  };
}

/** Unnamed loads between the same two workers are one suggestion; the first gains most. */
function merged(moves: readonly MigrationSuggestion[]): MigrationSuggestion[] {
  const unnamed = new Map<WorkerKey, Map<WorkerKey, number>>();
  const all: MigrationSuggestion[] = [];
  for (const move of moves) {
    const place = move.taskId === null ? unnamed.get(move.fromWorker)?.get(move.toWorker) : undefined;
    if (place !== undefined) {
      const first = all[place] as MigrationSuggestion;
      all[place] = { ...first, load: first.load + move.load };
      continue;
    }
    if (move.taskId === null) {
      unnamed.set(move.fromWorker, (unnamed.get(move.fromWorker) ?? new Map<WorkerKey, number>()).set(move.toWorker, all.length));
    }
    all.push(move);
  }
  return all;
}

const WIDTH = 6;
const OFFLINE = 4;
/** So many units that the queue doesn't name are looked at for each worker: more than are moved at a time. */
const MOST_UNNAMED = 64;
