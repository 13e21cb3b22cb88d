//! The alert engine with the rules that ship: samples that wander over the thresholds, and sources that fall silent.

use quillwork_core::alert::{Engine, SubjectId, budget_rules};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use super::Decisions;

/// The length of the scenario: half an hour of samples, one a second from each source.
const SECONDS: u32 = 1_800;
const PAGES: u64 = 3;

pub(super) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let rules = budget_rules();
    let mut metrics: Vec<_> =
        rules.iter().map(|rule| (rule.metric.clone(), rule.warning.threshold)).collect();
    metrics.dedup_by(|a, b| a.0 == b.0);
    // How far each metric of each page is from its threshold: a walk, so that it stays beyond for a while.
    let mut walks = vec![0.8; metrics.len() * usize::try_from(PAGES).expect("there are three")];
    let mut engine = Engine::new(rules, 1_000).expect("the rules that ship are right");
    let mut decisions = Decisions::new();
    let mut now = Instant::from_millis(0);
    for _ in 0..SECONDS {
        now += Duration::from_secs(1);
        if engine.next_deadline().is_some_and(|deadline| deadline <= now) {
            engine.handle_deadline(now);
        }
        let sources = (0..PAGES)
            .map(SubjectId::new)
            .flat_map(|subject| metrics.iter().map(move |metric| (subject, metric)));
        for ((subject, (name, threshold)), walk) in sources.zip(&mut walks) {
            *walk = (*walk + 0.1 * (rng.unit_f64() - 0.5_f64)).clamp(0.5, 1.5);
            let sample = rng.chance(0.97).then_some(threshold * *walk);
            let metric = engine.metric(name).expect("a rule watches it");
            decisions.record(&engine.observe_counted(now, subject, metric, sample, 20 + rng.below(1_000)));
        }
        if rng.chance(0.01) {
            engine.remove_subject(now, SubjectId::new(rng.below(PAGES)));
        }
        while let Some(transition) = engine.poll_output() {
            decisions.record(&transition);
        }
    }
    engine.statuses().for_each(|status| decisions.record(&status));
    decisions.digest()
}
