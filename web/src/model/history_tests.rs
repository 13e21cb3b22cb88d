use proptest::prelude::*;

use super::*;
use crate::model::series::{FRAMES, page, source_of};

fn tick(value: f64) -> Vec<(String, Option<f64>)> {
    vec![("cpu".to_owned(), Some(value))]
}

fn seen(history: &History, from: u64, to: u64) -> Vec<Option<f64>> {
    (from..=to).map(|slot| history.value("cpu", slot)).collect()
}

#[test]
fn jitter_of_the_ticks_leaves_no_gap() {
    let mut history = History::new(1_000, 60);
    // The third tick falls just past a boundary and the fourth just before the next but one.
    for (at, value) in [(10_990, 1.0), (11_995, 2.0), (13_004, 3.0), (13_999, 4.0), (15_010, 5.0)] {
        history.record(at, &tick(value));
    }
    assert_eq!(seen(&history, 10, 14), [Some(1.0), Some(2.0), Some(3.0), Some(4.0), Some(5.0)]);
}

#[test]
fn the_newest_slot_has_the_newest_tick_on_the_turn_of_a_second_too() {
    let mut history = History::new(1_000, 60);
    assert_eq!(history.newest_slot(), None);
    // The second and third tick fall into one second, and so do the fourth and fifth.
    for (at, value) in [(10_990, 1.0), (12_005, 2.0), (12_995, 3.0), (14_005, 4.0), (14_200, 5.0)] {
        history.record(at, &tick(value));
        assert_eq!(history.value("cpu", history.newest_slot().unwrap()), Some(value));
    }
}

#[test]
fn a_missed_tick_is_a_gap() {
    let mut history = History::new(1_000, 60);
    history.record(10_000, &tick(1.0));
    history.record(11_600, &tick(2.0));
    assert_eq!(seen(&history, 10, 12), [Some(1.0), None, Some(2.0)]);
}

#[test]
fn an_unobserved_value_is_not_zero() {
    let mut history = History::new(1_000, 60);
    history.record(10_000, &tick(1.0));
    history.record(11_000, &[("cpu".to_owned(), None)]);
    assert_eq!(seen(&history, 10, 11), [Some(1.0), None]);
    assert!(history.window("cpu", 11, 11)[0].is_nan());
}

#[test]
fn back_fill_closes_a_gap_and_keeps_what_was_seen_live() {
    let mut history = History::new(1_000, 60);
    history.record(10_000, &tick(1.0));
    history.record(13_000, &tick(4.0));
    history.fill("cpu", 9_000, 1_000, &[Some(0.5), Some(9.0), Some(2.0), None, Some(9.0)]);
    assert_eq!(seen(&history, 9, 13), [Some(0.5), Some(1.0), Some(2.0), None, Some(4.0)]);
}

#[test]
fn a_rolled_up_value_covers_its_whole_step() {
    let mut history = History::new(1_000, 60);
    history.record(20_000, &tick(1.0));
    history.fill("cpu", 10_000, 5_000, &[Some(2.0), Some(3.0)]);
    assert_eq!(seen(&history, 10, 20)[..5], [Some(2.0); 5]);
    assert_eq!(seen(&history, 15, 20), [[Some(3.0); 5].as_slice(), &[Some(1.0)]].concat());
}

#[test]
fn a_clock_set_back_starts_a_new_time_line() {
    let mut history = History::new(1_000, 60);
    history.record(100_000, &tick(1.0));
    history.record(50_000, &tick(2.0));
    assert_eq!(history.newest_unix_millis(), Some(50_000));
    assert_eq!(seen(&history, 50, 51), [Some(2.0), None]);
    assert_eq!(history.value("cpu", 100), None);
}

#[test]
fn a_jump_past_the_capacity_keeps_nothing_of_before() {
    let mut history = History::new(1_000, 10);
    history.record(10_000, &tick(1.0));
    history.record(1_000_000, &tick(2.0));
    assert_eq!(history.value("cpu", 10), None);
    assert_eq!(history.value("cpu", 1_000), Some(2.0));
}

#[test]
fn forgetting_a_page_leaves_the_host() {
    let mut history = History::new(1_000, 10);
    history.record(
        10_000,
        &[
            (page("a", FRAMES), Some(60.0)),
            (page("ab", FRAMES), Some(30.0)),
            ("host.cpu.total".into(), Some(0.1)),
        ],
    );
    history.forget(|series| source_of(series) == Some("a"));
    assert_eq!(history.names().collect::<Vec<_>>(), ["host.cpu.total", &page("ab", FRAMES)]);
}

proptest! {
    /// Beside a plain map of slot to value: whatever is recorded and filled, each slot that is still kept holds what
    /// the map holds.
    #[test]
    fn agrees_with_a_map(operations in prop::collection::vec((any::<bool>(), 0_u64..80, 0.0_f64..9.0), 1..120)) {
        const CAPACITY: u64 = 32;
        let mut history = History::new(1, 32);
        let mut model = BTreeMap::<u64, f32>::new();
        let mut newest = 1_000;
        let mut end = 0;
        for (live, distance, value) in operations {
            #[expect(clippy::cast_possible_truncation, reason = "the model rounds as the time line does")]
            let rounded = value as f32;
            let slot = if live { newest += distance; newest } else { newest.saturating_sub(distance) };
            if live {
                history.record(slot, &tick(value));
                model.insert(slot, rounded);
                end = end.max(slot + 1);
            } else if end > 0 && slot + CAPACITY >= end {
                history.fill("cpu", slot, 1, &[Some(value)]);
                model.entry(slot).or_insert(rounded);
            }
            model.retain(|slot, _| slot + CAPACITY >= end);
        }
        if end > 0 {
            for slot in end.saturating_sub(CAPACITY)..end {
                prop_assert_eq!(history.value("cpu", slot), model.get(&slot).copied().map(f64::from));
            }
        }
    }
}
