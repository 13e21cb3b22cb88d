//! What the host tells about itself: lines for people or for programs, on stderr or in a file that is rotated.
//!
//! ```text
//! tracing ──▶ filter ──▶ Lines (one line per event) ──bounded queue──▶ writer (thread) ──▶ stderr or file
//! ```
//!
//! Nothing waits for a slow disk or terminal: where the queue is full, lines are dropped and counted.

mod line;
mod rotate;
mod writer;

use std::io;
use std::path::PathBuf;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use self::line::Lines;
use self::rotate::RotatingFile;
use self::writer::{Target, Writer};
use crate::config::{Log, LogFormat, LogLevel};
use crate::writable;

/// The log while it runs. What is still under way is written when it is dropped, as far as that takes no longer than a
/// second.
pub struct Logging {
    filter: reload::Handle<Targets, Registry>,
    writer: Writer,
}

/// Changes the log while it runs.
#[derive(Clone)]
pub struct LogControl {
    filter: reload::Handle<Targets, Registry>,
    reopen: writer::Reopen,
}

/// Starts to log.
///
/// # Errors
///
/// If `RUST_LOG` can't be understood, the file can't be opened, or something in this process logs already.
pub fn start(log: &Log) -> Result<Logging, LogError> {
    let (filter, handle) = reload::Layer::new(filter(log)?);
    let target = match &log.file {
        None => Target::Stderr,
        Some(path) => {
            let file = RotatingFile::open(path, log.max_size.0, log.keep)
                .map_err(|source| LogError::File { path: path.clone(), source })?;
            Target::File(file)
        }
    };
    let is_terminal = log.file.is_none() && io::IsTerminal::is_terminal(&io::stderr());
    let colours = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let writer = Writer::start(target).map_err(LogError::Thread)?;
    let lines = Lines::new(log.format == LogFormat::Json, colours, writer.sender());
    tracing_subscriber::registry().with(filter).with(lines).try_init().map_err(|_| LogError::Twice)?;
    Ok(Logging { filter: handle, writer })
}

/// Whether [`start`] could log so. Makes nothing.
///
/// # Errors
///
/// As [`start`].
pub fn check(log: &Log) -> Result<(), LogError> {
    filter(log)?;
    let Some(path) = &log.file else { return Ok(()) };
    writable::file(path).map_err(|source| LogError::File { path: path.clone(), source })
}

/// What is logged; `RUST_LOG` counts more than the configuration, as everywhere.
fn filter(log: &Log) -> Result<Targets, LogError> {
    match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => {
            LogLevel::parse(&text).map_err(|why| LogError::Variable { text, why })
        }
        _ => Ok(log.level.filter()),
    }
}

impl Logging {
    /// What changes it while it runs.
    #[must_use]
    pub fn control(&self) -> LogControl {
        LogControl { filter: self.filter.clone(), reopen: self.writer.reopen() }
    }
}

impl LogControl {
    /// Takes the level, and opens the file again: who moved it away gets the rest of the old one, and there is a new one.
    ///
    /// # Errors
    ///
    /// If `RUST_LOG` can't be understood; then nothing has changed.
    pub fn reload(&self, log: &Log) -> Result<(), LogError> {
        let filter = filter(log)?;
        // It fails only where the log has ended with its process.
        self.filter.reload(filter).ok();
        self.reopen.reopen();
        Ok(())
    }
}

/// A log that can't be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// `RUST_LOG` can't be understood.
    #[error(
        "RUST_LOG: {text:?} is no level: {why}; write for instance \"info\" or \"info,quillwork_host=debug\", or unset it"
    )]
    Variable {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// The file can't be opened.
    #[error("log.file: {} can't be written: {source}; name a file in a directory that this user may write to", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No thread to write.
    #[error("the log does not start: {0}")]
    Thread(io::Error),
    /// There is one.
    #[error("something in this process logs already")]
    Twice,
}
