//! The guides in `docs/`, so that their examples are compiled and run with the tests.

#[doc = include_str!("../../docs/pool/scheduling.md")]
struct PoolScheduling;

#[doc = include_str!("../../docs/pool/binding.md")]
struct Binding;

#[doc = include_str!("../../docs/pool/registry.md")]
struct Registry;

#[doc = include_str!("../../docs/pool/elastic-size.md")]
struct ElasticSize;

#[doc = include_str!("../../docs/pool/statistics.md")]
struct PoolStatistics;

#[doc = include_str!("../../docs/pool/recording.md")]
struct Recording;

#[doc = include_str!("../../docs/hardware.md")]
struct Hardware;

#[doc = include_str!("../../docs/memory-pool.md")]
struct MemoryPool;

#[doc = include_str!("../../docs/profiler.md")]
struct Profiler;

#[doc = include_str!("../../docs/insights.md")]
struct Insights;

#[doc = include_str!("../../docs/flow/debounce-and-throttle.md")]
struct DebounceAndThrottle;

#[doc = include_str!("../../docs/flow/rate-limit.md")]
struct RateLimit;

#[doc = include_str!("../../docs/flow/circuit-breaker.md")]
struct CircuitBreaker;

#[doc = include_str!("../../docs/flow/adaptive-concurrency.md")]
struct AdaptiveConcurrency;

#[doc = include_str!("../../docs/flow/throttled-execution.md")]
struct ThrottledExecution;

#[doc = include_str!("../../docs/flow/retry.md")]
struct Retry;

#[doc = include_str!("../../docs/flow/batch.md")]
struct Batch;

#[doc = include_str!("../../docs/flow/bulkhead.md")]
struct Bulkhead;

#[doc = include_str!("../../docs/flow/timeout-and-hedge.md")]
struct TimeoutAndHedge;

#[doc = include_str!("../../docs/flow/composition.md")]
struct Composition;

#[doc = include_str!("../../docs/balance/health-of-a-fleet.md")]
struct HealthOfAFleet;

#[doc = include_str!("../../docs/balance/overload-and-migration.md")]
struct OverloadAndMigration;

#[doc = include_str!("../../docs/balance/choosing.md")]
struct Choosing;

#[doc = include_str!("../../docs/balance/score.md")]
struct Score;

#[doc = include_str!("../../docs/balance/strategies.md")]
struct Strategies;

#[doc = include_str!("../../docs/balance/adaptive.md")]
struct Adaptive;
