//! [`Deadlines`] beside a sorted list.

use proptest::prelude::*;
use quillwork_core::deadline::Deadlines;
use quillwork_core::time::Instant;

#[derive(Clone, Copy, Debug)]
enum Step {
    Set { slot: u32, at: u64 },
    Cancel { slot: u32 },
    PopDue { now: u64 },
}

/// Entries in the order in which they leave: by time, then by when they were set.
#[derive(Default)]
struct Model {
    entries: Vec<(u64, u64, u32)>,
    sets: u64,
}

impl Model {
    fn cancel(&mut self, slot: u32) -> Option<u64> {
        let index = self.entries.iter().position(|entry| entry.2 == slot)?;
        Some(self.entries.remove(index).0)
    }

    fn set(&mut self, slot: u32, at: u64) {
        self.cancel(slot);
        self.sets += 1;
        self.entries.push((at, self.sets, slot));
        self.entries.sort_unstable();
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u32..40, 0_u64..100).prop_map(|(slot, at)| Step::Set { slot, at }),
        1 => (0_u32..40).prop_map(|slot| Step::Cancel { slot }),
        1 => (0_u64..100).prop_map(|now| Step::PopDue { now }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 2) })]

    #[test]
    fn the_table_is_a_sorted_list(steps in prop::collection::vec(step(), 1..300)) {
        let mut deadlines = Deadlines::new();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Set { slot, at } => {
                    deadlines.set(slot, Instant::from_nanos(at));
                    model.set(slot, at);
                }
                Step::Cancel { slot } => {
                    let cancelled = deadlines.cancel(slot).map(Instant::as_nanos);
                    prop_assert_eq!(cancelled, model.cancel(slot));
                }
                Step::PopDue { now } => {
                    while let Some(slot) = deadlines.pop_due(Instant::from_nanos(now)) {
                        prop_assert!(model.entries[0].0 <= now);
                        prop_assert_eq!(slot, model.entries.remove(0).2);
                    }
                    prop_assert!(model.entries.first().is_none_or(|entry| entry.0 > now));
                }
            }
            prop_assert_eq!(deadlines.next().map(Instant::as_nanos), model.entries.first().map(|entry| entry.0));
            prop_assert_eq!(deadlines.len(), model.entries.len());
        }
        for &(at, _, slot) in &model.entries {
            prop_assert_eq!(deadlines.at(slot), Some(Instant::from_nanos(at)));
        }
    }
}

#[test]
fn never_is_no_deadline() {
    let mut deadlines = Deadlines::new();
    deadlines.set(3, Instant::ZERO);
    deadlines.set(3, Instant::NEVER);
    assert!(deadlines.is_empty());
    assert_eq!(deadlines.next(), None);
}
