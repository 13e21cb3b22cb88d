//! What is told.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::instance::Severity;
use super::super::labels::{Fingerprint, Labels};
use crate::digest::Digest;
use crate::time::Instant;

/// Names a notification until it is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotificationId(pub(super) u64);

impl NotificationId {
    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Something to tell one receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// To say what became of it.
    pub id: NotificationId,
    /// Who is told.
    pub receiver: Arc<str>,
    /// When it was made.
    pub at: Instant,
    /// The same for the same content: a receiver that has it has heard this before.
    pub key: AlertKey,
    /// What is told.
    pub message: Message,
}

/// What is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Alerts that fire or have ended.
    Alerts {
        /// Labels that all of them have in common.
        group: Labels,
        /// The worst first.
        alerts: Vec<NotifiedAlert>,
        /// Further ones that are not listed.
        omitted: usize,
        /// Whether nothing has changed since it was told last.
        is_repeat: bool,
    },
    /// A sign of life.
    Heartbeat {
        /// Alerts that fire.
        firing: usize,
    },
}

/// An alert in a notification.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifiedAlert {
    /// Of rule and labels.
    pub fingerprint: Fingerprint,
    /// The rule's name.
    pub rule: Arc<str>,
    /// What it is about.
    pub labels: Arc<Labels>,
    /// Whether it fires.
    pub status: NotifiedStatus,
    /// Since when it fires, or fired.
    pub started_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// The last value seen.
    pub value: Option<f64>,
    /// Of fingerprint, beginning and status.
    pub key: AlertKey,
}

/// How an alert stands in a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifiedStatus {
    /// It fires.
    Firing(Severity),
    /// Samples said that it is over.
    Resolved,
    /// Nobody watches it any more: the page was closed, the rule removed, or there was no data for a day.
    Ended,
}

impl NotifiedStatus {
    /// As messages name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing(severity) => severity.as_str(),
            Self::Resolved => "resolved",
            Self::Ended => "ended",
        }
    }
}

/// A key by which something that is told twice is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertKey(u64);

impl AlertKey {
    /// Its number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    pub(super) fn of_alert(fingerprint: Fingerprint, started_at: Instant, status: NotifiedStatus) -> Self {
        let mut digest = Digest::new();
        digest.write_u64(fingerprint.as_u64());
        digest.write_u64(started_at.as_nanos());
        status.as_str().bytes().for_each(|byte| digest.write_u8(byte));
        Self(digest.value())
    }

    pub(super) fn of_all(keys: impl Iterator<Item = Self>) -> Self {
        let mut digest = Digest::new();
        keys.for_each(|key| digest.write_u64(key.0));
        Self(digest.value())
    }
}
