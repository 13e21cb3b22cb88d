//! Prints what each scenario decides from each seed, a line for each: its number, its name, the seed, the digest.

use quillwork_tests::digests::{SCENARIOS, SEEDS};

fn main() {
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        for seed in SEEDS {
            println!("{number}\t{}\t{seed}\t{:016x}", scenario.name, (scenario.run)(seed));
        }
    }
}
