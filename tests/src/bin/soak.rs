//! Runs simulated pools from ever new seeds: `soak FIRST_SEED HOW_MANY`. Stops at the first whose promises are broken, or
//! whose recording decides differently when it is replayed, and says how to repeat it.

use std::env;
use std::process::ExitCode;

use quillwork_sim::{Scenario, run};

fn main() -> ExitCode {
    let numbers: Vec<u64> = env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let [first, count] = numbers[..] else {
        eprintln!("usage: soak FIRST_SEED HOW_MANY");
        return ExitCode::FAILURE;
    };
    let mut tasks = 0;
    for seed in (0..count).map(|step| first.wrapping_add(step)) {
        let report = run(seed, &Scenario::from_seed(seed));
        tasks += report.counters.submitted;
        if !report.violations.is_empty() || report.recording.replay() != Ok(report.digest) {
            eprintln!("seed {seed}: {:?}, replayed {:?}", report.violations, report.recording.replay());
            eprintln!("to repeat it: cargo run -p quillwork-tests --bin soak -- {seed} 1");
            return ExitCode::FAILURE;
        }
    }
    println!("{count} pools from seed {first}: {tasks} tasks, every promise kept");
    ExitCode::SUCCESS
}
