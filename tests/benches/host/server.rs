//! The host that is measured.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::process::Process;

/// A host that accepts connections.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// Host and port.
    pub(crate) address: String,
}

/// What the host prints once it accepts connections.
const LISTENING: &str = "Listening on http://";

impl Server {
    /// Starts `program serve` on a free port, its history in a directory or, without one, in memory.
    pub(crate) async fn start(program: &Path, data: Option<&Path>, settings: &[&str]) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--port", "0"]);
        if let Some(data) = data {
            command.arg("--data-dir").arg(data);
        }
        command.args(settings.iter().flat_map(|setting| ["--set", setting]));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Process::of(&mut command)?;
        let output = process.child().stdout.take().context("the host's output is not there")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(address) = line.strip_prefix(LISTENING) {
                let address = address.trim().trim_end_matches('/').to_owned();
                // What it prints later is read, so that it never waits for a reader.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Self { process, address });
            }
        }
        anyhow::bail!("the host ended before it listened; start `{} serve` to see why", program.display())
    }
}
