//! Seeded scenarios whose decisions are compared between this machine and a browser.
//!
//! Each scenario drives a part of core as a shell would and folds every decision into a digest. Where two machines
//! differ in a single one (a float rounded otherwise, a map walked in another order), the digests differ.

mod alert;
mod balance;
mod cache;
mod clock;
mod fleet;
mod flow;
mod hardware;
mod pool;
mod random;
mod sketch;

use core::fmt::{Debug, Write};

use quillwork_core::digest::Digest;

use clock::Clock;

/// Seeds that every scenario is run from.
pub const SEEDS: [u64; 6] = [0, 1, 42, 2_026, 0xdead_beef, u64::MAX];

/// A run whose every decision follows from a seed.
pub struct Scenario {
    /// Names the part of core that decides.
    pub name: &'static str,
    /// Runs it and gives the digest of its decisions.
    pub run: fn(seed: u64) -> u64,
}

/// All scenarios.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "random numbers", run: random::digest },
    Scenario { name: "quantile sketch", run: sketch::digest },
    Scenario { name: "pool of failing workers", run: pool::scheduler::digest },
    Scenario { name: "cache", run: cache::digest },
    Scenario { name: "alerts", run: alert::digest },
    Scenario { name: "debounce and throttle", run: flow::debounce::digest },
    Scenario { name: "rate limits", run: flow::rate_limit::digest },
    Scenario { name: "throttled execution", run: flow::executor::digest },
    Scenario { name: "batches", run: flow::batch::digest },
    Scenario { name: "retries", run: flow::retry::digest },
    Scenario { name: "breakers", run: flow::breaker::digest },
    Scenario { name: "bulkhead", run: flow::bulkhead::digest },
    Scenario { name: "time-outs", run: flow::timeout::digest },
    Scenario { name: "hedges", run: flow::hedge::digest },
    Scenario { name: "adaptive concurrency", run: flow::adaptive_limit::digest },
    Scenario { name: "policy stack", run: flow::policy::digest },
    Scenario { name: "strategies of the load balancer", run: balance::strategies::digest },
    Scenario { name: "overload and migration", run: balance::overload::digest },
    Scenario { name: "reordered queue", run: balance::reorder::digest },
    Scenario { name: "settings from the hardware", run: hardware::config::digest },
    Scenario { name: "buffer pool", run: hardware::buffers::digest },
    Scenario { name: "run profiler", run: hardware::profiler::digest },
    Scenario { name: "worker registry", run: pool::registry::digest },
    Scenario { name: "elastic size and resource budgets", run: pool::elastic::digest },
    Scenario { name: "statistics of a pool", run: pool::statistics::digest },
    Scenario { name: "simulated fleets", run: fleet::digest },
];

/// Folds what a decision prints as into a digest.
struct Decisions(Digest);

impl Decisions {
    fn new() -> Self {
        Self(Digest::new())
    }

    fn record(&mut self, decision: &impl Debug) {
        write!(self, "{decision:?};").expect("folding can't fail");
    }

    /// Floats by their bits: what they print as would hide the last ones.
    fn record_f64(&mut self, number: Option<f64>) {
        self.record(&number.map(f64::to_bits));
    }

    fn digest(self) -> u64 {
        self.0.value()
    }
}

impl Write for Decisions {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.bytes().for_each(|byte| self.0.write_u8(byte));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_decides_the_same_and_another_otherwise() {
        for scenario in SCENARIOS {
            let digests: BTreeSet<_> = SEEDS.into_iter().map(scenario.run).collect();
            assert_eq!(digests.len(), SEEDS.len(), "{}: two seeds lead to the same decisions", scenario.name);
            assert!(
                digests.contains(&(scenario.run)(SEEDS[0])),
                "{}: a seed decides differently twice",
                scenario.name
            );
        }
    }
}
