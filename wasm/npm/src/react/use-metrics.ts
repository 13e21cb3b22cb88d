import { useMemo, useSyncExternalStore } from 'react';
import { known } from '../checks.js';
import { QuillworkError } from '../errors.js';
import type { PoolStats } from '../runtime/stats.js';
import type { PageSample } from '../telemetry/wire.js';
import { useProvided, type AnyRuntime } from './provider.js';

/** What {@link useMetrics} gives. The same object until something newer was read. */
export interface Metrics {
  /** The pool; `undefined` before there is a runtime, and on a server. */
  readonly pool: PoolStats | undefined;
  /** The newest sample of the page; `undefined` before the first, and where the option `telemetry` is off. */
  readonly telemetry: PageSample | undefined;
  /** Why the pool can't be read any more, where the runtime failed. */
  readonly error: unknown;
}

/** Settings of {@link useMetrics}. */
export interface MetricsOptions {
  /** How often the pool is read, 16 ms to an hour. Default 1,000. */
  readonly intervalMs?: number | undefined;
}

/** The numbers of the nearest runtime, read at an interval while a component shows them. Components with the same interval share a reading. */
export function useMetrics(options: MetricsOptions = {}): Metrics {
  const { intervalMs = 1_000 } = known('useMetrics', options, 'intervalMs');
  const { runtime } = useProvided();
  if (!(typeof intervalMs === 'number' && intervalMs >= 16 && intervalMs <= 3_600_000)) {
    throw new QuillworkError('ERR_INVALID_OPTION', `\`intervalMs\` is 16 to 3600000 milliseconds, not ${String(intervalMs)}`);
  }
  const reader = useMemo(() => (runtime === undefined ? undefined : readerOf(runtime, intervalMs)), [runtime, intervalMs]);
  return useSyncExternalStore(reader?.subscribe ?? never, reader?.latest ?? nothing, nothing);
}

const NOTHING: Metrics = { pool: undefined, telemetry: undefined, error: undefined };
const nothing = (): Metrics => NOTHING;
const never = (): (() => void) => () => undefined;

/** Reads a runtime while anybody listens. */
class Reader {
  readonly #runtime: AnyRuntime;
  readonly #intervalMs: number;
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #latest = NOTHING;

  constructor(runtime: AnyRuntime, intervalMs: number) {
    this.#runtime = runtime;
    this.#intervalMs = intervalMs;
  }

  readonly latest = (): Metrics => this.#latest;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#timer === undefined) {
      this.#latest = this.#read();
      this.#timer = setInterval(() => this.#tick(), this.#intervalMs);
      // Numbers on a screen keep no Node process alive.
      (this.#timer as { unref?(): void }).unref?.();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    };
  };

  #tick(): void {
    this.#latest = this.#read();
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }

  #read(): Metrics {
    const telemetry = this.#runtime.telemetry?.latest;
    try {
      return { pool: this.#runtime.stats(), telemetry, error: undefined };
    } catch (error) {
      return { pool: this.#latest.pool, telemetry, error };
    }
  }
}

const readers = new WeakMap<AnyRuntime, Map<number, Reader>>();

function readerOf(runtime: AnyRuntime, intervalMs: number): Reader {
  const byInterval = readers.get(runtime) ?? new Map<number, Reader>();
  readers.set(runtime, byInterval);
  const reader = byInterval.get(intervalMs) ?? new Reader(runtime, intervalMs);
  byInterval.set(intervalMs, reader);
  return reader;
}
