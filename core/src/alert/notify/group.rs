//! Alerts of one receiver that are told together.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::labels::{Fingerprint, Labels};
use super::notification::{NotificationId, NotifiedStatus};
use crate::time::{Duration, Instant};

/// Whose group it is: receiver, escalation, labels. Not by a route's place, which a reload changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    pub(super) receiver: Arc<str>,
    pub(super) after: Duration,
    pub(super) labels: Labels,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    /// Its alerts, and what was told of each last.
    pub(super) members: BTreeMap<Fingerprint, Option<Told>>,
    /// When to look whether there is something to tell.
    pub(super) due: Option<Instant>,
    /// What is on its way.
    pub(super) in_flight: Option<InFlight>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) status: NotifiedStatus,
    pub(super) started_at: Instant,
    pub(super) at: Instant,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct InFlight {
    pub(super) id: NotificationId,
    pub(super) told: Vec<(Fingerprint, Told)>,
}

impl Group {
    /// What was on its way has arrived. What has ended and is told is done, unless it fires again.
    pub(super) fn delivered(&mut self, id: NotificationId, fires: impl Fn(Fingerprint) -> bool) -> bool {
        let Some(arrived) = self.in_flight.take_if(|in_flight| in_flight.id == id) else { return false };
        for (fingerprint, told) in arrived.told {
            if matches!(told.status, NotifiedStatus::Firing(_)) || fires(fingerprint) {
                self.members.insert(fingerprint, Some(told));
            } else {
                self.members.remove(&fingerprint);
            }
        }
        true
    }
}
