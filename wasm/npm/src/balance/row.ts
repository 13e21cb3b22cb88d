import { hash32, type CapabilityBits } from './names.js';
import type { BalanceMetrics, BalanceWorker, OfferNames, WorkerKey } from './types.js';
import { ABSENT, atLeast, capabilities, capacity, load, record, status, text } from './values.js';

/** What core was last told of a worker, what it was read from, and what the balancer counts of it. */
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
  /** The fields as they were read last: one that is the same need not be checked again. */
  readonly raw: Raw;
  assigned: number;
  succeeded: number;
  failed: number;
  busyMs: number;
}

interface Raw {
  maxCapacity: number | undefined;
  currentLoad: number | undefined;
  status: string | undefined;
  latency: number | undefined;
  region: string | undefined;
  concurrency: number | undefined;
  names: readonly string[] | undefined;
  successRate: number | undefined;
  errorRate: number | undefined;
  averageResponseTime: number | undefined;
  averageDurationMs: number | undefined;
  tasksCompleted: number | undefined;
  tasksFailed: number | undefined;
  uptime: number | undefined;
}

/** A worker that nothing is known of. */
export function newRow(id: WorkerKey, number: number): Row {
  return {
    id,
    number,
    seen: 0,
    isPresent: false,
    index: 0,
    pinned: false,
    stale: 3,
    status: ABSENT,
    capacity: capacity('', undefined),
    load: 0,
    latency: 0,
    region: 0,
    low: 0,
    high: 0,
    lanes: 1,
    success: NaN,
    mean: NaN,
    uptime: NaN,
    raw: {
      maxCapacity: undefined,
      currentLoad: undefined,
      status: undefined,
      latency: undefined,
      region: undefined,
      concurrency: undefined,
      names: undefined,
      successRate: undefined,
      errorRate: undefined,
      averageResponseTime: undefined,
      averageDurationMs: undefined,
      tasksCompleted: undefined,
      tasksFailed: undefined,
      uptime: undefined,
    },
    assigned: 0,
    succeeded: 0,
    failed: 0,
    busyMs: 0,
  };
}

/** Follows a worker's fields; whether core must be told. Throws `ERR_INVALID_OPTION` for what can't be read. */
export function readRow(worker: BalanceWorker, row: Row, bits: CapabilityBits): boolean {
  const { raw } = row;
  const { maxCapacity, currentLoad, latency, region, concurrency, metrics } = worker;
  if (raw.maxCapacity !== maxCapacity || raw.latency !== latency || raw.region !== region || raw.concurrency !== concurrency) {
    row.capacity = capacity(row, maxCapacity);
    row.latency = atLeast('latency', row, latency, 0, 0);
    row.region = regionOf(text('region', row, region));
    row.lanes = atLeast('concurrency', row, concurrency, 1, 1);
    raw.maxCapacity = maxCapacity;
    raw.latency = latency;
    raw.region = region;
    raw.concurrency = concurrency;
    row.stale |= 1;
  }
  if (!hasSameNames(raw.names, worker.capabilities)) {
    readNames(worker.capabilities, row, bits);
    row.stale |= 1;
  }
  const told = metrics ?? NO_METRICS;
  if (typeof told !== 'object' || !isSameRecord(raw, told)) {
    readRecord(told, row);
    row.stale |= 2;
  }
  let hasChanged = row.stale !== 0;
  // Another call may have left a load or a status of its own.
  const nextLoad = raw.currentLoad === currentLoad && currentLoad !== undefined ? currentLoad : load('currentLoad', row, currentLoad, 0);
  raw.currentLoad = nextLoad;
  const name = worker.status;
  const nextStatus = name === undefined ? 0 : status(row, name);
  if (row.load !== nextLoad || row.status !== nextStatus) {
    row.load = nextLoad;
    row.status = nextStatus;
    hasChanged = true;
  }
  return hasChanged;
}

/** A region as core numbers it. */
export function regionOf(name: string | undefined): number {
  return name === undefined ? 0 : hash32(name) + 1;
}

/** As `wasm/balance/src/balancing/rows.rs` reads it. Returns where the next goes. */
export function writeRow(row: Row, floats: Float64Array, at: number): number {
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
  return at + ROW;
}

/** Floats of a row. */
export const ROW = 13;

function hasSameNames(names: readonly string[] | undefined, value: OfferNames | undefined): boolean {
  if (names === undefined || value === undefined || value === null) {
    return names !== undefined && names.length === 0 && value === undefined;
  }
  if (Array.isArray(value)) {
    if (value.length !== names.length) {
      return false;
    }
    for (let at = 0; at < names.length; at += 1) {
      if (value[at] !== names[at]) {
        return false;
      }
    }
    return true;
  }
  if (!(value instanceof Set) || value.size !== names.length) {
    return false;
  }
  let at = 0;
  for (const name of value as ReadonlySet<string>) {
    if (name !== names[at]) {
      return false;
    }
    at += 1;
  }
  return true;
}

function readNames(value: OfferNames | undefined, row: Row, bits: CapabilityBits): void {
  const names = [...capabilities(row, value)];
  bits.of(names, row);
  row.raw.names = names;
}

function isSameRecord(raw: Raw, metrics: BalanceMetrics): boolean {
  return (
    raw.successRate === metrics.successRate &&
    raw.errorRate === metrics.errorRate &&
    raw.averageResponseTime === metrics.averageResponseTime &&
    raw.averageDurationMs === metrics.averageDurationMs &&
    raw.tasksCompleted === metrics.tasksCompleted &&
    raw.tasksFailed === metrics.tasksFailed &&
    raw.uptime === metrics.uptime
  );
}

function readRecord(metrics: BalanceMetrics, row: Row): void {
  const { raw } = row;
  const [success, mean, uptime] = record(row, metrics);
  row.success = success;
  row.mean = mean;
  row.uptime = uptime;
  raw.successRate = metrics.successRate;
  raw.errorRate = metrics.errorRate;
  raw.averageResponseTime = metrics.averageResponseTime;
  raw.averageDurationMs = metrics.averageDurationMs;
  raw.tasksCompleted = metrics.tasksCompleted;
  raw.tasksFailed = metrics.tasksFailed;
  raw.uptime = metrics.uptime;
}

const NO_METRICS: BalanceMetrics = {};
