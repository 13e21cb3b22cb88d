//! `quillwork detect`: what this machine is, and the configuration that follows from it.

mod json;
mod profile;
mod text;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use quillwork_core::hardware::{Generated, generate};
use quillwork_protocol::host::HostSnapshot;

use crate::printable::{self, escaped_lines};
use crate::sampler::{Options, SystemRoot, measure_once};

/// What to detect, and how to print it.
#[derive(Args, Clone, Debug)]
pub struct DetectArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// Directory that stands for /, for instance where a container has the machine's /proc and /sys mounted
    #[arg(long, value_name = "DIR", default_value = "/", hide_default_value = true)]
    pub root: PathBuf,
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  quillwork detect
      The hardware, and each setting with its value and reason
  quillwork detect --json | jq '.configuration[] | {setting, value}'
      For programs";

/// What was found, and what follows.
#[derive(Debug)]
struct Findings {
    host: HostSnapshot,
    generated: Generated,
}

/// Prints what this machine is, and the configuration that core generates from it.
///
/// # Errors
///
/// If the machine can't be measured, or the output can't be written. The message says what to do.
pub fn detect(args: &DetectArgs) -> Result<(), String> {
    if !args.root.is_dir() {
        return Err(format!("--root {} is no directory", args.root.display()));
    }
    let options = Options { root: SystemRoot::new(&args.root), ..Options::default() };
    let host = measure_once(&options, PATIENCE)
        .map_err(|error| format!("this machine can't be measured: {error}"))?;
    let generated = generate(&profile::of(&host));
    let findings = Findings { host, generated };
    let output = if args.json {
        printable::json(&json::render(&findings))
    } else {
        escaped_lines(&text::render(&findings))
    };
    match io::stdout().lock().write_all(output.as_bytes()) {
        // Who reads only the first lines has them.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("stdout: {error}")),
        _ => Ok(()),
    }
}

/// What has not answered by then is left out, and said.
const PATIENCE: Duration = Duration::from_secs(4);
