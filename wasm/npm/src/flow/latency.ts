/** How long things took in the last minute, in milliseconds. */
export interface FlowLatency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Reads four floats; `undefined` where there was nothing. */
export function latency(floats: Float64Array, at: number): FlowLatency | undefined {
  const [p50 = Number.NaN, p95 = 0, p99 = 0, max = 0] = floats.subarray(at, at + 4);
  return Number.isNaN(p50) ? undefined : { p50, p95, p99, max };
}
