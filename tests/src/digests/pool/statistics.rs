//! Statistics of a pool: quantiles, rates and utilization of what wanders through the last minute.

use quillwork_core::ids::{TaskType, WorkerId};
use quillwork_core::pool::Statistics;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let mut statistics = Statistics::new(4, Instant::from_secs(1_000));
    let mut clock = Clock::new();
    let mut spent = [Duration::ZERO; 4];
    for step in 0..3_000 {
        let now = clock.tick(&mut rng, Duration::from_millis(50));
        let task_type = TaskType::new(rng.next_u32() % 40);
        let worker = rng.index(spent.len());
        let took = Duration::from_millis_f64(rng.exponential(1.0 + 4.0 * f64::from(task_type.get())));
        statistics.on_queue_depth(now, rng.next_u32() % 30);
        statistics.on_started(now, task_type, took * 2);
        let id = WorkerId::new(u32::try_from(worker).expect("there are four"));
        statistics.on_ended(now, task_type, id, took, rng.chance(0.9));
        statistics.on_response(now, took * 3, rng.chance(0.5));
        spent[worker] += took;
        if statistics.wants_use(now) {
            statistics.on_use(now, spent.iter().map(|&spent| (spent, now - Instant::from_secs(1_000))));
        }
        if step % 100 == 0 {
            let load = statistics.snapshot(now, 3);
            decisions.record_f64(Some(load.throughput_per_sec));
            decisions.record(&(load, statistics.mean_run()));
            statistics.task_types(now).for_each(|of_type| decisions.record(&of_type));
            statistics.workers(now).for_each(|of_worker| decisions.record(&of_worker));
            let responses = statistics.take_responses();
            decisions.record_f64(responses.quantile(0.99));
        }
    }
    decisions.digest()
}
