//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::annotate::{self, AnnotateArgs};
use crate::check::CheckArgs;
use crate::config::{Flag, Layers};
use crate::detect::{self, DetectArgs};
use crate::guard::Origin;
use crate::history::{self, HistoryArgs};
use crate::report::{self, ReportArgs};
use crate::rules::RulesArgs;
use crate::simulate::{self, SimulateArgs};
use crate::standby::promote::{self, PromoteArgs};
use crate::top::{self, TopArgs};

/// The Quillwork host: measures this machine, takes the telemetry of pages, keeps history, raises alerts; and
/// simulates pools of workers.
#[derive(Debug, Parser)]
#[command(name = "quillwork", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the dashboard, the story app, the API and metrics until stopped
    #[command(after_help = EXAMPLES)]
    Serve(ServeArgs),
    /// Print the configuration that counts, and where each value is from
    Config(ShowConfigArgs),
    /// Print what this machine is, and the configuration that follows from it with the reason for each value
    #[command(after_help = detect::EXAMPLES)]
    Detect(DetectArgs),
    /// Show live what this machine does
    #[command(after_help = top::KEYS)]
    Top(TopArgs),
    /// Check, repair, back up, restore and export what was measured
    #[command(after_help = history::EXAMPLES)]
    History(HistoryArgs),
    /// Note on a host's time line what happened, for instance a deployment
    #[command(after_help = annotate::EXAMPLES)]
    Annotate(AnnotateArgs),
    /// Check the configuration and what it names: alert rules, channels, directories and files
    Check(CheckArgs),
    /// Test alert rules with recorded series, or list them
    Rules(RulesArgs),
    /// Make a standby the primary
    #[command(after_help = promote::EXAMPLES)]
    Promote(PromoteArgs),
    /// Report on a range: budgets, objectives, alerts, what limited, and what to do
    #[command(after_help = report::EXAMPLES)]
    Report(ReportArgs),
    /// Simulate workers in virtual time: which strategy and how many workers for your traffic
    #[command(after_help = simulate::EXAMPLES)]
    Simulate(SimulateArgs),
}

/// How to serve. What isn't given here comes from the environment, the file, or the defaults.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Port to listen on; 0 takes a free one and prints it [default: 9470]
    #[arg(long)]
    pub port: Option<u16>,

    /// Address to listen on; any but a loopback address needs --token-file [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,

    /// Directory to keep the history in; without it it is kept in memory only
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Built dashboard to serve at / [default: `dashboard` beside this program]
    #[arg(long, value_name = "DIR")]
    pub dashboard_dir: Option<PathBuf>,

    /// Built story app to serve at /story/ [default: `story` beside this program]
    #[arg(long, value_name = "DIR")]
    pub story_dir: Option<PathBuf>,

    /// File with the token that clients must show (chmod 600, at least 32 characters)
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Follow another host and hold the same history: a warm standby, see docs/guides/standby.md
    #[arg(long, value_name = "URL")]
    pub standby: Option<String>,

    /// Origin of pages that may talk to this host besides its own; may repeat
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<Origin>,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it as help")]
    pub config: ConfigArgs,
}

/// Where the configuration comes from.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    /// Configuration file, see `quillwork config --example`
    #[arg(long = "config", value_name = "FILE", env = "QUILLWORK_CONFIG")]
    pub file: Option<PathBuf>,

    /// Set any option of the configuration, for instance `--set limits.connections=200`; may repeat
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
}

/// What to print of the configuration.
#[derive(Args, Clone, Debug)]
pub struct ShowConfigArgs {
    /// Print a configuration file with every option, each at its default and explained
    #[arg(long, conflicts_with_all = ["json", "file", "set"])]
    pub example: bool,

    /// Print it as JSON
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show it as help")]
    pub config: ConfigArgs,
}

impl ConfigArgs {
    /// What the command line and the environment say, and where the file is.
    #[must_use]
    pub fn layers(&self) -> Layers {
        let flag = |(key, text): &(String, String)| Flag {
            flag: "--set".to_owned(),
            key: key.clone(),
            text: text.clone(),
        };
        // A variable that is no text can't name an option.
        let environment = std::env::vars_os()
            .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("QUILLWORK_"));
        Layers {
            file: self.file.clone(),
            environment: environment.collect(),
            flags: self.set.iter().map(flag).collect(),
        }
    }
}

impl ServeArgs {
    /// As [`ConfigArgs::layers`], with the flags that stand for options.
    #[must_use]
    pub fn layers(&self) -> Layers {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let origins: Vec<String> = self.allow_origin.iter().map(ToString::to_string).collect();
        let given = [
            ("--port", "server.port", self.port.map(|port| port.to_string())),
            ("--bind", "server.bind", self.bind.map(|address| address.to_string())),
            ("--data-dir", "history.data_dir", path(&self.data_dir)),
            ("--dashboard-dir", "server.dashboard_dir", path(&self.dashboard_dir)),
            ("--story-dir", "server.story_dir", path(&self.story_dir)),
            ("--token-file", "auth.token_file", path(&self.token_file)),
            ("--standby", "standby.url", self.standby.clone()),
            ("--allow-origin", "server.allowed_origins", (!origins.is_empty()).then(|| origins.join(","))),
        ];
        let mut layers = self.config.layers();
        layers.flags.extend(given.into_iter().filter_map(|(flag, key, text)| {
            Some(Flag { flag: flag.to_owned(), key: key.to_owned(), text: text? })
        }));
        layers
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write KEY=VALUE, for instance limits.connections=200".to_owned()),
    }
}

const EXAMPLES: &str = "\
Examples:
  quillwork serve
      On this machine only: http://127.0.0.1:9470
  quillwork serve --port 0
      On a free port, which is printed
  quillwork serve --allow-origin http://localhost:5173
      For an app that a development server serves
  (umask 077; openssl rand -hex 32 > token); quillwork serve --bind 0.0.0.0 --token-file token
      For the whole network; clients send `Authorization: Bearer <token>`
  quillwork serve --standby https://a.example.org:9470 --data-dir copy --set standby.token_file=a.token
      Hold the same history as another host, and take over by `quillwork promote`

Options are listed by `quillwork config`; flags count more than the environment (QUILLWORK_SERVER_PORT=8080), and that
more than the file of --config. Logs go to stderr; RUST_LOG=quillwork_host=debug shows more of them.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_foreign_origin_must_be_one() {
        let error = Cli::try_parse_from(["quillwork", "serve", "--allow-origin", "localhost"]).unwrap_err();
        assert!(error.to_string().contains("http://localhost:5173"), "{error}");
    }
}
