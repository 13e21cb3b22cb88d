//! Looking workers up.

use crate::ids::{Generation, RegionId, WorkerId};
use crate::time::{Duration, Instant};

use super::super::{Capabilities, Health, Load};
use super::Registration;

/// Whether a worker takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Membership {
    /// It may be given tasks.
    Active,
    /// It finishes what it has and leaves.
    Draining,
    /// Its lease has lapsed. It is remembered for its totals and may register anew.
    Lost,
}

/// Which workers to look for. The default is all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// What they must have.
    pub required: Capabilities,
    /// Room for so much more load.
    pub room: Load,
    /// In this state; `None` for any.
    pub membership: Option<Membership>,
    /// Not less well than this.
    pub at_worst: Health,
    /// In this region; `None` for any.
    pub region: Option<RegionId>,
}

impl Query {
    /// Workers that may be given a plain task now and are not suspect.
    #[must_use]
    pub fn usable() -> Self {
        Self {
            room: Load::ONE,
            membership: Some(Membership::Active),
            at_worst: Health::Degraded,
            ..Self::default()
        }
    }

    pub(super) fn matches(&self, view: &WorkerView) -> bool {
        view.registration.capabilities.contains(self.required)
            && view.room() >= self.room
            && self.membership.is_none_or(|membership| view.membership == membership)
            && view.health <= self.at_worst
            && (self.region.is_none() || view.registration.region == self.region)
    }
}

impl Default for Query {
    fn default() -> Self {
        Self {
            required: Capabilities::NONE,
            room: Load::ZERO,
            membership: None,
            at_worst: Health::Lost,
            region: None,
        }
    }
}

/// A worker at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerView {
    /// Its id.
    pub worker: WorkerId,
    /// Which of its lives.
    pub generation: Generation,
    /// What it said of itself.
    pub registration: Registration,
    /// Whether it takes part.
    pub membership: Membership,
    /// How well it is.
    pub health: Health,
    /// What was assigned to it and is not completed.
    pub assigned: u32,
    /// What that adds up to.
    pub load: Load,
    /// When it was last heard of.
    pub last_seen: Instant,
    /// Counts over all its lives.
    pub totals: WorkerTotals,
}

impl WorkerView {
    /// How much more load it has room for.
    #[must_use]
    pub fn room(&self) -> Load {
        self.registration.capacity - self.load
    }
}

/// Counts of a worker over all its lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerTotals {
    /// Tasks assigned to it. At all times the sum of completed, failed, orphaned and assigned now.
    pub assigned: u64,
    /// Completed with a result.
    pub completed: u64,
    /// Completed with an error.
    pub failed: u64,
    /// Taken from it because a life of it was over.
    pub orphaned: u64,
    /// How often it was lost.
    pub lost: u64,
    /// How long it had the tasks that it completed or failed. Where it has several at a time, each counts.
    pub held: Duration,
}
