//! What was recorded of pools.

use super::state;

/// Writes a pool's log up to now to where [`pool_log_ptr`] says, and returns its length in bytes: 0 where nothing is recorded. Floats:
/// inputs in it, the upper and the lower half of the digest of what they led to, and 1 where the log is full.
#[unsafe(no_mangle)]
pub extern "C" fn pool_recording(pool: u32) -> usize {
    state::with(|state| {
        let Some(recording) = state.pools.get(pool).recording() else { return 0 };
        let decisions = recording.decisions();
        let halves = [decisions >> 32, decisions & u64::from(u32::MAX)].map(|half| half as f64);
        let is_full = f64::from(u8::from(recording.is_full()));
        state.log = recording.log();
        state.slots.write_floats([recording.inputs() as f64, halves[0], halves[1], is_full]);
        state.log.len()
    })
}

/// Where the log is that was last asked for, until another one is.
#[unsafe(no_mangle)]
pub extern "C" fn pool_log_ptr() -> *const u8 {
    state::with(|state| state.log.as_ptr())
}
