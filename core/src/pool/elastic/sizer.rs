//! How many workers the queue needs.

use alloc::vec;
use alloc::vec::Vec;

use crate::time::{Duration, Instant};

use super::ElasticConfig;
use super::hold_off::HoldOff;

/// What a pool has and what waits for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// Workers that are up, booting, or about to be replaced.
    pub alive: u32,
    /// Of them those that can't take a task yet.
    pub booting: u32,
    /// Of them those that have a task.
    pub occupied: u32,
    /// Tasks that wait.
    pub queued: u32,
    /// Of them those that a limit below the most doesn't hold back.
    pub urgent: u32,
    /// Of them those that no worker which is up could run, were it free.
    pub stranded: u32,
    /// The run time of all that waits, as far as it is known; `None` where it isn't.
    pub queued_work: Option<Duration>,
    /// Further workers of which each could run something that waits, as far as is known.
    pub helpful: u32,
}

/// What stands above the queue's wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimits {
    /// How many workers less urgent work may have; `None` where only the most limits it.
    pub workers: Option<u32>,
    /// Whether the pool may grow at all.
    pub may_grow: bool,
}

impl SizeLimits {
    /// No limits but the pool's own.
    pub const NONE: Self = Self { workers: None, may_grow: true };
}

/// What a pool should do about its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// How many workers it has.
    pub from: u32,
    /// How many it should have.
    pub to: u32,
    /// Why.
    pub reason: ResizeReason,
}

/// Why a pool's size changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResizeReason {
    /// More waits than the workers there are can soon do.
    Queue {
        /// So many tasks wait.
        queued: u32,
    },
    /// Tasks wait that none of the workers there are can run.
    Stranded {
        /// So many of them.
        tasks: u32,
    },
    /// The queue was not empty for too long.
    Saturated {
        /// For so long.
        standing: Duration,
    },
    /// There are fewer workers than the fewest.
    Minimum,
    /// The last workers were not needed for a while.
    Idle {
        /// For so long.
        unneeded: Duration,
    },
    /// The machine's CPU is busy beyond its budget.
    Cpu {
        /// What less urgent work may have.
        limit: u32,
    },
}

/// Follows the queue with the number of workers.
///
/// **Growing** is quick: as many workers at once as what waits is worth, those that boot counted in. A queue's worth is
/// its work divided by [`ElasticConfig::drain_within`], at most a worker for each task. Beside this estimate stands a
/// measure that needs none: a queue that was never empty for [`ElasticConfig::standing_limit`] (a *standing queue*, as
/// CoDel calls it: Nichols and Jacobson, 2012) lets the pool grow by half, again each time that it has stood for that long.
///
/// **Shrinking** is slow: only workers that were not needed *at any time* during [`ElasticConfig::idle_after`] are
/// retired. The number kept is the largest that was needed within that time, so that bursts don't tear the pool up and
/// down. Where retired workers are needed again so soon that [`ElasticConfig::max_idle_after`] would have kept them, the
/// time doubles, up to that.
///
/// What follows, and is tested: for each number of workers, going above it and below it again takes at least `idle_after`,
/// whatever the load; under any constant load whose pattern repeats within the longest wait the size settles for good.
///
/// ```
/// use quillwork_core::pool::{Demand, ElasticConfig, Resize, ResizeReason, SizeLimits, Sizer};
/// use quillwork_core::time::Instant;
///
/// let mut sizer = Sizer::new(ElasticConfig::from_min(1), 8, Instant::ZERO);
/// // Five tasks of unknown length wait for the only worker, which runs a sixth.
/// let demand = Demand { alive: 1, occupied: 1, queued: 5, helpful: 7, ..Demand::default() };
/// let resize = sizer.handle_demand(Instant::ZERO, &demand, SizeLimits::NONE).expect("they are many");
/// assert_eq!(resize, Resize { from: 1, to: 6, reason: ResizeReason::Queue { queued: 5 } });
/// // While those boot nothing more is asked for.
/// let demand = Demand { alive: 6, booting: 5, helpful: 2, ..demand };
/// assert_eq!(sizer.handle_demand(Instant::from_millis(5), &demand, SizeLimits::NONE), None);
/// ```
#[derive(Clone, Debug)]
pub struct Sizer {
    config: ElasticConfig,
    least: u32,
    most: u32,
    /// When the pool last needed more than so many workers, by that number. It descends. Of the numbers below `needed` it
    /// is now.
    last_needed: Vec<Instant>,
    needed: u32,
    /// Since when the queue has not been empty.
    standing_since: Option<Instant>,
    /// When to look at a queue that is not empty, again each time that it was looked at or the pool grew.
    look_at: Instant,
    hold_off: HoldOff,
}

impl Sizer {
    /// For a pool of at most so many workers.
    ///
    /// # Panics
    ///
    /// Where [`ElasticConfig::validate`] refuses the settings.
    #[must_use]
    pub fn new(config: ElasticConfig, most: u32, now: Instant) -> Self {
        config.validate(most).expect("the settings were validated");
        Self {
            config,
            least: config.least(most),
            most,
            last_needed: vec![now; most as usize],
            needed: 0,
            standing_since: None,
            look_at: now,
            hold_off: HoldOff::new(config.idle_after, config.max_idle_after),
        }
    }

    /// Whether the size ever follows the queue. Where not, and nothing limits it, there is no need to ask.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        self.least == self.most
    }

    /// Something changed, or a deadline came. Answers what to do; [`Sizer::on_resized`] tells it what was done.
    pub fn handle_demand(&mut self, now: Instant, demand: &Demand, limits: SizeLimits) -> Option<Resize> {
        let saturated = self.saturation(now, demand);
        let limit = limits.workers.unwrap_or(self.most).min(self.most);
        let worth = self.worth(demand, saturated.is_some()).min(demand.queued);
        let room = limit.saturating_sub(demand.occupied).max(demand.urgent);
        self.need(now, demand.occupied.saturating_add(worth.min(room)));

        let least = self.least.min(limit);
        if limits.may_grow {
            if demand.alive < least {
                let reason = ResizeReason::Minimum;
                return Some(Resize { from: demand.alive, to: least, reason });
            }
            let (by, reason) = self.growth(demand, limit, saturated);
            if by > 0 {
                return Some(Resize { from: demand.alive, to: demand.alive + by, reason });
            }
        }
        self.shrinkage(now, demand, least)
    }

    /// The limit was lowered: workers above it that have nothing to do go at once.
    #[must_use]
    pub fn handle_lowered_limit(&self, demand: &Demand, limit: u32) -> Option<Resize> {
        let to = limit.max(demand.occupied + demand.booting).max(1);
        let reason = ResizeReason::Cpu { limit };
        (to < demand.alive).then_some(Resize { from: demand.alive, to, reason })
    }

    /// What became of an answer. Workers that could not be retired are kept for a further wait.
    pub fn on_resized(&mut self, now: Instant, resize: Resize, now_alive: u32) {
        if resize.to > resize.from {
            if resize.reason != ResizeReason::Minimum {
                self.hold_off.on_needed(now);
            }
            self.look_at = now + self.config.standing_limit;
            // They are needed as soon as they were asked for, though nothing occupies them while they boot.
            self.touch(now, 0..now_alive);
        } else {
            if now_alive < resize.from && matches!(resize.reason, ResizeReason::Idle { .. }) {
                self.hold_off.on_given_back(now);
            }
            self.touch(now, resize.to..now_alive);
        }
    }

    /// When to ask again if nothing happens before, for a pool of so many workers.
    #[must_use]
    pub fn next_deadline(&self, alive: u32, limits: SizeLimits) -> Option<Instant> {
        let may_grow = limits.may_grow && alive < limits.workers.unwrap_or(self.most).min(self.most);
        let grows = self.standing_since.filter(|_| may_grow).map(|_| self.look_at);
        let least = self.least.min(limits.workers.unwrap_or(self.most));
        let shrinks = (alive > least.max(self.needed))
            .then(|| self.last_needed[(alive - 1) as usize] + self.hold_off.current() + self.slack());
        [grows, shrinks].into_iter().flatten().min()
    }

    /// For how long the queue has been standing, where that is too long and nobody who boots may still mend it.
    fn saturation(&mut self, now: Instant, demand: &Demand) -> Option<Duration> {
        if demand.queued == 0 {
            self.standing_since = None;
            return None;
        }
        let since = *self.standing_since.get_or_insert_with(|| {
            self.look_at = now + self.config.standing_limit;
            now
        });
        if now < self.look_at {
            return None;
        }
        self.look_at = now + self.config.standing_limit;
        (demand.booting == 0).then_some(now - since)
    }

    /// How many further workers the queue is worth.
    fn worth(&self, demand: &Demand, saturated: bool) -> u32 {
        let by_work = match demand.queued_work {
            Some(work) => u32::try_from(work.div_duration(self.config.drain_within)).unwrap_or(u32::MAX),
            None => demand.queued,
        };
        let by_standing = if saturated { (demand.alive / 2).max(1) } else { 0 };
        by_work.max(by_standing).max(u32::from(demand.stranded > 0))
    }

    fn growth(&self, demand: &Demand, limit: u32, saturated: Option<Duration>) -> (u32, ResizeReason) {
        let Demand { alive, booting, queued, urgent, stranded, helpful, .. } = *demand;
        let worth = self.worth(demand, saturated.is_some()).min(queued);
        let for_all = worth.saturating_sub(booting).min(limit.saturating_sub(alive));
        let for_urgent = worth.min(urgent).saturating_sub(booting).min(self.most.saturating_sub(alive));
        let by = for_all.max(for_urgent).min(helpful);
        let reason = match (self.worth(demand, false).min(queued) < worth, saturated) {
            (true, Some(standing)) => ResizeReason::Saturated { standing },
            _ if stranded > 0 && worth == 1 => ResizeReason::Stranded { tasks: stranded },
            _ => ResizeReason::Queue { queued },
        };
        (by, reason)
    }

    fn shrinkage(&self, now: Instant, demand: &Demand, least: u32) -> Option<Resize> {
        let keep = least.max(self.needed);
        let unneeded = |workers: u32| now - self.last_needed[workers as usize];
        let mut to = demand.alive;
        if to <= keep || unneeded(to - 1) < self.hold_off.current() + self.slack() {
            return None;
        }
        while to > keep && unneeded(to - 1) >= self.hold_off.current() {
            to -= 1;
        }
        Some(Resize { from: demand.alive, to, reason: ResizeReason::Idle { unneeded: unneeded(to) } })
    }

    /// The last worker waits a little longer, so that those that fell idle shortly after it go together with it.
    fn slack(&self) -> Duration {
        Duration::from_nanos(self.hold_off.current().as_nanos() / 8)
    }

    /// Only the numbers between the last need and this one change.
    fn need(&mut self, now: Instant, needed: u32) {
        let needed = needed.min(self.most);
        self.touch(now, needed..self.needed);
        self.needed = needed;
    }

    fn touch(&mut self, now: Instant, numbers: core::ops::Range<u32>) {
        for number in numbers {
            if let Some(at) = self.last_needed.get_mut(number as usize) {
                *at = now.max(*at);
            }
        }
    }
}
