//! What a piece of work costs this thread: the most memory that it held at a time.

#![expect(unsafe_code, reason = "an allocator that counts is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts for each thread what it holds.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

/// What a thread frees for another counts as less than nothing: it is the same sum.
fn note(bytes: isize) {
    // A thread that ends frees things after its own cells are gone.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: every call is passed on to the system's allocator as it came.
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

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size.cast_signed() - layout.size().cast_signed());
        // SAFETY: the block is one of `alloc`, which is the system's.
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Does a piece of work and tells by how many bytes more than before this thread held at most meanwhile.
pub(crate) fn most_held<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let done = work();
    (done, usize::try_from(MOST.get() - before).unwrap_or(0))
}

#[test]
fn what_is_held_for_a_while_counts_and_what_others_hold_does_not() {
    let (_, most) = most_held(|| drop(vec![0_u8; 1 << 20]));
    assert!((1 << 20..2 << 20).contains(&most), "{most}");
    let (_, most) = most_held(|| std::thread::spawn(|| vec![0_u8; 1 << 20].len()).join().unwrap());
    assert!(most < 1 << 20, "{most}");
}
