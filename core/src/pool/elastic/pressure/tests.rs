//! Measures are taken at their thresholds, lifted well below, and end with the readings.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::time::Duration;

const WORKERS: u32 = 8;

fn pressure() -> Pressure {
    Pressure::new(ResourceBudgets::default(), WORKERS)
}

fn secs(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

fn memory(per_cent: u32) -> Resources {
    Resources { memory: Some(PerMille::per_cent(per_cent)), cpu: None }
}

fn cpu(per_cent: u32) -> Resources {
    Resources { memory: None, cpu: Some(PerMille::per_cent(per_cent)) }
}

fn drain(pressure: &mut Pressure) -> Vec<Action> {
    core::iter::from_fn(|| pressure.poll_output()).map(|(action, _)| action).collect()
}

fn level(level: u8) -> Priority {
    Priority::new(level).unwrap()
}

#[test]
fn memory_climbs_the_ladder_and_comes_down_it_in_reverse() {
    let mut pressure = pressure();
    pressure.handle_resources(secs(0), memory(60), WORKERS);
    assert_eq!(drain(&mut pressure), [Action::Warn]);
    pressure.handle_resources(secs(1), memory(90), WORKERS);
    let shed = Action::Shed { below: level(1) };
    assert_eq!(drain(&mut pressure), [Action::ShrinkCaches, Action::StopGrowth, shed]);
    assert!(!pressure.may_grow() && !pressure.may_prefetch());

    for second in 2..5 {
        pressure.handle_resources(secs(second), memory(30), WORKERS);
        assert_eq!(drain(&mut pressure), [], "a good reading is not enough");
    }
    pressure.handle_resources(secs(5), memory(30), WORKERS);
    let lifted = [Action::StopShedding, Action::ResumeGrowth, Action::RestoreCaches, Action::EndWarning];
    assert_eq!(drain(&mut pressure), lifted);
    assert!(pressure.may_grow() && pressure.may_prefetch() && pressure.shed_below().is_none());
}

#[test]
fn within_the_margin_a_measure_stays() {
    let mut pressure = pressure();
    pressure.handle_resources(secs(0), memory(70), WORKERS);
    drain(&mut pressure);
    for second in 1..100 {
        // Around the threshold, never 5 % below it.
        pressure.handle_resources(secs(second), memory(66 + u32::try_from(second % 5).unwrap()), WORKERS);
        assert_eq!(drain(&mut pressure), []);
    }
}

#[test]
fn shedding_goes_up_level_by_level_and_spares_what_is_urgent() {
    let mut pressure = pressure();
    let mut shed = Vec::new();
    for half_second in 0..60 {
        pressure.handle_resources(Instant::from_millis(500 * half_second), memory(95), WORKERS);
        shed.extend(drain(&mut pressure).into_iter().filter_map(|action| match action {
            Action::Shed { below } => Some(below.level()),
            _ => None,
        }));
    }
    assert_eq!(shed, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(pressure.is_urgent(level(8)) && !pressure.is_urgent(level(7)));
}

#[test]
fn a_busy_machine_shrinks_the_pool_to_one_worker_and_no_further() {
    let mut pressure = pressure();
    let mut limits = Vec::new();
    for second in 0..60 {
        let workers = pressure.worker_limit().unwrap_or(WORKERS);
        pressure.handle_resources(secs(second), cpu(100), workers);
        limits.extend(drain(&mut pressure));
    }
    let to = |to| Action::LimitWorkers { to, holds_below: level(8) };
    assert_eq!(limits, [6, 5, 4, 3, 2, 1].map(to));
}

#[test]
fn a_short_peak_of_the_cpu_does_nothing() {
    let mut pressure = pressure();
    for second in 0..100 {
        pressure.handle_resources(secs(second), cpu(if second % 3 == 2 { 20 } else { 99 }), WORKERS);
        assert_eq!(drain(&mut pressure), []);
    }
}

#[test]
fn unknown_takes_no_action_and_lifts_what_was_taken() {
    let mut pressure = pressure();
    let both = Resources { memory: Some(PerMille::per_cent(99)), cpu: Some(PerMille::per_cent(99)) };
    for second in 0..5 {
        pressure.handle_resources(secs(second), both, WORKERS);
    }
    assert_eq!(pressure.worker_limit(), Some(6));
    drain(&mut pressure);
    // The feed dies.
    assert_eq!(pressure.next_deadline(), Some(secs(14)));
    pressure.handle_deadline(secs(13));
    assert_eq!(drain(&mut pressure), []);
    pressure.handle_deadline(secs(14));
    let taken = drain(&mut pressure);
    assert_eq!(taken.last(), Some(&Action::LiftLimit));
    assert!(taken.contains(&Action::StopShedding) && taken.contains(&Action::EndWarning));
    assert_eq!((pressure.next_deadline(), pressure.may_grow()), (None, true));
}

/// One worker more costs 25 % of the CPU, more than the margin: whatever the limit, it is wrong.
#[test]
fn a_pool_that_swings_swings_slower_each_time() {
    let mut pressure = pressure();
    let mut raised = Vec::new();
    for second in 0..3_600 {
        let workers = pressure.worker_limit().unwrap_or(WORKERS).min(4);
        pressure.handle_resources(secs(second), cpu(25 * workers - 5), workers);
        for action in drain(&mut pressure) {
            if matches!(action, Action::LimitWorkers { to: 3, .. } | Action::LiftLimit) {
                raised.push(second);
            }
        }
    }
    let gaps: Vec<u64> = raised.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.len() >= 4 && gaps.is_sorted(), "{gaps:?}");
    assert!(*gaps.last().unwrap() >= 16 * 3, "{gaps:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 2) })]

    /// Any readings: what is taken is lifted exactly once, in order, and never more often than the times to settle allow.
    #[test]
    fn measures_are_paired_and_rare(readings in prop::collection::vec(
        (0_u64..4_000, prop::option::of(0_u32..1_200), prop::option::of(0_u32..1_200)), 1..300,
    )) {
        let mut pressure = pressure();
        let mut now = secs(100);
        let (mut warned, mut shrunk, mut stopped, mut shed) = (false, false, false, false);
        let mut limited = WORKERS;
        let mut warned_at = None;
        for (pause, memory, cpu) in readings {
            now += Duration::from_millis(pause);
            pressure.handle_deadline(now);
            let resources = Resources { memory: memory.map(PerMille::new), cpu: cpu.map(PerMille::new) };
            pressure.handle_resources(now, resources, limited);
            while let Some((action, reason)) = pressure.poll_output() {
                let (flag, to) = match action {
                    Action::Warn => {
                        warned_at = Some(now);
                        (&mut warned, true)
                    }
                    Action::EndWarning => {
                        if let Reason::Memory { .. } = reason {
                            prop_assert!(warned_at.is_some_and(|at| now - at >= Duration::from_secs(3)));
                        }
                        (&mut warned, false)
                    }
                    Action::ShrinkCaches => (&mut shrunk, true),
                    Action::RestoreCaches => (&mut shrunk, false),
                    Action::StopGrowth => (&mut stopped, true),
                    Action::ResumeGrowth => (&mut stopped, false),
                    Action::Shed { below } => {
                        prop_assert!(!pressure.is_urgent(below) || below.level() == 8);
                        shed = true;
                        continue;
                    }
                    Action::StopShedding => (&mut shed, false),
                    Action::LimitWorkers { to, .. } => {
                        prop_assert!((1..WORKERS).contains(&to) && to != limited);
                        limited = to;
                        continue;
                    }
                    Action::LiftLimit => {
                        limited = WORKERS;
                        continue;
                    }
                };
                prop_assert_ne!(*flag, to, "{:?} twice", action);
                *flag = to;
            }
            prop_assert!(!stopped || shrunk && warned);
            prop_assert!(!shed || stopped);
        }
    }
}
