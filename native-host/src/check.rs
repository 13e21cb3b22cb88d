//! `quillwork check`.

use std::path::PathBuf;

use clap::Args;

use crate::assets::Site;
use crate::cli::ConfigArgs;
use crate::config::{Config, History, ReportPeriod};
use crate::export;
use crate::logging;
use crate::notify::Channels;
use crate::printable::print;
use crate::reload;
use crate::report;
use crate::rules::RuleSet;
use crate::standby::start::Others;
use crate::state::Medium;

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

/// Checks the configuration and what it names: tokens, certificate, rules, channels, other hosts, where metrics are sent on to, the apps that are
/// served, and whether history, log and reports can be written where they are to lie. Makes nothing.
///
/// # Errors
///
/// What is wrong and what to do.
pub fn check(args: &CheckArgs) -> Result<(), String> {
    let config = args.config.layers().load().map_err(|error| error.to_string())?;
    reload::rules(&config).map_err(|error| error.to_string())?;
    reload::certificate(&config).map_err(|error| error.to_string())?;
    places(&config)?;
    Others::from_config(&config.standby).map_err(|error| error.to_string())?;
    let channels = Channels::from_config(&config).map_err(|error| error.to_string())?;
    let exports = export::Settings::from_config(&config).map_err(|error| error.to_string())?;
    let path = args.rules.as_deref().or(config.alerts.rules.as_deref());
    let set = RuleSet::load(path, &channels.names()).map_err(|error| error.to_string())?;
    print(&format!("{}\n", expected(&config.history)))?;
    let mut counted = format!(
        "{} rules, {} routes, {} channels",
        set.rules.len(),
        set.settings.routes.len(),
        channels.names().len()
    );
    if !exports.is_empty() {
        counted.push_str(&format!(", {} exports", exports.len()));
    }
    let of = path.map_or_else(|| "the rules that ship".to_owned(), |path| path.display().to_string());
    print(&format!("{of}: {counted}, all sound\n"))
}

/// Whether history is likely to hold within its bytes.
fn expected(history: &History) -> String {
    const SERIES: u64 = 1_000;
    let (options, mib) = (history.options(), |bytes: u64| bytes.div_ceil(1 << 20));
    let (expected, most) = (options.expected_bytes(SERIES), options.max_bytes);
    let said = format!("history: {SERIES} series take about {} MiB in the end", mib(expected));
    if expected <= most {
        format!("{said}, of history.max_bytes = {} MiB", mib(most))
    } else {
        format!(
            "{said}, and history.max_bytes is {} MiB: what is nearest to its end goes earlier, at about {} % of its time; raise it, or keep less",
            mib(most),
            most.saturating_mul(100) / expected
        )
    }
}

/// Says of directories and files what a start would say.
fn places(config: &Config) -> Result<(), String> {
    Site::dashboard(config.server.dashboard_dir.clone()).map_err(|error| error.to_string())?;
    Site::story(config.server.story_dir.clone()).map_err(|error| error.to_string())?;
    if let Some(data) = &config.history.data_dir {
        Medium::check(data).map_err(|error| error.to_string())?;
    }
    logging::check(&config.log).map_err(|error| error.to_string())?;
    if config.reports.directory.is_some() || config.reports.every != ReportPeriod::Never {
        report::check(config)?;
    }
    Ok(())
}
