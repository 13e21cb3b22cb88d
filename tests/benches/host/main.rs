//! The release host, measured as it runs: `cargo xtask bench host`.
//!
//! A result is a line `HOST {…}` of JSON; other lines say how far it is. Each file is one question.

mod cost;
mod crowd;
mod dashboard;
mod density;
mod http;
mod ingest;
mod otlp;
mod peers;
mod process;
mod query;
mod result;
mod server;
mod values;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

/// Measures a host. `cargo xtask bench host` calls it with what it has built and installed.
#[derive(Parser)]
struct Options {
    /// The host's program
    #[arg(long)]
    host: PathBuf,
    /// The program `prometheus-node-exporter`
    #[arg(long)]
    node_exporter: PathBuf,
    /// The program `glances`
    #[arg(long)]
    glances: PathBuf,
    /// For how long the host and its peers are watched
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let room = tempfile::tempdir().context("there is no room for temporary files")?;
    let recorded = room.path().join("cost");
    cost::measure(&options, &recorded).await.context("watching the host and its peers")?;
    density::measure(&recorded).context("how dense history is")?;
    ingest::measure(&options, room.path()).await.context("how fast samples are taken")?;
    query::measure(&options, room.path()).await.context("how fast questions are answered")?;
    crowd::measure(&options).await.context("many clients, some of which read nothing")
}
