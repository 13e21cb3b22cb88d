//! The alert engine with the rules that ship: samples that wander over the thresholds, and sources that fall silent.

use quillwork_core::alert::{Condition, Engine, Rule, default_rules};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use super::Decisions;

/// The length of the scenario: half an hour of samples, one a second from each source.
const SECONDS: u32 = 1_800;
const PAGES: [&str; 3] = ["p1", "p2", "p3"];

pub(super) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let rules = default_rules();
    let watched: Vec<(String, f64)> = rules.iter().filter_map(value_and_threshold).collect();
    // How far each series of each page is from its threshold: a walk, so that it stays beyond for a while.
    let mut walks = vec![0.8; watched.len() * PAGES.len()];
    let mut engine = Engine::new(rules, 1_000).expect("the rules that ship are right");
    let mut decisions = Decisions::new();
    let mut now = Instant::from_millis(0);
    for _ in 0..SECONDS {
        now += Duration::from_secs(1);
        if engine.next_deadline().is_some_and(|deadline| deadline <= now) {
            engine.handle_deadline(now);
        }
        let samples = PAGES.iter().flat_map(|page| watched.iter().map(move |series| (page, series)));
        for ((page, (name, threshold)), walk) in samples.zip(&mut walks) {
            *walk = (*walk + 0.1 * (rng.unit_f64() - 0.5_f64)).clamp(0.5, 1.5);
            let sample = rng.chance(0.97).then_some(threshold * *walk);
            let count = 20 + rng.below(1_000);
            decisions.record(&engine.observe(now, name, &[("source", page)], sample, count));
        }
        if rng.chance(0.01) {
            let at = usize::try_from(rng.below(PAGES.len() as u64)).expect("there are three");
            engine.remove(now, "source", PAGES[at]);
        }
        while let Some(transition) = engine.poll_output() {
            decisions.record(&transition);
        }
    }
    engine.statuses().for_each(|status| decisions.record(&status));
    engine.budgets(now).for_each(|budget| decisions.record(&budget));
    decisions.record(&engine.save());
    decisions.digest()
}

fn value_and_threshold(rule: &Rule) -> Option<(String, f64)> {
    match &rule.condition {
        Condition::Value(of) | Condition::TimeToReach { of, .. } | Condition::Sum { of, .. } => {
            Some((of.name.clone(), rule.warning.or(rule.critical)?.threshold))
        }
        Condition::Ratio { total, .. } => Some((total.name.clone(), 300.0)),
        _ => None,
    }
}
