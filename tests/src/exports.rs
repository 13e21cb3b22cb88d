//! The module's functions for JavaScript.
#![expect(
    unsafe_code,
    reason = "an exported name can clash with another's; these are the only ones in the module"
)]

use crate::digests::SCENARIOS;

/// How many scenarios there are.
#[unsafe(no_mangle)]
extern "C" fn scenarios() -> usize {
    SCENARIOS.len()
}

/// What the scenario with this number decides from this seed.
#[unsafe(no_mangle)]
extern "C" fn digest(scenario: usize, seed: u64) -> u64 {
    (SCENARIOS[scenario].run)(seed)
}
