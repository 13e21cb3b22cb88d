//! The host among those that hold the same history: what it is to them, what it gives to who follows, and what it takes from whom it follows.
//!
//! Files are put on the medium here, one for each input, so that nothing else writes to it meanwhile.

mod following;
mod giving;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::replication::{Claim, Follower, Role, Standing as Told};
use tokio::sync::watch;

pub(crate) use self::following::{FollowRefusal, PromoteError};
use self::giving::Asked;
pub(crate) use self::giving::{Asking, Given};
use super::State;
use crate::clock::Now;
use crate::standby::absence::Absence;
use crate::standby::record;
use crate::standby::standing::Standing;

/// What concerns other hosts.
#[derive(Debug)]
pub(super) struct Replication {
    pub(super) standing: Standing,
    /// Where this host can be reached.
    url: Option<String>,
    /// The absence of the primary after which this host takes over by itself.
    promote_after: Option<Duration>,
    absence: Absence,
    /// Whom this host follows by itself once they took over from it.
    rejoins: Vec<String>,
    /// Of a standby: as of when it has all.
    applied_at: Option<Instant>,
    missing_bytes: Option<u64>,
    failure: Option<String>,
    /// By node.
    followers: BTreeMap<String, Asked>,
    /// By address: hosts that were primary, whether they are fenced still, and when they said so.
    former: BTreeMap<String, (bool, Instant)>,
    /// Until then nobody is told: peers are asked first whether one of them took over.
    asking_until: Option<Instant>,
    view: watch::Sender<Arc<View>>,
}

/// What every request may want to know of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) role: Role,
    pub(crate) epoch: u64,
    /// Who is primary, where it is another and known.
    pub(crate) primary: Option<String>,
    /// Of a standby: as of when it has all.
    pub(crate) applied_at: Option<Instant>,
}

/// So long letters wait for what peers say when the host starts.
const ASKING: Duration = Duration::from_secs(5);

impl Replication {
    pub(super) fn new(standing: Standing) -> Self {
        let view = View { role: standing.role(), epoch: standing.epoch, primary: None, applied_at: None };
        let replication = Self {
            standing,
            url: None,
            promote_after: None,
            absence: Absence::default(),
            rejoins: Vec::new(),
            applied_at: None,
            missing_bytes: None,
            failure: None,
            followers: BTreeMap::new(),
            former: BTreeMap::new(),
            asking_until: None,
            view: watch::Sender::new(Arc::new(view)),
        };
        replication.show();
        replication
    }

    pub(super) fn is_active(&self) -> bool {
        self.standing.is_active()
    }

    /// Whether somebody may be told of alerts.
    pub(super) fn tells(&self, now: Instant) -> bool {
        self.is_active() && self.asking_until.is_none_or(|until| until <= now)
    }

    fn show(&self) {
        let view = View {
            role: self.standing.role(),
            epoch: self.standing.epoch,
            primary: self.standing.primary().map(str::to_owned),
            applied_at: self.applied_at,
        };
        self.view.send_if_modified(|shown| {
            let is_new = **shown != view;
            if is_new {
                *shown = Arc::new(view);
            }
            is_new
        });
    }
}

impl State {
    /// Where this host can be reached, and after which absence of the primary it takes over; to be called before anything happens. Where it has peers
    /// it tells nobody for some seconds, until it knows whether one of them took over.
    pub fn begin_replication(&mut self, now: Now, url: Option<String>, promote_after: Option<Duration>) {
        let replication = &mut self.replication;
        (replication.url, replication.promote_after) = (url, promote_after);
        if replication.is_active() && !replication.standing.peers.is_empty() {
            replication.asking_until = Some(now.monotonic + ASKING);
        }
    }

    /// Whom this host follows by itself once they took over from it, by address.
    pub(crate) fn rejoin(&mut self, hosts: Vec<String>) {
        self.replication.rejoins = hosts;
    }

    /// The host that took over says so: this one follows, where it may. Whether it does.
    fn follow_who_took_over(&mut self, claim: &Claim) -> bool {
        let Replication { standing, rejoins, .. } = &mut self.replication;
        let Some(url) = claim.url.as_ref().filter(|url| rejoins.contains(url)) else { return false };
        if !standing.is_fenced_by(claim) {
            return false;
        }
        *standing = standing.clone().started(Some(url));
        true
    }

    /// What requests may want to know.
    pub(crate) fn view(&self) -> watch::Receiver<Arc<View>> {
        self.replication.view.subscribe()
    }

    /// Whether the host measures, takes and tells.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.replication.is_active()
    }

    /// What this host says of itself.
    pub(crate) fn claim(&self) -> Claim {
        self.replication.standing.claim(self.replication.url.as_deref())
    }

    /// Hosts that may have taken over.
    pub(crate) fn peers(&self) -> Vec<String> {
        self.replication.standing.peers.clone()
    }

    /// What this host is, in full.
    pub(crate) fn standing(&self, now: Now) -> Told {
        let replication = &self.replication;
        let ago = |at: Instant| now.monotonic.duration_since(at).as_millis();
        let is_standby = replication.standing.role() == Role::Standby;
        Told {
            claim: self.claim(),
            primary: replication.standing.primary().map(str::to_owned),
            behind_millis: replication.applied_at.filter(|_| is_standby).map(ago),
            missing_bytes: replication.missing_bytes.filter(|_| is_standby),
            failure: match replication.standing.role() {
                Role::Primary => None,
                Role::Standby => replication.failure.clone(),
                Role::Fenced => Some(took_over(replication.standing.primary(), replication.standing.epoch)),
            },
            followers: replication
                .followers
                .iter()
                .map(|(node, asked)| Follower {
                    node: node.clone(),
                    url: asked.url.clone(),
                    asked_millis_ago: ago(asked.at),
                    behind_millis: asked.behind.map(Duration::as_millis),
                })
                .collect(),
        }
    }

    /// Another host says who it is. From now on this one may be silent, or follow it.
    pub(crate) fn hear(&mut self, now: Now, claim: &Claim) {
        let was_active = self.is_active();
        let is_fenced = self.replication.standing.hear(claim);
        if is_fenced && was_active {
            self.history.flush();
            self.alerts.keep(&mut self.medium);
        }
        let follows = self.follow_who_took_over(claim);
        if is_fenced || follows {
            self.keep_standing();
            self.replication.show();
        } else if self.is_active() {
            self.note_former(now, claim);
        }
        match claim.url.as_deref() {
            Some(url) if follows => tracing::warn!(
                "{url} took over with epoch {}: this host is its standby from now on, as standby.rejoin says",
                claim.epoch
            ),
            url if is_fenced && was_active => tracing::error!("{}", took_over(url, claim.epoch)),
            _ => {}
        }
    }

    /// All peers were asked.
    pub(crate) fn asked(&mut self) {
        self.replication.asking_until = None;
    }

    /// Whether who says this must hear that it is primary no more.
    pub(crate) fn outranks(&self, claim: &Claim) -> bool {
        self.replication.standing.outranks(claim)
    }

    /// Writes what this host knows of itself. Where that fails it counts for this run.
    fn keep_standing(&mut self) {
        if let Err(error) = record::write(&mut self.medium, &self.replication.standing) {
            tracing::error!(
                "what this host is among others can't be written and is asked anew after a restart: {error}"
            );
        }
    }
}

/// What a host from which another took over says of itself.
pub(crate) fn took_over(by: Option<&str>, epoch: u64) -> String {
    let address = by.unwrap_or("and that host's address");
    format!(
        "{} took over with epoch {epoch}: this host is silent until it follows; start it with --standby {address}, or set standby.rejoin",
        by.unwrap_or("another host")
    )
}
