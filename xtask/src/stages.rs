//! `cargo xtask test` and `cargo xtask check`: which stages there are, and in which order.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::checks;
use crate::report;
use crate::stage::{Lab, Stage, run_all, select};
use crate::workspace::Workspace;

pub(crate) const EXAMPLES: &str = "Examples:\n  cargo xtask test\n  cargo xtask test --list\n  \
    cargo xtask test --only \"end to end\"             one stage, after the stages that it needs\n  \
    QUILLWORK_STORIES=~/stories cargo xtask test     try the story app on the stories in a folder, too\n\n\
    The output of each stage is kept in target/xtask/logs.";

/// Flags of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct Options {
    /// Run only this stage and what it needs; may be given more than once
    #[arg(long, value_name = "STAGE")]
    only: Vec<String>,
    /// Print the names of the stages and stop
    #[arg(long)]
    list: bool,
}

/// The cheap ones come first, so that most mistakes show within minutes.
const STAGES: [Stage; 18] = [
    Stage { name: "set-up", needs: &[], run: checks::set_up },
    Stage { name: "format", needs: &[], run: checks::format },
    Stage { name: "clippy", needs: &[], run: checks::clippy },
    Stage { name: "clippy for wasm", needs: &["set-up"], run: checks::wasm_clippy },
    Stage { name: "docs", needs: &[], run: checks::docs },
    Stage { name: "native tests", needs: &[], run: checks::native_tests },
    Stage { name: "fuzz", needs: &[], run: checks::fuzz },
    Stage { name: "judges", needs: &["set-up"], run: checks::judges },
    Stage { name: "doc tests", needs: &[], run: checks::doc_tests },
    Stage { name: "core without std", needs: &["set-up"], run: checks::core_without_std },
    Stage { name: "wasm in chromium", needs: &["set-up"], run: checks::wasm_in_chromium },
    Stage { name: "compute in chromium", needs: &["set-up"], run: checks::compute_in_chromium },
    Stage { name: "package", needs: &["set-up"], run: checks::package },
    Stage { name: "packed tarball", needs: &["package"], run: checks::packed_tarball },
    Stage { name: "consumer apps", needs: &["package"], run: checks::consumer_apps },
    Stage { name: "story app", needs: &["package"], run: checks::story_app },
    Stage { name: "host and dashboard", needs: &["set-up"], run: checks::host_and_dashboard },
    Stage { name: "end to end", needs: &["story app", "host and dashboard"], run: checks::end_to_end },
];

/// Names of the stages of the quick loop.
const QUICK: [&str; 3] = ["format", "clippy", "native tests"];

/// `cargo xtask test`.
pub(crate) fn test(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    if options.list {
        for stage in &STAGES {
            println!("{}", stage.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    run(workspace, &select(&STAGES, &options.only)?)
}

/// `cargo xtask check`.
pub(crate) fn check(workspace: &Workspace) -> Result<ExitCode> {
    run(workspace, &select(&STAGES, &QUICK.map(str::to_owned))?)
}

fn run(workspace: &Workspace, stages: &[&Stage]) -> Result<ExitCode> {
    let rows = run_all(&Lab::new(workspace), stages)?;
    let (summary, total) = report::summary(&rows);
    println!("\n{summary}");
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
