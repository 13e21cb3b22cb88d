//! The workers that a task may go to: a filter before any strategy.

use alloc::vec::Vec;

use crate::rng::Rng;

use super::bits::{Ones, WORD, bit_of, contains, count, select, word_of};
use super::{Fleet, Load, Slot, Task};

/// The workers among which a [`Strategy`](super::Strategy) chooses. There is at least one.
///
/// A worker is eligible for a task where its status takes tasks and it isn't ejected, it has what the task requires, the
/// task's complexity fits into what is left of its capacity, and the task doesn't ban it. Affinity and region may have
/// narrowed the choice further: what they leave is among these.
///
/// For a plain task (one unit, nothing required, nobody banned) this is the fleet's own standing set: nothing is
/// filtered and nothing is copied.
#[derive(Clone, Copy, Debug)]
pub struct Eligible<'a> {
    fleet: &'a Fleet,
    words: &'a [u64],
    len: usize,
}

impl<'a> Eligible<'a> {
    /// Filters the fleet for a task. `scratch` holds the set where it must be made.
    pub(super) fn filter(fleet: &'a Fleet, task: &Task<'_>, scratch: &'a mut Vec<u64>) -> Self {
        let (ready, ready_count) = fleet.ready_words();
        let fits_ready = task.complexity == Load::ONE;
        if fits_ready && task.required.is_empty() && task.anti_affinity.is_empty() {
            return Self { fleet, words: ready, len: ready_count };
        }
        scratch.clear();
        scratch.extend_from_slice(if fits_ready { ready } else { fleet.open_words() });
        for bit in task.required.bit_indices() {
            scratch.iter_mut().zip(fleet.holder_words(bit)).for_each(|(word, holders)| *word &= holders);
        }
        if !fits_ready {
            let needed = i64::from(task.complexity.get());
            for (word, headrooms) in scratch.iter_mut().zip(fleet.headrooms().chunks(WORD)) {
                let fitting =
                    headrooms.iter().rev().fold(0, |bits, &room| bits << 1 | u64::from(room >= needed));
                *word &= fitting;
            }
        }
        for slot in task.anti_affinity.iter().filter_map(|&worker| fleet.slot_of(worker)) {
            scratch[word_of(slot.index())] &= !bit_of(slot.index());
        }
        Self { fleet, words: scratch, len: count(scratch) }
    }

    /// Those of them that pass, or `None` where none does. `scratch` holds the set.
    pub(super) fn narrowed(self, scratch: &'a mut Vec<u64>, pass: impl Fn(Slot) -> bool) -> Option<Self> {
        scratch.clear();
        scratch.resize(self.words.len(), 0);
        let mut len = 0;
        for slot in self.iter().filter(|&slot| pass(slot)) {
            scratch[word_of(slot.index())] |= bit_of(slot.index());
            len += 1;
        }
        (len > 0).then_some(Self { fleet: self.fleet, words: scratch, len })
    }

    /// All that is known of the workers.
    #[must_use]
    pub const fn fleet(&self) -> &'a Fleet {
        self.fleet
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none. Strategies are asked only where there is one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the worker is one of them.
    #[must_use]
    pub fn contains(&self, slot: Slot) -> bool {
        contains(self.words, slot.index())
    }

    /// In the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = Slot> + Clone + use<'a> {
        Ones::of(self.words).map(Slot::new)
    }

    /// Number `index` of them, in the order of their ids.
    ///
    /// # Panics
    ///
    /// Where there are no more than `index`.
    #[must_use]
    pub fn nth(&self, index: usize) -> Slot {
        assert!(index < self.len, "worker {index} of {} eligible ones was asked for", self.len);
        let everyone = self.len == self.fleet.len();
        Slot::new(if everyone {
            index
        } else {
            select(self.words, index).expect("the length counts the bits")
        })
    }

    /// Calls `visit` for each, in the order of their ids. Faster than an iterator where most are eligible.
    pub(super) fn for_each(&self, mut visit: impl FnMut(Slot)) {
        let len = self.fleet.len();
        for (index, &word) in self.words.iter().enumerate() {
            let start = index * WORD;
            let width = (len - start).min(WORD);
            if word.count_ones() as usize == width {
                (start..start + width).for_each(|index| visit(Slot::new(index)));
            } else {
                Ones::of(core::slice::from_ref(&word)).for_each(|bit| visit(Slot::new(start + bit)));
            }
        }
    }

    /// The one of the highest value, of equals the one picked longest ago: never by position. What is not a number is
    /// lower than every number.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn highest(&self, mut value: impl FnMut(Slot) -> f64) -> Slot {
        let mut best: Option<(f64, Slot)> = None;
        for slot in self.iter() {
            let value = value(slot);
            let value = if value.is_nan() { f64::NEG_INFINITY } else { value };
            let wins = best.is_none_or(|(highest, holder)| {
                value > highest
                    || value >= highest && self.fleet.last_picked(slot) < self.fleet.last_picked(holder)
            });
            best = if wins { Some((value, slot)) } else { best };
        }
        best.expect("a strategy is asked only where somebody is eligible").1
    }

    /// The one of the lowest value, of equals the one picked longest ago.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn lowest(&self, mut value: impl FnMut(Slot) -> f64) -> Slot {
        self.highest(|slot| -value(slot))
    }

    /// The one picked longest ago of those whose value is within `tolerance` of the lowest (0.05 is 5 %).
    ///
    /// For values that are measured: differences within the noise would otherwise send everything to whoever was lucky
    /// first. What is not a number is higher than every number. `scratch` is room for the values.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn lowest_within(
        &self,
        tolerance: f64,
        scratch: &mut Vec<f64>,
        mut value: impl FnMut(Slot) -> f64,
    ) -> Slot {
        scratch.clear();
        let mut lowest = f64::INFINITY;
        self.for_each(|slot| {
            let value = value(slot);
            let value = if value.is_nan() { f64::INFINITY } else { value };
            lowest = if value < lowest { value } else { lowest };
            scratch.push(value);
        });
        // The lowest passes whatever the tolerance is, and beside it nobody where this is not a number.
        let limit = (lowest + lowest.abs() * tolerance).max(lowest);
        let near = self.iter().zip(scratch.iter()).filter(|&(_, &value)| value <= limit);
        let oldest = near.min_by_key(|&(slot, _)| self.fleet.last_picked(slot));
        oldest.expect("the lowest itself is near").0
    }

    /// The one of the lowest value among so many drawn at random, the same one perhaps more than once; what is not a number
    /// is higher than every number. For fleets that are too large to look at everyone.
    ///
    /// # Panics
    ///
    /// Where there is none, or none is drawn.
    #[must_use]
    pub fn lowest_of_drawn(&self, draws: usize, rng: &mut Rng, mut value: impl FnMut(Slot) -> f64) -> Slot {
        let mut value = |slot| {
            let value = value(slot);
            if value.is_nan() { f64::INFINITY } else { value }
        };
        let mut drawn = (0..draws).map(|_| self.nth(rng.index(self.len)));
        let first = drawn.next().expect("somebody is drawn");
        let mut best = (value(first), first);
        for slot in drawn {
            let value = value(slot);
            let is_older = || self.fleet.last_picked(slot) < self.fleet.last_picked(best.1);
            if value < best.0 || value <= best.0 && is_older() {
                best = (value, slot);
            }
        }
        best.1
    }

    /// The one with the smallest share of its weight in use, the coming unit counted; of equals the one picked longest ago.
    ///
    /// # Panics
    ///
    /// Where there is none.
    #[must_use]
    pub fn least_loaded(&self) -> Slot {
        self.least_by(self.fleet.load_keys())
    }

    /// The one of the least key. Keys are by slot and different from each other.
    pub(super) fn least_by(&self, keys: &[u64]) -> Slot {
        let mut least = u64::MAX;
        let mut best = 0;
        for (index, (&word, keys)) in self.words.iter().zip(keys.chunks(WORD)).enumerate() {
            let here =
                if word.count_ones() as usize == keys.len() { least_of(keys) } else { least_in(word, keys) };
            (least, best) = if here < least { (here, index) } else { (least, best) };
        }
        let start = best * WORD;
        let chunk = &keys[start..keys.len().min(start + WORD)];
        Slot::new(
            start + chunk.iter().position(|&key| key == least).expect("the least is where it was found"),
        )
    }
}

/// In four lanes, which don't wait for each other.
fn least_of(keys: &[u64]) -> u64 {
    let (fours, rest) = keys.as_chunks::<4>();
    let mut lanes = [u64::MAX; 4];
    for four in fours {
        lanes = core::array::from_fn(|lane| lanes[lane].min(four[lane]));
    }
    lanes.iter().chain(rest).fold(u64::MAX, |least, &key| least.min(key))
}

/// Of those whose bit is set.
fn least_in(word: u64, keys: &[u64]) -> u64 {
    Ones::of(core::slice::from_ref(&word)).fold(u64::MAX, |least, bit| least.min(keys[bit]))
}
