//! `quillwork promote`

use std::path::PathBuf;

use clap::Args;
use quillwork_protocol::replication::{Claim, Promotion};

use super::peer::Peer;
use crate::secret;

/// Which standby to make the primary.
#[derive(Args, Clone, Debug)]
pub struct PromoteArgs {
    /// The standby's address
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9470")]
    pub url: String,

    /// File with a token of the standby for the scope admin
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Even where it never had all that the primary has, or another host took over from it: what is missing is lost
    #[arg(long)]
    pub force: bool,
}

/// Promotes a standby that runs.
///
/// # Errors
///
/// If it can't be reached, or refuses; the message says what to do.
pub fn promote(args: &PromoteArgs) -> Result<(), String> {
    let token =
        args.token_file.as_deref().map(secret::read).transpose().map_err(|error| error.to_string())?;
    let peer =
        Peer::new(&args.url, token.as_deref().map(str::trim)).map_err(|error| format!("--url: {error}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime does not start: {error}"))?;
    let promotion = Promotion { force: args.force };
    let claim: Claim = runtime
        .block_on(peer.post("/api/v1/replication/promotion", &promotion))
        .map_err(|error| error.to_string())?;
    println!("{} is the primary, with epoch {}", peer.url(), claim.epoch);
    println!(
        "the old primary is silent as soon as it hears of it; start it with `quillwork serve --standby {}` to have it follow",
        peer.url()
    );
    Ok(())
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  quillwork promote
      The standby on this machine, on the usual port
  quillwork promote --url https://b.example.org:9470 --token-file token
      Another; the token must be good for the scope admin";
