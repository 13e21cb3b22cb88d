//! What a host is when it starts.

use std::net::SocketAddr;

use super::peer::{Peer, normal};
use super::record;
use super::standing::{Place, Standing};
use crate::config::{Config, Standby};
use crate::http_client::BadTarget;
use crate::secret;
use crate::state::{Medium, took_over};

/// What the configuration says of other hosts, read.
pub(crate) struct Others {
    /// Whom to follow.
    pub(crate) follow: Option<Peer>,
    /// Who may have taken over.
    pub(crate) named: Vec<Peer>,
    token: Option<String>,
}

/// Other hosts that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OthersError {
    /// An address isn't one.
    #[error("standby: {url:?}: {error}")]
    Address {
        /// What was given.
        url: String,
        /// What is wrong with it.
        error: BadTarget,
    },
    /// The token can't be used.
    #[error("standby.token_file: {0}")]
    Token(#[from] secret::SecretError),
}

impl Others {
    pub(crate) fn from_config(config: &Standby) -> Result<Self, OthersError> {
        let token = config.token_file.as_deref().map(secret::read).transpose()?;
        let token = token.as_deref().map(str::trim);
        let peer = |url: &String| {
            Peer::new(url, token).map_err(|error| OthersError::Address { url: url.clone(), error })
        };
        let follow = config.url.as_ref().map(peer).transpose()?;
        let mut named = config.peers.iter().map(peer).collect::<Result<Vec<_>, _>>()?;
        named.extend(follow.clone());
        Ok(Self { follow, named, token: token.map(str::to_owned) })
    }

    /// A host to follow, which is shown the token: it is one that the configuration names, or that this host followed when it ended.
    pub(crate) fn peer(&self, url: &str) -> Option<Peer> {
        Peer::new(url, self.token.as_deref()).ok()
    }
}

/// What this host is: as it was when it ended, or new. `random` gives numbers that no other host has.
pub(crate) fn standing(
    medium: &mut Medium,
    others: &Others,
    mut random: impl FnMut() -> u64,
) -> Result<Standing, quillwork_store::volume::VolumeError> {
    let known = record::read(medium)?;
    let before = known.clone();
    let mut standing = known.unwrap_or_else(|| Standing::alone(random(), random()));
    standing = standing.started(others.follow.as_ref().map(Peer::url));
    for peer in &others.named {
        standing.remember(peer.url());
    }
    if before.as_ref() != Some(&standing)
        && let Err(error) = record::write(medium, &standing)
    {
        tracing::error!("what this host is among others can't be written: {error}");
    }
    match &standing.place {
        Place::Primary { over: Some(over) } if others.follow.is_some() => tracing::warn!(
            "this host took over from {over} and stays the primary; take --standby out of its start, or have {over} promoted"
        ),
        Place::Primary { .. } => {}
        Place::Standby { of, .. } => {
            tracing::info!("this host is a standby of {of}; `quillwork promote` makes it the primary");
        }
        Place::Fenced { at, .. } => tracing::error!("{}", took_over(at.as_deref(), standing.epoch)),
    }
    Ok(standing)
}

/// Where this host can be reached, as far as it knows.
pub(crate) fn own_url(config: &Config, address: SocketAddr, is_encrypted: bool) -> Option<String> {
    let scheme = if is_encrypted { "https" } else { "http" };
    let listens = (!address.ip().is_unspecified()).then(|| format!("{scheme}://{address}"));
    config.standby.advertise.as_deref().and_then(|url| normal(url).ok()).or(listens)
}
