//! `[log]`

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{ParseError, Targets};

use crate::config::{ByteSize, settings, words};

settings! {
    /// What the host tells about itself.
    pub struct Log {
        /// What is told, in the syntax of `RUST_LOG`, which counts more: `"info"`, `"debug"`, or by module as in
        /// `"info,quillwork_host::socket=debug"`.
        level: LogLevel = LogLevel("info".to_owned()), applies OnReload;
        /// Lines for people, or one JSON object a line.
        format: LogFormat = LogFormat::Text, applies OnRestart;
        /// File to write to. Not set: stderr. SIGHUP opens it again.
        file: Option<PathBuf> = None, applies OnRestart;
        /// The file is put aside, and a new one begun, before it grows beyond this.
        max_size: ByteSize = ByteSize(10 << 20), from "64KiB" to "1TiB", applies OnRestart;
        /// So many older files are kept beside it, as `quillwork.log.1` (the newest) and so on.
        keep: u32 = 5, from "1" to "1000", applies OnRestart;
    }
}

/// What is logged, as `tracing`'s filters are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLevel(String);

impl LogLevel {
    /// The filter.
    ///
    /// # Panics
    ///
    /// Never: it was read as one.
    #[must_use]
    pub fn filter(&self) -> Targets {
        Self::parse(&self.0).expect("a level is checked when it is read")
    }

    /// A filter from levels and modules with theirs, as `RUST_LOG` has them.
    ///
    /// # Errors
    ///
    /// Why it is none: a word is no level, or a span is named.
    pub fn parse(text: &str) -> Result<Targets, String> {
        if text.contains('[') {
            return Err("spans can't be named, only modules".to_owned());
        }
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(",").parse().map_err(|error: ParseError| error.to_string())
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LogLevel {
    type Err = InvalidLogLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLogLevel> {
        // A lone word that is no level would be the name of a module of which everything is told, and of the rest nothing.
        let sound =
            |part: &str| part.contains('=') || (!part.is_empty() && part.parse::<LevelFilter>().is_ok());
        if text.split(',').map(str::trim).all(sound) && Self::parse(text).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidLogLevel(text.to_owned()))
        }
    }
}

/// A text that says nothing about what to log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no level; write \"error\", \"warn\", \"info\", \"debug\" or \"trace\", or \"info,quillwork_host=debug\""
)]
pub struct InvalidLogLevel(String);

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

words!(LogFormat { "text" => LogFormat::Text, "json" => LogFormat::Json });

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_module_has_its_own_level() {
        let filter = "info, quillwork_host::socket=debug".parse::<LogLevel>().unwrap().filter();
        assert!(filter.would_enable("quillwork_host::socket", &Level::DEBUG));
        assert!(!filter.would_enable("quillwork_host::driver", &Level::DEBUG));
        assert!(filter.would_enable("quillwork_host::driver", &Level::INFO));
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for text in ["", "loud", "quillwork_host=loud", "info,socket", "a=info=debug", "[request]=debug"] {
            assert!(text.parse::<LogLevel>().is_err(), "{text}");
        }
    }
}
