import { CapabilityBits, hash32, MOST_NAMES } from './names.js';
import type { BalanceWorker, WorkerKey } from './types.js';
import { ABSENT, atLeast, capabilities, capacity, invalid, key, load, object, record, show, status, text } from './values.js';

/** What core was last told of a worker, and what the balancer counts of it. */
export interface Row {
  readonly id: WorkerKey;
  readonly number: number;
  /** The call that it was last seen in. */
  seen: number;
  /** Whether core takes it for one of the fleet. */
  isPresent: boolean;
  /** Where it stands in that call. */
  index: number;
  /** A rule names it: it is never forgotten. */
  pinned: boolean;
  /** 1 where what it is must be told, plus 2 for its record. */
  stale: number;
  status: number;
  capacity: number;
  load: number;
  latency: number;
  region: number;
  low: number;
  high: number;
  lanes: number;
  success: number;
  mean: number;
  uptime: number;
  assigned: number;
  succeeded: number;
  failed: number;
  busyMs: number;
}

/** The workers by number: turns those of a call into rows for core, of which only the changed ones are told. */
export class Fleet {
  readonly capabilities = new CapabilityBits();
  readonly #rows = new Map<WorkerKey, Row>();
  readonly #byNumber: (Row | undefined)[] = [];
  readonly #free: number[] = [];
  #present: Row[] = [];
  #call = 0;
  readonly #bits = { low: 0, high: 0 };

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
    return (workers + this.#present.length) * WORKER;
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
    write(row, floats, 0);
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
      object(`entry ${index} of \`workers\``, worker);
      const row = this.#rows.get(worker.id) ?? this.#create(key(`\`id\` of entry ${index} of \`workers\``, worker.id));
      if (row.seen === this.#call) {
        throw invalid(`two workers have the id ${show(row.id)}: give each its own`);
      }
      returning += row.isPresent ? 1 : 0;
      row.seen = this.#call;
      row.index = index;
      if (this.#read(worker, row)) {
        at = write(row, floats, at);
      }
    }
    if (this.capabilities.isFull) {
      return at / WORKER;
    }
    const isSame = returning === workers.length && this.#present.length === workers.length;
    if (!isSame) {
      at = this.#leave(workers, floats, at);
    }
    return at / WORKER;
  }

  /** Those that were there the last time and aren't now. */
  #leave(workers: readonly BalanceWorker[], floats: Float64Array, from: number): number {
    let at = from;
    for (const row of this.#present) {
      if (row.seen !== this.#call) {
        row.isPresent = false;
        row.status = ABSENT;
        row.load = 0;
        at = write(row, floats, at);
      }
    }
    this.#present = workers.map((worker) => this.#rows.get(worker.id) as Row);
    for (const row of this.#present) {
      row.isPresent = true;
    }
    return at;
  }

  /** Follows a worker's fields; whether any has changed. */
  #read(worker: BalanceWorker, row: Row): boolean {
    const { latency, region, concurrency } = worker;
    const nextCapacity = capacity(row, worker.maxCapacity);
    const nextLoad = load('currentLoad', row, worker.currentLoad, 0);
    const nextStatus = status(row, worker.status);
    const nextLatency = latency === undefined ? 0 : atLeast('latency', row, latency, 0, 0);
    const nextRegion = region === undefined ? 0 : regionOf(text('region', row, region));
    const nextLanes = concurrency === undefined ? 1 : atLeast('concurrency', row, concurrency, 1, 1);
    this.capabilities.of(capabilities(row, worker.capabilities), this.#bits);
    const { low, high } = this.#bits;
    let stale = row.stale;
    if (
      row.capacity !== nextCapacity ||
      row.latency !== nextLatency ||
      row.region !== nextRegion ||
      row.lanes !== nextLanes ||
      row.low !== low ||
      row.high !== high
    ) {
      stale |= 1;
    }
    const [success, mean, uptime] = record(row, worker.metrics);
    if (!Object.is(row.success, success) || !Object.is(row.mean, mean) || !Object.is(row.uptime, uptime)) {
      stale |= 2;
    }
    const hasChanged = stale !== 0 || row.load !== nextLoad || row.status !== nextStatus;
    row.stale = stale;
    row.capacity = nextCapacity;
    row.load = nextLoad;
    row.status = nextStatus;
    row.latency = nextLatency;
    row.region = nextRegion;
    row.lanes = nextLanes;
    row.low = low;
    row.high = high;
    row.success = success;
    row.mean = mean;
    row.uptime = uptime;
    return hasChanged;
  }

  #create(id: WorkerKey): Row {
    const number = this.#free.pop() ?? this.#byNumber.length;
    const row: Row = {
      id,
      number,
      seen: 0,
      isPresent: false,
      index: 0,
      pinned: false,
      stale: 3,
      status: ABSENT,
      capacity: 1,
      load: 0,
      latency: 0,
      region: 0,
      low: 0,
      high: 0,
      lanes: 1,
      success: NaN,
      mean: NaN,
      uptime: NaN,
      assigned: 0,
      succeeded: 0,
      failed: 0,
      busyMs: 0,
    };
    this.#rows.set(id, row);
    this.#byNumber[number] = row;
    return row;
  }
}

/** What `ERR_INVALID_OPTION` says where too many capability names are in use. */
export const TOO_MANY_NAMES = `the workers and tasks of a call use more than ${MOST_NAMES} capability names: use fewer, or a balancer for each part of the fleet`;

/** A region as core numbers it. */
export function regionOf(name: string | undefined): number {
  return name === undefined ? 0 : hash32(name) + 1;
}

/** As `wasm/policy/src/balance/rows.rs` reads it. */
function write(row: Row, floats: Float64Array, at: number): number {
  floats[at] = row.number;
  floats[at + 1] = row.stale;
  floats[at + 2] = row.status;
  floats[at + 3] = row.capacity;
  floats[at + 4] = row.load;
  floats[at + 5] = row.latency;
  floats[at + 6] = row.region;
  floats[at + 7] = row.low;
  floats[at + 8] = row.high;
  floats[at + 9] = row.lanes;
  floats[at + 10] = row.success;
  floats[at + 11] = row.mean;
  floats[at + 12] = row.uptime;
  row.stale = 0;
  return at + WORKER;
}

const WORKER = 13;
/** So many workers that are away are remembered in any case. */
const MOST_AWAY = 1_024;
