//! First-in-first-out lists of slots that share one table of links, so that an entry moves between lists without
//! allocating.

use alloc::vec::Vec;

use super::Slot;

/// The links of all slots. A slot is in one list at most.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    links: Vec<Link>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// Towards the head, which is the newest.
    newer: Option<Slot>,
    /// Towards the tail, which is the oldest.
    older: Option<Slot>,
}

/// One list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SlotList {
    newest: Option<Slot>,
    oldest: Option<Slot>,
}

impl SlotList {
    /// The slot that came first.
    pub(super) const fn oldest(self) -> Option<Slot> {
        self.oldest
    }

    /// Adds a slot that is in no list.
    pub(super) fn push(&mut self, links: &mut Links, slot: Slot) {
        if links.links.len() <= slot.index() {
            links.links.resize(slot.index() + 1, Link::default());
        }
        links.links[slot.index()] = Link { newer: None, older: self.newest };
        match self.newest {
            Some(newest) => links.links[newest.index()].newer = Some(slot),
            None => self.oldest = Some(slot),
        }
        self.newest = Some(slot);
    }

    /// Takes out a slot of this list, wherever it stands.
    pub(super) fn remove(&mut self, links: &mut Links, slot: Slot) {
        let Link { newer, older } = links.links[slot.index()];
        match newer {
            Some(newer) => links.links[newer.index()].older = older,
            None => self.newest = older,
        }
        match older {
            Some(older) => links.links[older.index()].newer = newer,
            None => self.oldest = newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::VecDeque;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn two_lists_keep_their_order_as_two_queues_would(operations in prop::collection::vec((0_u32..12, 0_u8..3), 0..200)) {
            let mut links = Links::default();
            let mut lists = [SlotList::default(); 2];
            let mut model = [VecDeque::new(), VecDeque::new()];
            for (number, operation) in operations {
                let slot = Slot(number);
                let home = (0..2).find(|&list| model[list].contains(&slot));
                match (home, operation) {
                    (None, list) => {
                        let list = usize::from(list % 2);
                        lists[list].push(&mut links, slot);
                        model[list].push_back(slot);
                    }
                    (Some(list), 0) => {
                        lists[list].remove(&mut links, slot);
                        model[list].retain(|&other| other != slot);
                    }
                    (Some(list), _) => {
                        if let Some(oldest) = lists[list].oldest() {
                            lists[list].remove(&mut links, oldest);
                            lists[1 - list].push(&mut links, oldest);
                        }
                        let oldest = model[list].pop_front().expect("the slot is in it");
                        model[1 - list].push_back(oldest);
                    }
                }
                for list in 0..2 {
                    prop_assert_eq!(lists[list].oldest(), model[list].front().copied());
                }
            }
            for list in 0..2 {
                while let Some(oldest) = lists[list].oldest() {
                    prop_assert_eq!(model[list].pop_front(), Some(oldest));
                    lists[list].remove(&mut links, oldest);
                }
                prop_assert!(model[list].is_empty());
            }
        }
    }
}
