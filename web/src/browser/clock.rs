//! Time and chance.

use leptos::prelude::window;
use wasm_bindgen::JsValue;

/// Milliseconds of a clock that never goes back.
pub(crate) fn monotonic_millis() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// A random number of `[0, 1)`.
pub(crate) fn chance() -> f64 {
    js_sys::Math::random()
}

/// `14:05:12` in the reader's time zone.
pub(crate) fn time_of_day(unix_millis: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit into 53 bits")]
    let date = js_sys::Date::new(&JsValue::from_f64(unix_millis as f64));
    format!("{:02}:{:02}:{:02}", date.get_hours(), date.get_minutes(), date.get_seconds())
}
