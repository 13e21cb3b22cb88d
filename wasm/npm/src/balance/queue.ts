import { rowsOf, type Engine } from './engine.js';
import type { QueueItem } from './migration.js';
import { typeOf } from './task.js';
import type { WorkerKey } from './types.js';
import { invalid, key, list, object, priority, show } from './values.js';

/** A task of a queue with the worker that it should go to. */
export type Assigned<Item> = Omit<Item, 'assignedWorker'> & { readonly assignedWorker: WorkerKey | null };

interface Waiting {
  /** Its number in the order of submission. */
  readonly number: number;
  /** By the balancer's clock, in milliseconds. */
  readonly submitted: number;
}

/** Who waits in the queue, and since when. */
export class WaitingLine {
  #waiting = new Map<WorkerKey, Waiting>();
  #next = 0;

  /** The items in the order in which they should go. */
  reorder<Item extends QueueItem>(engine: Engine, queue: readonly Item[]): Item[] {
    const items = this.#meet(engine, queue);
    const rows = items.flatMap(([item, { number, submitted }]) => [
      number,
      typeOf(item.requirements?.taskType),
      priority(`task ${show(item.id)}`, item.requirements?.priority),
      submitted,
    ]);
    engine.reserve(rows.length).set(rows);
    const count = engine.call((core, balancer) => core.balance_reorder(balancer, items.length));
    const byNumber = new Map(items.map(([item, { number }]) => [number, item]));
    return rowsOf(engine.floats, count, 1, ([number = 0]) => byNumber.get(number) as Item);
  }

  /** Numbers the items that are new, and forgets those that are gone. */
  #meet<Item extends QueueItem>(engine: Engine, queue: readonly Item[]): (readonly [Item, Waiting])[] {
    list('`queue`', queue);
    const now = engine.now();
    const wall = Date.now();
    const before = this.#waiting;
    const after = new Map<WorkerKey, Waiting>();
    const arrivals: (readonly [WorkerKey, number])[] = [];
    for (const item of queue) {
      object('an entry of `queue`', item);
      const id = key('`id` of an entry of `queue`', item.id);
      const known = before.get(id);
      if (after.has(id)) {
        throw invalid(`two entries of \`queue\` have the id ${show(id)}: give each its own`);
      }
      after.set(id, known ?? NEW);
      if (known === undefined) {
        arrivals.push([id, now - age(item, wall)]);
      }
    }
    arrivals.sort(([, one], [, other]) => one - other);
    for (const [id, submitted] of arrivals) {
      after.set(id, { number: this.#next, submitted: Math.max(0, submitted + ORIGIN_MS) });
      this.#next += 1;
    }
    this.#waiting = after;
    return queue.map((item) => [item, after.get(item.id) as Waiting] as const);
  }
}

/** For how many milliseconds an item has waited when it is first seen. */
function age(item: QueueItem, wall: number): number {
  if (item.submittedAt === undefined) {
    return 0;
  }
  const at = Number(item.submittedAt);
  if (Number.isNaN(at)) {
    throw invalid(`\`submittedAt\` of task ${show(item.id)} is a Date or Unix milliseconds, not ${show(item.submittedAt)}`);
  }
  return Math.max(0, wall - at);
}

const NEW: Waiting = { number: -1, submitted: 0 };
/** What waited before the balancer was made has its place too: core's times begin at 0. */
const ORIGIN_MS = 2 ** 32;
