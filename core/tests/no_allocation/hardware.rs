//! Buffer pools and the run profiler.

use quillwork_core::hardware::buffers::{BufferId, BufferPool, BufferPoolConfig};
use quillwork_core::hardware::profiler::{Profiler, ProfilerConfig, RunTimes};
use quillwork_core::ids::{TaskId, TaskType};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

#[test]
fn a_buffer_pool_in_steady_state() {
    let config = BufferPoolConfig { slab_bytes: 64 << 10, ..BufferPoolConfig::with_budget(4 << 20) };
    let mut pool = BufferPool::new(config).expect("the settings are sound");
    let mut rng = Rng::from_seed(1);
    let mut held: [Option<BufferId>; 200] = [None; 200];
    let mut now = Instant::ZERO;
    let mut work = |rounds: u32| {
        for round in 0..rounds {
            now += Duration::from_millis(1);
            let place = rng.index(held.len());
            if let Some(id) = held[place].take() {
                pool.release(now, id).expect("it is held");
            } else if let Ok(buffer) = pool.acquire(now, rng.below(60_000)) {
                held[place] = Some(buffer.id);
            }
            if round % 500 == 0 {
                pool.compact(now, 1 << 20);
            }
            pool.handle_deadline(now);
            while pool.poll_output().is_some() {}
        }
        pool.stats()
    };
    work(200_000);
    let mut stats = None;
    assert_eq!(allocations_of(|| stats = Some(work(100_000))), 0);
    let stats = stats.expect("it worked");
    assert!(stats.reused > 10_000 && stats.refused > 100 && stats.moved_bytes > 0, "{stats:?}");
}

#[test]
fn a_profiler_that_has_seen_its_task_types() {
    let mut profiler = Profiler::new(ProfilerConfig::default()).expect("the settings are sound");
    let mut rng = Rng::from_seed(2);
    let mut work = |rounds: u64| {
        for number in 0..rounds {
            let mut time = || Duration::from_nanos(rng.next_u64() >> (20 + number % 40));
            let times =
                RunTimes { queue: time(), boundary: time(), transfer: time(), run: time(), settle: time() };
            let task_type = TaskType::new(u32::try_from(number % 100).expect("below 100"));
            profiler.record(task_type, TaskId::new(number), times);
        }
        profiler.reset();
    };
    // One run of each type is enough, whatever times the later ones take.
    work(100);
    assert_eq!(allocations_of(|| work(20_000)), 0);
}
