//! One time line for everything the dashboard charts, aligned on the host's clock.
//!
//! All series share a fixed-step axis, so that every chart shows the same instants and one cursor serves them all. A
//! slot nobody observed is NaN, never zero.

use std::collections::{BTreeMap, VecDeque};

/// A clock set back by more than this starts a new time line: the old instants would lie in the future.
const CLOCK_SET_BACK_MILLIS: u64 = 10_000;

/// The last hour or so of every series, one value per step.
#[derive(Clone, Debug)]
pub struct History {
    step_millis: u64,
    capacity: usize,
    /// Slot of the first value in every column: a slot is `unix_millis / step_millis`.
    first_slot: u64,
    length: usize,
    columns: BTreeMap<String, VecDeque<f32>>,
    newest: Option<Newest>,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    at_unix_millis: u64,
    slot: u64,
}

impl History {
    /// A time line of `capacity` steps.
    ///
    /// # Panics
    ///
    /// If `step_millis` or `capacity` is zero.
    pub fn new(step_millis: u64, capacity: usize) -> Self {
        assert!(step_millis > 0 && capacity > 0, "a time line has a step and room for a value");
        Self { step_millis, capacity, first_slot: 0, length: 0, columns: BTreeMap::new(), newest: None }
    }

    /// Distance of two values.
    pub fn step_millis(&self) -> u64 {
        self.step_millis
    }

    /// When the newest tick was taken, on the host's clock.
    pub fn newest_unix_millis(&self) -> Option<u64> {
        self.newest.map(|newest| newest.at_unix_millis)
    }

    /// The slot of the newest tick: where [`record`](Self::record) counted it, which need not be the slot of its instant.
    pub fn newest_slot(&self) -> Option<u64> {
        self.newest.map(|newest| newest.slot)
    }

    /// The slot an instant falls into.
    pub fn slot_of(&self, unix_millis: u64) -> u64 {
        unix_millis / self.step_millis
    }

    /// Adds one tick. Ticks come about once a step, never exactly: as long as two of them are at most one and a half
    /// steps apart they lie in neighbouring slots; further apart they leave a gap. A column without a value gets NaN.
    pub fn record(&mut self, at_unix_millis: u64, values: &[(String, Option<f64>)]) {
        if self.newest.is_some_and(|newest| at_unix_millis + CLOCK_SET_BACK_MILLIS < newest.at_unix_millis) {
            self.clear();
        }
        let slot = self.slot_for_tick(at_unix_millis);
        self.reach(slot);
        if self.newest.is_none_or(|newest| newest.slot <= slot) {
            self.newest = Some(Newest { at_unix_millis, slot });
        }
        for (name, value) in values {
            self.set(name, slot, *value);
        }
    }

    /// Fills in what was missed. What was seen live stays: a filled value only takes a slot that holds none.
    ///
    /// A step longer than the time line's own (a roll-up) is repeated over the slots that it covers.
    pub fn fill(&mut self, name: &str, start_unix_millis: u64, step_millis: u64, values: &[Option<f64>]) {
        let repeat = (step_millis / self.step_millis).max(1);
        let first = self.slot_of(start_unix_millis);
        for (index, value) in (0_u64..).zip(values) {
            let Some(value) = value else { continue };
            for slot in first + index * repeat..first + (index + 1) * repeat {
                self.reach(slot);
                if self.value(name, slot).is_none() {
                    self.set(name, slot, Some(*value));
                }
            }
        }
    }

    /// Values of the slots `from..=to` of one series; NaN where there is none.
    pub fn window(&self, name: &str, from: u64, to: u64) -> Vec<f32> {
        let column = self.columns.get(name);
        (from..=to)
            .map(|slot| match (column, self.index(slot)) {
                (Some(column), Some(index)) => column[index],
                _ => f32::NAN,
            })
            .collect()
    }

    /// The value of a slot, if one was observed.
    pub fn value(&self, name: &str, slot: u64) -> Option<f64> {
        let index = self.index(slot)?;
        let value = *self.columns.get(name)?.get(index)?;
        value.is_finite().then_some(f64::from(value))
    }

    /// Forgets every series that `is_gone` says is gone, for instance those of a page that is gone for good.
    pub fn forget(&mut self, is_gone: impl Fn(&str) -> bool) {
        self.columns.retain(|name, _| !is_gone(name));
    }

    /// Names of all series.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    fn clear(&mut self) {
        *self = Self::new(self.step_millis, self.capacity);
    }

    fn slot_for_tick(&self, at_unix_millis: u64) -> u64 {
        let natural = self.slot_of(at_unix_millis);
        let Some(newest) = self.newest else { return natural };
        let Some(elapsed) = at_unix_millis.checked_sub(newest.at_unix_millis) else { return natural };
        let steps = (elapsed + self.step_millis / 2) / self.step_millis;
        let counted = newest.slot + steps;
        // Counting follows the ticks' rhythm; where it has drifted a whole step from the clock, the clock is right.
        if counted.abs_diff(natural) <= 1 { counted } else { natural }
    }

    fn index(&self, slot: u64) -> Option<usize> {
        let index = usize::try_from(slot.checked_sub(self.first_slot)?).ok()?;
        (index < self.length).then_some(index)
    }

    /// Makes the axis cover `slot`, as far as the capacity allows.
    fn reach(&mut self, slot: u64) {
        if self.length == 0 {
            self.first_slot = slot;
            self.length = 1;
            self.columns.values_mut().for_each(|column| *column = VecDeque::from([f32::NAN]));
            return;
        }
        let end = self.first_slot + self.length as u64;
        if slot >= end {
            let missing = slot - end + 1;
            if missing >= self.capacity as u64 {
                self.length = 0;
                return self.reach(slot);
            }
            (0..missing).for_each(|_| self.append());
        } else if slot < self.first_slot {
            let oldest_kept = end.saturating_sub(self.capacity as u64);
            for _ in slot.max(oldest_kept)..self.first_slot {
                self.columns.values_mut().for_each(|column| column.push_front(f32::NAN));
                self.length += 1;
                self.first_slot -= 1;
            }
        }
    }

    fn append(&mut self) {
        let full = self.length == self.capacity;
        for column in self.columns.values_mut() {
            if full {
                column.pop_front();
            }
            column.push_back(f32::NAN);
        }
        if full {
            self.first_slot += 1;
        } else {
            self.length += 1;
        }
    }

    fn set(&mut self, name: &str, slot: u64, value: Option<f64>) {
        let Some(index) = self.index(slot) else { return };
        if !self.columns.contains_key(name) {
            if value.is_none() {
                return;
            }
            self.columns.insert(name.to_owned(), VecDeque::from(vec![f32::NAN; self.length]));
        }
        let column = self.columns.get_mut(name).expect("the column was just made sure of");
        #[expect(clippy::cast_possible_truncation, reason = "a chart resolves far less than an f32 does")]
        let value = value.map_or(f32::NAN, |value| value as f32);
        column[index] = value;
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
