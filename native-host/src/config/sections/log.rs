//! `[log]`

use crate::config::{settings, words};

settings! {
    /// What the host tells about itself.
    pub struct Log {
        /// What is told, in the syntax of `RUST_LOG`, which counts more: `"info"`, `"debug"`, or by module as in
        /// `"info,quillwork_host::socket=debug"`.
        level: String = "info".to_owned(), applies OnReload;
        /// Lines for people, or one JSON object a line.
        format: LogFormat = LogFormat::Text, applies OnRestart;
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
