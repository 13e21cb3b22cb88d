//! Settings of a balancer from floats. What is not a number has its default.

use quillwork_core::balance::{
    BalanceConfig, ConfigError, HealthConfig, HistoryRule, MigrationConfig, OverloadConfig, ReorderConfig,
    ScoreWeights,
};
use quillwork_core::time::Duration;

/// So many settings there are: seed; strategy; half-life of evidence, assumed duration (ms); failure penalty; sticky slack; the
/// weights of capacity, performance, affinity, reliability; overload: enter, leave, of the fleet enter, leave, wait, dwell,
/// stall (ms); migration: bytes per second, cold start (ms), margin, least gain (ms), largest share, limit, outage
/// (ms); reordering: most overtaken, window, ageing (ms), short first; history: least success ratio, least runs; whether failing
/// workers are ejected.
pub(crate) const SETTINGS: usize = 31;

/// The strategy of this number: the order in which the package lists them.
#[must_use]
pub(crate) fn strategy_name(number: u32) -> Option<&'static str> {
    const NAMES: [&str; 11] = [
        "round-robin",
        "least-loaded",
        "capability-based",
        "performance-based",
        "best-score",
        "random",
        "power-of-two",
        "peak-ewma",
        "shortest-expected-delay",
        "consistent-hash",
        "adaptive",
    ];
    NAMES.get(number as usize).copied()
}

/// What random strategies begin with.
#[must_use]
pub(crate) fn seed(settings: &[f64; SETTINGS]) -> u64 {
    whole(settings[0], 0.0)
}

/// The configuration. It is checked where a balancer is made of it.
///
/// # Errors
///
/// A strategy that there is none of.
pub(crate) fn config(settings: &[f64; SETTINGS]) -> Result<BalanceConfig, ConfigError> {
    let defaults = BalanceConfig::default();
    let (score, overload) = (ScoreWeights::DEFAULT, OverloadConfig::default());
    let (migration, reorder) = (MigrationConfig::default(), ReorderConfig::default());
    let [
        _,
        strategy,
        half_life,
        assumed,
        penalty,
        slack,
        capacity,
        performance,
        affinity,
        reliability,
        enter,
        leave,
        fleet_enter,
        fleet_leave,
        wait,
        dwell,
        stall,
        rate,
        cold,
        margin,
        gain,
        share,
        limit,
        outage,
        overtaken,
        window,
        ageing,
        short,
        ratio,
        runs,
        ejects,
    ] = *settings;
    let number = small(strategy, 1);
    Ok(BalanceConfig {
        strategy: strategy_name(number).ok_or(ConfigError::UnknownStrategy { name: "?" })?,
        evidence_half_life: time(half_life, defaults.evidence_half_life),
        assumed_duration: time(assumed, defaults.assumed_duration),
        failure_penalty: number_or(penalty, defaults.failure_penalty),
        sticky_slack: number_or(slack, defaults.sticky_slack),
        score: ScoreWeights {
            capacity: number_or(capacity, score.capacity),
            performance: number_or(performance, score.performance),
            affinity: number_or(affinity, score.affinity),
            reliability: number_or(reliability, score.reliability),
        },
        overload: OverloadConfig {
            enter: number_or(enter, overload.enter),
            leave: number_or(leave, overload.leave),
            fleet_enter: number_or(fleet_enter, overload.fleet_enter),
            fleet_leave: number_or(fleet_leave, overload.fleet_leave),
            wait: time(wait, overload.wait),
            // Whoever hands the workers over now and then would never stay past a level otherwise.
            dwell: time(dwell, Duration::ZERO),
            stall: time(stall, overload.stall),
        },
        migration: MigrationConfig {
            bytes_per_second: whole(rate, migration.bytes_per_second as f64),
            cold_start: time(cold, migration.cold_start),
            margin: number_or(margin, migration.margin),
            min_gain: time(gain, migration.min_gain),
            max_share: number_or(share, migration.max_share),
            limit: small(limit, migration.limit),
            outage: time(outage, migration.outage),
        },
        reorder: ReorderConfig {
            max_overtaken: small(overtaken, reorder.max_overtaken),
            window: small(window, reorder.window),
            ageing: time(ageing, reorder.ageing),
            short_first: number_or(short, reorder.short_first),
        },
        history_rule: (!ratio.is_nan() || !runs.is_nan()).then(|| {
            let default = HistoryRule::default();
            HistoryRule {
                min_success_ratio: number_or(ratio, default.min_success_ratio),
                min_runs: number_or(runs, default.min_runs),
            }
        }),
        health: if ejects > 0.0 {
            HealthConfig { slow_start: None, ..HealthConfig::on() }
        } else {
            HealthConfig::default()
        },
        ..defaults
    })
}

fn number_or(setting: f64, default: f64) -> f64 {
    if setting.is_nan() { default } else { setting }
}

fn time(setting: f64, default: Duration) -> Duration {
    if setting.is_nan() { default } else { Duration::from_millis_f64(setting) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn whole(setting: f64, default: f64) -> u64 {
    number_or(setting, default) as u64
}

fn small(setting: f64, default: u32) -> u32 {
    u32::try_from(whole(setting, f64::from(default))).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quillwork_core::balance::LoadBalancer;
    use quillwork_core::balance::adaptive::Adaptive;
    use quillwork_core::ids::TaskType;

    use super::*;

    #[test]
    fn the_strategies_are_cores_in_their_order() {
        let balancer = LoadBalancer::new(BalanceConfig::default(), 1).unwrap();
        let known: Vec<_> = (0..).map_while(strategy_name).collect();
        assert_eq!(known, balancer.strategy_names().collect::<Vec<_>>());
    }

    #[test]
    fn adaptive_mixes_what_the_package_lists() {
        let weights: Vec<_> = Adaptive::default().weights(TaskType::new(0)).map(|(name, _)| name).collect();
        let listed =
            ["shortest-expected-delay", "least-loaded", "peak-ewma", "performance-based", "capability-based"];
        assert_eq!(weights, listed);
    }

    #[test]
    fn what_is_not_given_is_cores_default_but_for_the_dwell_time() {
        let default = BalanceConfig::default();
        let expected = BalanceConfig {
            overload: OverloadConfig { dwell: Duration::ZERO, ..default.overload },
            ..default
        };
        assert_eq!(config(&[f64::NAN; SETTINGS]), Ok(expected));
        assert_eq!(expected.validate(), Ok(()));
    }

    #[test]
    fn numbers_out_of_range_are_refused_and_never_trap() {
        for wrong in [f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
            for place in 1..SETTINGS {
                let mut settings = [f64::NAN; SETTINGS];
                settings[place] = wrong;
                if let Ok(config) = config(&settings) {
                    let _ = LoadBalancer::new(config, 1);
                }
            }
        }
    }
}
