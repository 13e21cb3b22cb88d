//! Hedges: calls with a long tail, hedged after a fixed time and after a quantile of what was measured.

use quillwork_core::flow::hedge::{Hedge, HedgeConfig, HedgeDecision, HedgeDelay, Hedger};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::Decisions;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let quantile = HedgeDelay::Quantile { q: 0.93, min_samples: 30, at_least: Duration::from_micros(300) };
    for delay in [HedgeDelay::Fixed(Duration::from_millis(30)), quantile] {
        live(delay, &mut rng, &mut decisions);
    }
    decisions.digest()
}

fn live(delay: HedgeDelay, rng: &mut Rng, decisions: &mut Decisions) {
    let mut now = Instant::from_secs(5);
    let config = HedgeConfig { delay, max_hedges: 3, ..HedgeConfig::default() };
    let mut hedger = Hedger::new(config, now).expect("the settings make sense");
    for _ in 0..700 {
        now += Duration::from_millis_f64(rng.exponential(40.0));
        let mut call = Hedge::new(&mut hedger, now);
        loop {
            let mean = if rng.chance(0.1) { 300.0 } else { 10.0 };
            let ends = now + Duration::from_millis_f64(rng.exponential(mean));
            if let Some(hedge_at) = call.next_deadline().filter(|&at| at < ends) {
                now = now.max(hedge_at);
                decisions.record(&(hedge_at, call.handle_deadline(now, &mut hedger)));
                continue;
            }
            now = ends;
            let runs: Vec<_> = call.in_flight().iter().collect();
            let attempt = runs[rng.index(runs.len())];
            let decision = match rng.below(30) {
                0 => {
                    decisions.record(&call.handle_abort(&mut hedger));
                    break;
                }
                1..5 => call.handle_failure(attempt, &mut hedger),
                _ => call.handle_success(now, attempt, &mut hedger),
            };
            decisions.record(&decision);
            if decision != HedgeDecision::Wait {
                break;
            }
        }
        decisions.record(&(hedger.delay(now), hedger.metrics()));
    }
}
