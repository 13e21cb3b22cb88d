//! `[log]`

use std::path::PathBuf;

use crate::config::{ByteSize, settings, words};

settings! {
    /// What the host tells about itself.
    pub struct Log {
        /// What is told, in the syntax of `RUST_LOG`, which counts more: `"info"`, `"debug"`, or by module as in
        /// `"info,quillwork_host::socket=debug"`.
        level: String = "info".to_owned(), applies OnReload;
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

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

words!(LogFormat { "text" => LogFormat::Text, "json" => LogFormat::Json });
