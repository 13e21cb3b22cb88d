//! `[standby]`

use std::path::PathBuf;
use std::time::Duration;

use crate::config::settings;

settings! {
    /// A second host with the same history, which takes over: `docs/guides/standby.md`.
    pub struct Standby {
        /// The host to follow, for instance `"https://a.example.org:9470"`. Not set: this host follows none.
        url: Option<String> = None, applies OnRestart;
        /// File with the token that other hosts are shown (mode 0600). It must be good for the scope `replicate` there.
        token_file: Option<PathBuf> = None, applies OnRestart;
        /// Hosts that may have taken over from this one; it asks them when it starts, and every ten seconds after that. Those that follow it are
        /// remembered by themselves.
        peers: Vec<String> = Vec::new(), applies OnRestart;
        /// Where other hosts reach this one, for instance `"https://b.example.org:9470"`. Not set: the address that it listens on, if that is one.
        advertise: Option<String> = None, applies OnRestart;
        /// The standby takes over by itself when nobody has answered for so long. Not set: it takes over by `quillwork promote` only. Where the line
        /// between two hosts that both live is cut it makes both primary until they hear of each other.
        promote_after: Option<Duration> = None, applies OnRestart;
        /// Whether this host follows by itself when one of `peers` (or `url`) took over from it. Its own history is set aside as when it is started with
        /// `--standby`, so that is said first. Not set: it is silent until somebody starts it so.
        rejoin: bool = false, applies OnRestart;
        /// How often the standby asks what has changed.
        interval: Duration = Duration::from_secs(1), from "100ms" to "1m", applies OnRestart;
    }
}
