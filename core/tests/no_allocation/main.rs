//! Hot paths allocate nothing once they have seen what they will see: counted by the allocator itself.

#![expect(
    unsafe_code,
    reason = "an allocator can only be written with it; this one adds a count to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

mod alert;
mod balance;
mod breaker;
mod cache_and_telemetry;
mod debounce;
mod fleet_dynamics;
mod hardware;
mod limits;
mod policy;
mod pool;
mod pool_parts;
mod resilience;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged. Its default `realloc` calls `alloc`, so growth
// counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps to the contract of `alloc`, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the system's allocator with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread allocates while it does the work.
fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn the_counting_works() {
    assert!(allocations_of(|| drop(std::hint::black_box(vec![1]))) > 0);
}
