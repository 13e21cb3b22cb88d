//! The exports. See the crate's documentation for what they have in common.
#![expect(
    unsafe_code,
    reason = "exporting a function under its own name needs `unsafe(no_mangle)`; the names are unique in the module"
)]

pub mod cache;
pub mod pool;
#[cfg(feature = "full")]
pub mod pool_recording;
pub mod pool_stats;
#[cfg(feature = "full")]
pub mod pool_strategy;
mod state;

use quillwork_abi::text;

/// Where the records are.
#[unsafe(no_mangle)]
pub extern "C" fn words_ptr() -> *const u32 {
    state::with(|state| state.slots.words().as_ptr())
}

/// Where answers of workers are put: see [`pool::pool_answers`]. Each is two words: the task, and 0 for a result, 1 for an error,
/// 2 for a task that is given back.
#[unsafe(no_mangle)]
pub extern "C" fn answers_ptr() -> *mut u32 {
    state::with(|state| state.slots.answers_mut().as_mut_ptr())
}

/// Where deadline and statistics are.
#[unsafe(no_mangle)]
pub extern "C" fn floats_ptr() -> *const f64 {
    state::with(|state| state.slots.floats().as_ptr())
}

/// Where the text of the last refusal is.
#[unsafe(no_mangle)]
pub extern "C" fn text_ptr() -> *const u8 {
    text::with(str::as_ptr)
}

/// Its length in bytes of UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn text_len() -> usize {
    text::with(str::len)
}
