//! The cache itself: keys, capacity, expiry and counts around an eviction policy.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::expiry::Expiries;
use super::{CacheCounts, CacheOptions, CacheOptionsError, EvictionPolicy, Expiry, S3Fifo, Slot};
use crate::id_map::IdMap;
use crate::ids::CacheId;
use crate::telemetry::Rolling;
use crate::time::{Duration, Instant};

/// Decides which entries stay. See the [module](super) for how a shell drives it.
///
/// Once it has been full for a while, no call allocates. Memory grows with the entries, not with the capacity; keys of evicted
/// entries are remembered up to nine tenths of the capacity.
#[derive(Clone, Debug)]
pub struct Cache<P = S3Fifo> {
    options: CacheOptions,
    policy: P,
    index: IdMap<CacheId, Slot>,
    entries: Vec<Entry>,
    free: Vec<Slot>,
    weight: u64,
    expiries: Expiries,
    outputs: VecDeque<Dropped>,
    totals: CacheCounts,
    window: Rolling<CacheCounts>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: CacheId,
    weight: u32,
    expires: Option<Instant>,
}

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The entry is there.
    Hit {
        /// Until when, where it has a time to live.
        expires: Option<Instant>,
    },
    /// There is no such entry.
    Miss,
}

impl Lookup {
    /// Whether the entry is there.
    #[must_use]
    pub const fn is_hit(self) -> bool {
        matches!(self, Self::Hit { .. })
    }
}

/// What became of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// There was no entry of this key.
    New,
    /// There was one; the shell overwrites its value.
    Replaced,
    /// It is heavier than the whole cache and was not taken. An earlier entry of the key would be out of date: it is gone
    /// too, and the shell lets go of its value.
    TooHeavy {
        /// The weight that the cache holds at most.
        capacity: u64,
    },
}

/// An entry that the cache gave up by itself. The shell lets go of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Whose value it is.
    pub key: CacheId,
    /// Why it is gone.
    pub reason: Reason,
}

/// Why an entry is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It had to make room.
    Evicted,
    /// Its time was over.
    Expired,
}

impl Cache<S3Fifo> {
    /// An empty cache that evicts by S3-FIFO.
    ///
    /// # Errors
    ///
    /// Where the options make no sense.
    pub fn new(options: CacheOptions) -> Result<Self, CacheOptionsError> {
        Self::with_policy(options)
    }
}

impl<P: EvictionPolicy> Cache<P> {
    /// An empty cache with another eviction policy.
    ///
    /// # Errors
    ///
    /// Where the options make no sense.
    pub fn with_policy(options: CacheOptions) -> Result<Self, CacheOptionsError> {
        options.check()?;
        let window = Rolling::new(options.window_step, options.window_steps, CacheCounts::default)
            .map_err(|_| CacheOptionsError::NoWindow)?;
        Ok(Self {
            options,
            policy: P::with_capacity(options.capacity),
            index: IdMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            weight: 0,
            expiries: Expiries::default(),
            outputs: VecDeque::new(),
            totals: CacheCounts::default(),
            window,
        })
    }

    /// Looks an entry up, and counts it as a hit or a miss. An entry whose time is over is a miss, and dropped.
    pub fn get(&mut self, now: Instant, key: CacheId) -> Lookup {
        let live = self.index.get(&key).copied().filter(|&slot| !self.expire_if_due(now, slot));
        match live {
            Some(slot) => {
                self.policy.on_access(slot);
                self.count(now, |counts| &mut counts.hits);
                Lookup::Hit { expires: self.entries[slot.index()].expires }
            }
            None => {
                self.count(now, |counts| &mut counts.misses);
                Lookup::Miss
            }
        }
    }

    /// Looks an entry up without any effect: no count, no sign of use, nothing dropped.
    #[must_use]
    pub fn peek(&self, now: Instant, key: CacheId) -> Lookup {
        match self.index.get(&key).map(|slot| self.entries[slot.index()].expires) {
            Some(expires) if expires.is_none_or(|deadline| now < deadline) => Lookup::Hit { expires },
            Some(_) | None => Lookup::Miss,
        }
    }

    /// Adds an entry of weight 1 and the cache's time to live, or puts it in the place of the key's earlier one.
    pub fn insert(&mut self, now: Instant, key: CacheId) -> Insertion {
        self.insert_with(now, key, 1, Expiry::Default)
    }

    /// Adds an entry, or puts it in the place of the key's earlier one. A weight of 0 counts as 1. Room is made by
    /// entries whose time is over first, then by the eviction policy.
    pub fn insert_with(&mut self, now: Instant, key: CacheId, weight: u32, expiry: Expiry) -> Insertion {
        let weight = weight.max(1);
        if u64::from(weight) > self.options.capacity {
            self.remove(key);
            return Insertion::TooHeavy { capacity: self.options.capacity };
        }
        let expires = expiry.deadline(now, self.options.ttl);
        self.count(now, |counts| &mut counts.insertions);
        match self.index.get(&key).copied() {
            Some(slot) if self.is_due(now, slot) => {
                // The shell overwrites the old value, so it needn't be told to let go of it.
                self.count(now, |counts| &mut counts.expirations);
                self.forget(slot);
                self.policy.on_remove(slot);
                self.add(now, Entry { key, weight, expires });
                Insertion::Replaced
            }
            Some(slot) => {
                self.replace(now, slot, Entry { key, weight, expires });
                Insertion::Replaced
            }
            None => {
                self.add(now, Entry { key, weight, expires });
                Insertion::New
            }
        }
    }

    /// Takes an entry out. Says whether there was one, whose value the shell then lets go of; there is no output.
    pub fn remove(&mut self, key: CacheId) -> bool {
        let Some(&slot) = self.index.get(&key) else { return false };
        self.policy.on_remove(slot);
        self.forget(slot);
        true
    }

    /// Takes all entries out; the shell lets go of all values. Counts stay.
    pub fn clear(&mut self) {
        self.index.clear();
        self.entries.clear();
        self.free.clear();
        self.weight = 0;
        self.expiries.clear();
        self.outputs.clear();
        self.policy.on_clear();
    }

    /// When the next entry's time is over.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.expiries.earliest().map(|(deadline, _)| deadline)
    }

    /// Drops all entries whose time is over.
    pub fn handle_deadline(&mut self, now: Instant) {
        while let Some((_, slot)) = self.expiries.earliest().filter(|&(deadline, _)| deadline <= now) {
            self.expire(now, slot);
        }
    }

    /// The next entry that the cache gave up.
    pub fn poll_output(&mut self) -> Option<Dropped> {
        self.outputs.pop_front()
    }

    /// How many entries there are, those among them whose time is over but that were not dropped yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their weight together.
    #[must_use]
    pub const fn weight(&self) -> u64 {
        self.weight
    }

    /// What the cache was made with.
    #[must_use]
    pub const fn options(&self) -> &CacheOptions {
        &self.options
    }

    /// Everything since the start.
    #[must_use]
    pub const fn totals(&self) -> CacheCounts {
        self.totals
    }

    /// What happened in the window that ends `now`.
    #[must_use]
    pub fn recent(&self, now: Instant) -> CacheCounts {
        self.window.slots(now).fold(CacheCounts::default(), |sum, slot| sum.sum(*slot))
    }

    /// The same by step, oldest first: the hit ratio over time.
    pub fn steps(&self, now: Instant) -> impl Iterator<Item = CacheCounts> {
        self.window.steps(now).map(|slot| slot.copied().unwrap_or_default())
    }

    /// Length of such a step.
    #[must_use]
    pub const fn window_step(&self) -> Duration {
        self.window.step()
    }

    fn add(&mut self, now: Instant, entry: Entry) {
        self.make_room(now, u64::from(entry.weight), None);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.entries[slot.index()] = entry;
                slot
            }
            None => {
                let slot = Slot(u32::try_from(self.entries.len()).expect("memory ends before 2^32 entries"));
                self.entries.push(entry);
                slot
            }
        };
        self.index.insert(entry.key, slot);
        self.weight += u64::from(entry.weight);
        self.expiries.set(slot, entry.expires);
        self.policy.on_insert(slot, entry.key, entry.weight);
    }

    fn replace(&mut self, now: Instant, slot: Slot, entry: Entry) {
        let before = self.entries[slot.index()].weight;
        self.entries[slot.index()] = entry;
        // Until room is made: one that is over at once would stand before the others that are.
        self.expiries.set(slot, None);
        self.policy.on_access(slot);
        if before != entry.weight {
            self.policy.on_reweigh(slot, entry.weight);
            self.weight = self.weight - u64::from(before) + u64::from(entry.weight);
            self.make_room(now, 0, Some(slot));
        }
        self.expiries.set(slot, entry.expires);
    }

    fn make_room(&mut self, now: Instant, weight: u64, spared: Option<Slot>) {
        while self.weight + weight > self.options.capacity {
            if let Some((_, slot)) = self.expiries.earliest().filter(|&(deadline, _)| deadline <= now) {
                self.expire(now, slot);
                continue;
            }
            let slot = self
                .policy
                .evict(spared)
                .expect("what is over its capacity holds more than the spared entry");
            self.count(now, |counts| &mut counts.evictions);
            self.outputs.push_back(Dropped { key: self.entries[slot.index()].key, reason: Reason::Evicted });
            self.forget(slot);
        }
    }

    fn expire_if_due(&mut self, now: Instant, slot: Slot) -> bool {
        let due = self.is_due(now, slot);
        if due {
            self.expire(now, slot);
        }
        due
    }

    fn expire(&mut self, now: Instant, slot: Slot) {
        self.count(now, |counts| &mut counts.expirations);
        self.outputs.push_back(Dropped { key: self.entries[slot.index()].key, reason: Reason::Expired });
        self.policy.on_remove(slot);
        self.forget(slot);
    }

    /// Frees the slot of an entry that the policy has forgotten.
    fn forget(&mut self, slot: Slot) {
        let Entry { key, weight, .. } = self.entries[slot.index()];
        self.index.remove(&key);
        self.weight -= u64::from(weight);
        self.expiries.set(slot, None);
        self.free.push(slot);
    }

    fn is_due(&self, now: Instant, slot: Slot) -> bool {
        self.entries[slot.index()].expires.is_some_and(|deadline| deadline <= now)
    }

    fn count(&mut self, now: Instant, counter: fn(&mut CacheCounts) -> &mut u64) {
        for counts in [&mut self.totals, self.window.slot_mut(now)] {
            let counter = counter(counts);
            *counter = counter.saturating_add(1);
        }
    }
}
