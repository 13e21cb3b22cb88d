//! `quillwork history export`

use std::io::{self, Write as _};
use std::path::Path;

use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::query::{Export, Format, Query};

use super::args::{ExportArgs, ExportFormat};
use super::{readable, worded};
use crate::clock::unix_millis;

/// Writes series to stdout, a few at a time.
pub(super) fn export(path: &Path, wanted: &ExportArgs) -> Result<(), String> {
    let to = unix_millis();
    let from = to.saturating_sub(wanted.hours.saturating_mul(3_600_000));
    let selector = wanted.select.parse().map_err(|error| format!("--select: {error}"))?;
    let history = History::open(readable(path)?, HistoryOptions::default().without_bounds(), to)
        .map_err(|error| worded(path, &error))?;
    let ids = Query::new(selector, from, to).ids(&history).map_err(|error| format!("--select: {error}"))?;
    let format = match wanted.format {
        ExportFormat::Csv => Format::Csv,
        ExportFormat::Json => Format::Json,
        ExportFormat::Prometheus => Format::Prometheus,
        ExportFormat::OpenMetrics => Format::OpenMetrics,
    };
    let step_millis = wanted.step.unwrap_or(1).saturating_mul(1_000);
    let mut export = Export::new(&history.reader(ids), format, from, to, step_millis);
    let mut stdout = io::stdout().lock();
    while let Some(piece) = export.next_piece().map_err(|error| error.to_string())? {
        match stdout.write_all(piece.as_bytes()) {
            // Whoever read it has had enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written.map_err(|error| format!("stdout: {error}"))?,
        }
    }
    Ok(())
}
