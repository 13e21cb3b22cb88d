//! The rules file: what is watched besides the rules that ship, and who is told.
//!
//! Receivers are channels of the configuration (`[notify.NAME]` in `quillwork.toml`), so that a rules file holds no secrets
//! and may come from elsewhere. The file is described in `docs/guides/alert-rules.md`.

mod command;
mod convert;
mod file;
mod local_time;
mod replay;
mod text;

use std::path::{Path, PathBuf};

use quillwork_core::alert::notify::Settings;
use quillwork_core::alert::{Engine, Rule, default_rules};

pub use self::command::{RulesArgs, RulesCommand, rules};
use self::file::RulesFile;
use crate::printable::shortened;

/// What a host watches, and who is told.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet {
    /// The rules, sound together.
    pub rules: Vec<Rule>,
    /// Who is told of what. Without a route in the file every receiver is told of everything.
    pub settings: Settings,
}

impl Default for RuleSet {
    /// The rules that ship; nobody is told.
    fn default() -> Self {
        Self { rules: default_rules(), settings: Settings::default() }
    }
}

/// A rules file larger than this is none.
const LARGEST: u64 = 1 << 20;

impl RuleSet {
    /// Reads a file. `receivers` are the names of the channels that there are; without a file all of them are told of
    /// the rules that ship.
    ///
    /// # Errors
    ///
    /// What is wrong, with its line where it has one, and what to do.
    pub fn load(path: Option<&Path>, receivers: &[String]) -> Result<Self, RulesError> {
        let Some(path) = path else { return Self::parse("", receivers).map_err(RulesError::bare) };
        let unreadable = |source| RulesError::Unreadable { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST {
            return Err(RulesError::TooLarge { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text, receivers).map_err(|fault| RulesError::Wrong { path: path.to_owned(), fault })
    }

    /// Reads a file without knowing the channels: whatever a route calls its receiver is one.
    fn load_for_test(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{} can't be read: {error}; name a file with [[rule]] tables, as docs/guides/examples/alerts.toml is, or leave it out for the rules that ship", path.display()))?;
        let file: RulesFile = toml::from_str(&text).unwrap_or_default();
        let heard = file.heartbeat.iter().map(|table| table.receiver.clone());
        let receivers: Vec<String> =
            file.route.iter().map(|table| table.receiver.clone()).chain(heard).collect();
        Self::parse(&text, &receivers).map_err(|fault| format!("{}: {fault}", path.display()))
    }

    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn parse(text: &str, receivers: &[String]) -> Result<Self, RuleFault> {
        let file: RulesFile = toml::from_str(text).map_err(|error| {
            RuleFault::new(error.span().map(|span| line_of(text, span.start)), error.message().to_owned())
        })?;
        let set = convert::rule_set(file, receivers).map_err(|(what, message)| {
            RuleFault::new(what.and_then(|name| line_naming(text, &name)), message)
        })?;
        Engine::new(set.rules.clone(), 1)
            .map_err(|error| RuleFault::new(line_naming(text, &error.rule), error.to_string()))?;
        set.settings.check().map_err(|error| RuleFault::new(None, error.to_string()))?;
        Ok(set)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The line in which something is given its name.
fn line_naming(text: &str, name: &str) -> Option<usize> {
    let is_it = |line: &str| {
        let Some((key, value)) = line.split_once('=') else { return false };
        matches!(key.trim(), "name" | "receiver") && value.trim().trim_matches(['"', '\'']).eq(name)
    };
    text.lines().position(is_it).map(|at| at + 1)
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct RuleFault {
    /// Counted from 1.
    pub line: Option<usize>,
    /// What is wrong and what to do, in 1500 bytes at most.
    pub message: String,
}

impl RuleFault {
    fn new(line: Option<usize>, message: String) -> Self {
        Self { line, message: shortened(message) }
    }
}

/// A rules file that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// It can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{} has more than 1 MiB and can't be a rules file; name another", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Something in it is wrong.
    #[error("{}: {fault}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What.
        fault: RuleFault,
    },
    /// The rules that ship don't suit the receivers.
    #[error("{0}")]
    Bare(RuleFault),
}

impl RulesError {
    fn bare(fault: RuleFault) -> Self {
        Self::Bare(fault)
    }
}

#[cfg(test)]
mod tests;
