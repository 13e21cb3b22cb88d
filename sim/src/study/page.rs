//! The page about the study.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{
    ADAPTIVE, ATTEMPTS, Cell, Entrant, Estimate, LATE_EXCESS_AIM, LOADS, MEAN, MEAN_REGRET_AIM, MEASURED,
    TIMEOUT, Verdict, WARM_UP, WORST_REGRET_AIM,
};

/// The whole page in Markdown.
#[must_use]
pub fn page(cells: &[Cell], seeds: u64) -> String {
    let mut page = String::from("# Evaluation of the balancing strategies\n\n");
    page += "This page is written by `cargo xtask evaluate`. It simulates everything in virtual time from fixed seeds, so it\n\
             comes out the same on every machine; the scenarios are in `sim/src/study/scenarios.rs`.\n\n";
    page += "## Result\n\n";
    for line in summary(cells).lines() {
        page += &format!("* {line}\n");
    }
    page += &method(seeds);
    page += &scenario_table(cells);
    for load in LOADS {
        page += &p99_table(cells, load);
    }
    page += &regret_table(cells);
    page += &late_table(cells);
    page
}

/// Whether the aims are met, one statement to a line.
#[must_use]
pub fn summary(cells: &[Cell]) -> String {
    let mut lines = String::new();
    let groups =
        [("all scenarios", None), ("those used for tuning", Some(false)), ("those held out", Some(true))];
    for (name, held_out) in groups {
        let of_group =
            cells.iter().filter(|cell| held_out.is_none_or(|held_out| cell.scenario.held_out == held_out));
        let regrets: Vec<f64> = of_group.filter_map(|cell| Some(cell.regret()?.mean)).collect();
        if regrets.iter().any(|regret| regret.is_nan()) || regrets.is_empty() {
            continue;
        }
        let verdict = Verdict::of(&regrets);
        lines += &format!(
            "Regret of `{ADAPTIVE}` over {name} ({} rows): {} in the mean, {} in the worst; aims {} and {}: {}.\n",
            verdict.cells,
            per_cent(verdict.mean),
            per_cent(verdict.worst),
            per_cent(MEAN_REGRET_AIM),
            per_cent(WORST_REGRET_AIM),
            if verdict.is_met() { "met" } else { "not met" },
        );
    }
    let pairs = [
        (Entrant::Late, Entrant::CentralQueue),
        (Entrant::Late, Entrant::Clairvoyant),
        (Entrant::Threshold, Entrant::CentralQueue),
        (Entrant::Threshold, Entrant::Clairvoyant),
    ];
    for (of, bound) in pairs {
        let excesses = cells.iter().map(|cell| cell.excess(of, bound).mean);
        let excesses: Vec<f64> = excesses.filter(|excess| !excess.is_nan()).collect();
        if excesses.is_empty() {
            continue;
        }
        let within = excesses.iter().filter(|excess| **excess <= LATE_EXCESS_AIM).count();
        let verdict = match (pairs[0] == (of, bound), within == excesses.len()) {
            (true, true) => "; aim all: met",
            (true, false) => "; aim all: not met",
            (false, _) => ", which is no aim",
        };
        lines += &format!(
            "Late binding ({}) is within {} of the {} bound in {within} of {} rows{verdict}.\n",
            of.name(),
            per_cent(LATE_EXCESS_AIM),
            bound.name(),
            excesses.len(),
        );
    }
    lines
}

fn method(seeds: u64) -> String {
    format!(
        "\n## What is simulated\n\n\
         * Tasks come at random times whatever the workers do (open loop), {WARM_UP} for warm-up, which are left out, and then\n  \
           {MEASURED} that count. Their mean service time is {mean:?} on a worker of speed 1. Load is the work that comes\n  \
           over the work that the fleet can do, the time lost to its faults subtracted.\n\
         * Early binding: a balancer gives each task to a worker's own queue (first in, first out, one at a time) when it\n  \
           comes. It hears when tasks start and end and when a worker crashes, and nothing else. Late binding: the pool\n  \
           keeps tasks in one queue until a worker has room. Its settings are the defaults, but for a queue without bound and an\n  \
           abort grace of zero: simulated tasks have nothing to clean up. *With threshold* is the same with\n  \
           `PoolConfig::threshold` on.\n\
         * The central-queue bound is one queue, first come, first served, whose dispatcher knows at every moment how fast each\n  \
           worker is and whether it fails everything. It keeps no worker idle that could run a waiting task, and of the free ones\n  \
           it takes the fastest (fastest server first). The clairvoyant bound is the same queue with a dispatcher that knows\n  \
           besides when what runs will end: it leaves a slow worker idle where a task is expected to end sooner on one that\n  \
           isn't free yet. No real dispatcher knows what either knows. The aim is stated against the first.\n\
         * Response time counts from a task's arrival until its result, also where that took several attempts. A failed\n  \
           attempt, one lost with a crashed worker, and one without an answer {timeout:?} after it was given to a worker\n  \
           (in the pool: after its start) is repeated at once, up to {ATTEMPTS} attempts, on a worker that it has\n  \
           not failed on while there is one. In the bounds it keeps its place in the queue; in the pool too, but for time-outs,\n  \
           after which the submitter hands the task in anew.\n  \
           A task without any good answer counts with what it took, at least {timeout:?}. So failing fast costs time as\n  \
           slowness does.\n\
         * {seeds} seeds. Within a seed, tasks, their times and their service times are the same for everybody. Figures are means\n  \
           over the seeds of each run's 99th percentile, with the half-width of their 95 % confidence intervals (Student's\n  \
           t); for regrets that of the ratio of paired means.\n\
         * Regret is the mean p99 of `{ADAPTIVE}` over that of the best fixed strategy of the same row, minus 1. The best is\n  \
           chosen afterwards, row by row: nobody could have known it.\n\
         * Strategies and learning rates were tuned on the scenarios marked *tuning* only, and on black holes of 2.5 to 6 s in\n  \
           one and two of 8 workers that aren't in the table. The third marked *held out* was chosen before; nothing was tuned\n  \
           on it. The results of all of it but *black holes, bimodal* were seen before this table was made: that *black hole,\n  \
           flapping* had the highest regret is why there are tuning scenarios in which workers return from a black hole.\n",
        mean = MEAN,
        timeout = TIMEOUT,
    )
}

fn scenario_table(cells: &[Cell]) -> String {
    let mut table = String::from("\n| scenario | used for | what happens |\n|---|---|---|\n");
    let mut last = None;
    for cell in cells {
        let scenario = &cell.scenario;
        if last.replace(&scenario.scenario.name) != Some(&scenario.scenario.name) {
            let used = if scenario.held_out { "held out" } else { "tuning" };
            table += &format!("| {} | {used} | {} |\n", scenario.scenario.name, scenario.about);
        }
    }
    table
}

fn p99_table(cells: &[Cell], load: f64) -> String {
    let early: Vec<Entrant> =
        entrants(cells).into_iter().filter(|entrant| matches!(entrant, Entrant::Early(_))).collect();
    let mut table = format!(
        "\n## 99th percentile of response time at {} load, in ms\n\nEarly binding. The best fixed strategy of each row is bold.\n\n| scenario |",
        per_cent(load)
    );
    early.iter().for_each(|entrant| table += &format!(" {} |", entrant.name()));
    table += "\n|---|";
    early.iter().for_each(|_| table += "---|");
    table += "\n";
    for cell in cells.iter().filter(|cell| is_at(cell, load)) {
        table += &format!("| {} |", cell.scenario.scenario.name);
        let best = cell.best_fixed();
        for &entrant in &early {
            let millis = millis(Estimate::of_mean(cell.of(entrant)));
            table += &if best == Some(entrant) { format!(" **{millis}** |") } else { format!(" {millis} |") };
        }
        table += "\n";
    }
    table
}

fn regret_table(cells: &[Cell]) -> String {
    let mut table = format!(
        "\n## Regret of `{ADAPTIVE}`\n\n| scenario | used for | load | best fixed strategy | regret |\n|---|---|---|---|---|\n"
    );
    for cell in cells {
        let (Some(best), Some(regret)) = (cell.best_fixed(), cell.regret()) else { continue };
        table += &format!(
            "| {} | {} | {} | {} | {} |\n",
            cell.scenario.scenario.name,
            if cell.scenario.held_out { "held out" } else { "tuning" },
            per_cent(cell.load),
            best.name(),
            ratio(regret),
        );
    }
    table
}

fn late_table(cells: &[Cell]) -> String {
    let mut table = String::from(
        "\n## Late binding beside the bounds\n\n\
         | scenario | used for | load | central queue, ms | pool, ms | over central queue | clairvoyant, ms | over clairvoyant | pool with threshold, ms | over clairvoyant |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for cell in cells {
        let p99 = |entrant| millis(Estimate::of_mean(cell.of(entrant)));
        let excess = |of, over| ratio(cell.excess(of, over));
        table += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            cell.scenario.scenario.name,
            if cell.scenario.held_out { "held out" } else { "tuning" },
            per_cent(cell.load),
            p99(Entrant::CentralQueue),
            p99(Entrant::Late),
            excess(Entrant::Late, Entrant::CentralQueue),
            p99(Entrant::Clairvoyant),
            excess(Entrant::Late, Entrant::Clairvoyant),
            p99(Entrant::Threshold),
            excess(Entrant::Threshold, Entrant::Clairvoyant),
        );
    }
    table
}

fn entrants(cells: &[Cell]) -> Vec<Entrant> {
    cells.first().map_or_else(Vec::new, |cell| cell.p99.iter().map(|(entrant, _)| *entrant).collect())
}

fn is_at(cell: &Cell, load: f64) -> bool {
    (cell.load - load).abs() < 1e-9
}

fn millis(estimate: Estimate) -> String {
    format!("{:.1} ± {:.1}", estimate.mean, estimate.half_width)
}

fn ratio(estimate: Estimate) -> String {
    format!("{:+.1} % ± {:.1}", estimate.mean * 100.0, estimate.half_width * 100.0)
}

fn per_cent(ratio: f64) -> String {
    let text = format!("{:.1}", ratio * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}
