//! Looks whether another host of the history says to be primary, and tells an old one that it is no more.
//!
//! What peers say of themselves is asked without a token, since an address that was only heard of shall not be shown one. Who is told is one that the
//! configuration names.

use std::sync::Arc;
use std::time::Duration;

use quillwork_protocol::replication::Claim;
use tokio::time::sleep;

use super::peer::Peer;
use crate::driver::{Driver, Stopped};
use crate::stopping::Stopping;

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(10);

/// Other hosts of the history.
#[derive(Debug)]
pub(crate) struct Rivals {
    pub(crate) driver: Driver,
    /// Those that the configuration names.
    pub(crate) named: Vec<Peer>,
}

impl Rivals {
    /// Looks until the host stops.
    pub(crate) async fn run(self: Arc<Self>, mut stopping: Stopping) {
        loop {
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = stopping.wait() => return,
            };
            if looked.is_err() {
                return;
            }
            tokio::select! {
                () = sleep(PERIOD) => {}
                () = stopping.wait() => return,
            }
        }
    }

    /// Asks each of them once.
    pub(crate) async fn look(&self) -> Result<(), Stopped> {
        let (is_standby, heard_of) =
            self.driver.with(|state, _| (state.follows_from().is_some(), state.peers())).await?;
        // A standby hears from the host that it follows.
        if !is_standby {
            let unnamed = heard_of.iter().filter(|url| self.named.iter().all(|peer| peer.url() != *url));
            let unnamed = unnamed.filter_map(|url| Peer::new(url, None).ok());
            for (peer, is_named) in
                self.named.iter().map(|peer| (peer.clone(), true)).chain(unnamed.map(|peer| (peer, false)))
            {
                self.ask(&peer, is_named).await?;
            }
        }
        self.driver.with(|state, _| state.asked()).await
    }

    async fn ask(&self, peer: &Peer, is_named: bool) -> Result<(), Stopped> {
        let claimed: Claim = match peer.get_json(CLAIM, 64 << 10).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::debug!("{} doesn't say who it is: {error}", peer.url());
                return Ok(());
            }
        };
        // Where it says that it is reached may be what it calls itself; this address has answered.
        let claimed = Claim { url: Some(peer.url().to_owned()), ..claimed };
        let (is_old, ours) = self
            .driver
            .with(move |state, now| {
                state.hear(now, &claimed);
                (state.outranks(&claimed), state.claim())
            })
            .await?;
        if is_old && is_named {
            match peer.post::<Claim>(CLAIM, &ours).await {
                Ok(_) => tracing::warn!("{} was told that it is the primary no more", peer.url()),
                Err(error) => tracing::error!(
                    "{} says to be the primary still, and can't be told that it is no more: {error}",
                    peer.url()
                ),
            }
        }
        Ok(())
    }
}

/// Where hosts say who they are.
const CLAIM: &str = "/api/v1/replication/claim";
