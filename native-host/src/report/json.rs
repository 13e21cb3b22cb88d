//! For programs.

use quillwork_protocol::report::Report;

use crate::printable;

pub(super) fn write(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has string keys only");
    text.push('\n');
    printable::json(&text)
}
