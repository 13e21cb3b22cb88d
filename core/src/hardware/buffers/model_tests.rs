//! The pool beside a shell that really holds the bytes: nothing overlaps, nothing is lost, nothing is over budget.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::time::{Duration, Instant};

/// Slabs as vectors of bytes. Every held buffer is filled with a tag of its own.
#[derive(Default)]
struct Shell {
    slabs: BTreeMap<SlabId, Vec<u8>>,
    /// By id: bytes asked for, tag, pinned.
    buffers: BTreeMap<BufferId, (u64, u8, bool)>,
    released: Vec<BufferId>,
    next_tag: u8,
}

impl Shell {
    fn drain(&mut self, pool: &mut BufferPool) {
        while let Some(order) = pool.poll_output() {
            match order {
                SlabOrder::Allocate { slab, bytes } => {
                    let bytes = usize::try_from(bytes).expect("a small budget");
                    assert!(self.slabs.insert(slab, alloc::vec![0; bytes]).is_none(), "it is held already");
                }
                SlabOrder::Free { slab, bytes } => {
                    let freed = self.slabs.remove(&slab).expect("only what is held is freed");
                    assert_eq!(freed.len() as u64, bytes);
                }
                SlabOrder::Move { buffer, from, to, bytes } => {
                    let (asked, _, is_pinned) = self.buffers[&buffer];
                    assert!(!is_pinned, "a pinned buffer was moved");
                    assert_eq!(asked, bytes);
                    let [from_at, to_at, len] = [from.offset_bytes, to.offset_bytes, bytes]
                        .map(|bytes| usize::try_from(bytes).expect("a small budget"));
                    let copied = self.slabs[&from.slab][from_at..from_at + len].to_vec();
                    let target = self.slabs.get_mut(&to.slab).expect("moves go to held slabs");
                    target[to_at..to_at + len].copy_from_slice(&copied);
                }
            }
        }
    }

    fn bytes_of(&mut self, pool: &BufferPool, id: BufferId) -> &mut [u8] {
        let buffer = pool.locate(id).expect("it is held");
        let (asked, _, _) = self.buffers[&id];
        assert!(buffer.capacity_bytes >= asked);
        assert_eq!(buffer.offset_bytes % 256, 0);
        let start = usize::try_from(buffer.offset_bytes).expect("a small budget");
        let len = usize::try_from(asked).expect("a small budget");
        &mut self.slabs.get_mut(&buffer.slab).expect("its slab is held")[start..start + len]
    }

    fn fill(&mut self, pool: &BufferPool, id: BufferId, asked: u64) {
        self.next_tag = self.next_tag.wrapping_add(1);
        let tag = self.next_tag;
        assert!(self.buffers.insert(id, (asked, tag, false)).is_none(), "an id came twice");
        self.bytes_of(pool, id).fill(tag);
    }

    /// Whoever wrote into another's bytes shows here.
    fn check(&mut self, pool: &BufferPool) {
        let ids: Vec<BufferId> = self.buffers.keys().copied().collect();
        for id in ids {
            let (_, tag, _) = self.buffers[&id];
            assert!(self.bytes_of(pool, id).iter().all(|&byte| byte == tag), "{id:?} was overwritten");
        }
        let stats = pool.stats();
        let held: u64 = self.slabs.values().map(|slab| slab.len() as u64).sum();
        assert_eq!(stats.held_bytes, held);
        assert!(held <= pool.config().budget_bytes);
        assert!(stats.high_water_bytes >= held);
        assert_eq!(stats.slabs, self.slabs.len() as u64);
        assert_eq!(stats.slabs_allocated - stats.slabs_freed, stats.slabs);
        assert_eq!(stats.buffers, self.buffers.len() as u64);
        assert_eq!(stats.acquired - stats.released - stats.lost, stats.buffers);
        assert_eq!(stats.asked_bytes, self.buffers.values().map(|&(asked, _, _)| asked).sum::<u64>());
        let capacity = |id: &BufferId| pool.locate(*id).expect("it is held").capacity_bytes;
        assert_eq!(stats.in_use_bytes, self.buffers.keys().map(capacity).sum::<u64>());
        let used: Vec<SlabId> = self.buffers.keys().map(|&id| pool.locate(id).expect("held").slab).collect();
        let empty = self.slabs.iter().filter(|(slab, _)| !used.contains(slab));
        assert_eq!(stats.empty_bytes, empty.map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
        let fragmentation = pool.fragmentation();
        assert!((0.0..=1.0).contains(&fragmentation.external_ratio), "{fragmentation:?}");
        assert!((0.0..=1.0).contains(&fragmentation.internal_ratio), "{fragmentation:?}");
    }

    fn pick(&self, choice: usize) -> Option<BufferId> {
        let at = choice.checked_rem(self.buffers.len())?;
        self.buffers.keys().nth(at).copied()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Acquire(u64),
    Release(usize),
    ReleaseAgain(usize),
    Pin(usize, bool),
    Compact(u64),
    Pressure(u8),
    Lose(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = prop_oneof![0_u64..2_000, 0_u64..20_000, 0_u64..150_000];
    let step = prop_oneof![
        8 => bytes.prop_map(Step::Acquire),
        8 => any::<usize>().prop_map(Step::Release),
        1 => any::<usize>().prop_map(Step::ReleaseAgain),
        2 => any::<(usize, bool)>().prop_map(|(which, pin)| Step::Pin(which, pin)),
        2 => (0_u64..200_000).prop_map(Step::Compact),
        1 => (0_u8..4).prop_map(Step::Pressure),
        1 => any::<usize>().prop_map(Step::Lose),
        1 => (0_u64..20).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..120)
}

const LEVELS: [MemoryPressure; 4] =
    [MemoryPressure::Normal, MemoryPressure::Warning, MemoryPressure::High, MemoryPressure::Critical];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 2) })]

    #[test]
    fn nothing_overlaps_nothing_is_lost_and_the_budget_holds(
        budget_bytes in 1_024_u64..300_000,
        slab_bytes in 1_024_u64..40_000,
        steps in steps(),
    ) {
        let config = BufferPoolConfig {
            slab_bytes,
            idle: Duration::from_secs(10),
            ..BufferPoolConfig::with_budget(budget_bytes)
        };
        let mut pool = BufferPool::new(config).unwrap();
        let mut shell = Shell::default();
        let mut now = Instant::ZERO;
        let mut pressure = MemoryPressure::Normal;
        for step in steps {
            match step {
                Step::Acquire(bytes) => match pool.acquire(now, bytes) {
                    Ok(buffer) => {
                        prop_assert!(buffer.capacity_bytes >= bytes);
                        prop_assert_eq!(pool.locate(buffer.id), Ok(buffer));
                        shell.drain(&mut pool);
                        shell.fill(&pool, buffer.id, bytes);
                    }
                    Err(AcquireError::TooLarge { limit_bytes, .. }) => prop_assert!(bytes > limit_bytes),
                    Err(AcquireError::GrowthStopped { .. }) => {
                        prop_assert_eq!(pressure, MemoryPressure::Critical);
                    }
                    Err(AcquireError::BudgetTaken { .. }) => {
                        // An empty slab is given up before anyone is refused.
                        shell.drain(&mut pool);
                        prop_assert_eq!(pool.stats().empty_bytes, 0);
                    }
                },
                Step::Release(choice) => if let Some(id) = shell.pick(choice) {
                    prop_assert_eq!(pool.release(now, id), Ok(()));
                    shell.buffers.remove(&id);
                    shell.released.push(id);
                },
                Step::ReleaseAgain(choice) => {
                    if let Some(at) = choice.checked_rem(shell.released.len()) {
                        let id = shell.released[at];
                        prop_assert_eq!(pool.release(now, id), Err(UnknownBuffer(id)));
                        prop_assert_eq!(pool.pin(id), Err(UnknownBuffer(id)));
                        prop_assert_eq!(pool.locate(id), Err(UnknownBuffer(id)));
                    }
                }
                Step::Pin(choice, pin) => if let Some(id) = shell.pick(choice) {
                    let is_pinned = &mut shell.buffers.get_mut(&id).unwrap().2;
                    if pin != *is_pinned {
                        prop_assert_eq!(if pin { pool.pin(id) } else { pool.unpin(id) }, Ok(()));
                        *is_pinned = pin;
                    }
                },
                Step::Compact(max_bytes) => {
                    let (before, promised) = (pool.stats(), pool.fragmentation().reclaimable_bytes);
                    let done = pool.compact(now, max_bytes);
                    prop_assert!(done.moved_bytes <= max_bytes);
                    prop_assert_eq!(before.held_bytes - pool.stats().held_bytes, done.freed_bytes);
                    if promised == 0 {
                        prop_assert_eq!(done, Compaction::default());
                    }
                }
                Step::Pressure(level) => {
                    pressure = LEVELS[usize::from(level)];
                    pool.handle_pressure(now, pressure);
                    if pressure >= MemoryPressure::High {
                        prop_assert_eq!(pool.stats().empty_bytes, 0);
                    }
                }
                Step::Lose(choice) => {
                    let at = choice.checked_rem(shell.slabs.len());
                    if let Some(slab) = at.and_then(|at| shell.slabs.keys().nth(at).copied()) {
                        let in_it = |id: &BufferId| pool.locate(*id).is_ok_and(|buffer| buffer.slab == slab);
                        let lost: Vec<BufferId> = shell.buffers.keys().copied().filter(in_it).collect();
                        prop_assert_eq!(pool.handle_slab_lost(now, slab), lost.len() as u64);
                        prop_assert_eq!(pool.handle_slab_lost(now, slab), 0);
                        shell.slabs.remove(&slab);
                        for id in lost {
                            shell.buffers.remove(&id);
                            shell.released.push(id);
                        }
                    }
                }
                Step::Wait(secs) => {
                    now += Duration::from_secs(secs);
                    pool.handle_deadline(now);
                    prop_assert!(pool.next_deadline().is_none_or(|deadline| deadline > now));
                }
            }
            shell.drain(&mut pool);
            shell.check(&pool);
        }
        // Everything is given back, and nothing is left over.
        while let Some(id) = shell.pick(0) {
            prop_assert_eq!(pool.release(now, id), Ok(()));
            shell.buffers.remove(&id);
        }
        pool.handle_pressure(now, MemoryPressure::High);
        shell.drain(&mut pool);
        prop_assert!(shell.slabs.is_empty());
        prop_assert_eq!(pool.stats().held_bytes, 0);
        prop_assert_eq!(pool.next_deadline(), None);
    }

    /// Without a limit and pins, compaction frees exactly what was promised, and then there is nothing more to free.
    #[test]
    fn compaction_frees_what_was_promised(
        sizes in prop::collection::vec(0_u64..6_000, 1..200),
        kept in prop::collection::vec(any::<bool>(), 200),
    ) {
        let config = BufferPoolConfig { slab_bytes: 16 << 10, ..BufferPoolConfig::with_budget(1 << 30) };
        let mut pool = BufferPool::new(config).unwrap();
        let mut shell = Shell::default();
        let now = Instant::ZERO;
        for &bytes in &sizes {
            let buffer = pool.acquire(now, bytes).unwrap();
            shell.drain(&mut pool);
            shell.fill(&pool, buffer.id, bytes);
        }
        let ids: Vec<BufferId> = shell.buffers.keys().copied().collect();
        for (id, _) in ids.into_iter().zip(kept).filter(|(_, kept)| !kept) {
            pool.release(now, id).unwrap();
            shell.buffers.remove(&id);
        }
        let promised = pool.fragmentation().reclaimable_bytes;
        prop_assert_eq!(pool.compact(now, u64::MAX).freed_bytes, promised);
        shell.drain(&mut pool);
        shell.check(&pool);
        prop_assert_eq!(pool.fragmentation().reclaimable_bytes, 0);
        prop_assert_eq!(pool.compact(now, u64::MAX), Compaction::default());
    }
}
