//! A line of workers: whose last turn is longest ago stands in front.

use alloc::vec::Vec;

use crate::balance::Slot;

/// A doubly linked list through an array, in the order of the last turns. Taking a turn is O(1).
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    /// By slot.
    links: Vec<Link>,
    front: u32,
    back: u32,
    next_turn: u64,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
    turn: u64,
}

impl Turns {
    /// The first in the line that passes.
    pub(super) fn first(&self, pass: impl Fn(Slot) -> bool) -> Option<Slot> {
        let mut place = if self.links.is_empty() { NONE } else { self.front };
        while let Some(link) = self.links.get(place as usize) {
            let slot = Slot::new(place as usize);
            if pass(slot) {
                return Some(slot);
            }
            place = link.after;
        }
        None
    }

    /// This one had its turn and goes to the back of the line.
    pub(super) fn take(&mut self, index: usize) {
        self.unlink(index);
        self.push_back(index);
    }

    /// When its last turn was, as a number that grows with each turn.
    pub(super) fn last(&self, index: usize) -> u64 {
        self.links[index].turn
    }

    /// How many turns ago its last was; 1 for the latest.
    pub(super) fn age(&self, index: usize) -> u64 {
        self.next_turn - self.links[index].turn
    }

    /// A worker at a new slot: those from there on move up, and it goes to the back of the line.
    pub(super) fn insert(&mut self, index: usize) {
        let at = Slot::new(index);
        self.renumber(|place| if place as usize >= at.index() { place + 1 } else { place });
        self.links.insert(index, Link { before: NONE, after: NONE, turn: 0 });
        if self.links.len() == 1 {
            (self.front, self.back) = (NONE, NONE);
        }
        self.push_back(index);
    }

    /// The worker at this slot leaves: those after it move down.
    pub(super) fn remove(&mut self, index: usize) {
        self.unlink(index);
        self.links.remove(index);
        self.renumber(|place| if place as usize > index { place - 1 } else { place });
    }

    fn renumber(&mut self, renumber: impl Fn(u32) -> u32) {
        let renumber = |place: &mut u32| {
            if *place != NONE {
                *place = renumber(*place);
            }
        };
        renumber(&mut self.front);
        renumber(&mut self.back);
        for link in &mut self.links {
            renumber(&mut link.before);
            renumber(&mut link.after);
        }
    }

    fn unlink(&mut self, index: usize) {
        let Link { before, after, .. } = self.links[index];
        match self.links.get_mut(before as usize) {
            Some(link) => link.after = after,
            None => self.front = after,
        }
        match self.links.get_mut(after as usize) {
            Some(link) => link.before = before,
            None => self.back = before,
        }
    }

    fn push_back(&mut self, index: usize) {
        let place = u32::try_from(index).expect("a slot is a u32");
        match self.links.get_mut(self.back as usize) {
            Some(link) => link.after = place,
            None => self.front = place,
        }
        self.links[index] = Link { before: self.back, after: NONE, turn: self.next_turn };
        self.back = place;
        self.next_turn += 1;
    }
}

/// No place: further than the array can reach.
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against a plain list of names in line, beside the list of who is at which slot.
        #[test]
        fn it_is_a_line(steps in prop::collection::vec((0_u8..4, any::<prop::sample::Index>()), 0..80)) {
            let mut turns = Turns::default();
            let mut line: Vec<u32> = Vec::new();
            let mut slots: Vec<u32> = Vec::new();
            let mut next_name = 0;
            for (kind, which) in steps {
                if kind == 0 || slots.is_empty() {
                    let index = which.index(slots.len() + 1);
                    turns.insert(index);
                    slots.insert(index, next_name);
                    line.push(next_name);
                    next_name += 1;
                } else if kind == 1 {
                    let index = which.index(slots.len());
                    turns.remove(index);
                    let name = slots.remove(index);
                    line.retain(|&other| other != name);
                } else {
                    let index = which.index(slots.len());
                    turns.take(index);
                    let name = slots[index];
                    line.retain(|&other| other != name);
                    line.push(name);
                }
                let mut seen = Vec::new();
                while let Some(slot) = turns.first(|slot| !seen.contains(&slot)) {
                    seen.push(slot);
                }
                let named: Vec<u32> = seen.iter().map(|slot| slots[slot.index()]).collect();
                prop_assert_eq!(&named, &line);
                prop_assert!(seen.windows(2).all(|pair| turns.last(pair[0].index()) < turns.last(pair[1].index())));
            }
        }
    }
}
