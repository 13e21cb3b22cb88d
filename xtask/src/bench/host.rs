//! `cargo xtask bench host`: the release host as it runs, in absolute figures beside the aims, and beside its peers.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::build;
use crate::job::Job;
use crate::report::table;
use crate::setup;
use crate::workspace::Workspace;

/// A result is JSON on a line that starts with this.
const MARK: &str = "HOST ";
/// Building it, and all but the minutes that are asked for.
const BESIDES: Duration = Duration::from_secs(40 * 60);

/// Builds the host, installs its peers, and measures.
pub(crate) fn bench(workspace: &Workspace, minutes: u64) -> Result<ExitCode> {
    let peers = setup::for_measuring(workspace)?;
    build::host(workspace)?;
    let [exporter, glances] = &peers;
    let size = std::fs::metadata(workspace.host_binary()).context("the host was built")?.len();
    let mut rows = vec![heading(&peers.each_ref().map(|peer| peer.name.as_str()))];
    rows.push(plain("size of the program", format!("{:.2} MB", size as f64 / 1e6), "15 MB"));
    let finished = Job::new(workspace, "the host beside its peers", "cargo")
        .args(["bench", "--package", "quillwork-tests", "--bench", "host", "--target-dir"])
        .args([workspace.target("")])
        .args(["--", "--minutes", &minutes.to_string(), "--host"])
        .args([workspace.host_binary()])
        .args(["--node-exporter".into(), exporter.program.clone()])
        .args(["--glances".into(), glances.program.clone()])
        .limit(Duration::from_secs(60 * minutes) + BESIDES)
        .run(|line| rows.extend(row(line)))?;
    println!("\n{}", table(&rows));
    if !finished.success {
        println!("{}", finished.complaint);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn heading(peers: &[&str; 2]) -> Vec<String> {
    ["measure", "quillwork", "aim", peers[0], "ratio", peers[1], "ratio"].map(str::to_owned).to_vec()
}

fn plain(name: &str, ours: String, aim: &str) -> Vec<String> {
    vec![name.to_owned(), ours, aim.to_owned()]
}

/// A row of the table from `HOST {"name", "ours", "aim", "peers": [{"told", "ratio"}]}`.
fn row(line: &str) -> Option<Vec<String>> {
    let result: Value = serde_json::from_str(line.strip_prefix(MARK)?).ok()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut row = plain(result["name"].as_str()?, text(&result["ours"]), &text(&result["aim"]));
    for peer in result["peers"].as_array().into_iter().flatten() {
        row.push(text(&peer["told"]));
        row.push(format!("{:.2}", peer["ratio"].as_f64()?));
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_stands_beside_its_aim_and_its_peers() {
        let line = r#"HOST {"name":"memory","ours":"20.00 MB","aim":"25 MB","peers":[{"told":"40.00 MB","ratio":0.5}]}"#;
        assert_eq!(row(line).unwrap(), ["memory", "20.00 MB", "25 MB", "40.00 MB", "0.50"]);
        let alone = r#"HOST {"name":"density","ours":"0.5 bytes","aim":null}"#;
        assert_eq!(row(alone).unwrap(), ["density", "0.5 bytes", ""]);
        assert!(row("watching, minute 1 of 10").is_none());
    }
}
