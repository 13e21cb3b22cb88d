//! `[auth]` and `[auth.tokens.NAME]`

use std::path::PathBuf;

use crate::config::{settings, words};

settings! {
    /// Tokens that clients must show. As soon as there is one, every request for data needs one.
    pub struct Auth {
        /// File with a token of all scopes: one line of at least 32 characters, readable by its owner only (mode 0600).
        /// `(umask 077; openssl rand -hex 32 > token)` makes one.
        token_file: Option<PathBuf> = None, applies OnReload;
    }
}

settings! {
    /// A token by the name that logs call it.
    pub struct TokenSettings {
        /// File with the token, as for `token_file`.
        file: Option<PathBuf> = None, applies OnReload;
        /// What it is good for.
        scopes: Vec<Scope> = vec![Scope::Read], applies OnReload;
    }
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To see: everything that is asked by GET, and the dashboard.
    Read,
    /// To send telemetry.
    Ingest,
    /// To follow as a standby: all that is kept, alerts and silences included.
    Replicate,
    /// To change: silences, acknowledgements, rules. Includes the others.
    Admin,
}

impl Scope {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ingest => "ingest",
            Self::Replicate => "replicate",
            Self::Admin => "admin",
        }
    }
}

words!(Scope { "read" => Scope::Read, "ingest" => Scope::Ingest, "replicate" => Scope::Replicate, "admin" => Scope::Admin });
