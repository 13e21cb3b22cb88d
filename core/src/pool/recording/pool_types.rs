//! How the pool's types are coded. A new field or variant is added to its list here; a changed list is a new version of the
//! format.

use crate::balance::BuiltIn;
use crate::flow::retry::{Backoff, Jitter};
use crate::ids::{Generation, RegionId, TaskId, TaskType, WorkerId};

use super::super::{
    Action, Binding, Capabilities, CloseMode, ElasticConfig, HealthConfig, Input, Load, Offer, Output,
    Overflow, PerMille, PoolConfig, Priority, Reason, Refusal, ResizeReason, ResourceBudgets, RestConfig,
    Settlement, TaskOutcome, TaskSpec, TerminateReason, WorkerList,
};
use super::code::{Code, Decoder, Encoder, Stop, code_changes, code_enum, code_struct, unzigzag, zigzag};

code_struct!(PoolConfig {
    workers,
    max_queued,
    overflow,
    max_redeliveries,
    retry_backoff,
    max_delayed,
    seed,
    ageing,
    max_passed_over,
    prefetch,
    threshold,
    boot_timeout,
    max_boot_failures,
    lease,
    abort_grace,
    restart_delay,
    max_restart_delay,
    healthy_uptime,
    health,
    rest,
    binding,
    elastic,
    budgets,
});

code_enum!(Overflow {
    1 => Reject,
    2 => DropOldest,
    3 => DropLowestPriority,
    4 => Wait { max_waiting },
});

code_struct!(Backoff { base, cap, factor, jitter });

code_enum!(Jitter { 1 => None, 2 => Full, 3 => Decorrelated });

code_struct!(HealthConfig {
    min_outcomes,
    degraded_errors,
    suspect_errors,
    degraded_slowdown,
    suspect_slowdown,
    recovery,
    dwell,
    evidence_ttl,
});

code_enum!(Binding {
    1 => Late,
    2 => Early { strategy, steal_after },
    3 => Asked { answer_within, fallback, steal_after },
});

code_enum!(BuiltIn {
    1 => RoundRobin,
    2 => LeastLoaded,
    3 => CapabilityBased,
    4 => PerformanceBased,
    5 => BestScore,
    6 => Random,
    7 => PowerOfTwo,
    8 => PeakEwma,
    9 => ShortestExpectedDelay,
    10 => ConsistentHash,
    11 => Adaptive,
});

code_struct!(RestConfig { after_failures, longest });

code_struct!(ElasticConfig { min_workers, drain_within, standing_limit, idle_after, max_idle_after });

code_struct!(ResourceBudgets {
    warn_memory,
    shrink_memory,
    shed_memory,
    max_cpu,
    memory_margin,
    cpu_margin,
    settle,
    shed_step,
    stale_after,
    urgent,
});

code_changes!(TaskSpec in spec {
    task_type,
    priority,
    required,
    complexity,
    timeout,
    queue_ttl,
    redeliverable,
    max_attempts,
    affinity,
    region,
    patience,
    anti_affinity,
    avoid,
    key,
    type_limit,
});

code_struct!(Offer { capabilities, capacity, region });

code_enum!(Input {
    1 => Submit { task, spec },
    2 => Abort { task },
    3 => WorkerReady { worker, generation, offer },
    4 => WorkerAlive { worker, generation },
    5 => WorkerLost { worker, generation },
    6 => TaskDone { worker, generation, task, outcome },
    7 => Close { mode },
    8 => Deadline,
    9 => TaskReturned { worker, generation, task },
    10 => Resources { memory, cpu },
    11 => Progress { worker, generation, task },
    12 => StrategyAnswer { task, worker },
    13 => Recycle { worker, generation },
    14 => Pause,
    15 => Resume,
});

code_enum!(Output {
    1 => Spawn { worker, generation },
    2 => Terminate { worker, generation, reason },
    3 => Dispatch { task, worker, generation, attempt },
    4 => AbortRunning { task, worker, generation },
    5 => Probe { worker, generation },
    6 => Settle { task, settlement },
    7 => Closed,
    8 => TakeBack { task, worker, generation },
    9 => Resize { from, to, reason },
    10 => Pressure { action, reason },
    11 => Retry { task, after },
    12 => Parked { task },
    13 => Admitted { task },
    14 => Saturated { queued },
    15 => Drained { queued },
    16 => AskStrategy { task },
});

code_enum!(ResizeReason {
    1 => Queue { queued },
    2 => Stranded { tasks },
    3 => Saturated { standing },
    4 => Minimum,
    5 => Idle { unneeded },
    6 => Cpu { limit },
});

code_enum!(Action {
    1 => Warn,
    2 => EndWarning,
    3 => ShrinkCaches,
    4 => RestoreCaches,
    5 => StopGrowth,
    6 => ResumeGrowth,
    7 => Shed { below },
    8 => StopShedding,
    9 => LimitWorkers { to, holds_below },
    10 => LiftLimit,
});

code_enum!(Reason {
    1 => Memory { used, threshold },
    2 => Cpu { used, threshold },
    3 => MemoryUnknown,
    4 => CpuUnknown,
});

code_enum!(Settlement {
    1 => Completed,
    2 => Failed { attempts },
    3 => Aborted,
    4 => TimedOut,
    5 => Expired,
    6 => WorkerLost { attempts },
    7 => Refused(refusal),
    8 => Closed,
    9 => Dropped,
});

code_enum!(Refusal {
    1 => QueueFull { limit },
    2 => NoCapableWorker { missing },
    3 => TooLarge { largest },
    4 => WorkersUnavailable { failing },
    5 => Closing,
    6 => Shed { below },
    7 => TooManyWaiting { limit },
    8 => OnlyBannedWorkers { able },
});

code_enum!(TerminateReason {
    1 => Lost,
    2 => BootTimeout,
    3 => Silent,
    4 => IgnoredAbort,
    5 => Closing,
    6 => Retired,
    7 => Recycled,
});

code_enum!(TaskOutcome { 1 => Completed, 2 => Failed, 3 => FailedForGood });

code_enum!(CloseMode { 1 => Drain, 2 => Now });

/// As the difference to the one before: ids are counted up, and workers answer about recent ones.
impl Code for TaskId {
    fn encode(&self, to: &mut Encoder) {
        let change = self.get().wrapping_sub(to.context.task).cast_signed();
        to.context.task = self.get();
        zigzag(change).encode(to);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        let change = unzigzag(u64::decode(from)?).cast_unsigned();
        from.context.task = from.context.task.wrapping_add(change);
        Ok(Self::new(from.context.task))
    }
}

/// How many they are, and each.
impl Code for WorkerList {
    fn encode(&self, to: &mut Encoder) {
        let len = u8::try_from(self.len()).expect("a list is short");
        to.byte(len);
        self.iter().for_each(|worker| worker.encode(to));
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        let len = usize::from(from.byte()?);
        let mut workers = [WorkerId::new(0); Self::MOST];
        let workers = workers.get_mut(..len).ok_or_else(|| from.malformed())?;
        for worker in workers.iter_mut() {
            *worker = WorkerId::decode(from)?;
        }
        let list = Self::new(workers).map_err(|_| from.malformed())?;
        if list.len() == len { Ok(list) } else { Err(from.malformed()) }
    }
}

impl Code for Priority {
    fn encode(&self, to: &mut Encoder) {
        to.byte(self.level());
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        Self::new(from.byte()?).ok_or_else(|| from.malformed())
    }
}

/// Types around a number.
macro_rules! code_number {
    ($($type:ident: $number:ty as $get:ident, $new:ident;)+) => {
        $(impl Code for $type {
            fn encode(&self, to: &mut Encoder) {
                self.$get().encode(to);
            }

            fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
                <$number>::decode(from).map(Self::$new)
            }
        })+
    };
}

code_number! {
    WorkerId: u32 as get, new;
    RegionId: u32 as get, new;
    Generation: u32 as get, new;
    PerMille: u32 as get, new;
    TaskType: u32 as get, new;
    Load: u32 as get, new;
    Capabilities: u64 as bits, from_bits;
}
