//! Overload and migration: what is recommended to a fleet that is given more than it can do.

use quillwork_core::balance::{BalanceConfig, LoadBalancer, OverloadConfig};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use super::life::Life;
use crate::digests::Decisions;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut decisions = Decisions::new();
    let overload = OverloadConfig {
        wait: Duration::from_millis(60),
        dwell: Duration::from_millis(50),
        stall: Duration::from_millis(600),
        ..OverloadConfig::default()
    };
    let config = BalanceConfig { overload, strategy: "random", ..BalanceConfig::default() };
    let mut balancer = LoadBalancer::new(config, seed).expect("the settings make sense");
    let mut life = Life::new(Rng::from_seed(seed));
    for _ in 0..6 {
        let now = life.tick();
        life.join(now, &mut balancer);
    }
    let (mut help, mut moves) = (Vec::new(), Vec::new());
    for _ in 0..1_200 {
        let now = life.tick();
        if life.rng.chance(0.03) {
            life.disturb(now, &mut balancer, &mut decisions);
        } else {
            life.work(now, &mut balancer, &mut decisions);
        }
        let overload = balancer.detect_overload(now, &mut help);
        decisions.record_f64(Some(overload.fleet_pressure));
        decisions.record(&(overload, &help, balancer.next_overload_change()));
        balancer.suggest_migration(now, &mut moves);
        decisions.record(&moves);
    }
    decisions.digest()
}
