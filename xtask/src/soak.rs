//! `cargo xtask soak`: simulations, property tests and fuzz targets with ever new seeds, for as long as asked.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::console::clock;
use crate::job::Job;
use crate::workspace::Workspace;

pub(crate) const EXAMPLES: &str = "Examples:\n  cargo xtask soak --minutes 60\n  \
    cargo xtask soak --minutes 5 --seed 42    repeat a round that failed\n  \
    cargo xtask soak --minutes 0 --only properties --cases 100000\n\n\
    A simulation that breaks a promise names its seed and the command that repeats it alone. A property that fails\n\
    prints the smallest case that was found, and fails again with the round's seed and as many cases. An input that a\n\
    parser fails on comes with the command that repeats it alone.";

/// How often the process that writes history is killed in a round.
const KILLS: u32 = 1_000;

/// Seconds of each fuzz target in a round.
const FUZZ_SECONDS: u32 = 60;

/// Packages whose tests draw from a seed.
const PACKAGES: [&str; 3] = ["quillwork-sim", "quillwork-core", "quillwork-store"];

/// Flags of `cargo xtask soak`.
#[derive(Args)]
pub(crate) struct Options {
    /// How long to go on; a round that has begun is finished
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Seed of the first round; each later one adds 20,000. Without it, the time of day
    #[arg(long)]
    seed: Option<u64>,
    /// Cases of each property, as `PROPTEST_CASES` in the tests: 256 are usual, and properties that ask for a part or a
    /// multiple of the usual number keep to it
    #[arg(long, default_value_t = 2_000)]
    cases: u32,
    /// Run only this part; may be given more than once
    #[arg(long, value_enum)]
    only: Vec<Part>,
}

/// What a round consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The scheduler over pools whose workers fail in every way; each life is recorded and replayed
    Pools,
    /// Fleets under every strategy, the pool and the bound
    Fleets,
    /// The scenarios whose decisions are compared between machines
    Decisions,
    /// The property tests of the packages that decide and store
    Properties,
    /// The host's parsers on mutated messages
    Fuzz,
}

/// From one round's seed to the next one's, more than any part takes.
const SEEDS: u64 = 20_000;
/// A round that takes longer hangs.
const ROUND_LIMIT: Duration = Duration::from_secs(2 * 3600);

/// What has been done so far.
#[derive(Default)]
struct Tally {
    rounds: u64,
    seeds: u64,
    steps: u64,
}

impl Tally {
    fn counted_rounds(&self) -> String {
        format!("{} {}", self.rounds, if self.rounds == 1 { "round" } else { "rounds" })
    }
}

/// Runs rounds until the time is up or one fails.
pub(crate) fn soak(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is set before 1970")?;
    let mut seed = options.seed.unwrap_or(now.as_secs());
    let limit = Duration::from_secs(options.minutes * 60);
    let started = Instant::now();
    let mut tally = Tally::default();
    while tally.rounds == 0 || started.elapsed() < limit {
        for part in Part::value_variants().iter().copied().filter(|part| options.takes(*part)) {
            let mut last = String::new();
            let job = part.job(workspace, seed, options.cases);
            let finished = job.limit(ROUND_LIMIT).run(|line| line.clone_into(&mut last))?;
            if !finished.success {
                println!(
                    "{}\n\nTo repeat the round: cargo xtask soak --minutes 0 --seed {seed} --only {} --cases {}",
                    finished.complaint,
                    part.name(),
                    options.cases
                );
                return Ok(ExitCode::FAILURE);
            }
            if let Some((seeds, steps)) = counts(&last) {
                tally.seeds += seeds;
                tally.steps += steps;
            }
        }
        tally.rounds += 1;
        eprintln!("  {}, {} simulations, {} steps", tally.counted_rounds(), tally.seeds, tally.steps);
        seed = seed.wrapping_add(SEEDS);
    }
    println!(
        "{} passed in {}: {} simulations of {} steps, every promise kept.",
        tally.counted_rounds(),
        clock(started.elapsed()),
        tally.seeds,
        tally.steps,
    );
    Ok(ExitCode::SUCCESS)
}

impl Options {
    fn takes(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Pools => "pools",
            Self::Fleets => "fleets",
            Self::Decisions => "decisions",
            Self::Properties => "properties",
            Self::Fuzz => "fuzz",
        }
    }

    /// How many seeds a round takes: each part is given about a minute.
    const fn seeds(self) -> u64 {
        match self {
            Self::Pools => SEEDS,
            Self::Fleets => 1_500,
            Self::Decisions => 200,
            Self::Properties | Self::Fuzz => 1,
        }
    }

    fn job(self, workspace: &Workspace, seed: u64, cases: u32) -> Job {
        let label = format!("{} from seed {seed}", self.name());
        let job = Job::new(workspace, &label, "cargo");
        if self == Self::Fuzz {
            return job
                .args([
                    "test",
                    "--profile",
                    "soak",
                    "--package",
                    "quillwork",
                    "--test",
                    "fuzz",
                    "--target-dir",
                ])
                .args([workspace.target("")])
                .env("QUILLWORK_FUZZ_SECONDS", FUZZ_SECONDS.to_string())
                .env("QUILLWORK_FUZZ_SEED", seed.to_string());
        }
        if self == Self::Properties {
            return job
                .args(["test", "--profile", "soak", "--lib", "--tests", "--target-dir"])
                .args([workspace.target("")])
                .args(PACKAGES.iter().flat_map(|package| ["--package", package]))
                .env("PROPTEST_CASES", cases.to_string())
                .env("PROPTEST_RNG_SEED", seed.to_string())
                .env("QUILLWORK_TEST_KILLS", KILLS.to_string());
        }
        job.args([
            "run",
            "--profile",
            "soak",
            "--package",
            "quillwork-tests",
            "--bin",
            "soak",
            "--target-dir",
        ])
        .args([workspace.target("")])
        .args(["--", self.name(), &seed.to_string(), &self.seeds().to_string()])
    }
}

/// Of the last line of a simulation: "500 of 500 seeds, 12345 steps".
fn counts(line: &str) -> Option<(u64, u64)> {
    let (seeds, steps) = line.strip_suffix(" steps")?.split_once(" seeds, ")?;
    Some((seeds.split(' ').next()?.parse().ok()?, steps.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_round_is_one_round() {
        let said = [1, 2].map(|rounds| Tally { rounds, ..Tally::default() }.counted_rounds());
        assert_eq!(said, ["1 round", "2 rounds"]);
    }

    #[test]
    fn what_a_simulation_says_last_is_counted() {
        assert_eq!(counts("500 of 500 seeds, 12345 steps"), Some((500, 12_345)));
        assert_eq!(counts("test result: ok. 3 passed"), None);
    }
}
