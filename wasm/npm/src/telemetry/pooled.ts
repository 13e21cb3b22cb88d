/** Telemetry of a page with a pool: loaded by `createRuntime` where it is asked for. */
import type { Core } from '../abi.js';
import type { CacheStats } from '../cache.js';
import type { Clock } from '../pool/clock.js';
import { telemetrySettings, type TelemetryOptions } from './options.js';
import { PageTelemetry } from './telemetry.js';

/** Starts the telemetry of one runtime. */
export type StartTelemetry = (
  core: Core,
  pool: number,
  clock: Clock,
  caches: ReadonlyMap<string, { stats(): CacheStats }>,
  taskNames: () => readonly string[],
) => PageTelemetry;

/** Checks the options, and gives what starts telemetry with them. Throws `ERR_INVALID_OPTION`. */
export function pooledTelemetry(options: TelemetryOptions): StartTelemetry {
  const settings = telemetrySettings(options);
  return (core, pool, clock, caches, taskNames) =>
    new PageTelemetry(settings, { core, pool, clock, taskNames, cacheTotals: () => totals(caches) });
}

function totals(caches: ReadonlyMap<string, { stats(): CacheStats }>): CacheStats {
  const sum = { hits: 0, misses: 0, insertions: 0, evictions: 0, expirations: 0, entries: 0 };
  for (const cache of caches.values()) {
    const stats = cache.stats();
    for (const key of Object.keys(sum) as (keyof CacheStats)[]) {
      sum[key] += stats[key];
    }
  }
  return sum;
}
