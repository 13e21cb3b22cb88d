//! `cargo xtask soak`: randomised tests with ever new seeds, for as long as asked.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::Args;

use crate::console::clock;
use crate::job::Job;
use crate::workspace::Workspace;

pub(crate) const EXAMPLES: &str = "Examples:\n  cargo xtask soak --minutes 60\n  \
    cargo xtask soak --minutes 5 --seed 42    repeat a round that failed";

/// Cases of each property that does not fix their number itself.
const CASES: u32 = 2_000;
/// Packages whose tests draw from a seed.
const PACKAGES: [&str; 3] = ["quillwork-sim", "quillwork-core", "quillwork-store"];

/// Flags of `cargo xtask soak`.
#[derive(Args)]
pub(crate) struct Options {
    /// How long to go on; a round that has begun is finished
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Seed of the first round; each later one adds 500. Without it, the time of day
    #[arg(long)]
    seed: Option<u64>,
}

/// Simulated pools of a round.
const POOLS: u64 = 500;
/// A round that takes longer hangs.
const ROUND_LIMIT: Duration = Duration::from_secs(2 * 3600);

/// Runs rounds until the time is up or one fails.
pub(crate) fn soak(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is set before 1970")?;
    let mut seed = options.seed.unwrap_or(now.as_secs());
    let limit = Duration::from_secs(options.minutes * 60);
    let started = Instant::now();
    let mut rounds = 0;
    while rounds == 0 || started.elapsed() < limit {
        for job in [simulated_pools(workspace, seed), properties(workspace, seed)] {
            let finished = job.limit(ROUND_LIMIT).run(|_| ())?;
            if !finished.success {
                println!(
                    "{}\n\nTo repeat it: cargo xtask soak --minutes 0 --seed {seed}",
                    finished.complaint
                );
                return Ok(ExitCode::FAILURE);
            }
        }
        rounds += 1;
        seed = seed.wrapping_add(POOLS);
    }
    println!(
        "{rounds} {} passed in {}: {} simulated pools, every property.",
        if rounds == 1 { "round" } else { "rounds" },
        clock(started.elapsed()),
        rounds * POOLS
    );
    Ok(ExitCode::SUCCESS)
}

fn simulated_pools(workspace: &Workspace, seed: u64) -> Job {
    Job::new(workspace, &format!("{POOLS} simulated pools from seed {seed}"), "cargo")
        .args(["run", "--release", "--package", "quillwork-tests", "--bin", "soak", "--target-dir"])
        .args([workspace.target("")])
        .args(["--", &seed.to_string(), &POOLS.to_string()])
}

fn properties(workspace: &Workspace, seed: u64) -> Job {
    Job::new(workspace, &format!("properties with seed {seed}"), "cargo")
        .args(["test", "--release", "--lib", "--tests", "--target-dir"])
        .args([workspace.target("")])
        .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
        .env("PROPTEST_CASES", CASES.to_string())
        .env("PROPTEST_RNG_SEED", seed.to_string())
}
