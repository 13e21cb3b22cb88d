//! Durations, times and matchers as people write them.

use quillwork_core::alert::{Comparison, Matcher, Selector};
use quillwork_core::time::Duration;
use quillwork_store::series::SeriesKey;

use super::file::MatchTable;

/// "500ms", "15s", "5m", "4h", "30d".
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("{text:?} is no duration; write for instance \"500ms\", \"15s\", \"5m\", \"4h\" or \"30d\"")
    };
    let at = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let millis = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(wrong)
}

/// Minute of the day of "22:30"; "24:00" is its end.
pub(super) fn minute(text: &str) -> Result<u16, String> {
    let parsed = text.split_once(':').and_then(|(hours, minutes)| {
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours <= 24 && minutes < 60 && hours * 60 + minutes <= 1_440).then_some(hours * 60 + minutes)
    });
    parsed.ok_or_else(|| format!("{text:?} is no time of the day; write for instance \"22:30\""))
}

/// Minutes of "+02:00" or "-05:30".
pub(super) fn offset(text: &str) -> Result<i16, String> {
    let wrong = || format!("{text:?} is no offset from UTC; write for instance \"+02:00\"");
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let minutes = minute(rest).map_err(|_| wrong())?;
    i16::try_from(minutes).map(|minutes| sign * minutes).map_err(|_| wrong())
}

/// `name{key="value"}`, where a value with `*` is a pattern.
pub(super) fn selector(text: &str) -> Result<Selector, String> {
    let key: SeriesKey = text.parse().map_err(|error| format!("series {text:?}: {error}"))?;
    let matchers = key.labels().iter().map(|(label, value)| matcher(label, value)).collect();
    Ok(Selector { name: key.name().to_owned(), matchers })
}

/// A table of labels and values; `*` makes a pattern, `!` before it means all others.
pub(super) fn matchers(table: &MatchTable) -> Vec<Matcher> {
    table.iter().map(|(label, value)| matcher(label, value)).collect()
}

fn matcher(label: &str, value: &str) -> Matcher {
    let (is_not, value) = value.strip_prefix('!').map_or((false, value), |rest| (true, rest));
    let comparison = match (value.contains('*'), is_not) {
        (false, false) => Comparison::Is,
        (false, true) => Comparison::IsNot,
        (true, false) => Comparison::Like,
        (true, true) => Comparison::NotLike,
    };
    Matcher { label: label.to_owned(), comparison, value: value.to_owned() }
}
