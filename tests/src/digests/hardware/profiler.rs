//! The run profiler: more types of tasks than it tells apart, and what it says of each.

use quillwork_core::hardware::profiler::{Phase, Profiler, ProfilerConfig, RunTimes};
use quillwork_core::ids::{TaskId, TaskType};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::Decisions;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let config = ProfilerConfig { max_task_types: 10 };
    let mut profiler = Profiler::new(config).expect("the settings make sense");
    for number in 0..2_000 {
        let task_type = TaskType::new(rng.next_u32() % 14);
        let mut time = |mean: f64| Duration::from_millis_f64(rng.exponential(mean));
        let times = RunTimes {
            queue: time(20.0),
            boundary: time(0.3),
            transfer: time(0.1),
            run: time(1.0 + 3.0 * f64::from(task_type.get())),
            settle: time(0.05),
        };
        profiler.record(task_type, TaskId::new(number), times);
        if number % 400 == 399 {
            let profile = profiler.profile();
            for row in &profile.rows {
                decisions.record(row);
                for phase in Phase::ALL {
                    let of_phase = row.phase(phase);
                    decisions.record_f64(Some(of_phase.share_ratio));
                    decisions.record_f64(Some(of_phase.p99_millis));
                }
            }
            decisions.record(&format_args!("{profile}"));
        }
    }
    decisions.digest()
}
