//! `cargo xtask evaluate`: every strategy on every scenario of the study, and the page about it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::job::Job;
use crate::workspace::Workspace;

pub(crate) const EXAMPLES: &str = "Examples:\n  cargo xtask evaluate            writes docs/evaluation.md\n  \
    cargo xtask evaluate --quick    a few seeds, to target/evaluation.md\n\n\
    Everything is simulated in virtual time from fixed seeds: the page comes out the same on every machine.";

/// Flags of `cargo xtask evaluate`.
#[derive(Args)]
pub(crate) struct Options {
    /// Few seeds, for a first look; docs/ is left alone
    #[arg(long)]
    quick: bool,
}

/// Runs the study and says where its page is.
pub(crate) fn evaluate(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let page =
        if options.quick { workspace.target("evaluation.md") } else { workspace.path("docs/evaluation.md") };
    let mut job = Job::new(workspace, "strategies on all scenarios", "cargo")
        .args(["run", "--release", "--package", "quillwork-sim", "--example", "evaluate", "--target-dir"])
        .args([workspace.target("")])
        .args(["--".as_ref(), page.as_os_str()])
        .limit(LIMIT);
    if options.quick {
        job = job.args(["--quick"]);
    }
    let mut summary = Vec::new();
    let finished = job.run(|line| {
        if let Some(line) = line.strip_prefix(MARK) {
            summary.push(line.to_owned());
        }
    })?;
    if !finished.success {
        println!("{}", finished.complaint);
        return Ok(ExitCode::FAILURE);
    }
    println!("\n{}\n\nThe page: {}", summary.join("\n"), page.display());
    Ok(ExitCode::SUCCESS)
}

/// Beside other work on two cores the study takes longer than a job may by default.
const LIMIT: Duration = Duration::from_secs(3 * 3600);
/// Lines of the summary start with this.
const MARK: &str = "STUDY ";
