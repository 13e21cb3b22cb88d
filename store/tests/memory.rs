//! What a history of a thousand series holds at its most while it writes.

#![expect(unsafe_code, reason = "an allocator that counts is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use quillwork_core::rng::Rng;
use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::Directory;

/// The system's allocator, which counts for each thread what it holds.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn note(bytes: isize) {
    // A thread that ends frees things after its own cells are gone.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: every call is passed on to the system's allocator as it came. Its default `realloc` calls both, so that the old and
// the new block are held together, which is the worst that may be.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size().cast_signed());
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(-layout.size().cast_signed());
        // SAFETY: the block is one of `alloc`, which is the system's.
        unsafe { System.dealloc(block, layout) }
    }
}

const SERIES: usize = 1_000;
/// The beginning of a minute.
const START: u64 = 1_699_999_200_000;

/// A series of each three is a walk, a level or a count.
fn series(history: &mut History<Directory>) -> Vec<SeriesId> {
    let spec = |number: usize| SeriesSpec {
        key: SeriesKey::new("bench.value", [("number", number.to_string())]).expect("the name is sound"),
        kind: if number % 3 == 2 { SeriesKind::Counter } else { SeriesKind::Gauge },
        unit: "count".into(),
        resolution: 0.001,
    };
    (0..SERIES).map(|number| history.add_series(spec(number)).expect("there is room")).collect()
}

/// Appends these seconds and commits each; the most that was held meanwhile beyond what was held before.
fn live(
    history: &mut History<Directory>,
    values: &mut [(SeriesId, f64)],
    rng: &mut Rng,
    seconds: std::ops::Range<u64>,
) -> isize {
    let before = HELD.get();
    MOST.set(before);
    for second in seconds {
        for (number, (_, value)) in values.iter_mut().enumerate() {
            match number % 3 {
                0 => *value += rng.below(2_001) as f64 / 1_000.0 - 1.0,
                1 => {}
                _ => *value += rng.below(50) as f64,
            }
        }
        let now = START + second * 1_000;
        history.append(now, now, values);
        history.commit().expect("the disk holds it");
    }
    MOST.get() - before
}

#[test]
fn writing_minutes_of_a_thousand_series_takes_little_more_than_the_minutes_do() {
    let directory = tempfile::tempdir().unwrap();
    let volume = Directory::open(directory.path()).unwrap();
    let mut history = History::open(volume, HistoryOptions::default(), START).unwrap();
    let mut values: Vec<(SeriesId, f64)> = series(&mut history).into_iter().map(|id| (id, 500.0)).collect();
    let mut rng = Rng::from_seed(1);
    // A minute that fills and one that waits for late values take half a megabyte each.
    let most = live(&mut history, &mut values, &mut rng, 0..130);
    assert!(most < 2_000_000, "{most} bytes");

    let before = HELD.get();
    MOST.set(before);
    let late = history.append(START + 130_000, START + 30_000, &values);
    assert_eq!(late.stored, SERIES);
    history.commit().expect("the disk holds it");
    let most = MOST.get() - before;
    assert!(most < 2_000_000, "{most} bytes for late values");
}
