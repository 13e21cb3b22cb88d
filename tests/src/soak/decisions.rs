//! The scenarios whose decisions are compared between machines: from any seed they decide twice the same, and nothing
//! overflows or panics on the way.

use crate::digests::SCENARIOS;

pub(super) fn run(seed: u64) -> Result<u64, String> {
    for scenario in SCENARIOS {
        let (first, second) = ((scenario.run)(seed), (scenario.run)(seed));
        if first != second {
            return Err(format!("{}: {first:016x}, and the second time {second:016x}", scenario.name));
        }
    }
    Ok(2 * SCENARIOS.len() as u64)
}
