//! One scenario at one load: everybody's response times on the same traffic.

use alloc::vec::Vec;

use quillwork_core::balance::{BalanceConfig, LoadBalancer};
use quillwork_core::pool::PoolConfig;
use quillwork_core::time::Duration;

use super::{Estimate, StudyScenario, mean};
use crate::fleet::{Binding, FleetScenario, simulate, simulate_early, strategy_names};

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrant {
    /// Early binding by the strategy of this name.
    Early(&'static str),
    /// Core's pool.
    Late,
    /// Core's pool with [`PoolConfig::threshold`] on.
    Threshold,
    /// The central-queue bound.
    CentralQueue,
    /// The bound that knows when workers will be free.
    Clairvoyant,
}

/// The name of the strategy whose regret the study measures.
pub const ADAPTIVE: &str = "adaptive";

impl Entrant {
    /// Everybody who is simulated: each strategy that a balancer has from the start, the pool, the bounds.
    #[must_use]
    pub fn all() -> Vec<Self> {
        strategy_names()
            .into_iter()
            .map(Self::Early)
            .chain([Self::Late, Self::Threshold, Self::CentralQueue, Self::Clairvoyant])
            .collect()
    }

    /// What tables call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Early(strategy) => strategy,
            Self::Late => "pool",
            Self::Threshold => "pool with threshold",
            Self::CentralQueue => "central queue",
            Self::Clairvoyant => "clairvoyant",
        }
    }

    /// Whether it is one of those that `adaptive` is compared with.
    #[must_use]
    pub fn is_fixed_strategy(self) -> bool {
        matches!(self, Self::Early(name) if name != ADAPTIVE)
    }
}

/// The 99th percentile of the response times of one run, in milliseconds.
///
/// # Panics
///
/// Where no balancer knows the strategy.
#[must_use]
pub fn p99_millis(entrant: Entrant, scenario: &FleetScenario, seed: u64) -> f64 {
    let report = match entrant {
        Entrant::Early(strategy) => {
            let config = BalanceConfig { strategy, ..BalanceConfig::default() };
            let mut balancer = LoadBalancer::new(config, seed).expect("the study knows the names");
            simulate_early(seed, scenario, &mut balancer)
        }
        Entrant::Late => simulate(seed, scenario, &Binding::Late(pool())),
        Entrant::Threshold => {
            simulate(seed, scenario, &Binding::Late(PoolConfig { threshold: true, ..pool() }))
        }
        Entrant::CentralQueue => simulate(seed, scenario, &Binding::CentralQueue),
        Entrant::Clairvoyant => simulate(seed, scenario, &Binding::Clairvoyant),
    };
    report.response.quantile(0.99).expect("a scenario has tasks")
}

/// A queue without bound, as the early binding's, and no time to clean up, which simulated tasks don't need; nothing else
/// differs from the defaults.
fn pool() -> PoolConfig {
    PoolConfig { max_queued: 1_000_000, abort_grace: Duration::ZERO, ..PoolConfig::default() }
}

/// A scenario at one load, and what came of it.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The scenario.
    pub scenario: StudyScenario,
    /// The load.
    pub load: f64,
    /// The 99th percentile in milliseconds of each seed, for each entrant.
    pub p99: Vec<(Entrant, Vec<f64>)>,
}

impl Cell {
    /// Nothing simulated yet.
    #[must_use]
    pub fn new(scenario: &StudyScenario, load: f64) -> Self {
        let mut scenario = scenario.clone();
        scenario.scenario.load = load;
        Self { scenario, load, p99: Vec::new() }
    }

    /// Of one entrant, by seed; empty where it wasn't simulated.
    #[must_use]
    pub fn of(&self, entrant: Entrant) -> &[f64] {
        self.p99.iter().find(|(of, _)| *of == entrant).map_or(&[], |(_, values)| values)
    }

    /// The fixed strategy with the lowest mean.
    #[must_use]
    pub fn best_fixed(&self) -> Option<Entrant> {
        let fixed = self.p99.iter().filter(|(entrant, _)| entrant.is_fixed_strategy());
        fixed.min_by(|(_, one), (_, other)| mean(one).total_cmp(&mean(other))).map(|(entrant, _)| *entrant)
    }

    /// How much higher the mean of `adaptive` is than that of the best fixed strategy, as a ratio; below 0 where it is lower.
    #[must_use]
    pub fn regret(&self) -> Option<Estimate> {
        let best = self.best_fixed()?;
        Some(Estimate::of_excess(self.of(Entrant::Early(ADAPTIVE)), self.of(best)))
    }

    /// How much higher the mean of one entrant is than that of another, as a ratio.
    #[must_use]
    pub fn excess(&self, of: Entrant, over: Entrant) -> Estimate {
        Estimate::of_excess(self.of(of), self.of(over))
    }
}

/// What the study asks for: see [`Verdict`].
pub const MEAN_REGRET_AIM: f64 = 0.05;
/// In the worst scenario.
pub const WORST_REGRET_AIM: f64 = 0.15;
/// Of the pool over the central-queue bound.
pub const LATE_EXCESS_AIM: f64 = 0.10;

/// The regrets of several scenarios together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// How many.
    pub cells: usize,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub worst: f64,
}

impl Verdict {
    /// Of numbers, at least one.
    #[must_use]
    pub fn of(regrets: &[f64]) -> Self {
        let worst = regrets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { cells: regrets.len(), mean: mean(regrets), worst }
    }

    /// Whether both aims are met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.mean <= MEAN_REGRET_AIM && self.worst <= WORST_REGRET_AIM
    }
}
