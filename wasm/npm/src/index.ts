/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Runs work on Web Workers, or worker threads in Node: priorities, capabilities, time-outs, abort, redelivery after a crash, a
 * cache, and telemetry. Start with {@link createRuntime}; the worker's side is `quillwork/worker`.
 */
export type { Explanation, RefusalReason, WorkerReason } from './balance/explain.js';
export { LoadBalancer, type AssignmentMetrics, type Distribution, type WorkerAssignments } from './balance/load-balancer.js';
export type { MigrationSuggestion, QueueItem } from './balance/migration.js';
export type { AffinityRule, LoadBalancerOptions, StrategyOptions, TaskHistoryEntry } from './balance/options.js';
export type { OverloadRecommendation, OverloadReport } from './balance/overload.js';
export type { Assigned } from './balance/queue.js';
export {
  WorkerRegistry,
  type AssignRefusalReason,
  type AssignResult,
  type RegisteredWorker,
  type ScaleResult,
  type WorkerHealth,
  type WorkerRegistration,
  type WorkerRegistryEvents,
  type WorkerRegistryOptions,
} from './balance/registry.js';
export {
  AdaptiveStrategy,
  BestScoreStrategy,
  BuiltInStrategy,
  CapabilityBasedStrategy,
  ConsistentHashStrategy,
  LeastLoadedStrategy,
  PeakEwmaStrategy,
  PerformanceBasedStrategy,
  PowerOfTwoStrategy,
  RandomStrategy,
  RoundRobinStrategy,
  ShortestExpectedDelayStrategy,
  type CustomStrategy,
} from './balance/strategies.js';
export type { AdaptiveWeights, StrategyName } from './balance/strategy-names.js';
export type {
  BalanceMetrics,
  BalanceTask,
  BalanceWorker,
  OfferNames,
  WorkerKey,
  WorkerScore,
  WorkerStatusName,
} from './balance/types.js';
export type { Cache, CacheOptions, CacheStats } from './cache.js';
export { QuillworkError, type QuillworkErrorCode } from './errors.js';
export * from './flow/index.js';
export { detectHardware, type DetectOptions } from './hardware/detect.js';
export { generateConfig } from './hardware/generate.js';
export type { HardwareConfig, HardwareExplanation, HardwareGpu, HardwarePower, HardwareProfile, HardwareSettings } from './hardware/types.js';
export type { PoolPressure, PoolResize, QueueLevel, TaskRetry, WorkerLost, WorkerRecycled } from './pool/events.js';
export type { ComputeInfo, ComputeReasonCode } from './compute/types.js';
export type { Binding, BindingOptions, ChoiceCandidate, ChoiceTask, CustomBinding } from './pool/binding.js';
export type { PoolStrategy } from './pool/strategy.js';
export type { WorkerOffer } from './pool/offers.js';
export type { RecycleOptions } from './pool/recycling.js';
export type { WarmUp, WorkerDevice } from './pool/pool.js';
export type { WorkerLike, WorkerSource } from './pool/spawn.js';
export type { TaskStream } from './pool/stream.js';
export type { CompiledModule, WasmSource } from './runtime/load.js';
export type { MapOptions } from './runtime/map.js';
export type { Recording, RecordOptions } from './runtime/recording.js';
export type { BudgetOptions, ResourceReading } from './runtime/resources.js';
export type { RuntimeOptions, RuntimeRetryOptions, WorkerRange } from './runtime/options.js';
export { createRuntime, type RunArguments, type Runtime, type RuntimeEventMap, type StreamArguments } from './runtime/runtime.js';
export type { PoolNumbers, PoolStats, Quantiles, TypeStats, WorkerState, WorkerStats } from './runtime/stats.js';
export type { RunOptions, StreamOptions, TaskOptions, TypeOptions } from './runtime/task-options.js';
export {
  defineTasks,
  type StreamName,
  type TaskContext,
  type TaskFunction,
  type TaskInput,
  type TaskItem,
  type TaskMap,
  type TaskName,
  type TaskProgress,
  type TaskResult,
  type TaskReturn,
  type UntypedTasks,
} from './tasks.js';
export { createTelemetry } from './telemetry/create.js';
export type { GpuTimer, TimedBuffer, TimedDevice, TimedEncoder } from './telemetry/gpu-timer.js';
export type { LinkStatus } from './telemetry/link.js';
export type { Counter, Gauge, Histogram, MetricOptions } from './telemetry/metric-book.js';
export type { Readings } from './telemetry/observed.js';
export type { TelemetryConsent, TelemetryOptions } from './telemetry/options.js';
export type {
  CustomMetric,
  Dropped,
  ErrorRecord,
  LongAnimationFrames,
  MetricSketch,
  PageErrors,
  SlowScript,
  SpanRecord,
  Tags,
  WebVital,
} from './telemetry/signals.js';
export type { Span, SpanOptions } from './telemetry/span-book.js';
export type { Telemetry } from './telemetry/telemetry.js';
export type { CacheSample, Latency, LongTasks, PageBatch, PageSample, PageSource, PoolSample, TaskTypeRuns } from './telemetry/wire.js';
