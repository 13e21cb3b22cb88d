//! `quillwork report`: makes a report of a running host, or of the history that one has left.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use quillwork_store::history::{History, HistoryOptions, ReadError};
use quillwork_store::volume::Directory;

use super::build::{Ask, build, is_of_interest};
use super::known::Known;
use super::{Compare, Format};
use crate::clock::{Clock, unix_millis};
use crate::config::{Given, Value as _};
use crate::remote::Remote;
use crate::rules::RuleSet;

/// What to report on, and how.
#[derive(Args, Clone, Debug)]
pub struct ReportArgs {
    /// How far back, as 90m, 24h or 7d
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    pub last: Duration,

    /// Form
    #[arg(long, value_enum, default_value_t = Format::Md)]
    pub format: Format,

    /// File to write to; without it, it is printed
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Earlier range to compare with
    #[arg(long, value_enum)]
    pub compare: Option<Compare>,

    /// Data directory to read instead of asking a host; one may be running, its newest minute is missing then
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "token_file"])]
    pub data_dir: Option<PathBuf>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it as help")]
    pub remote: Remote,
}

/// Examples for the help.
pub const EXAMPLES: &str = "\
Examples:
  quillwork report
      The last 24 hours of the host on this machine, as Markdown
  quillwork report --last 7d --compare previous --format html --out week.html
      The last week beside the one before, as one file for the browser
  quillwork report --data-dir data --format json
      Of a host that doesn't run
  quillwork report --url https://metrics.example.org --token-file token

`[reports]` in the configuration makes them every day or week.";

/// The largest report that is taken from a host.
const MOST_BYTES: usize = 64 << 20;

/// Makes the report and writes it.
///
/// # Errors
///
/// If the host isn't reached, the history can't be read, or the report can't be written; the message says what to do.
pub fn report(args: &ReportArgs) -> Result<(), String> {
    let last = u64::try_from(args.last.as_millis()).unwrap_or(u64::MAX);
    let text = match &args.data_dir {
        Some(data) => of_directory(args, data, last)?,
        None => of_host(args, last)?,
    };
    match &args.out {
        Some(path) => fs::write(path, text).map_err(|error| {
            format!("--out {}: {error}; name a file that this user may write", path.display())
        }),
        None => match std::io::stdout().write_all(&text) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(|error| format!("stdout: {error}")),
        },
    }
}

fn of_host(args: &ReportArgs, last: u64) -> Result<Vec<u8>, String> {
    // Its clock counts, not this machine's.
    let compare = args.compare.map_or_else(String::new, |compare| format!("&compare={}", compare.word()));
    let path = format!("/api/v1/reports?last={last}&format={}{compare}", args.format.extension());
    Ok(args.remote.fetch(&path, MOST_BYTES)?.body)
}

fn of_directory(args: &ReportArgs, data: &Path, last: u64) -> Result<Vec<u8>, String> {
    let path = data.join("history");
    let files = Directory::read_only(&path)
        .map_err(|error| format!("{error}; name the data directory of a host with --data-dir"))?;
    let now = unix_millis();
    let history = History::open(files.clone(), HistoryOptions::default(), now)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let meant = history.catalogue().filter(|(_, spec)| is_of_interest(&spec.key)).map(|(id, _)| id);
    let reader = history.reader(meant);
    let known = Known::of_volume(Clock::start().now(), &files, RuleSet::default());
    let ask = Ask { from: now.saturating_sub(last), to: now, compare: args.compare };
    let report = build(&reader, &known, ask).map_err(|error| match error {
        ReadError::Rearranged => "the running host rearranged its history meanwhile; try again".to_owned(),
        error => format!("{}: {error}", path.display()),
    })?;
    Ok(args.format.write(&report).into_bytes())
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = Duration::read(Given::text(text))?;
    if duration < Duration::from_secs(60) { Err("write a minute at least".to_owned()) } else { Ok(duration) }
}
