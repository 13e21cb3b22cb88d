import { latency, type FlowLatency } from './latency.js';

/** What a batcher has to show. */
export interface BatchMetrics {
  /** Items in the batch that is being gathered; those that share a key are one. */
  readonly currentBatchSize: number;
  readonly currentBatchBytes: number;
  readonly isProcessing: boolean;
  /** Batches that wait for a place, are processed, and wait for a retry. */
  readonly queuedBatches: number;
  readonly processingBatches: number;
  readonly retryingBatches: number;
  /** Items that have not settled. */
  readonly pendingItems: number;
  /** Counts since it was made; how long items of the last minute took from `add` to their end, and processings. */
  readonly performance: {
    readonly accepted: number;
    readonly refused: number;
    readonly deduplicated: number;
    readonly succeeded: number;
    readonly failed: number;
    readonly aborted: number;
    readonly closed: number;
    readonly runs: number;
    readonly retries: number;
    readonly itemMs: FlowLatency | undefined;
    readonly runMs: FlowLatency | undefined;
  };
}

/** Reads a batcher's metrics, in the order in which `flow.wasm` writes them. */
export function readBatchMetrics(floats: Float64Array): BatchMetrics {
  const at = (index: number): number => floats[index] ?? 0;
  return {
    currentBatchSize: at(0),
    currentBatchBytes: at(1),
    isProcessing: at(3) > 0,
    queuedBatches: at(2),
    processingBatches: at(3),
    retryingBatches: at(4),
    pendingItems: at(5),
    performance: {
      accepted: at(6),
      refused: at(7),
      deduplicated: at(8),
      succeeded: at(9),
      failed: at(10),
      aborted: at(11),
      closed: at(12),
      runs: at(13),
      retries: at(14),
      itemMs: latency(floats, 15),
      runMs: latency(floats, 19),
    },
  };
}
