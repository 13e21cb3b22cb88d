//! The one export of its own: it keeps nothing between calls but what it answers with.

use quillwork_abi::settings::Settings;
use quillwork_abi::slots::Slots;
use quillwork_abi::text;
use quillwork_core::hardware::{ComputeTarget, Setting, Value, Wake, generate};

use crate::{given, words};

/// What lives between calls.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) slots: Slots,
}

quillwork_abi::module!(State);

/// Reads a description of the hardware (9 floats) and the user's own values (12, one for each setting in the order of
/// [`Setting::ALL`]); what is not a number is unknown, or not set.
///
/// Returns 1, writes the values of all settings in the same order, and has as text a line for each of them (formula, tab, reason) and
/// then one for each value of the description that can't be. Or it returns 0 with a line for everything that is wrong with the user's
/// own values.
#[unsafe(no_mangle)]
pub extern "C" fn hardware_generate() -> u32 {
    with(|state| {
        let mut settings = Settings::new(state.slots.floats());
        let profile = given::profile(&mut settings);
        let overrides = given::overrides(&mut settings);
        match generate(&profile).with_overrides(&overrides) {
            Ok(generated) => {
                let values = Setting::ALL.map(|setting| number(generated.config().value(setting)));
                state.slots.write(0, values);
                text::set(&words::of(&generated).as_str());
                1
            }
            Err(errors) => {
                text::set(&words::refusal(&errors).as_str());
                0
            }
        }
    })
}

fn number(value: Value) -> f64 {
    match value {
        Value::Count(count) => f64::from(count),
        #[expect(clippy::cast_precision_loss, reason = "no memory has 2^53 bytes")]
        Value::Bytes(bytes) => bytes as f64,
        Value::Time(time) => time.as_millis_f64(),
        Value::Compute(target) => f64::from(u8::from(target == ComputeTarget::Gpu)),
        Value::Wake(wake) => f64::from(u8::from(wake == Wake::SharedMemory)),
    }
}
