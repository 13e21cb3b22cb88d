//! `quillwork check` and `quillwork rules`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{RuleSet, replay};
use crate::cli::ConfigArgs;
use crate::notify::Channels;

/// What to check.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Rules file [default: the one that the configuration names]
    #[arg(value_name = "RULES")]
    pub rules: Option<PathBuf>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it as help")]
    pub config: ConfigArgs,
}

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

/// Checks the configuration, its rules and its channels.
///
/// # Errors
///
/// What is wrong and what to do.
pub fn check(args: &CheckArgs) -> Result<(), String> {
    let config = args.config.layers().load().map_err(|error| error.to_string())?;
    let channels = Channels::from_config(&config).map_err(|error| error.to_string())?;
    let path = args.rules.as_deref().or(config.alerts.rules.as_deref());
    let set = RuleSet::load(path, &channels.names()).map_err(|error| error.to_string())?;
    print(&format!(
        "{}: {} rules, {} routes, {} channels, all sound\n",
        path.map_or_else(|| "the rules that ship".to_owned(), |path| path.display().to_string()),
        set.rules.len(),
        set.settings.routes.len(),
        channels.names().len(),
    ))
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
                        |level| crate::state::with_unit(level.threshold, rule.unit),
                    )
                };
                let side = match rule.direction {
                    quillwork_core::alert::Direction::Above => "above",
                    quillwork_core::alert::Direction::Below => "below",
                };
                text.push_str(&format!(
                    "{:<26} {side} {:<16} {side} {:<16} {}\n",
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

/// A reader that has seen enough closes the pipe: no fault.
fn print(text: &str) -> Result<(), String> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}
