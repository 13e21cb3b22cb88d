//! A small version of the study: what `docs/evaluation.md` claims must not rot. Everything is seeded, so it passes always or
//! never.

use quillwork_sim::study::{ADAPTIVE, Cell, Entrant, Verdict, p99_millis, page, scenarios};

const SEEDS: u64 = 2;

/// The fixed strategies that come first or second in these scenarios; the others would only take time.
const CONTENDERS: [&str; 4] = ["least-loaded", "shortest-expected-delay", "peak-ewma", "power-of-two"];

/// One scenario of each kind, with fewer tasks.
fn cells() -> Vec<Cell> {
    let chosen = ["two speeds", "slow", "failing, flapping", "black hole"];
    let all = scenarios();
    let chosen = all.iter().filter(|scenario| chosen.contains(&scenario.scenario.name.as_str()));
    chosen
        .map(|scenario| {
            let mut cell = Cell::new(scenario, 0.7);
            cell.scenario.scenario.warm_up = 3_000;
            cell.scenario.scenario.count = 9_000;
            cell
        })
        .collect()
}

#[test]
fn mixing_strategies_costs_little_beside_the_best_of_them() {
    let mut cells = cells();
    assert_eq!(cells.len(), 4);
    for cell in &mut cells {
        for entrant in CONTENDERS.into_iter().chain([ADAPTIVE]).map(Entrant::Early) {
            let values = (1..=SEEDS).map(|seed| p99_millis(entrant, &cell.scenario.scenario, seed)).collect();
            cell.p99.push((entrant, values));
        }
    }
    let regrets: Vec<f64> =
        cells.iter().map(|cell| cell.regret().expect("all were simulated").mean).collect();
    let verdict = Verdict::of(&regrets);
    assert!(verdict.is_met(), "{verdict:?}: {regrets:?}");
    // Nobody is always the best, or there would be nothing to learn.
    let mut best: Vec<&str> = cells.iter().filter_map(|cell| Some(cell.best_fixed()?.name())).collect();
    best.sort_unstable();
    best.dedup();
    assert!(best.len() > 1, "{best:?}");
    assert!(page(&cells, SEEDS).contains("## Regret of `adaptive`"));
}
