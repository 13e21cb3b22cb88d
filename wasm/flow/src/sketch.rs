//! Quantiles within one per cent, by handle.

use quillwork_core::telemetry::{RelativeAccuracy, Sketch};

use crate::state;

/// An empty sketch.
#[unsafe(no_mangle)]
pub extern "C" fn sketch_new() -> u32 {
    state::with(|state| state.sketches.insert(Sketch::new(RelativeAccuracy::ONE_PER_CENT)))
}

/// Frees it.
#[unsafe(no_mangle)]
pub extern "C" fn sketch_free(sketch: u32) {
    state::with(|state| state.sketches.remove(sketch));
}

/// Adds a value of 0 or more.
///
/// # Panics
///
/// For any other: a fault of the caller.
#[unsafe(no_mangle)]
pub extern "C" fn sketch_add(sketch: u32, value: f64) {
    state::with(|state| {
        state.sketches.get(sketch).record(value).expect("the caller adds values of 0 or more");
    });
}

/// The quantile of 0 to 1; `NaN` where there is no value.
#[unsafe(no_mangle)]
pub extern "C" fn sketch_quantile(sketch: u32, quantile: f64) -> f64 {
    state::with(|state| state.sketches.get(sketch).quantile(quantile).unwrap_or(f64::NAN))
}
