//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::guard::Origin;
use crate::simulate::{self, SimulateArgs};

/// The Quillwork host: measures this machine, takes the telemetry of pages, keeps the last hour, raises alerts; and
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
    /// Simulate workers in virtual time: which strategy and how many workers for your traffic
    #[command(after_help = simulate::EXAMPLES)]
    Simulate(SimulateArgs),
}

/// How to serve.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(long, default_value_t = 9470)]
    pub port: u16,

    /// Address to listen on; any but a loopback address needs --token-file
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,

    /// Directory to keep the history of the last hour in, written once a minute; without it it is kept in memory only
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

    /// Origin of pages that may talk to this host besides its own; may repeat
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<Origin>,
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

Logs go to stderr; RUST_LOG=quillwork_host=debug shows more of them.";

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
