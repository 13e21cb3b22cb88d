//! The scheduler over a pool whose workers fail in every way, and the recording of that life, replayed.

use quillwork_sim::{Scenario, run as simulate};

pub(super) fn run(seed: u64) -> Result<u64, String> {
    let report = simulate(seed, &Scenario::from_seed(seed));
    if !report.violations.is_empty() {
        return Err(format!("{:?}", report.violations));
    }
    match report.recording.replay() {
        Ok(digest) if digest == report.digest => Ok(report.steps),
        replayed => Err(format!("decided {:016x}, and when replayed {replayed:?}", report.digest)),
    }
}
