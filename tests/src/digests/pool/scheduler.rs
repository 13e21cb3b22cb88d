//! The scheduler over a pool whose workers boot late, crash, hang and ignore aborts; and the recording of that run,
//! replayed.

use quillwork_sim::{Scenario, run};

use crate::digests::Decisions;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut decisions = Decisions::new();
    for part in 0..5 {
        let seed = seed.wrapping_mul(5).wrapping_add(part);
        let report = run(seed, &Scenario::from_seed(seed));
        decisions.record(&report.violations);
        decisions.record(&report.counters);
        decisions.record(&report.digest);
        decisions.record(&report.recording.replay());
    }
    decisions.digest()
}
