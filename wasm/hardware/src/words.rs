//! What core says of a configuration, as text.

use alloc::string::String;
use core::fmt::Write as _;

use quillwork_core::hardware::{Generated, InvalidOverrides, Setting};

/// A line for each setting, its formula and its reason, with a tab between; then one for each value of the hardware that can't be.
pub(crate) fn of(generated: &Generated) -> String {
    let mut text = String::new();
    for setting in Setting::ALL {
        let explanation = generated.explain(setting);
        writeln!(text, "{}\t{}", explanation.formula, explanation.reason).expect("a String takes everything");
    }
    for implausible in generated.profile().implausible() {
        writeln!(text, "{implausible}").expect("a String takes everything");
    }
    text
}

/// A line for each value that can't be used.
pub(crate) fn refusal(errors: &InvalidOverrides) -> String {
    let mut text = String::new();
    write!(text, "{errors}").expect("a String takes everything");
    text
}
