//! What a host gives to those that follow it, and what it knows of them.

use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::replication::{Claim, Role};

use super::Replication;
use crate::clock::Now;
use crate::standby::standing::hex;
use crate::state::series::{SeriesValue, of_follower, of_former};
use crate::state::{Medium, State};

/// What a host that follows is given.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) claim: Claim,
    pub(crate) edition: String,
    pub(crate) tail: Vec<u8>,
    pub(crate) medium: Medium,
}

/// Who asks to follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asking {
    pub(crate) node: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) behind: Option<Duration>,
}

/// When a host asked last, and what it said of itself.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) url: Option<String>,
    pub(super) at: Instant,
    pub(super) behind: Option<Duration>,
}

/// Hosts that follow, of which the one silent for longest makes room.
const MOST_FOLLOWERS: usize = 16;
/// Who hasn't asked for so long follows no more.
const FORGOTTEN: Duration = Duration::from_secs(86_400);
/// A former primary is asked every ten seconds.
const SAID_LATELY: Duration = Duration::from_secs(60);

impl State {
    /// How far behind each standby is that has had all once, and which former primaries do not follow, as series of this host. Who hasn't been heard of for long
    /// is watched no more.
    pub(in crate::state) fn others_as_series(&mut self, now: Now) -> Vec<SeriesValue> {
        let ago = |at: Instant| now.monotonic.duration_since(at);
        let Replication { followers, former, .. } = &mut self.replication;
        let gone: Vec<String> = followers
            .extract_if(.., |_, asked| ago(asked.at) >= FORGOTTEN)
            .map(|(node, asked)| asked.url.unwrap_or(node))
            .collect();
        gone.iter().for_each(|follower| self.alerts.remove(now, "follower", follower));
        let gone: Vec<String> =
            former.extract_if(.., |_, (_, at)| ago(*at) >= FORGOTTEN).map(|(url, _)| url).collect();
        gone.iter().for_each(|host| self.alerts.remove(now, "host", host));
        let behind = followers.iter().filter_map(|(node, asked)| {
            let behind = asked.behind?.as_millis().saturating_add(ago(asked.at).as_millis());
            Some(of_follower(asked.url.as_ref().unwrap_or(node), behind))
        });
        let said = former.iter().filter(|(_, (_, at))| ago(*at) < SAID_LATELY);
        let said = said.map(|(url, (is_fenced, _))| of_former(url, *is_fenced));
        behind.chain(said).flatten().collect()
    }

    /// Notes whether a host that was primary follows by now.
    pub(super) fn note_former(&mut self, now: Now, claim: &Claim) {
        let replication = &mut self.replication;
        let Some(url) = claim.url.as_ref().filter(|_| claim.lineage == hex(replication.standing.lineage))
        else {
            return;
        };
        let is_fenced = claim.role == Role::Fenced;
        let former = &mut replication.former;
        let is_known = former.contains_key(url);
        if !is_known && (!is_fenced || former.len() >= MOST_FOLLOWERS) {
            return;
        }
        former.insert(url.clone(), (is_fenced, now.monotonic));
        if !is_known {
            tracing::warn!(
                "{url} was the primary, and is silent until it follows: start it with --standby and this host's address, or set \
                 standby.rejoin there"
            );
        }
    }

    /// Gives who follows what there is, from an instant on of what is in memory only.
    pub(crate) fn give(&mut self, now: Now, asking: Asking, from_unix_millis: u64) -> Given {
        let is_active = self.is_active();
        if let (Some(node), true) = (asking.node, is_active) {
            self.note_follower(now, node, asking.url, asking.behind);
        }
        Given {
            claim: self.claim(),
            edition: format!("{}-{}", self.instance, self.history.edition()),
            tail: if is_active { self.history.tail(from_unix_millis) } else { Vec::new() },
            medium: self.medium.clone(),
        }
    }

    fn note_follower(&mut self, now: Now, node: String, url: Option<String>, behind: Option<Duration>) {
        let followers = &mut self.replication.followers;
        if !followers.contains_key(&node) && followers.len() >= MOST_FOLLOWERS {
            let longest = followers.iter().min_by_key(|(_, asked)| asked.at).map(|(node, _)| node.clone());
            longest.map(|node| followers.remove(&node));
        }
        if let Some(url) = &url
            && self.replication.standing.remember(url)
        {
            tracing::info!("{url} follows this host");
            self.keep_standing();
        }
        self.replication.followers.insert(node, Asked { url, at: now.monotonic, behind });
    }
}
