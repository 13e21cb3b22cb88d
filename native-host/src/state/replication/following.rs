//! What a standby takes from the host that it follows, and how it takes over.

use quillwork_core::time::Instant;
use quillwork_protocol::annotation::NewAnnotation;
use quillwork_protocol::replication::{Claim, Role};
use quillwork_store::history::{FollowError, OpenError};
use quillwork_store::volume::{Volume, VolumeError};

use crate::clock::Now;
use crate::standby::absence::Absence;
use crate::standby::record;
use crate::standby::standing::{Contact, NotFollowed, NotPromoted};
use crate::state::State;
use crate::state::alerts::{self, Alerts};
use crate::state::annotations::{self, Annotations};
use crate::state::history::History;
use crate::state::names::{self, Names};

/// Why a host was not promoted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromoteError {
    #[error(transparent)]
    Refused(#[from] NotPromoted),
    #[error("the new epoch can't be written, so this host stays what it is: {0}")]
    Medium(#[from] VolumeError),
    #[error("the copy can't be opened, so this host stays what it is: {0}")]
    History(#[from] OpenError),
}

/// What a host that follows must not be given or do any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowRefusal {
    #[error("this host follows no more")]
    FollowsNoMore,
    #[error(transparent)]
    Refused(#[from] NotFollowed),
    #[error(transparent)]
    Taking(#[from] FollowError),
    #[error(transparent)]
    Opening(#[from] OpenError),
}

impl From<VolumeError> for FollowRefusal {
    fn from(error: VolumeError) -> Self {
        Self::Taking(error.into())
    }
}

/// Values that come late are looked for this far back.
const LATE: u64 = 5_000;

/// The file that names the series.
const CATALOGUE: &str = "catalogue";

impl State {
    /// From when on values in memory are asked for. The whole of them where there is no earlier tail.
    pub(crate) fn follows_from(&self) -> Option<u64> {
        let is_standby = self.replication.standing.role() == Role::Standby;
        is_standby.then(|| self.history.followed_to().saturating_sub(LATE))
    }

    /// The host that is followed answered. Gives whether the copy was begun anew.
    ///
    /// # Errors
    ///
    /// If it can't be followed.
    pub(crate) fn follow_contact(&mut self, now: Now, claim: &Claim) -> Result<bool, FollowRefusal> {
        self.must_follow()?;
        self.replication.absence.heard(now.monotonic);
        let files = self.medium.list()?;
        let has_history = files.keys().any(|name| !record::is_own(name));
        let is_anew = match self.replication.standing.contact(claim, has_history) {
            Contact::Refuse(refusal) => return Err(refusal.into()),
            Contact::Continue => false,
            Contact::SetAside => {
                self.set_history_aside(now)?;
                true
            }
        };
        if self.replication.standing.join(claim) || is_anew {
            record::write(&mut self.medium, &self.replication.standing)?;
            self.replication.show();
        }
        Ok(is_anew)
    }

    fn set_history_aside(&mut self, now: Now) -> Result<(), FollowRefusal> {
        let options = self.history.options();
        let why = "the history of this host isn't a copy of the one that it follows, and is set aside";
        self.medium = self.medium.clone().set_aside(why)?;
        self.history = History::open_following(now, self.medium.clone(), options)?;
        self.replication.applied_at = None;
        self.follow_alerts(now);
        self.annotations = Annotations::open(&self.medium);
        self.names = Names::open(&self.medium);
        Ok(())
    }

    fn must_follow(&self) -> Result<(), FollowRefusal> {
        if self.replication.standing.role() == Role::Standby {
            Ok(())
        } else {
            Err(FollowRefusal::FollowsNoMore)
        }
    }

    /// Takes a file of values.
    pub(crate) fn follow_file(&mut self, name: &str, content: &[u8]) -> Result<(), FollowRefusal> {
        self.must_follow()?;
        Ok(self.history.store().follow_file(name, content)?)
    }

    /// Removes a file of values.
    pub(crate) fn follow_removal(&mut self, name: &str) -> Result<(), FollowRefusal> {
        self.must_follow()?;
        Ok(self.history.store().follow_removal(name)?)
    }

    /// Takes what lies beside the values.
    pub(crate) fn follow_other(&mut self, now: Now, name: &str, content: &[u8]) -> Result<(), FollowRefusal> {
        self.must_follow()?;
        if name == CATALOGUE {
            return Ok(self.history.store().follow_catalogue(content)?);
        }
        self.medium.put(name, content)?;
        match name {
            alerts::NAME => self.follow_alerts(now),
            annotations::NAME => self.annotations = Annotations::open(&self.medium),
            names::NAME => self.names = Names::open(&self.medium),
            _ => {}
        }
        Ok(())
    }

    /// Takes the newest values. `complete` is since when everything is here, where it is; `missing_bytes` what is left to fetch.
    pub(crate) fn follow_tail(
        &mut self,
        tail: &[u8],
        complete: Option<Instant>,
        missing_bytes: u64,
    ) -> Result<(), FollowRefusal> {
        self.must_follow()?;
        let store = self.history.store();
        let tail = store.follow_tail(tail)?;
        if complete.is_some() {
            store.follow_settled(&tail);
        }
        self.history.followed(tail.now_unix_millis);
        let replication = &mut self.replication;
        replication.missing_bytes = Some(missing_bytes);
        if replication.failure.take().is_some() {
            tracing::info!("the primary can be followed again");
        }
        let is_new = if complete.is_some() {
            replication.applied_at = complete;
            replication.standing.completed()
        } else {
            false
        };
        replication.show();
        if is_new {
            self.keep_standing();
            tracing::info!("this standby has all that the primary has");
        }
        Ok(())
    }

    /// The host that is followed could not be followed just now; `is_away` where nobody answered.
    pub(crate) fn follow_failed(&mut self, now: Now, is_away: bool, reason: String) {
        if self.must_follow().is_err() {
            return;
        }
        let replication = &mut self.replication;
        if is_away {
            replication.absence.failed(now.monotonic);
        } else {
            replication.absence.heard(now.monotonic);
        }
        // It is so at every attempt: once is enough for the log.
        if replication.failure.as_ref() != Some(&reason) {
            tracing::warn!("the primary can't be followed, it is tried again: {reason}");
            replication.failure = Some(reason);
        }
        let Some(limit) = replication.promote_after.filter(|limit| replication.absence.is_over(*limit))
        else {
            return;
        };
        tracing::warn!("nobody has answered for {} s: this standby takes over", limit.as_millis() / 1_000);
        if let Err(error) = self.promote(now, false) {
            tracing::error!("this standby can't take over: {error}");
            // Not again at every attempt.
            self.replication.absence = Absence::default();
        }
    }

    /// Makes this host the primary. The new epoch is on the medium before anything is done in its name.
    pub(crate) fn promote(&mut self, now: Now, force: bool) -> Result<Claim, PromoteError> {
        let promoted = self.replication.standing.promoted(force)?;
        self.history.take_over(now)?;
        record::write(&mut self.medium, &promoted)?;
        let text = format!(
            "This host took over from {} with epoch {}. Series of the machine are another machine's from here on.",
            self.replication.standing.primary().unwrap_or("another"),
            promoted.epoch
        );
        self.replication.standing = promoted;
        self.replication.applied_at = None;
        self.follow_alerts(now);
        self.annotations = Annotations::open(&self.medium);
        self.names = Names::open(&self.medium);
        let tags = vec!["takeover".to_owned()];
        // A note that can't be made is no reason not to take over.
        self.annotations.add(now, NewAnnotation { text, tags, ..NewAnnotation::default() }).ok();
        self.replication.show();
        tracing::warn!(
            "this host is the primary from now on, with epoch {}",
            self.replication.standing.epoch
        );
        Ok(self.claim())
    }

    /// Takes up the state of alerts that lies on the medium.
    fn follow_alerts(&mut self, now: Now) {
        self.alerts = Alerts::new(now);
        self.alerts.set_rules(now, self.rules.clone());
        self.alerts.restore(now, &self.medium);
    }
}
