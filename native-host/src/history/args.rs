//! The command line of `quillwork history`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// How to look after a history.
#[derive(Args, Clone, Debug)]
pub struct HistoryArgs {
    /// Data directory of the host
    #[arg(long, value_name = "DIR", global = true, default_value = ".", env = "QUILLWORK_HISTORY_DATA_DIR")]
    pub data_dir: PathBuf,

    /// What to do.
    #[command(subcommand)]
    pub command: HistoryCommand,
}

/// What to do with a history.
#[derive(Clone, Debug, Subcommand)]
pub enum HistoryCommand {
    /// Read every file and say what is damaged; a host may be running
    Verify,
    /// Keep what is sound of damaged files, and the files as they were beside it; no host may be running
    Repair,
    /// Seal and roll up all that is due, without waiting for a host to do it; what is too old or too much the host drops. No host may be running
    Compact,
    /// Copy it to a new directory, and check the copy; a host may be running
    Backup {
        /// Directory that is new or empty
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
    /// Copy a backup into a data directory that has no history
    Restore {
        /// Directory that `backup` wrote
        #[arg(value_name = "DIR")]
        from: PathBuf,
    },
    /// Write series to stdout; a host may be running
    Export(ExportArgs),
}

/// What to export.
#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// Which series, for instance host.cpu.total or 'host.disk.used{mount=~"/srv/.*"}'
    #[arg(long, value_name = "SELECTOR")]
    pub select: String,

    /// How far back, in hours
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..))]
    pub hours: u64,

    /// Distance of the values in seconds [default: the finest that is kept]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub step: Option<u64>,

    /// Form
    #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
    pub format: ExportFormat,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Comma-separated values
    Csv,
    /// JSON
    Json,
    /// Prometheus' text, with timestamps in milliseconds
    Prometheus,
    /// OpenMetrics, with timestamps in seconds, as `promtool tsdb create-blocks-from openmetrics` takes it
    #[value(name = "openmetrics")]
    OpenMetrics,
}

/// Examples for the help.
pub const EXAMPLES: &str = "\
Examples:
  quillwork history --data-dir data verify
  quillwork history --data-dir data backup /backups/monday
  quillwork history --data-dir data export --select host.cpu.total --hours 48 > cpu.csv
  quillwork history --data-dir new restore /backups/monday";
