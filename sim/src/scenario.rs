//! What a run is made of.

use alloc::vec;
use alloc::vec::Vec;

use quillwork_core::balance::BuiltIn;
use quillwork_core::flow::retry::{Backoff, Jitter};
use quillwork_core::ids::{RegionId, TaskType};
use quillwork_core::pool::{
    Binding, Capabilities, ElasticConfig, Load, Offer, Overflow, PoolConfig, RestConfig,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

/// A pool, its work and its bad luck.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The pool's settings.
    pub pool: PoolConfig,
    /// What the worker in each place offers; places past the end are [`Offer::PLAIN`].
    pub offers: Vec<Offer>,
    /// The tasks.
    pub workload: Workload,
    /// What goes wrong.
    pub faults: Faults,
    /// The readings that are fed, if any.
    pub machine: Option<Machine>,
    /// How late timers fire on average.
    pub mean_timer_lag: Duration,
    /// How long the pool may drain after the last task came before it is closed at once.
    pub drain_limit: Duration,
    /// A run with more steps than this is given up and reported as [`Broken::TooManySteps`](crate::Broken).
    pub max_steps: u64,
}

/// Tasks that arrive whether or not the pool keeps up (open loop, Poisson).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// How many tasks.
    pub tasks: u32,
    /// Mean time between two of them.
    pub mean_gap: Duration,
    /// Mean time that a healthy worker takes for one; exponentially distributed. A third of the tasks take a fifth of it.
    pub mean_service: Duration,
    /// Share that needs one of the capabilities that some place has.
    pub specialist_ratio: f64,
    /// Share that needs a capability that nobody has.
    pub impossible_ratio: f64,
    /// Share with a complexity of 1 to 8 load units; the rest has 1.
    pub heavy_ratio: f64,
    /// Share with a time-out, of four times the mean service on average.
    pub timeout_ratio: f64,
    /// Share with a queue TTL, of four times the mean service on average.
    pub queue_ttl_ratio: f64,
    /// Share that is aborted by its submitter, after twice the mean service on average.
    pub abort_ratio: f64,
    /// Share that may not be redelivered.
    pub once_only_ratio: f64,
    /// Share that has 2 to 5 attempts; the rest has one.
    pub retry_ratio: f64,
    /// Share that prefers 1 to 3 workers, and share that prefers a region. Half of either waits for them, for twice the mean
    /// service on average.
    pub affinity_ratio: f64,
    /// See [`Workload::affinity_ratio`].
    pub region_ratio: f64,
    /// Share that bans 1 to 3 workers.
    pub ban_ratio: f64,
    /// Share that keeps off 1 to 3 workers from the start.
    pub avoid_ratio: f64,
    /// Share of executions that report progress once, some of them when they are over.
    pub progress_ratio: f64,
    /// Share of failures that would be the same again.
    pub for_good_ratio: f64,
    /// How many tasks of each of the three types may be at workers; 0 for any number.
    pub type_limits: [u32; 3],
    /// Share of the tasks with which the pool is paused, for twice the mean service on average.
    pub pause_ratio: f64,
}

impl Workload {
    /// Of the three types one takes a fifth of the time of the others.
    pub(crate) fn mean_service_of(&self, task_type: TaskType) -> Duration {
        if task_type == TaskType::new(0) {
            Duration::from_nanos(self.mean_service.as_nanos() / 5)
        } else {
            self.mean_service
        }
    }
}

/// A machine whose memory and CPU others use, too: each walks at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// How often it is read.
    pub every: Duration,
    /// By how much, at most, a ratio differs from the one before, twice.
    pub volatility: f64,
    /// Share of readings that fail.
    pub unknown: f64,
}

/// Probabilities of what goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// A worker takes about its whole boot time-out to become ready.
    pub slow_boot: f64,
    /// A worker never becomes ready and never says why.
    pub no_boot: f64,
    /// A worker reports an error instead of ready.
    pub failed_boot: f64,
    /// A task throws.
    pub throw: f64,
    /// A task never ends, while its worker still answers probes.
    pub hang: f64,
    /// A worker crashes in the middle of a task and the shell hears of it.
    pub crash: f64,
    /// A worker dies in the middle of a task and nobody hears of it.
    pub silent_death: f64,
    /// A worker dies some time after it became ready, heard or unheard, whatever it is doing.
    pub early_death: f64,
    /// A worker goes on with a task that it was asked to abort.
    pub ignored_abort: f64,
    /// What a terminated worker was about to say still arrives.
    pub late_message: f64,
    /// A result arrives twice.
    pub repeated_message: f64,
    /// A worker reports later on that it lost its capabilities and half of its capacity.
    pub lost_capability: f64,
    /// The clock is a little behind where it was.
    pub clock_set_back: f64,
}

impl Faults {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything goes wrong now and then.
    #[must_use]
    pub const fn all(probability: f64) -> Self {
        Self {
            slow_boot: probability,
            no_boot: probability,
            failed_boot: probability,
            throw: probability,
            hang: probability,
            crash: probability,
            silent_death: probability,
            early_death: probability,
            ignored_abort: probability,
            late_message: probability,
            repeated_message: probability,
            lost_capability: probability,
            clock_set_back: probability,
        }
    }
}

impl Scenario {
    /// Workers that never fail, at two thirds of what they can do.
    #[must_use]
    pub fn calm() -> Self {
        let pool = PoolConfig::default();
        Self {
            pool,
            offers: vec![GPU.into()],
            workload: Workload {
                tasks: 400,
                mean_gap: Duration::from_millis(5),
                mean_service: Duration::from_micros(13_300),
                specialist_ratio: 0.05,
                impossible_ratio: 0.0,
                heavy_ratio: 0.0,
                timeout_ratio: 0.0,
                queue_ttl_ratio: 0.0,
                abort_ratio: 0.0,
                once_only_ratio: 0.0,
                retry_ratio: 0.0,
                affinity_ratio: 0.0,
                region_ratio: 0.0,
                ban_ratio: 0.0,
                avoid_ratio: 0.0,
                progress_ratio: 0.0,
                for_good_ratio: 0.0,
                type_limits: [0; 3],
                pause_ratio: 0.0,
            },
            faults: Faults::none(),
            machine: None,
            mean_timer_lag: Duration::ZERO,
            drain_limit: Duration::from_secs(60),
            max_steps: 100_000,
        }
    }

    /// A scenario that follows from a seed: from calm to storm, from a single worker to a dozen, idle to overloaded.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::from_seed(seed);
        let workers = 1 + rng.below(12);
        let lease = rng.chance(0.7).then(|| millis(&mut rng, 200, 4_000));
        let mut pool = PoolConfig {
            workers: small(workers),
            max_queued: small([0, 1, 10, 60, 500][rng.index(5)]),
            max_redeliveries: small(rng.below(4)),
            ageing: millis(&mut rng, 1, 500),
            max_passed_over: millis(&mut rng, 0, 200),
            prefetch: Duration::ZERO,
            boot_timeout: millis(&mut rng, 60, 1_000),
            max_boot_failures: small(1 + rng.below(4)),
            lease,
            abort_grace: millis(&mut rng, 0, 300),
            restart_delay: millis(&mut rng, 0, 200),
            max_restart_delay: millis(&mut rng, 200, 2_000),
            healthy_uptime: millis(&mut rng, 0, 3_000),
            ..PoolConfig::default()
        };
        if rng.chance(0.7) {
            pool.rest = RestConfig { after_failures: small(rng.below(4)), longest: millis(&mut rng, 1, 500) };
        }
        let widest = if rng.chance(0.5) { 1 } else { 8 };
        let offers = (0..workers)
            .map(|_| Offer {
                capabilities: Capabilities::from_bits([0, 0, 0b01, 0b10, 0b11][rng.index(5)]),
                capacity: Load::new(small(rng.in_range(1..=widest))),
                region: rng.chance(0.5).then(|| RegionId::new(small(rng.below(2)))),
            })
            .collect();
        let mean_gap = millis(&mut rng, 1, 20);
        // From a fifth of what the workers can do to three times.
        let load = 0.2 + 2.8 * rng.unit_f64();
        let mut workload = Workload {
            tasks: 20 + small(rng.below(180)),
            mean_gap,
            mean_service: Duration::from_millis_f64(mean_gap.as_millis_f64() * workers as f64 * load),
            specialist_ratio: ratio(&mut rng, 0.5),
            impossible_ratio: ratio(&mut rng, 0.1),
            heavy_ratio: if widest > 1 { ratio(&mut rng, 0.6) } else { ratio(&mut rng, 0.02) },
            timeout_ratio: ratio(&mut rng, 1.0),
            queue_ttl_ratio: ratio(&mut rng, 1.0),
            abort_ratio: ratio(&mut rng, 0.4),
            once_only_ratio: ratio(&mut rng, 0.5),
            retry_ratio: ratio(&mut rng, 1.0),
            affinity_ratio: ratio(&mut rng, 0.6),
            region_ratio: ratio(&mut rng, 0.4),
            ban_ratio: ratio(&mut rng, 0.3),
            avoid_ratio: ratio(&mut rng, 0.2),
            progress_ratio: ratio(&mut rng, 0.5),
            for_good_ratio: 0.0,
            type_limits: [0; 3],
            pause_ratio: 0.0,
        };
        let mut fault = || ratio(&mut rng, 0.25);
        let faults = Faults {
            slow_boot: fault(),
            no_boot: fault(),
            failed_boot: fault(),
            throw: fault(),
            hang: fault(),
            crash: fault(),
            silent_death: fault(),
            early_death: fault(),
            ignored_abort: 2.0 * fault(),
            late_message: 4.0 * fault(),
            repeated_message: fault(),
            lost_capability: fault(),
            clock_set_back: fault(),
        };
        if rng.chance(0.5) {
            // From a fraction of one task to a dozen.
            let horizon = workload.mean_service.as_millis_f64() * 6.0 * rng.unit_f64();
            pool.prefetch = Duration::from_millis_f64(horizon).min(PoolConfig::MAX_PREFETCH);
        }
        let mean_timer_lag = if rng.chance(0.5) { Duration::ZERO } else { millis(&mut rng, 1, 100) };
        let drain_limit = millis(&mut rng, 100, 20_000);
        if rng.chance(0.5) {
            pool.elastic = ElasticConfig {
                min_workers: Some(small(rng.in_range(1..=workers))),
                drain_within: millis(&mut rng, 1, 200),
                standing_limit: millis(&mut rng, 1, 500),
                idle_after: millis(&mut rng, 1, 1_000),
                max_idle_after: millis(&mut rng, 1_000, 10_000),
            };
        }
        pool.overflow = match rng.below(6) {
            0 | 1 => Overflow::Reject,
            2 => Overflow::DropOldest,
            3 => Overflow::DropLowestPriority,
            _ => Overflow::Wait { max_waiting: small([0, 1, 5, 50][rng.index(4)]) },
        };
        pool.retry_backoff = Backoff {
            base: millis(&mut rng, 1, 100),
            cap: millis(&mut rng, 100, 1_000),
            factor: 1.0 + 2.0 * rng.unit_f64(),
            jitter: [Jitter::None, Jitter::Full, Jitter::Decorrelated][rng.index(3)],
        };
        pool.max_delayed = small([0, 1, 5, 1_000][rng.index(4)]);
        pool.seed = rng.next_u64();
        let machine = rng.chance(0.4).then(|| {
            let every = millis(&mut rng, 10, 500);
            pool.budgets.settle = every * rng.in_range(1..=4);
            pool.budgets.shed_step = every * rng.in_range(0..=4);
            pool.budgets.stale_after = pool.budgets.settle * rng.in_range(1..=3);
            Machine { every, volatility: 0.5 * rng.unit_f64(), unknown: ratio(&mut rng, 0.2) }
        });
        if rng.chance(0.4) {
            let steal_after = if rng.chance(0.5) { Duration::ZERO } else { millis(&mut rng, 1, 200) };
            let strategy = BuiltIn::ALL[rng.index(BuiltIn::ALL.len())];
            pool.binding = if rng.chance(0.5) {
                Binding::Early { strategy, steal_after }
            } else {
                let answer_within = millis(&mut rng, 1, 50);
                Binding::Asked { answer_within, fallback: strategy, steal_after }
            };
        }
        workload.for_good_ratio = ratio(&mut rng, 0.5);
        if rng.chance(0.5) {
            workload.type_limits = [(); 3].map(|()| small(rng.below(4)));
        }
        workload.pause_ratio = ratio(&mut rng, 0.05);
        Self { pool, offers, workload, faults, machine, mean_timer_lag, drain_limit, max_steps: 200_000 }
    }

    /// What the worker in this place offers.
    pub(crate) fn offer_of(&self, place: usize) -> Offer {
        self.offers.get(place).copied().unwrap_or_default()
    }
}

/// The capability of the first place in [`Scenario::calm`].
const GPU: Capabilities = Capabilities::from_bits(0b01);

/// Half of the time nothing, else up to the most.
fn ratio(rng: &mut Rng, most: f64) -> f64 {
    if rng.chance(0.5) { 0.0 } else { most * rng.unit_f64() }
}

fn millis(rng: &mut Rng, least: u64, most: u64) -> Duration {
    Duration::from_millis(rng.in_range(least..=most))
}

fn small(number: u64) -> u32 {
    u32::try_from(number).expect("scenarios draw small numbers")
}
