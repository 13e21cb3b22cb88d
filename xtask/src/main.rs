//! Sets up, builds, tests and runs the whole system.
//!
//! `cargo xtask` is the only place that knows about tool chains: where a compiler for the browser comes from, in which
//! order the parts are built, and what counts as a passed test.

mod bench;
mod build;
mod checks;
mod console;
mod counts;
mod evaluate;
mod failures;
mod interrupt;
mod job;
mod package;
mod report;
mod run;
mod setup;
mod soak;
mod stage;
mod stages;
mod tree;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Build, test and run Quillwork.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    after_help = "Examples:\n  cargo xtask run                 set up, build and start everything on 127.0.0.1:9470\n  \
                  cargo xtask check               format, clippy and native tests: the quick loop\n  \
                  cargo xtask test                every test there is\n\n\
                  Tools are kept in $XDG_CACHE_HOME/quillwork (or ~/.cache/quillwork), builds and logs in target/."
)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Set up, build what changed (release) and start the host with dashboard and story app
    #[command(after_help = run::EXAMPLES)]
    Run(run::Options),
    /// Set up and run every test; ends with `N passed, N failed`
    #[command(after_help = stages::EXAMPLES)]
    Test(stages::Options),
    /// The quick loop: format, clippy and native tests
    #[command(after_help = "Example:\n  cargo xtask check")]
    Check,
    /// Install what building and testing need; nothing is done twice
    #[command(after_help = setup::EXAMPLES)]
    Setup,
    /// Run the comparisons with other libraries and print the ratios
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::Options),
    /// Simulate every balancing strategy on every scenario and write docs/evaluation.md
    #[command(after_help = evaluate::EXAMPLES)]
    Evaluate(evaluate::Options),
    /// Make the npm tarball and the release binary, and print their sizes
    #[command(after_help = "Example:\n  cargo xtask package && npm install ./target/quillwork-0.1.0.tgz")]
    Package,
    /// Run the randomised tests for a long time, each round with a new seed
    #[command(after_help = soak::EXAMPLES)]
    Soak(soak::Options),
}

fn main() -> ExitCode {
    let outcome = interrupt::install().and_then(|()| {
        let workspace = Workspace::locate()?;
        match Cli::parse().command {
            Task::Run(options) => run::run(&workspace, &options),
            Task::Test(options) => stages::test(&workspace, &options),
            Task::Check => stages::check(&workspace),
            Task::Setup => setup::everything(&workspace).map(|_| ExitCode::SUCCESS),
            Task::Bench(options) => bench::bench(&workspace, &options),
            Task::Evaluate(options) => evaluate::evaluate(&workspace, &options),
            Task::Package => package::package(&workspace),
            Task::Soak(options) => soak::soak(&workspace, &options),
        }
    });
    outcome.unwrap_or_else(|error| {
        if interrupt::requested() {
            eprintln!("Interrupted.");
            return ExitCode::from(130);
        }
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
