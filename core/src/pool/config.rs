//! Settings of a pool, and what is wrong with them.

use core::error::Error;
use core::fmt;

use crate::flow::executor::Overflow;
use crate::flow::retry::{Backoff, BackoffError};
use crate::say::{Say, displayed, say};
use crate::time::Duration;

use super::{
    Binding, ElasticConfig, ElasticConfigError, HealthConfig, HealthConfigError, Load, ResourceBudgets,
    ResourceBudgetsError, RestConfig, RestConfigError,
};

/// Settings of a pool. The defaults suit a page: tasks of milliseconds to seconds, workers that boot in tens of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoolConfig {
    /// How many workers the pool keeps alive, or the most where its size follows its work ([`PoolConfig::elastic`]): 1 to [`PoolConfig::MAX_WORKERS`]. Default 4.
    pub workers: u32,
    /// How many tasks may wait, at most [`PoolConfig::MAX_QUEUED`]; a task that a free worker takes at once doesn't wait.
    /// Tasks that are queued again after a worker was lost, or for another attempt, were admitted once and are not turned
    /// away: the queue may exceed this by what the workers hold and [`PoolConfig::max_delayed`]. Default 10,000.
    pub max_queued: u32,
    /// What happens to one waiting task too many. Default [`Overflow::Reject`].
    pub overflow: Overflow,
    /// How often a task is given to a further worker after one was lost with it. This bounds what a task that kills its
    /// workers can do. Default 2: three executions at most.
    pub max_redeliveries: u32,
    /// The wait before a task that failed is tried again, where it may be
    /// ([`TaskSpec::max_attempts`](super::TaskSpec::max_attempts)). Default: full jitter below 100 ms, doubled for each
    /// further failure up to 10 s.
    pub retry_backoff: Backoff,
    /// How many tasks may wait for another attempt at a time, at most [`PoolConfig::MAX_QUEUED`]. One more settles as failed.
    /// Default 10,000.
    pub max_delayed: u32,
    /// What the jitter of retries is drawn from. Give each pool another one: pools that fail together with equal seeds also
    /// come back together. Default 0.
    pub seed: u64,
    /// The waiting time that is worth one level of priority: 1 ms to 1 h. Default 1 s: a task of the lowest priority goes
    /// before fresh tasks of the highest after 10 s.
    pub ageing: Duration,
    /// How long a queued task may be passed over by smaller ones because no worker has room for it. Then a worker keeps
    /// its room for it. Longer favours throughput, shorter favours large tasks. Without meaning where all tasks are of
    /// complexity 1. Default 100 ms.
    pub max_passed_over: Duration,
    /// How much a full worker may be given ahead of its time: tasks that together make at most so much measured run time,
    /// by the moving average of their type, so that it goes on without a way to the page and back in between. What has
    /// not started is taken back for a worker that has nothing to do. Zero, the default, is off; 1 ms suits tasks of
    /// microseconds. At most [`PoolConfig::MAX_PREFETCH`].
    pub prefetch: Duration,
    /// Whether a slow worker stays idle where a task can be expected to end sooner on a faster one that isn't free yet: see
    /// `docs/pool/scheduling.md`. Pays where some workers are several times as slow as others with the
    /// same tasks. Default `false`: no worker is idle beside a task that it could run.
    pub threshold: bool,
    /// How long a worker may take from its spawn to its ready message. Default 10 s.
    pub boot_timeout: Duration,
    /// How often in a row a worker may fail to become ready before the pool stops counting on it. It is still tried again,
    /// at the longest back-off. Tasks that no other worker could run are refused meanwhile. Default 3.
    pub max_boot_failures: u32,
    /// How long a worker may be silent, or `None` to never ask. After half of it the worker is sent a probe; if nothing
    /// comes from it for the other half it is given up. Counting from the probe keeps workers alive that were silent
    /// because the whole machine slept. A task that blocks its worker's event loop for longer is taken for dead: such
    /// tasks need a longer lease. Default 30 s.
    pub lease: Option<Duration>,
    /// How long a task that was asked to abort may clean up before its worker is terminated. Default 1 s.
    pub abort_grace: Duration,
    /// The wait before a worker is replaced that was lost twice in a row; doubled for each further loss. The first
    /// replacement is immediate. Default 100 ms.
    pub restart_delay: Duration,
    /// The longest wait before a worker is replaced. Default 10 s.
    pub max_restart_delay: Duration,
    /// A worker that was ready for so long before it was lost counts as lost for the first time, as does one that has completed a task.
    /// Default 5 s.
    pub healthy_uptime: Duration,
    /// When a worker counts as degraded or suspect. Only told, in [`WorkerStats`](super::WorkerStats): a free worker gets
    /// the next task all the same.
    pub health: HealthConfig,
    /// When a worker rests that fails again and again while others don't.
    pub rest: RestConfig,
    /// When a task is given its worker. Default [`Binding::Late`].
    pub binding: Binding,
    /// How the number of workers follows the work, up to [`PoolConfig::workers`]. By default it doesn't.
    pub elastic: ElasticConfig,
    /// From which use of memory and CPU the pool takes care. Without effect where no reading is fed.
    pub budgets: ResourceBudgets,
}

impl PoolConfig {
    /// The most workers that a pool may have.
    pub const MAX_WORKERS: u32 = 1_024;
    /// The largest capacity of a worker.
    pub const MAX_CAPACITY: Load = Load::new(1_024);
    /// The most that a worker may be given ahead.
    pub const MAX_PREFETCH: Duration = Duration::from_secs(1);
    /// The longest queue.
    pub const MAX_QUEUED: u32 = 1 << 24;

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.workers == 0 || self.workers > Self::MAX_WORKERS {
            return Err(ConfigError::Workers { asked: self.workers });
        }
        if self.max_queued > Self::MAX_QUEUED {
            return Err(ConfigError::MaxQueued { asked: self.max_queued });
        }
        if let Overflow::Wait { max_waiting: asked } = self.overflow
            && asked > Self::MAX_QUEUED
        {
            return Err(ConfigError::MaxWaiting { asked });
        }
        if self.max_delayed > Self::MAX_QUEUED {
            return Err(ConfigError::MaxDelayed { asked: self.max_delayed });
        }
        self.retry_backoff.validate().map_err(ConfigError::RetryBackoff)?;
        if self.ageing < Duration::from_millis(1) || self.ageing > Duration::from_secs(3_600) {
            return Err(ConfigError::Ageing { asked: self.ageing });
        }
        if self.prefetch > Self::MAX_PREFETCH {
            return Err(ConfigError::Prefetch { asked: self.prefetch });
        }
        if self.boot_timeout.is_zero() {
            return Err(ConfigError::BootTimeout);
        }
        if self.max_boot_failures == 0 {
            return Err(ConfigError::MaxBootFailures);
        }
        if self.lease.is_some_and(|lease| lease < Duration::from_millis(2)) {
            return Err(ConfigError::Lease);
        }
        if self.max_restart_delay < self.restart_delay {
            return Err(ConfigError::RestartDelay {
                first: self.restart_delay,
                longest: self.max_restart_delay,
            });
        }
        self.health.validate().map_err(ConfigError::Health)?;
        self.rest.validate().map_err(ConfigError::Rest)?;
        if self.binding != Binding::Late && !cfg!(feature = "binding") {
            return Err(ConfigError::BindingLeftOut);
        }
        if matches!(self.binding, Binding::Asked { answer_within: Duration::ZERO, .. }) {
            return Err(ConfigError::AnswerWithin);
        }
        self.elastic.validate(self.workers).map_err(ConfigError::Elastic)?;
        self.budgets.validate().map_err(ConfigError::Budgets)
    }
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            workers: 4,
            max_queued: 10_000,
            overflow: Overflow::Reject,
            max_redeliveries: 2,
            retry_backoff: Backoff::default(),
            max_delayed: 10_000,
            seed: 0,
            ageing: Duration::from_secs(1),
            max_passed_over: Duration::from_millis(100),
            prefetch: Duration::ZERO,
            threshold: false,
            boot_timeout: Duration::from_secs(10),
            max_boot_failures: 3,
            lease: Some(Duration::from_secs(30)),
            abort_grace: Duration::from_secs(1),
            restart_delay: Duration::from_millis(100),
            max_restart_delay: Duration::from_secs(10),
            healthy_uptime: Duration::from_secs(5),
            health: HealthConfig::default(),
            rest: RestConfig::default(),
            binding: Binding::Late,
            elastic: ElasticConfig::default(),
            budgets: ResourceBudgets::default(),
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not 1 to [`PoolConfig::MAX_WORKERS`] workers.
    Workers {
        /// What was asked for.
        asked: u32,
    },
    /// A longer queue than [`PoolConfig::MAX_QUEUED`].
    MaxQueued {
        /// What was asked for.
        asked: u32,
    },
    /// More tasks outside a full queue than [`PoolConfig::MAX_QUEUED`].
    MaxWaiting {
        /// What was asked for.
        asked: u32,
    },
    /// More tasks between two attempts than [`PoolConfig::MAX_QUEUED`].
    MaxDelayed {
        /// What was asked for.
        asked: u32,
    },
    /// [`PoolConfig::retry_backoff`].
    RetryBackoff(BackoffError),
    /// Ageing outside 1 ms to 1 h.
    Ageing {
        /// What was asked for.
        asked: Duration,
    },
    /// More given ahead than [`PoolConfig::MAX_PREFETCH`].
    Prefetch {
        /// What was asked for.
        asked: Duration,
    },
    /// No time to boot.
    BootTimeout,
    /// No worker would ever be counted on.
    MaxBootFailures,
    /// A lease under 2 ms.
    Lease,
    /// The longest restart delay is shorter than the first.
    RestartDelay {
        /// [`PoolConfig::restart_delay`].
        first: Duration,
        /// [`PoolConfig::max_restart_delay`].
        longest: Duration,
    },
    /// A setting of [`PoolConfig::health`].
    Health(HealthConfigError),
    /// A setting of [`PoolConfig::rest`].
    Rest(RestConfigError),
    /// Early binding in a build without the feature `binding`.
    BindingLeftOut,
    /// No time for an asked strategy to answer.
    AnswerWithin,
    /// A setting of [`PoolConfig::elastic`].
    Elastic(ElasticConfigError),
    /// A setting of [`PoolConfig::budgets`].
    Budgets(ResourceBudgetsError),
}

impl Say for ConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Workers { asked } => {
                say!(to, "a pool has 1 to ", PoolConfig::MAX_WORKERS, " workers, not ", asked)
            }
            Self::MaxQueued { asked } => {
                say!(to, "a queue holds at most ", PoolConfig::MAX_QUEUED, " tasks, not ", asked)
            }
            Self::MaxWaiting { asked } => {
                say!(to, "at most ", PoolConfig::MAX_QUEUED, " tasks wait outside a full queue, not ", asked)
            }
            Self::MaxDelayed { asked } => {
                say!(to, "at most ", PoolConfig::MAX_QUEUED, " tasks wait for another attempt, not ", asked)
            }
            Self::RetryBackoff(error) => error.say(to),
            Self::Ageing { asked } => {
                say!(to, "ageing is 1 ms to 1 h for a level of priority, not ", asked)
            }
            Self::Prefetch { asked } => {
                say!(to, "workers are given at most ", PoolConfig::MAX_PREFETCH, " of work ahead, not ", asked, "; tasks that long gain nothing by it")
            }
            Self::BootTimeout => {
                to.write_str("workers need some time to boot: set a boot time-out above zero")
            }
            Self::MaxBootFailures => to.write_str("a worker needs at least one try to boot: set 1 or more"),
            Self::Lease => {
                to.write_str("a lease is at least 2 ms; leave it out to never ask workers for a sign of life")
            }
            Self::RestartDelay { first, longest } => {
                say!(to, "the longest restart delay (", longest, ") is shorter than the first (", first, ")")
            }
            Self::Health(error) => error.say(to),
            Self::Rest(error) => error.say(to),
            Self::BindingLeftOut => {
                to.write_str("this build binds late only: turn the feature `binding` of quillwork-core on")
            }
            Self::AnswerWithin => to.write_str(
                "an asked strategy needs some time to answer: set it above zero, or bind early by a built-in one",
            ),
            Self::Elastic(error) => error.say(to),
            Self::Budgets(error) => error.say(to),
        }
    }
}

displayed!(ConfigError);

impl Error for ConfigError {}
