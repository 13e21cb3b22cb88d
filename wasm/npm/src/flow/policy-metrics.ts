import type { Stack } from './stack.js';

/** What a policy has to show. Layers that it doesn't have are absent; counts are since it was made. */
export interface PolicyMetrics {
  /** Calls that have not settled. */
  readonly activeCalls: number;
  /** Attempts that wait, run, or were cancelled and have not ended. */
  readonly activeAttempts: number;
  /** At all times `calls = succeeded + failed + fellBack + activeCalls`. */
  readonly calls: number;
  readonly attempts: number;
  /** Rounds of attempts that the policy itself refused. */
  readonly refused: number;
  readonly retries: number;
  readonly timedOut: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly fellBack: number;
  readonly retryBudget?: { readonly available: number; readonly capacity: number; readonly withdrawals: number; readonly refusals: number };
  readonly hedge?: { readonly hedges: number; readonly refused: number; readonly won: number };
  readonly bulkhead?: BulkheadMetrics;
  readonly adaptiveLimit?: AdaptiveLimitMetrics;
}

/** What a bulkhead has to show. */
export interface BulkheadMetrics {
  readonly running: number;
  readonly queued: number;
  readonly started: number;
  readonly refused: number;
  readonly aborted: number;
  readonly waitedTooLong: number;
}

/** What an adaptive limit has to show. */
export interface AdaptiveLimitMetrics {
  /** How many calls may run. */
  readonly limit: number;
  readonly inFlight: number;
  /** Half of the limit is being tried. */
  readonly probing: boolean;
  /** What calls take without a queue, in milliseconds, as far as it is known. */
  readonly baselineMs: number | undefined;
  /** What calls of the last full window took on average. */
  readonly recentMs: number | undefined;
  readonly admitted: number;
  readonly refused: number;
  readonly dropped: number;
}

/** Reads a stack's metrics, in the order in which `flow.wasm` writes them. */
export function readPolicyMetrics(stack: Stack): PolicyMetrics {
  const floats = stack.read((exports, now) => exports.stack_metrics(stack.handle, now));
  let next = 0;
  const read = (): number => floats[next++] ?? Number.NaN;
  const counts = {
    activeCalls: read(),
    activeAttempts: read(),
    calls: read(),
    attempts: read(),
    refused: read(),
    retries: read(),
    timedOut: read(),
    succeeded: read(),
    failed: read(),
    fellBack: read(),
  };
  const retryBudget = { available: read(), capacity: read(), withdrawals: read(), refusals: read() };
  const hedge = { hedges: read(), refused: read(), won: read() };
  const bulkhead = { running: read(), queued: read(), started: read(), refused: read(), aborted: read(), waitedTooLong: read() };
  const adaptiveLimit = {
    limit: read(),
    inFlight: read(),
    probing: read() === 1,
    baselineMs: known(read()),
    recentMs: known(read()),
    admitted: read(),
    refused: read(),
    dropped: read(),
  };
  return {
    ...counts,
    ...(Number.isNaN(retryBudget.capacity) ? {} : { retryBudget }),
    ...(Number.isNaN(hedge.hedges) ? {} : { hedge }),
    ...(Number.isNaN(bulkhead.running) ? {} : { bulkhead }),
    ...(Number.isNaN(adaptiveLimit.limit) ? {} : { adaptiveLimit }),
  };
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
