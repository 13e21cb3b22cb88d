//! `cargo xtask bench`: Quillwork beside its peers, as ratios.

mod host;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::build;
use crate::job::Job;
use crate::report::table;
use crate::setup;
use crate::workspace::Workspace;

pub(crate) const EXAMPLES: &str = "Examples:\n  cargo xtask bench\n  cargo xtask bench scheduling    core beside its peers, one of the areas\n  \
    cargo xtask bench --native      only what needs no browser\n  \
    cargo xtask bench host --minutes 60    the release host beside node_exporter and Glances; by itself only\n\n\
    A ratio is our time over the peer's, taken in turns in one process: below 1 is faster. Spread is the range of the\n\
    ratios of single rounds. Close other programs; ratios of a busy machine say little.";

/// A comparison prints its result as JSON on a line that starts with this.
const MARK: &str = "BENCH ";

/// Flags of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct Options {
    /// Only this area
    #[arg(value_enum)]
    area: Option<Area>,
    /// Leave out the comparisons in the browser
    #[arg(long)]
    native: bool,
    /// For how long `host` watches the host and its peers
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=24 * 60))]
    minutes: u64,
}

/// What can be compared by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Area {
    /// Core's scheduling, balancing, flow control and sketch
    Scheduling,
    /// The kernels on this device
    Kernels,
    /// The npm package, in the browser
    Package,
    /// The host as it is released: what it costs and what it bears
    Host,
}

/// Runs all comparisons.
pub(crate) fn bench(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    if options.area == Some(Area::Host) {
        return host::bench(workspace, options.minutes);
    }
    let wanted = |area| options.area.is_none_or(|only| only == area);
    let mut jobs = Vec::new();
    if wanted(Area::Scheduling) {
        jobs.push(
            Job::new(workspace, "core beside its peers", "cargo")
                .args(["bench", "--package", "quillwork-tests", "--bench", "scheduling", "--target-dir"])
                .args([workspace.target("")]),
        );
    }
    if wanted(Area::Kernels) {
        jobs.push(
            Job::new(workspace, "kernels on this device", "cargo")
                .args(["run", "--release", "--package", "quillwork-compute", "--example", "gflops"])
                .args(["--target-dir".into(), workspace.target("")]),
        );
    }
    if wanted(Area::Package) && !options.native {
        let tools = setup::for_testing(workspace)?;
        build::package(workspace, &tools)?;
        jobs.push(
            Job::new(workspace, "the npm package beside its peers", "npm")
                .dir(workspace.path("wasm/npm"))
                .env("QUILLWORK_TARBALL", build::tarball(workspace))
                .args(["run", "bench"]),
        );
    }
    let mut rows =
        vec![["comparison", "peer", "ratio", "spread", "ours", "peer's", "unit"].map(str::to_owned).to_vec()];
    let mut notes = Vec::new();
    let mut failed = false;
    for job in jobs {
        let mut lines = Vec::new();
        let finished = job.run(|line| lines.push(line.to_owned()))?;
        let (results, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.starts_with(MARK));
        for line in &results {
            rows.push(
                row(line).with_context(|| format!("a comparison gave no ratio with its spread: {line}"))?,
            );
        }
        notes.extend(others.into_iter().filter(|line| !is_noise(line)));
        if !finished.success {
            println!("{}", finished.complaint);
            failed = true;
        }
    }
    println!("\n{}\n{}", notes.join("\n"), table(&rows));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A row of the table from `BENCH {"name", "peer", "ratio", "low", "high", "ours", "theirs", "unit"}`.
fn row(line: &str) -> Option<Vec<String>> {
    let result: Value = serde_json::from_str(line.strip_prefix(MARK)?).ok()?;
    let text = |key: &str| result.get(key).and_then(Value::as_str).map(str::to_owned);
    let number =
        |key: &str, digits| result.get(key).and_then(Value::as_f64).map(|value| format!("{value:.digits$}"));
    Some(vec![
        text("name")?,
        text("peer")?,
        number("ratio", 2)?,
        format!("{} to {}", number("low", 2)?, number("high", 2)?),
        number("ours", 1)?,
        number("theirs", 1)?,
        text("unit")?,
    ])
}

/// What cargo, npm and graphics drivers say about themselves.
fn is_noise(line: &str) -> bool {
    const STARTS: [&str; 9] = [
        "Compiling ",
        "Finished ",
        "Running ",
        "Blocking ",
        "Downloaded ",
        "Downloading ",
        "> ",
        "npm warn ",
        "error: XDG_RUNTIME_DIR ",
    ];
    let line = line.trim();
    line.is_empty() || STARTS.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_become_rows_and_other_lines_do_not() {
        let line = r#"BENCH {"name":"pick among 8","peer":"poise-core 0.1.1","ratio":0.5,"low":0.4,"high":0.625,"ours":10,"theirs":20,"unit":"ns"}"#;
        assert_eq!(
            row(line).unwrap(),
            ["pick among 8", "poise-core 0.1.1", "0.50", "0.40 to 0.62", "10.0", "20.0", "ns"]
        );
        assert!(row("BENCH nonsense").is_none());
        assert!(is_noise("   Compiling a v1") && !is_noise("GPU: none"));
    }
}
