//! What a user of the pool relies on, one by one.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::*;
use crate::time::{Duration, Instant};

const KIB: u64 = 1 << 10;

fn pool(budget_bytes: u64, slab_bytes: u64) -> BufferPool {
    BufferPool::new(BufferPoolConfig { slab_bytes, ..BufferPoolConfig::with_budget(budget_bytes) }).unwrap()
}

fn orders(pool: &mut BufferPool) -> Vec<SlabOrder> {
    core::iter::from_fn(|| pool.poll_output()).collect()
}

#[test]
fn settings_that_hold_nothing_are_refused() {
    let refused = |config| BufferPool::new(config).unwrap_err().to_string();
    assert_eq!(
        refused(BufferPoolConfig::with_budget(1_023)),
        "a buffer pool's budget is 1 KiB to 1 TiB, not 1023 bytes"
    );
    let slab = BufferPoolConfig { slab_bytes: 0, ..BufferPoolConfig::with_budget(1 << 20) };
    assert_eq!(refused(slab), "a slab takes at least 1 KiB, the smallest buffer, not 0 bytes");
}

#[test]
fn a_buffer_larger_than_a_slab_has_one_of_its_own() {
    let mut pool = pool(1 << 20, 4 * KIB);
    let large = pool.acquire(Instant::ZERO, 300 * KIB).unwrap();
    assert_eq!((large.offset_bytes, large.capacity_bytes), (0, 320 * KIB));
    assert_eq!(pool.stats().held_bytes, 320 * KIB);
}

#[test]
fn the_fullest_slab_is_filled_up_so_that_others_run_empty() {
    let mut pool = pool(1 << 20, 4 * KIB);
    let buffers: Vec<Buffer> = (0..9).map(|_| pool.acquire(Instant::ZERO, KIB).unwrap()).collect();
    pool.release(Instant::ZERO, buffers[2].id).unwrap();
    assert_ne!(buffers[8].slab, buffers[2].slab);
    assert_eq!(pool.acquire(Instant::ZERO, KIB).unwrap().slab, buffers[2].slab);
}

#[test]
fn a_buffer_larger_than_the_budget_allows_is_refused_for_good() {
    let mut pool = pool(100 * KIB, 4 * KIB);
    let refused = pool.acquire(Instant::ZERO, 97 * KIB).unwrap_err();
    assert_eq!(refused, AcquireError::TooLarge { asked_bytes: 97 * KIB, limit_bytes: 96 * KIB });
    assert!(pool.acquire(Instant::ZERO, 96 * KIB).is_ok());
}

#[test]
fn the_rest_of_a_budget_makes_a_smaller_slab() {
    let mut pool = pool(6 * KIB, 4 * KIB);
    for _ in 0..6 {
        pool.acquire(Instant::ZERO, KIB).unwrap();
    }
    let refused = pool.acquire(Instant::ZERO, KIB).unwrap_err();
    assert_eq!(refused, AcquireError::BudgetTaken { asked_bytes: KIB, reclaimable_bytes: 0 });
    assert_eq!(pool.stats().held_bytes, 6 * KIB);
}

#[test]
fn another_class_gets_the_room_of_slabs_that_are_empty_the_longest_empty_first() {
    let mut pool = pool(8 * KIB, 4 * KIB);
    let older = pool.acquire(Instant::ZERO, 2 * KIB).unwrap();
    let newer = pool.acquire(Instant::ZERO, KIB).unwrap();
    pool.release(Instant::from_secs(1), older.id).unwrap();
    pool.release(Instant::from_secs(2), newer.id).unwrap();
    orders(&mut pool);
    pool.acquire(Instant::from_secs(3), 3 * KIB).unwrap();
    let orders = orders(&mut pool);
    assert!(matches!(orders[0], SlabOrder::Free { slab, .. } if slab == older.slab), "{orders:?}");
    assert!(matches!(orders[1], SlabOrder::Allocate { bytes: 3_072, .. }), "{orders:?}");
    assert_eq!(orders.len(), 2);
}

#[test]
fn idle_slabs_go_at_their_deadline_not_before() {
    let mut pool = pool(1 << 20, 4 * KIB);
    let buffer = pool.acquire(Instant::ZERO, KIB).unwrap();
    assert_eq!(pool.next_deadline(), None);
    pool.release(Instant::from_secs(5), buffer.id).unwrap();
    orders(&mut pool);
    assert_eq!(pool.next_deadline(), Some(Instant::from_secs(35)));
    pool.handle_deadline(Instant::from_secs(35) - Duration::from_nanos(1));
    assert_eq!(pool.poll_output(), None);
    pool.handle_deadline(Instant::from_secs(35));
    assert_eq!(orders(&mut pool), [SlabOrder::Free { slab: buffer.slab, bytes: 4 * KIB }]);
    assert_eq!(pool.next_deadline(), None);
    assert_eq!(pool.stats().held_bytes, 0);
}

#[test]
fn a_clock_that_steps_back_keeps_no_slab_longer() {
    let mut pool = pool(1 << 20, 4 * KIB);
    let buffer = pool.acquire(Instant::from_secs(100), KIB).unwrap();
    pool.release(Instant::from_secs(50), buffer.id).unwrap();
    assert_eq!(pool.next_deadline(), Some(Instant::from_secs(130)));
}

#[test]
fn pressure_trims_level_by_level() {
    let mut pool = pool(1 << 20, 4 * KIB);
    // Three slabs of one class: one with a buffer that stays, two empty ones.
    let buffers: Vec<Buffer> = (0..12).map(|_| pool.acquire(Instant::ZERO, KIB).unwrap()).collect();
    for buffer in &buffers[1..] {
        pool.release(Instant::ZERO, buffer.id).unwrap();
    }
    let held = |pool: &BufferPool| pool.stats().held_bytes / KIB;
    assert_eq!(held(&pool), 12);
    pool.handle_pressure(Instant::ZERO, MemoryPressure::Warning);
    assert_eq!(held(&pool), 8);
    pool.handle_pressure(Instant::ZERO, MemoryPressure::High);
    assert_eq!(held(&pool), 4);
    // What is emptied while the pressure lasts goes at once.
    pool.release(Instant::ZERO, buffers[0].id).unwrap();
    assert_eq!(held(&pool), 0);
}

#[test]
fn critical_pressure_stops_growth_but_not_reuse() {
    let mut pool = pool(1 << 20, 2 * KIB);
    let first = pool.acquire(Instant::ZERO, KIB).unwrap();
    pool.handle_pressure(Instant::ZERO, MemoryPressure::Critical);
    let second = pool.acquire(Instant::ZERO, KIB).unwrap();
    assert_eq!(second.slab, first.slab);
    let refused = pool.acquire(Instant::ZERO, KIB).unwrap_err();
    assert_eq!(refused, AcquireError::GrowthStopped { asked_bytes: KIB });
    // What was held when the pressure began may be held again, in whatever class.
    pool.release(Instant::ZERO, first.id).unwrap();
    pool.release(Instant::ZERO, second.id).unwrap();
    assert_eq!(pool.stats().held_bytes, 0);
    assert!(pool.acquire(Instant::ZERO, 2 * KIB).is_ok());
    pool.handle_pressure(Instant::ZERO, MemoryPressure::Normal);
    assert!(pool.acquire(Instant::ZERO, KIB).is_ok());
}

#[test]
fn high_pressure_moves_what_is_not_pinned_together() {
    let mut pool = pool(1 << 20, 2 * KIB);
    let buffers: Vec<Buffer> = (0..8).map(|_| pool.acquire(Instant::ZERO, KIB).unwrap()).collect();
    for buffer in buffers.iter().step_by(2) {
        pool.release(Instant::ZERO, buffer.id).unwrap();
    }
    pool.pin(buffers[1].id).unwrap();
    orders(&mut pool);
    assert!((pool.fragmentation().external_ratio - 0.5).abs() < 1e-12);
    assert_eq!(pool.fragmentation().reclaimable_bytes, 4 * KIB);
    pool.handle_pressure(Instant::ZERO, MemoryPressure::High);
    let orders = orders(&mut pool);
    let moves = orders.iter().filter(|order| matches!(order, SlabOrder::Move { .. })).count();
    assert_eq!((moves, orders.len()), (2, 4), "{orders:?}");
    assert_eq!(pool.locate(buffers[1].id), Ok(buffers[1]));
    assert_eq!(pool.stats().held_bytes, 4 * KIB);
    assert_eq!(pool.stats().moved_bytes, 2 * KIB);
}

#[test]
fn pins_count() {
    let mut pool = pool(1 << 20, 2 * KIB);
    let buffers: Vec<Buffer> = (0..4).map(|_| pool.acquire(Instant::ZERO, KIB).unwrap()).collect();
    for index in [0, 2] {
        pool.release(Instant::ZERO, buffers[index].id).unwrap();
    }
    let (first, second) = (buffers[1].id, buffers[3].id);
    for id in [first, first, second] {
        pool.pin(id).unwrap();
    }
    pool.unpin(first).unwrap();
    assert_eq!(pool.compact(Instant::ZERO, u64::MAX), Compaction::default());
    pool.unpin(first).unwrap();
    // Taking off one too many is harmless.
    pool.unpin(first).unwrap();
    assert_eq!(pool.compact(Instant::ZERO, u64::MAX).freed_bytes, 2 * KIB);
}

#[test]
fn the_high_water_mark_starts_again_where_it_is_taken() {
    let mut pool = pool(1 << 20, KIB);
    let buffers: Vec<Buffer> = (0..3).map(|_| pool.acquire(Instant::ZERO, KIB).unwrap()).collect();
    pool.release(Instant::ZERO, buffers[0].id).unwrap();
    pool.handle_pressure(Instant::ZERO, MemoryPressure::High);
    assert_eq!(pool.take_high_water(), 3 * KIB);
    assert_eq!(pool.stats().high_water_bytes, 2 * KIB);
}
