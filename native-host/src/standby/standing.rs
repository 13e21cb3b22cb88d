//! Who a host is among those that hold the same history: decisions only, no clock and no network.
//!
//! Each history has a **lineage**, which copies inherit, and in it an **epoch**, which every promotion raises. Of two hosts of one lineage that both
//! say to be primary the one of the larger epoch is; in the same epoch (two standbys were promoted at once) the one of the larger node number. The other
//! is **fenced**: silent until it follows. Hosts of other lineages have nothing to say to each other.

use quillwork_protocol::replication::{Claim, Role};
use serde::{Deserialize, Serialize};

/// What a host knows of itself. All of it but `settings` outlives the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its own random number.
    pub node: u64,
    /// The history's.
    pub lineage: u64,
    /// How often a standby has taken over, as far as this host knows.
    pub epoch: u64,
    /// What it is.
    pub place: Place,
    /// Hosts that followed this one, or that it followed: who may have taken over.
    pub peers: Vec<String>,
}

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// It measures, takes and tells.
    Primary {
        /// The host that it took over from.
        over: Option<String>,
    },
    /// It follows.
    Standby {
        /// Whom.
        of: String,
        /// Whether all that it has is a copy: nothing is in it that the other never had.
        is_copy: bool,
        /// Whether it has ever had all that there was.
        is_whole: bool,
    },
    /// It was primary, and another is now.
    Fenced {
        /// Epoch and node of the other.
        by: (u64, u64),
        /// Where the other is.
        at: Option<String>,
    },
}

/// What a standby does with what it has when it reaches the host that it is to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// It is a copy of the same history, or nothing: goes on from there.
    Continue,
    /// It holds what the other may lack: that is set aside, and a new copy begun.
    SetAside,
    /// The other can't be followed.
    Refuse(NotFollowed),
}

/// Why a host can't be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// It is this host.
    #[error("this host can't follow itself; name another with --standby")]
    Itself,
    /// It follows another.
    #[error("it is a standby itself; follow the host that it follows")]
    IsStandby,
    /// Another took over from it.
    #[error("another host took over from it; follow that one")]
    IsFenced,
    /// This host has seen a later epoch.
    #[error(
        "its epoch is {theirs}, and this host has seen {ours}: another host took over from it; follow that one"
    )]
    IsOld {
        /// The other's epoch.
        theirs: u64,
        /// The latest that this host knows.
        ours: u64,
    },
    /// What it says of itself can't be read.
    #[error("what it says of itself can't be understood; both hosts must be of one version")]
    Unreadable,
}

/// Why a host isn't promoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPromoted {
    /// It is primary.
    #[error("this host is the primary already, in epoch {epoch}")]
    IsPrimary {
        /// Its epoch.
        epoch: u64,
    },
    /// It never had all that the primary has.
    #[error(
        "this standby never had all that {of} has, and what is missing would be lost to it; promote with force if it is gone for good"
    )]
    NotWhole {
        /// Whom it follows.
        of: String,
    },
    /// Another took over from it.
    #[error(
        "another host took over from this one and has gone on since; promote with force if that one is gone for good"
    )]
    IsFenced,
}

/// Most peers that are remembered.
const MOST_PEERS: usize = 8;

impl Standing {
    /// A host that knows of no other.
    #[must_use]
    pub fn alone(node: u64, lineage: u64) -> Self {
        Self { node, lineage, epoch: 1, place: Place::Primary { over: None }, peers: Vec::new() }
    }

    /// What it is when it starts. `follow` is whom it is told to follow.
    ///
    /// A promoted host that is still told to follow the one that it took over from goes on as primary: a service manager starts it with the words of
    /// before. Whether that one was promoted since is asked, as of every peer.
    #[must_use]
    pub fn started(mut self, follow: Option<&str>) -> Self {
        let Some(url) = follow else { return self };
        match &mut self.place {
            Place::Primary { over: Some(over) } if over == url => {}
            Place::Standby { of, .. } => url.clone_into(of),
            // Whether what it has is a copy is seen when the other is reached: until then it isn't.
            Place::Primary { .. } | Place::Fenced { .. } => {
                self.place = Place::Standby { of: url.to_owned(), is_copy: false, is_whole: false };
                self.remember(url);
            }
        }
        self
    }

    /// Whether it measures, takes and tells.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self.place, Place::Primary { .. })
    }

    /// What it is.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self.place {
            Place::Primary { .. } => Role::Primary,
            Place::Standby { .. } => Role::Standby,
            Place::Fenced { .. } => Role::Fenced,
        }
    }

    /// Who is primary, where it is another and known.
    #[must_use]
    pub fn primary(&self) -> Option<&str> {
        match &self.place {
            Place::Primary { .. } => None,
            Place::Standby { of, .. } => Some(of),
            Place::Fenced { at, .. } => at.as_deref(),
        }
    }

    /// What it says of itself.
    #[must_use]
    pub fn claim(&self, url: Option<&str>) -> Claim {
        Claim {
            node: hex(self.node),
            lineage: hex(self.lineage),
            epoch: self.epoch,
            role: self.role(),
            url: url.map(str::to_owned),
        }
    }

    /// The host that it follows says who it is. `has_history` is whether anything lies in its own directory.
    #[must_use]
    pub fn contact(&self, claim: &Claim, has_history: bool) -> Contact {
        let (Some(node), Some(lineage)) = (number(&claim.node), number(&claim.lineage)) else {
            return Contact::Refuse(NotFollowed::Unreadable);
        };
        let refusal = match claim.role {
            _ if node == self.node => Some(NotFollowed::Itself),
            Role::Standby => Some(NotFollowed::IsStandby),
            Role::Fenced => Some(NotFollowed::IsFenced),
            Role::Primary if lineage == self.lineage && claim.epoch < self.epoch => {
                Some(NotFollowed::IsOld { theirs: claim.epoch, ours: self.epoch })
            }
            Role::Primary => None,
        };
        match refusal {
            Some(refusal) => Contact::Refuse(refusal),
            None if !has_history || (self.is_copy() && lineage == self.lineage) => Contact::Continue,
            None => Contact::SetAside,
        }
    }

    fn is_copy(&self) -> bool {
        matches!(self.place, Place::Standby { is_copy: true, .. })
    }

    /// What it has is a copy of this host's history from now on. Whether that is new.
    pub fn join(&mut self, claim: &Claim) -> bool {
        let before = self.clone();
        if let (Some(lineage), Place::Standby { is_copy, is_whole, .. }) =
            (number(&claim.lineage), &mut self.place)
        {
            *is_whole &= *is_copy && lineage == self.lineage;
            *is_copy = true;
            (self.lineage, self.epoch) = (lineage, claim.epoch);
        }
        *self != before
    }

    /// It has all that there is. Whether that is new.
    pub fn completed(&mut self) -> bool {
        match &mut self.place {
            Place::Standby { is_whole, .. } => !std::mem::replace(is_whole, true),
            Place::Primary { .. } | Place::Fenced { .. } => false,
        }
    }

    /// Another host of the lineage says who it is. Whether this one is fenced by it now.
    pub fn hear(&mut self, claim: &Claim) -> bool {
        let (Some(node), Some(lineage)) = (number(&claim.node), number(&claim.lineage)) else { return false };
        if lineage != self.lineage || node == self.node || claim.role != Role::Primary {
            return false;
        }
        let theirs = (claim.epoch, node);
        let ours = match &self.place {
            Place::Primary { .. } => (self.epoch, self.node),
            Place::Fenced { by, .. } => *by,
            Place::Standby { .. } => return false,
        };
        if theirs <= ours {
            return false;
        }
        self.epoch = claim.epoch;
        self.place = Place::Fenced { by: theirs, at: claim.url.clone() };
        if let Some(url) = &claim.url {
            self.remember(url);
        }
        true
    }

    /// Whether who says this is the one that took over from this host.
    #[must_use]
    pub fn is_fenced_by(&self, claim: &Claim) -> bool {
        let Place::Fenced { by, .. } = &self.place else { return false };
        let rank = number(&claim.node).map(|node| (claim.epoch, node));
        claim.role == Role::Primary && number(&claim.lineage) == Some(self.lineage) && rank == Some(*by)
    }

    /// Whether who says this must hear that it is primary no more.
    #[must_use]
    pub fn outranks(&self, claim: &Claim) -> bool {
        let rank = number(&claim.node).map(|node| (claim.epoch, node));
        self.is_active()
            && number(&claim.lineage) == Some(self.lineage)
            && claim.role == Role::Primary
            && rank.is_some_and(|rank| rank < (self.epoch, self.node))
    }

    /// As it is when it has been promoted.
    ///
    /// # Errors
    ///
    /// Where it is primary; or what it has isn't all, unless `force`.
    pub fn promoted(&self, force: bool) -> Result<Self, NotPromoted> {
        let over = match &self.place {
            Place::Primary { .. } => return Err(NotPromoted::IsPrimary { epoch: self.epoch }),
            Place::Standby { of, is_whole: false, .. } if !force => {
                return Err(NotPromoted::NotWhole { of: of.clone() });
            }
            Place::Standby { of, .. } => Some(of.clone()),
            Place::Fenced { .. } if !force => return Err(NotPromoted::IsFenced),
            Place::Fenced { at, .. } => at.clone(),
        };
        let mut promoted = Self {
            epoch: self.epoch.saturating_add(1),
            place: Place::Primary { over: over.clone() },
            ..self.clone()
        };
        if let Some(over) = &over {
            promoted.remember(over);
        }
        Ok(promoted)
    }

    /// Remembers who may take over one day, the newest first. Whether that is new.
    pub fn remember(&mut self, peer: &str) -> bool {
        if self.peers.iter().any(|known| known == peer) {
            return false;
        }
        self.peers.insert(0, peer.to_owned());
        self.peers.truncate(MOST_PEERS);
        true
    }
}

/// As numbers of hosts are written.
#[must_use]
pub fn hex(number: u64) -> String {
    format!("{number:016x}")
}

fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16 && !text.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://a:1";

    fn standby_of(primary: &Standing, node: u64) -> Standing {
        let mut standby = Standing::alone(node, node).started(Some(URL));
        assert_eq!(standby.contact(&primary.claim(Some(URL)), false), Contact::Continue);
        assert!(standby.join(&primary.claim(Some(URL))) && standby.completed());
        standby
    }

    #[test]
    fn a_promoted_standby_fences_the_old_primary_and_is_not_fenced_by_it() {
        let mut old = Standing::alone(9, 7);
        let mut new = standby_of(&old, 2).promoted(false).unwrap();
        assert_eq!((new.epoch, new.role(), new.lineage), (2, Role::Primary, 7));
        assert!(!new.hear(&old.claim(None)) && new.outranks(&old.claim(None)));
        assert!(old.hear(&new.claim(Some("http://b:1"))), "once");
        assert!(!old.hear(&new.claim(Some("http://b:1"))), "and not again");
        assert_eq!((old.role(), old.primary()), (Role::Fenced, Some("http://b:1")));
        assert!(!new.outranks(&old.claim(None)), "it knows by now");
        assert_eq!(old.promoted(false), Err(NotPromoted::IsFenced));
        let back = old.promoted(true).unwrap();
        assert!(back.epoch == 3 && new.hear(&back.claim(None)), "a failover back");
    }

    #[test]
    fn of_two_standbys_that_are_promoted_at_once_one_remains_whoever_hears_first() {
        let primary = Standing::alone(9, 7);
        let promoted = |node| standby_of(&primary, node).promoted(false).unwrap();
        for (first, second) in [(1, 2), (2, 1)] {
            let (mut first, mut second) = (promoted(first), promoted(second));
            let (said_first, said_second) = (first.claim(None), second.claim(None));
            first.hear(&said_second);
            second.hear(&said_first);
            let active: Vec<u64> =
                [&first, &second].into_iter().filter(|host| host.is_active()).map(|host| host.node).collect();
            assert_eq!(active, [2]);
        }
    }

    #[test]
    fn hosts_of_other_lineages_standbys_and_itself_fence_nobody() {
        let mut host = Standing::alone(1, 7);
        let mut other = Standing::alone(2, 8);
        other.epoch = 50;
        assert!(!host.hear(&other.claim(None)) && !host.outranks(&other.claim(None)));
        let mut later = Standing { epoch: 5, ..host.clone() };
        assert!(!host.hear(&later.claim(None)), "itself");
        later.node = 3;
        later.place = Place::Standby { of: URL.into(), is_copy: true, is_whole: true };
        assert!(!host.hear(&later.claim(None)), "a standby");
        let mut broken = Standing { node: 3, epoch: 5, ..Standing::alone(3, 7) }.claim(None);
        broken.node = "+00000000000000f".into();
        assert!(!host.hear(&broken));
    }

    #[test]
    fn who_was_active_sets_its_history_aside_before_it_follows_and_a_copy_goes_on() {
        let old = Standing::alone(9, 7);
        let new = standby_of(&old, 2).promoted(false).unwrap();
        let claim = new.claim(Some("http://b:1"));
        let mut returned = old.started(Some("http://b:1"));
        assert_eq!(returned.role(), Role::Standby);
        assert_eq!(returned.contact(&claim, true), Contact::SetAside);
        assert_eq!(returned.contact(&claim, false), Contact::Continue);
        assert!(returned.join(&claim));
        assert_eq!(returned.contact(&claim, true), Contact::Continue, "a copy from now on");
        let again = returned.clone().started(Some("http://b:1"));
        assert_eq!(again.contact(&claim, true), Contact::Continue, "and after a restart");
        let foreign = Standing::alone(5, 99).claim(None);
        assert_eq!(returned.contact(&foreign, true), Contact::SetAside, "another history");
        returned.completed();
        returned.join(&foreign);
        assert!(returned.promoted(false).is_err(), "nothing of the other history is here yet");
    }

    #[test]
    fn an_old_a_following_and_a_fenced_host_and_itself_are_not_followed() {
        let old = Standing::alone(9, 7);
        let mut new = standby_of(&old, 2).promoted(false).unwrap();
        let third = standby_of(&new, 3);
        let refused = |claim: &Claim| match third.contact(claim, true) {
            Contact::Refuse(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&old.claim(None)), NotFollowed::IsOld { theirs: 1, ours: 2 });
        assert_eq!(refused(&third.claim(None)), NotFollowed::Itself);
        assert_eq!(refused(&standby_of(&new, 4).claim(None)), NotFollowed::IsStandby);
        new.hear(&Standing { epoch: 9, ..Standing::alone(8, 7) }.claim(None));
        assert_eq!(refused(&new.claim(None)), NotFollowed::IsFenced);
        let returned = new.started(Some(URL));
        assert!(
            matches!(returned.contact(&old.claim(None), true), Contact::Refuse(_)),
            "not even by command"
        );
    }

    #[test]
    fn a_promoted_host_that_is_started_with_the_words_of_before_stays_primary() {
        let new = standby_of(&Standing::alone(9, 7), 2).promoted(false).unwrap();
        assert!(new.clone().started(Some(URL)).is_active());
        assert!(new.clone().started(None).is_active());
        assert!(!new.started(Some("http://c:1")).is_active(), "told to follow a third");
        let standby = standby_of(&Standing::alone(9, 7), 2);
        assert_eq!(standby.started(None).role(), Role::Standby, "a standby is promoted by command only");
    }

    #[test]
    fn what_never_was_whole_is_promoted_by_force_only() {
        let primary = Standing::alone(9, 7);
        let mut standby = Standing::alone(2, 2).started(Some(URL));
        standby.join(&primary.claim(None));
        assert!(matches!(standby.promoted(false), Err(NotPromoted::NotWhole { .. })));
        assert!(standby.promoted(true).is_ok());
        assert_eq!(primary.promoted(true), Err(NotPromoted::IsPrimary { epoch: 1 }));
    }
}
