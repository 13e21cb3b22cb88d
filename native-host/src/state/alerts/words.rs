//! Alerts in people's words.

use quillwork_core::alert::{Condition, Direction, NEVER_REACHED_MILLIS, Rule, Severity, State, Unit};

/// One sentence with the value and the threshold that counts in this state.
pub(crate) fn summary(rule: &Rule, subject: &str, state: State, value: Option<f64>) -> String {
    let what = subject_of_sentence(rule, &printable(subject));
    let side = match rule.direction {
        Direction::Above => "above",
        Direction::Below => "below",
    };
    let shown = |value| with_unit(value, rule.unit);
    let Some(value) = value else { return format!("{what} is not known yet.") };
    let first = rule.warning.or(rule.critical).map_or(f64::NAN, |level| level.threshold);
    match state {
        State::Ok => {
            format!("{what} is {}, within its budget of {}.", shown(value), shown(first))
        }
        State::Pending => {
            format!("{what} is {}, {side} {}, not yet for long.", shown(value), shown(first))
        }
        State::Warning | State::Critical => {
            let (name, severity) = if state == State::Warning {
                ("the warning", Severity::Warning)
            } else {
                ("critical", Severity::Critical)
            };
            let threshold = rule.level(severity).map_or(first, |level| level.threshold);
            if rule.direction.is_beyond(value, threshold) {
                format!("{what} is {}; {name} is {side} {}.", shown(value), shown(threshold))
            } else {
                format!(
                    "{what} is {}, no longer {side} {}, but not yet for long.",
                    shown(value),
                    shown(threshold)
                )
            }
        }
        State::NoData { firing: Some(severity) } => {
            format!("{what} is not known now; it was {} and the alert was {severity}.", shown(value))
        }
        State::NoData { firing: None } => format!("{what} is not known now; it was {}.", shown(value)),
    }
}

fn subject_of_sentence(rule: &Rule, subject: &str) -> String {
    match &*rule.name {
        "host-cpu" => return "CPU use".to_owned(),
        "host-memory" => return "Memory use".to_owned(),
        "page-response" => return format!("Response time (p95) of {subject}"),
        "page-errors" => return format!("Error ratio of {subject}"),
        "page-fps" => return format!("Frame rate of {subject}"),
        "host-disk-space" => return format!("Used space of {subject}"),
        "host-temperature" => return format!("Temperature of {subject}"),
        "page-memory" | "page-memory-maximum" => return format!("Memory use of {subject}"),
        "page-cache-hits" => return format!("Cache hit rate of {subject}"),
        "page-cache-evictions" => return format!("Share of look-ups with an eviction of {subject}"),
        _ => {}
    }
    match &rule.condition {
        Condition::TimeToReach { .. } => format!("Time until {} of {subject}", rule.name),
        Condition::Absent(of) => format!("Time without {} of {subject}", of.name),
        Condition::BurnRate(_) => format!("Burn rate of {} over what is tolerated", rule.name),
        _ => format!("{} of {subject}", rule.name),
    }
}

/// A value as people write it.
pub(crate) fn with_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{} %", rounded(value * 100.0)),
        Unit::Millis => duration(value),
        Unit::PerSecond => format!("{} a second", rounded(value)),
        Unit::Count => rounded(value),
        Unit::Bytes => size(value),
        Unit::BytesPerSecond => format!("{} a second", size(value)),
        Unit::Celsius => format!("{} °C", rounded(value)),
        Unit::Watts => format!("{} W", rounded(value)),
        Unit::Volts => format!("{} V", rounded(value)),
        Unit::Hertz => format!("{} Hz", rounded(value)),
        Unit::Rpm => format!("{} rpm", rounded(value)),
    }
}

fn duration(millis: f64) -> String {
    const UNITS: [(&str, f64); 4] =
        [("days", 86_400_000.0), ("h", 3_600_000.0), ("min", 60_000.0), ("s", 1_000.0)];
    if millis >= NEVER_REACHED_MILLIS {
        return "ten years or more".to_owned();
    }
    // A response of 1,500 ms is compared with others in milliseconds; what takes longer is read in larger units.
    let unit = UNITS
        .into_iter()
        .find(|(_, size)| millis.abs() >= 2.0 * size && *size >= 60_000.0 || millis.abs() >= 10.0 * size);
    unit.map_or_else(
        || format!("{} ms", rounded(millis)),
        |(name, size)| format!("{} {name}", rounded(millis / size)),
    )
}

fn size(bytes: f64) -> String {
    const UNITS: [(&str, f64); 4] =
        [("TiB", 1_099_511_627_776.0), ("GiB", 1_073_741_824.0), ("MiB", 1_048_576.0), ("KiB", 1_024.0)];
    let unit = UNITS.into_iter().find(|(_, size)| bytes.abs() >= *size);
    unit.map_or_else(
        || format!("{} B", rounded(bytes)),
        |(name, size)| format!("{} {name}", rounded(bytes / size)),
    )
}

/// A number of bytes as people write it.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn bytes(bytes: u64) -> String {
    size(bytes as f64)
}

/// Few digits, and never "0" for what isn't.
pub(super) fn rounded(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 1.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Names of processes, mounts and pages are chosen by strangers: what would steer a terminal, a log or the direction of
/// text is shown as `?`.
pub(crate) fn printable(name: &str) -> String {
    let steers = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    name.chars().map(|letter| if steers(letter) { '?' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use quillwork_core::alert::default_rules;

    use super::*;

    fn rule(name: &str) -> Rule {
        default_rules().into_iter().find(|rule| *rule.name == *name).unwrap()
    }

    #[test]
    fn an_alert_that_is_only_kept_says_that_its_value_is_fine_again() {
        let cpu = rule("host-cpu");
        assert_eq!(
            summary(&cpu, "host", State::Warning, Some(0.8)),
            "CPU use is 80 %; the warning is above 70 %."
        );
        assert_eq!(
            summary(&cpu, "host", State::Warning, Some(0.005)),
            "CPU use is 0.5 %, no longer above 70 %, but not yet for long."
        );
        assert_eq!(
            summary(&rule("page-fps"), "A", State::Critical, Some(40.0)),
            "Frame rate of A is 40 a second, no longer below 30 a second, but not yet for long."
        );
        assert_eq!(
            summary(&rule("host-disk-full"), "/\n", State::Warning, Some(36_000_000.0)),
            "Time until host-disk-full of /? is 10 h; the warning is below 24 h."
        );
    }

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(with_unit(0.7, Unit::Ratio), "70 %");
        assert_eq!(with_unit(0.001, Unit::Ratio), "0.1 %");
        assert_eq!(with_unit(1_234.5, Unit::Millis), "1234 ms");
        assert_eq!(with_unit(90_000.0, Unit::Millis), "90 s");
        assert_eq!(with_unit(259_200_000.0, Unit::Millis), "3 days");
        assert_eq!(with_unit(NEVER_REACHED_MILLIS, Unit::Millis), "ten years or more");
        assert_eq!(with_unit(59.94, Unit::PerSecond), "59.9 a second");
        assert_eq!(with_unit(1_536.0, Unit::Bytes), "1.5 KiB");
        assert_eq!(rounded(100.0), "100");
    }
}
