//! Alerts in people's words.

use quillwork_core::alert::{Condition, Direction, NEVER_REACHED_MILLIS, Rule, Severity, State, Unit};

use crate::printable::printable;

/// One sentence with the value and the threshold that counts in this state.
pub(crate) fn summary(rule: &Rule, subject: &str, state: State, value: Option<f64>) -> String {
    let subject = printable(subject);
    if let Some(sentence) = without_number(rule, &subject, state) {
        return sentence;
    }
    let what = subject_of_sentence(rule, &subject);
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
    let of_default = match &*rule.name {
        "host-cpu" => "CPU use",
        "host-memory" => "Memory use",
        "host-disk-space" => "Used space of {}",
        "host-disk-full" => "Time until {} is full",
        "host-temperature" => "Temperature of {}",
        "host-lost" => "Time since this machine was measured",
        "host-export-late" => "Delay of what is sent on to {}",
        "host-export-lost" => "Number of samples that {} did not get",
        "host-standby-behind" => "Time that the standby {} is behind",
        "host-standby-fenced" => "Whether {} follows this host",
        "page-lost" => "Whether {} reports",
        "page-pool-saturated" => "Whether the pool of {} keeps up",
        "page-memory" | "page-memory-maximum" => "Memory use of {}",
        "page-response" => "Response time (p95) of {}",
        "page-errors" => "Error ratio of {}",
        "page-fps" => "Frame rate of {}",
        "page-cache-hits" => "Cache hit rate of {}",
        "page-cache-evictions" => "Share of look-ups with an eviction of {}",
        "page-garbage-collection" => "Number of garbage collections a minute of {}",
        "page-clock-skew" => "Clock error of {}",
        "page-pool-busy" => "Pool use of {}",
        "page-pool-queue" => "Number of tasks that wait for each worker of {}",
        "objective-availability" => "Burn rate of the budget for availability, over what is tolerated,",
        "objective-errors" => "Burn rate of the budget for errors, over what is tolerated,",
        "objective-response-p50" => {
            "Burn rate of the budget for responses within 20 ms, over what is tolerated,"
        }
        "objective-response-p95" => {
            "Burn rate of the budget for responses within 50 ms, over what is tolerated,"
        }
        "objective-response-p99" => {
            "Burn rate of the budget for responses within 100 ms, over what is tolerated,"
        }
        _ => "",
    };
    if !of_default.is_empty() {
        return of_default.replace("{}", subject);
    }
    match &rule.condition {
        Condition::TimeToReach { of, limit, .. } => {
            format!("Time until {} of {subject} is {}", of.name, rounded(*limit))
        }
        Condition::Absent(of) => format!("Time without {} of {subject}", of.name),
        Condition::BurnRate(_) => format!("Burn rate of {} over what is tolerated", rule.name),
        _ => format!("{} of {subject}", rule.name),
    }
}

/// What is so or isn't reads badly as a number.
fn without_number(rule: &Rule, subject: &str, state: State) -> Option<String> {
    let (fine, bad) = match &*rule.name {
        "page-lost" => ("{} reports", "{} has gone silent without a goodbye"),
        "host-standby-fenced" => {
            ("{} follows this host", "{} was the primary, and is silent and does not follow this host")
        }
        "page-pool-saturated" => ("The pool of {} keeps up", "The workers of {} are busy, and tasks wait"),
        _ => return None,
    };
    let sentence = match state {
        State::Ok => format!("{fine}."),
        State::Pending => format!("{bad}, not yet for long."),
        State::Warning | State::Critical => format!("{bad}."),
        State::NoData { .. } => return None,
    };
    Some(sentence.replace("{}", subject))
}

/// A value as people write it.
pub(crate) fn with_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio => format!("{} %", rounded(value * 100.0)),
        Unit::Millis => duration(value),
        Unit::PerSecond => format!("{} a second", plain(value)),
        Unit::Count => plain(value),
        Unit::Bytes => size(value),
        Unit::BytesPerSecond => format!("{} a second", size(value)),
        Unit::Celsius => format!("{} °C", rounded(value)),
        Unit::Watts => format!("{} W", rounded(value)),
        Unit::Volts => format!("{} V", rounded(value)),
        Unit::Hertz => format!("{} Hz", rounded(value)),
        Unit::Rpm => format!("{} rpm", rounded(value)),
    }
}

/// A number without a unit that would make it larger: one in ten thousand is not zero.
fn plain(value: f64) -> String {
    match value.abs() {
        size if size >= 0.01 || size == 0.0 => rounded(value),
        size if size >= 0.000_1 => format!("{value:.5}").trim_end_matches('0').to_owned(),
        _ => format!("{value:.0e}"),
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
            "Time until /? is full is 10 h; the warning is below 24 h."
        );
    }

    #[test]
    fn what_is_so_or_isnt_is_told_without_a_number() {
        let lost = rule("page-lost");
        assert_eq!(summary(&lost, "Story", State::Ok, Some(1.0)), "Story reports.");
        assert_eq!(
            summary(&lost, "Story", State::Critical, Some(0.0)),
            "Story has gone silent without a goodbye."
        );
        assert_eq!(
            summary(&rule("page-pool-saturated"), "Story", State::Warning, Some(1.0)),
            "The workers of Story are busy, and tasks wait."
        );
        let unknown = State::NoData { firing: None };
        assert_eq!(
            summary(&lost, "Story", unknown, Some(0.0)),
            "Whether Story reports is not known now; it was 0."
        );
    }

    #[test]
    fn every_rule_that_ships_has_words_of_its_own() {
        for rule in default_rules() {
            let sentence = summary(&rule, "Story", State::Warning, Some(0.1));
            assert!(!sentence.contains(&*rule.name), "{sentence}");
        }
    }

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(with_unit(0.7, Unit::Ratio), "70 %");
        assert_eq!(with_unit(0.001, Unit::Ratio), "0.1 %");
        assert_eq!(with_unit(0.000_5, Unit::PerSecond), "0.0005 a second");
        assert_eq!(with_unit(0.0, Unit::Count) + &with_unit(-0.000_02, Unit::Count), "0-2e-5");
        assert_eq!(with_unit(1_234.5, Unit::Millis), "1234 ms");
        assert_eq!(with_unit(90_000.0, Unit::Millis), "90 s");
        assert_eq!(with_unit(259_200_000.0, Unit::Millis), "3 days");
        assert_eq!(with_unit(NEVER_REACHED_MILLIS, Unit::Millis), "ten years or more");
        assert_eq!(with_unit(59.94, Unit::PerSecond), "59.9 a second");
        assert_eq!(with_unit(1_536.0, Unit::Bytes), "1.5 KiB");
        assert_eq!(rounded(100.0), "100");
    }
}
