import { CapabilityBits, MOST_NAMES } from './names.js';
import { newRow, readRow, ROW, writeRow, type Row } from './row.js';
import type { BalanceWorker, WorkerKey } from './types.js';
import { ABSENT, invalid, key, object, show } from './values.js';

/** The workers by number: turns those of a call into rows for core, of which only the changed ones are told. */
export class Fleet {
  readonly capabilities = new CapabilityBits();
  readonly #rows = new Map<WorkerKey, Row>();
  readonly #byNumber: (Row | undefined)[] = [];
  readonly #free: number[] = [];
  #present: Row[] = [];
  #call = 0;

  /** The worker of this number. */
  row(number: number): Row | undefined {
    return this.#byNumber[number];
  }

  /** The workers that are known, present or not. */
  rows(): Iterable<Row> {
    return this.#rows.values();
  }

  /** How many workers the last call had. */
  get size(): number {
    return this.#present.length;
  }

  /** The workers of the last call. */
  get present(): readonly Row[] {
    return this.#present;
  }

  /** The worker of this id, where it is known. */
  find(id: WorkerKey): Row | undefined {
    return this.#rows.get(id);
  }

  /** The worker of this id, new or known. */
  add(id: WorkerKey): Row {
    return this.#rows.get(id) ?? this.#create(id);
  }

  /** Floats that {@link Fleet.sync} needs at most for so many workers. */
  room(workers: number): number {
    return (workers + this.#present.length) * ROW;
  }

  /**
   * Writes what has changed since the last call and returns how many rows that are. Throws `ERR_INVALID_OPTION` for what can't be
   * read; everything is told anew with the next call then.
   */
  sync(workers: readonly BalanceWorker[], floats: Float64Array): number {
    try {
      return this.#sync(workers, floats);
    } catch (thrown) {
      this.tellAgain();
      throw thrown;
    }
  }

  /** Everything is told anew with the next call: core may know otherwise. */
  tellAgain(): void {
    for (const row of this.#rows.values()) {
      row.stale = 3;
      row.raw.names = undefined;
    }
  }

  /** Core has added to this worker's load. */
  booked(row: Row): void {
    row.load = -1;
  }

  /** A row for a worker that isn't among those of a call, so that core knows it. */
  introduce(row: Row, floats: Float64Array): void {
    row.status = ABSENT;
    row.load = 0;
    writeRow(row, floats, 0);
  }

  /** Workers that have been away for longest, where more are known than need be. They are forgotten here with that. */
  outgrown(): Row[] {
    const spare = this.#rows.size - Math.max(MOST_AWAY, this.#present.length * 2);
    if (spare <= 0) {
      return [];
    }
    const away = [...this.#rows.values()].filter((row) => !row.isPresent && !row.pinned);
    const gone = away.sort((one, other) => one.seen - other.seen).slice(0, spare + MOST_AWAY / 2);
    for (const row of gone) {
      this.#rows.delete(row.id);
      this.#byNumber[row.number] = undefined;
      this.#free.push(row.number);
    }
    return gone;
  }

  #sync(workers: readonly BalanceWorker[], floats: Float64Array): number {
    this.#call += 1;
    let at = 0;
    let returning = 0;
    for (let index = 0; index < workers.length; index += 1) {
      const worker = workers[index] as BalanceWorker;
      const row = this.#rows.get(worker?.id) ?? this.#create(idOf(worker, index));
      if (row.seen === this.#call) {
        throw invalid(`two workers have the id ${show(row.id)}: give each its own`);
      }
      returning += row.isPresent ? 1 : 0;
      row.seen = this.#call;
      row.index = index;
      if (readRow(worker, row, this.capabilities)) {
        at = writeRow(row, floats, at);
      }
    }
    if (this.capabilities.isFull) {
      return at / ROW;
    }
    const isSame = returning === workers.length && this.#present.length === workers.length;
    if (!isSame) {
      at = this.#leave(workers, floats, at);
    }
    return at / ROW;
  }

  /** Those that were there the last time and aren't now. */
  #leave(workers: readonly BalanceWorker[], floats: Float64Array, from: number): number {
    let at = from;
    for (const row of this.#present) {
      if (row.seen !== this.#call) {
        row.isPresent = false;
        row.status = ABSENT;
        row.load = 0;
        at = writeRow(row, floats, at);
      }
    }
    this.#present = workers.map((worker) => this.#rows.get(worker.id) as Row);
    for (const row of this.#present) {
      row.isPresent = true;
    }
    return at;
  }

  #create(id: WorkerKey): Row {
    const number = this.#free.pop() ?? this.#byNumber.length;
    const row = newRow(id, number);
    this.#rows.set(id, row);
    this.#byNumber[number] = row;
    return row;
  }
}

/** What `ERR_INVALID_OPTION` says where too many capability names are in use. */
export const TOO_MANY_NAMES = `the workers and tasks of a call use more than ${MOST_NAMES} capability names: use fewer, or a balancer for each part of the fleet`;

/** So many workers that are away are remembered in any case. */
const MOST_AWAY = 1_024;

/** The id of an entry that is new. */
function idOf(worker: BalanceWorker, index: number): WorkerKey {
  object(`entry ${index} of \`workers\``, worker);
  return key(`\`id\` of entry ${index} of \`workers\``, worker.id);
}
