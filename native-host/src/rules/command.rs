//! `quillwork rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use quillwork_core::time::Duration;

use super::{RuleSet, replay};
use crate::printable::print;

/// What to do with rules.
#[derive(Args, Clone, Debug)]
pub struct RulesArgs {
    /// What to do
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// What to do with rules.
#[derive(Clone, Debug, Subcommand)]
pub enum RulesCommand {
    /// Run the tests of a file: recorded series in, expected alerts out
    Test {
        /// File with tests, see docs/guides/alert-rules.md
        file: PathBuf,
    },
    /// List the rules that count, with their levels
    List {
        /// Rules file [default: only the rules that ship]
        file: Option<PathBuf>,
    },
}

/// Tests or lists rules.
///
/// # Errors
///
/// If a file can't be used, or a test fails.
pub fn rules(args: &RulesArgs) -> Result<(), String> {
    match &args.command {
        RulesCommand::Test { file } => {
            let report = replay::run(file)?;
            for (name, differences) in &report.failed {
                print(&format!("FAILED {name}\n{differences}"))?;
            }
            print(&format!("{} passed, {} failed\n", report.passed, report.failed.len()))?;
            if report.failed.is_empty() { Ok(()) } else { Err("some tests of rules failed".to_owned()) }
        }
        RulesCommand::List { file } => {
            let set = RuleSet::load_for_test(file.as_deref())?;
            let mut text = String::new();
            for rule in &set.rules {
                let level = |level: Option<quillwork_core::alert::Level>| {
                    level.map_or_else(
                        || "-".to_owned(),
                        |level| {
                            let value = crate::state::with_unit(level.threshold, rule.unit);
                            format!("{value}{}", lasting(level.for_duration))
                        },
                    )
                };
                let side = match rule.direction {
                    quillwork_core::alert::Direction::Above => "above",
                    quillwork_core::alert::Direction::Below => "below",
                };
                text.push_str(&format!(
                    "{:<26} {side} {:<24} {side} {:<24} {}\n",
                    rule.name,
                    level(rule.warning),
                    level(rule.critical),
                    rule.look_first
                ));
            }
            print(&text)
        }
    }
}

/// How long a level must be crossed: ` for 15 s`.
fn lasting(time: Duration) -> String {
    const UNITS: [(&str, u64); 3] = [("h", 3_600_000), ("min", 60_000), ("s", 1_000)];
    let millis = time.as_millis();
    match UNITS.into_iter().find(|(_, length)| millis.is_multiple_of(*length)) {
        _ if millis == 0 => String::new(),
        Some((unit, length)) => format!(" for {} {unit}", millis / length),
        None => format!(" for {millis} ms"),
    }
}
