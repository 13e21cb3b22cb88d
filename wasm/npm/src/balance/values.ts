import { describe, QuillworkError } from '../errors.js';
import type { BalanceMetrics, OfferNames, WorkerKey } from './types.js';

// What callers pass, checked once and turned into numbers. Each error says where the value stands and what to give instead.

/** `ERR_INVALID_OPTION`. */
export function invalid(message: string): QuillworkError {
  return new QuillworkError('ERR_INVALID_OPTION', message);
}

/** A value in a message, whatever it is. */
export function show(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : describe(value);
}

/** An object, or an error that names it. */
export function object(what: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw invalid(`${what} is an object, not ${show(value)}`);
  }
}

/** An array, or an error that names it. */
export function list(what: string, value: unknown): void {
  if (!Array.isArray(value)) {
    throw invalid(`${what} is an array, not ${show(value)}`);
  }
}

/** Whose field it is: a worker's, or as the text says. */
export type Owner = { readonly id: WorkerKey } | string;

function place(field: string, owner: Owner): string {
  return `\`${field}\` of ${typeof owner === 'string' ? owner : `worker ${show(owner.id)}`}`;
}

/** What names a worker or a task. */
export function key(what: string, value: unknown): WorkerKey {
  if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))) {
    return value;
  }
  throw invalid(`${what} is a string or a finite number, not ${show(value)}`);
}

/** One or several of them as a list. */
export function keys(what: string, value: WorkerKey | Iterable<WorkerKey> | undefined): readonly WorkerKey[] {
  if (value === undefined || value === null) {
    return NONE;
  }
  if (typeof value === 'string' || typeof value === 'number') {
    return [key(what, value)];
  }
  if (typeof (value as Partial<Iterable<WorkerKey>>)[Symbol.iterator] !== 'function') {
    throw invalid(`${what} is the id of a worker, or an array or a Set of them, not ${show(value)}`);
  }
  return Array.from(value, (one) => key(`an entry of ${what}`, one));
}

/** A number of `least` or more, or `fallback` where there is none. */
export function atLeast(field: string, owner: Owner, value: number | undefined, least: number, fallback: number): number {
  if (value === undefined || value === null) {
    return fallback;
  }
  if (!(typeof value === 'number' && value >= least)) {
    throw invalid(`${place(field, owner)} is a number of ${least} or more, not ${show(value)}`);
  }
  return value;
}

/** A capacity in whole units. */
export function capacity(owner: Owner, value: number | undefined): number {
  if (value === undefined || value === null) {
    return DEFAULT_CAPACITY;
  }
  if (!(typeof value === 'number' && value >= 1)) {
    throw invalid(
      `${place('maxCapacity', owner)} is 1 or more, in whole units of load, not ${show(value)}: for a share, multiply it and all loads by 100`,
    );
  }
  return value === Infinity ? ENDLESS : Math.min(Math.floor(value), MOST);
}

/** A load in whole units. */
export function load(field: string, owner: Owner, value: number | undefined, fallback: number): number {
  return Math.min(Math.ceil(atLeast(field, owner, value, 0, fallback)), MOST);
}

/** A priority. */
export function priority(owner: Owner, value: number | undefined): number {
  if (value === undefined || value === null) {
    return 5;
  }
  if (!(typeof value === 'number' && value >= 0 && value <= 10)) {
    throw invalid(`${place('priority', owner)} is a number from 0 to 10, not ${show(value)}`);
  }
  return Math.round(value);
}

/** A status as core numbers it. */
export function status(owner: Owner, value: string | undefined): number {
  const code = value === undefined || value === null ? 0 : STATUS_CODES.get(value);
  if (code === undefined) {
    throw invalid(`${place('status', owner)} is one of ${[...STATUS_CODES.keys()].join(', ')}, not ${show(value)}`);
  }
  return code;
}

/** Capability names as something to iterate. */
export function capabilities(owner: Owner, value: OfferNames | undefined): Iterable<string> {
  if (value === undefined || value === null) {
    return NO_NAMES;
  }
  if (!Array.isArray(value) && !(value instanceof Set)) {
    throw invalid(`${place('capabilities', owner)} is an array or a Set of names, not ${show(value)}`);
  }
  return value as Iterable<string>;
}

/** A text, or `undefined`. */
export function text(field: string, owner: Owner, value: string | undefined): string | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'string') {
    throw invalid(`${place(field, owner)} is a string, not ${show(value)}`);
  }
  return value;
}

/** The success rate, the mean duration (ms) and the uptime that metrics tell; `NaN` for each that they don't. */
export function record(owner: Owner, metrics: BalanceMetrics | undefined): readonly [number, number, number] {
  if (metrics === undefined || metrics === null) {
    return UNKNOWN;
  }
  object(place('metrics', owner), metrics);
  const told = (name: keyof BalanceMetrics, most: number, hint: string): number => {
    const value = metrics[name] ?? NaN;
    if (typeof value !== 'number' || value < 0 || value > most) {
      throw invalid(`${place(`metrics.${name}`, owner)} is ${hint}, not ${show(value)}`);
    }
    return value;
  };
  const ratio = 'a share from 0 to 1 (divide per cents by 100; leave out what is counted otherwise)';
  const [success, error] = [told('successRate', 1, ratio), told('errorRate', 1, ratio)];
  const count = 'a number of 0 or more';
  const [completed, failed] = [told('tasksCompleted', Infinity, count), told('tasksFailed', Infinity, count)];
  const mean = told('averageResponseTime', Infinity, 'milliseconds');
  const duration = Number.isNaN(mean) ? told('averageDurationMs', Infinity, 'milliseconds') : mean;
  return [successRate(success, error, completed, failed), duration > 0 && duration < Infinity ? duration : NaN, told('uptime', 1, ratio)];
}

function successRate(success: number, error: number, completed: number, failed: number): number {
  if (completed === 0 && !(failed > 0) && success === 0 && !(error > 0)) {
    // A record that was filled with zeros and has seen nothing yet.
    return NaN;
  }
  if (!Number.isNaN(success)) {
    return success;
  }
  return Number.isNaN(error) ? completed / (completed + failed) : 1 - error;
}

const NONE: readonly WorkerKey[] = [];
const NO_NAMES: readonly string[] = [];
const UNKNOWN = [NaN, NaN, NaN] as const;
/** Where a worker doesn't say. */
const DEFAULT_CAPACITY = 8;
/** What core can count. */
const MOST = 2 ** 32 - 1;
/** Without a limit: so much that it is never full, and so little that loads still differ as shares of it. */
const ENDLESS = 2 ** 20;

const STATUS_CODES: ReadonlyMap<string, number> = new Map(
  [
    ['ready', 'idle', 'available', 'active', 'online', 'healthy'],
    ['busy', 'working', 'running', 'degraded'],
    ['booting', 'starting', 'initializing'],
    ['draining', 'stopping', 'closing'],
    ['offline', 'unavailable', 'unhealthy', 'error', 'failed', 'dead', 'lost', 'stopped', 'terminated'],
  ].flatMap((names, code) => names.map((name) => [name, code] as const)),
);

/** Status codes by name, for what core answers. */
export const STATUS_NAMES = ['ready', 'busy', 'booting', 'draining', 'offline'] as const;
/** A worker that isn't among those of this call. */
export const ABSENT = 5;
