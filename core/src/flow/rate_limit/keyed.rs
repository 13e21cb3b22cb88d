//! One limit per key, for as many keys as are in use.

use alloc::vec::Vec;
use core::hash::Hash;
use core::num::NonZeroU32;

use crate::deadline::Deadlines;
use crate::id_map::IdMap;
use crate::time::{Duration, Instant};

use super::{RateLimiter, Refusal, Reservation};

/// One limiter for each key, all alike.
///
/// A key costs memory only while it matters: as soon as its limiter would decide as a new one, it goes, on the next call
/// of anything here or at [`next_deadline`](Self::next_deadline). Nobody has to sweep. A call evicts a few keys at most, and
/// more than it adds, so that no call pays for a crowd; [`handle_deadline`](Self::handle_deadline) evicts all that are due.
///
/// There is a hard bound as well, for when keys come faster than they go. At the bound a new key takes the place of the
/// key that would have gone first. That one loses the least: it is new again a little early. A key that is far over its
/// limit is never the first to go, so it can't be washed out by a flood of others before all of them are.
///
/// Keys are small and already ids or hashes; text is hashed by the shell, with a secret seed where strangers choose it.
/// All steps are O(log n) amortised, the usual check of a known key O(1).
///
/// ```
/// use core::num::NonZeroU32;
/// use quillwork_core::flow::rate_limit::{Gcra, Keyed, Quota};
/// use quillwork_core::time::Instant;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let each = Gcra::new(Quota::per_second(5)?.with_burst(1)?);
/// let mut readers = Keyed::new(each, NonZeroU32::new(10_000).expect("not zero"));
/// let now = Instant::from_secs(1);
/// assert!(readers.check(now, 7_u64, 1).is_ok());
/// assert!(readers.check(now, 7, 1).is_err());
/// assert!(readers.check(now, 8, 1).is_ok());
/// assert_eq!((readers.limiter(7).available(now), readers.limiter(9).available(now)), (0, 1));
/// assert_eq!(readers.len(), 2);
/// readers.handle_deadline(Instant::from_millis(1_200));
/// assert_eq!(readers.len(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Keyed<K, L> {
    fresh: L,
    max_keys: u32,
    slots_by_key: IdMap<K, u32>,
    slots: Vec<Slot<K, L>>,
    free: Vec<u32>,
    /// When each key goes, or before: it is looked at then, and set again if it was used meanwhile.
    idle: Deadlines,
    next_epoch: u64,
    metrics: KeyedMetrics,
}

#[derive(Clone, Debug)]
struct Slot<K, L> {
    /// `None`: free.
    key: Option<K>,
    epoch: u64,
    limiter: L,
}

/// What a [`Keyed`] limiter has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyedMetrics {
    /// Keys in use.
    pub keys: u32,
    /// Requests that were admitted, reservations included.
    pub admitted: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Keys that went because they were as new.
    pub evicted_idle: u64,
    /// Keys that had to make place for others. More than none: the bound is too low, or somebody makes up keys.
    pub evicted_early: u64,
}

/// A start that was promised to a key.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "it counts against the limit; a start that isn't wanted is to be cancelled"]
pub struct KeyedReservation<K, M> {
    key: K,
    epoch: u64,
    reservation: Reservation<M>,
}

impl<K, M> KeyedReservation<K, M> {
    /// When it may start.
    #[must_use]
    pub const fn starts_at(&self) -> Instant {
        self.reservation.starts_at()
    }
}

impl<K: Copy + Eq + Hash, L: RateLimiter + Clone> Keyed<K, L> {
    /// Every key begins with a clone of `fresh`, which must be new. No more than `max_keys` are kept.
    #[must_use]
    pub fn new(fresh: L, max_keys: NonZeroU32) -> Self {
        Self {
            fresh,
            max_keys: max_keys.get(),
            slots_by_key: IdMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            idle: Deadlines::new(),
            next_epoch: 0,
            metrics: KeyedMetrics::default(),
        }
    }

    /// Admits so much for this key now, or says when: [`RateLimiter::check`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn check(&mut self, now: Instant, key: K, weight: u32) -> Result<(), Refusal> {
        self.admit(now, key, weight, |limiter| limiter.check(now, weight)).map(|_| ())
    }

    /// Promises this key a start: [`RateLimiter::reserve`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn reserve(
        &mut self,
        now: Instant,
        key: K,
        weight: u32,
        max_wait: Duration,
    ) -> Result<KeyedReservation<K, L::Mark>, Refusal> {
        let (epoch, reservation) =
            self.admit(now, key, weight, |limiter| limiter.reserve(now, weight, max_wait))?;
        Ok(KeyedReservation { key, epoch, reservation })
    }

    /// The key's limiter, to look at: for instance how much it would admit. That of a key not in use is new.
    pub fn limiter(&self, key: K) -> &L {
        let slot = self.slots_by_key.get(&key).map(|&slot| &self.slots[slot as usize]);
        slot.map_or(&self.fresh, |slot| &slot.limiter)
    }

    /// Gives a reservation back: [`RateLimiter::cancel`]. Does nothing where the key had to make place meanwhile.
    pub fn cancel(&mut self, now: Instant, reservation: KeyedReservation<K, L::Mark>) {
        let KeyedReservation { key, epoch, reservation } = reservation;
        if let Some(&slot) = self.slots_by_key.get(&key)
            && self.slots[slot as usize].epoch == epoch
        {
            let limiter = &mut self.slots[slot as usize].limiter;
            limiter.cancel(now, reservation);
            let idle_from = limiter.idle_from();
            self.idle.set(slot, before_never(idle_from));
        }
        self.evict(now, EVICTED_BY_A_CALL);
    }

    /// Evicts every key that is as new.
    pub fn handle_deadline(&mut self, now: Instant) {
        self.evict(now, u32::MAX);
    }

    /// When the next key may go. A shell that wants memory back without traffic sets a timer.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.idle.next()
    }

    /// How many keys are in use.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.metrics.keys
    }

    /// Whether no key is in use.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.metrics.keys == 0
    }

    /// What it has done.
    #[must_use]
    pub const fn metrics(&self) -> KeyedMetrics {
        self.metrics
    }

    /// The epoch and what the key's limiter says. A key that is refused at once, or asks for nothing, isn't kept.
    fn admit<R>(
        &mut self,
        now: Instant,
        key: K,
        weight: u32,
        ask: impl FnOnce(&mut L) -> Result<R, Refusal>,
    ) -> Result<(u64, R), Refusal> {
        self.evict(now, EVICTED_BY_A_CALL);
        let known = self.slots_by_key.get(&key).copied();
        let answer = match known {
            Some(slot) => {
                let slot = &mut self.slots[slot as usize];
                ask(&mut slot.limiter).map(|answer| (slot.epoch, answer))
            }
            None if weight == 0 || weight > self.fresh.capacity() => {
                ask(&mut self.fresh).map(|answer| (NO_EPOCH, answer))
            }
            None => {
                let slot = self.add(now, key);
                let Slot { epoch, limiter, .. } = &mut self.slots[slot as usize];
                let answer = ask(limiter).map(|answer| (*epoch, answer));
                let idle_from = limiter.idle_from();
                self.idle.set(slot, before_never(idle_from));
                answer
            }
        };
        match answer {
            Ok(_) => self.metrics.admitted += 1,
            Err(_) => self.metrics.refused += 1,
        }
        answer
    }

    fn add(&mut self, now: Instant, key: K) -> u32 {
        let epoch = self.next_epoch;
        self.next_epoch += 1;
        let slot = if self.metrics.keys >= self.max_keys {
            self.evict_first(now)
        } else if let Some(free) = self.free.pop() {
            free
        } else {
            self.slots.push(Slot { key: None, epoch, limiter: self.fresh.clone() });
            u32::try_from(self.slots.len() - 1).expect("no more slots than `max_keys`, which is u32")
        };
        let place = &mut self.slots[slot as usize];
        (place.key, place.epoch) = (Some(key), epoch);
        self.slots_by_key.insert(key, slot);
        self.metrics.keys += 1;
        slot
    }

    fn evict(&mut self, now: Instant, most: u32) {
        for _ in 0..most {
            let Some((slot, looked_at)) = self.idle.first() else { return };
            if looked_at > now {
                return;
            }
            let idle_from = before_never(self.slots[slot as usize].limiter.idle_from());
            if idle_from <= now {
                self.idle.pop_due(now);
                self.empty(slot);
                self.free.push(slot);
                self.metrics.evicted_idle += 1;
            } else {
                self.idle.set(slot, idle_from);
            }
        }
    }

    /// Evicts the key that would go first, and gives its slot, whose deadline is to be set anew.
    fn evict_first(&mut self, now: Instant) -> u32 {
        loop {
            let (slot, looked_at) =
                self.idle.first().expect("at the bound there are keys, each with a deadline");
            let idle_from = before_never(self.slots[slot as usize].limiter.idle_from());
            if idle_from > looked_at {
                self.idle.set(slot, idle_from);
                continue;
            }
            self.empty(slot);
            let evicted = if idle_from <= now {
                &mut self.metrics.evicted_idle
            } else {
                &mut self.metrics.evicted_early
            };
            *evicted += 1;
            return slot;
        }
    }

    fn empty(&mut self, slot: u32) {
        let place = &mut self.slots[slot as usize];
        let key = place.key.take().expect("a slot with a deadline holds a key");
        place.limiter.reset();
        self.slots_by_key.remove(&key);
        self.metrics.keys -= 1;
    }
}

/// Every key has a deadline, or it couldn't be evicted at the bound; and no deadline is at the end of time.
fn before_never(idle_from: Instant) -> Instant {
    idle_from.min(Instant::NEVER - Duration::from_nanos(1))
}

/// More than a call adds, so that what is due is gone soon; few, so that no call waits for many.
const EVICTED_BY_A_CALL: u32 = 4;

/// Of a reservation of nothing.
const NO_EPOCH: u64 = u64::MAX;
