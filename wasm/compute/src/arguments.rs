//! What JavaScript passes in, checked.

use js_sys::{Float32Array, Reflect};
use quillwork_compute::{Device, Options, Preference};
use wasm_bindgen::{JsCast, JsValue};

use crate::error::Refusal;

/// A size: a whole number from 0 to the address space. Zero is for the shape to refuse.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked just before"
)]
pub(crate) fn size(name: &str, value: f64) -> Result<usize, Refusal> {
    if value.fract() != 0.0 || !(0.0..=MAX_SAFE_INTEGER).contains(&value) {
        return Err(Refusal::shape(format!("{name} is {value}; it must be a whole number, at least 1")));
    }
    let size = value as u64;
    usize::try_from(size)
        .map_err(|_| Refusal::too_large(format!("{name} is {size}, more than 32-bit memory holds")))
}

/// A copy of a `Float32Array` in linear memory.
pub(crate) fn numbers(name: &str, value: &JsValue) -> Result<Vec<f32>, Refusal> {
    let array = value
        .dyn_ref::<Float32Array>()
        .ok_or_else(|| Refusal::invalid_argument(format!("{name} must be a Float32Array")))?;
    let length = array.length() as usize;
    if length == 0 {
        // Copying out of an array that was transferred away would throw; the shape refuses it.
        return Ok(Vec::new());
    }
    let mut numbers = Vec::new();
    numbers
        .try_reserve_exact(length)
        .map_err(|_| Refusal::too_large(format!("no memory for the {length} numbers of {name}")))?;
    numbers.resize(length, 0.0);
    array.copy_to(&mut numbers);
    Ok(numbers)
}

/// `undefined` and `null` are `auto`.
pub(crate) fn device(value: &JsValue) -> Result<Device, Refusal> {
    if value.is_undefined() || value.is_null() {
        return Ok(Device::Auto);
    }
    match value.as_string().as_deref() {
        Some("auto") => Ok(Device::Auto),
        Some("gpu") => Ok(Device::Gpu),
        Some("cpu") => Ok(Device::Cpu),
        _ => Err(Refusal::invalid_argument("device must be 'auto', 'gpu' or 'cpu'")),
    }
}

/// An object with options, `undefined` or `null`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked just before"
)]
pub(crate) fn options(value: &JsValue) -> Result<Options, Refusal> {
    let mut options = Options::default();
    if value.is_undefined() || value.is_null() {
        return Ok(options);
    }
    if !value.is_object() {
        return Err(Refusal::invalid_argument("options must be an object"));
    }
    let field = |name: &str| {
        Reflect::get(value, &name.into())
            .map_err(|_| Refusal::invalid_argument(format!("option {name} can't be read")))
    };
    let preference = field("preference")?;
    if !preference.is_undefined() {
        options.preference = match preference.as_string().as_deref() {
            Some("high-performance") => Preference::HighPerformance,
            Some("low-power") => Preference::LowPower,
            Some("cpu") => Preference::CpuOnly,
            _ => {
                return Err(Refusal::invalid_argument(
                    "option preference must be 'high-performance', 'low-power' or 'cpu'",
                ));
            }
        };
    }
    let budget = field("budgetBytes")?;
    if !budget.is_undefined() {
        options.budget_bytes = match budget.as_f64() {
            Some(bytes) if (1.0..=MAX_SAFE_INTEGER).contains(&bytes) => bytes as u64,
            _ => {
                return Err(Refusal::invalid_argument(
                    "option budgetBytes must be a number of bytes above 0",
                ));
            }
        };
    }
    Ok(options)
}

/// `Number.MAX_SAFE_INTEGER`.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;
