//! Series as text: comma-separated values, JSON, and the formats of Prometheus with timestamps.

use std::fmt::Write as _;

use super::value::{mean, values};
use super::{Function, QueryError, Reader};
use crate::history::Steps;
use crate::series::{SeriesKey, SeriesKind, SeriesSpec};
use crate::volume::Volume;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, one line a value: `series,unit,unix_millis,value`. A text that a spreadsheet would take for a formula has an
    /// apostrophe before it.
    Csv,
    /// An array of objects with `series`, `name`, `labels`, `kind`, `unit`, and `values`: pairs of instant and value.
    Json,
    /// Prometheus' text format (0.0.4), each sample with its instant in milliseconds.
    Prometheus,
    /// OpenMetrics 1.0, each sample with its instant in seconds, as `promtool tsdb create-blocks-from openmetrics` takes it.
    OpenMetrics,
}

/// Writes series as text, a piece at a time: each of a few series and a few hours, so that neither memory nor the one who reads it waits
/// for the whole.
#[derive(Debug)]
pub struct Export<V> {
    readers: std::vec::IntoIter<Reader<V>>,
    format: Format,
    from: u64,
    to: u64,
    step_millis: u64,
    /// The name of the last family, in the formats of Prometheus.
    family: Option<String>,
    is_begun: bool,
    is_over: bool,
}

impl<V: Volume> Export<V> {
    /// All series of a reader in `[from, to)`: means of gauges and sketches, and readings of counters, in steps of at least this length. Steps become as
    /// long as what is kept of that time.
    #[must_use]
    pub fn new(
        reader: &Reader<V>,
        format: Format,
        from_unix_millis: u64,
        to_unix_millis: u64,
        step_millis: u64,
    ) -> Self {
        let to = to_unix_millis.min(reader.now_unix_millis() + 1);
        let from = from_unix_millis.max(reader.first_unix_millis().unwrap_or(to));
        let step_millis = reader.step_millis_from(from, step_millis);
        // By name, so that a family stands together.
        let mut ids: Vec<_> = reader.ids().iter().zip(reader.specs()).collect();
        ids.sort_by(|a, b| a.1.key.cmp(&b.1.key));
        let readers: Vec<_> = ids.into_iter().map(|(id, _)| reader.narrowed(&[*id])).collect();
        Self {
            readers: readers.into_iter(),
            format,
            from,
            to,
            step_millis,
            family: None,
            is_begun: false,
            is_over: false,
        }
    }

    /// Distance of the values.
    #[must_use]
    pub const fn step_millis(&self) -> u64 {
        self.step_millis
    }

    /// The next piece; `None` after the last.
    ///
    /// # Errors
    ///
    /// Where reading fails.
    pub fn next_piece(&mut self) -> Result<Option<String>, QueryError> {
        if self.is_over {
            return Ok(None);
        }
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let mut text = String::new();
        if is_first {
            text.push_str(match self.format {
                Format::Csv => "series,unit,unix_millis,value\r\n",
                Format::Json => "[",
                Format::Prometheus | Format::OpenMetrics => "",
            });
        }
        let Some(reader) = self.readers.next() else {
            self.is_over = true;
            text.push_str(match self.format {
                Format::Csv | Format::Prometheus => "",
                Format::Json => "]\n",
                Format::OpenMetrics => "# EOF\n",
            });
            return Ok(Some(text));
        };
        if !is_first && self.format == Format::Json {
            text.push(',');
        }
        for spec in reader.specs() {
            self.head(&mut text, spec);
        }
        let mut from = self.from;
        let mut is_followed = false;
        while from < self.to {
            let to = from.saturating_add(self.step_millis.saturating_mul(STEPS_AT_ONCE)).min(self.to);
            let read = reader.read(from, to, self.step_millis)?;
            // A range ends within a step that the next one begins with.
            let end = if to == self.to { u64::MAX } else { to / self.step_millis };
            for (_, stretch) in read.series {
                let spec = &stretch.spec;
                let points = points(spec, &stretch.steps, self.step_millis);
                for (step, value) in points.into_iter().filter(|(step, _)| *step < end) {
                    self.line(&mut text, spec, step * self.step_millis, value, is_followed);
                    is_followed = true;
                }
            }
            from = to / self.step_millis * self.step_millis;
            if to == self.to {
                break;
            }
        }
        if self.format == Format::Json {
            text.push_str("]}");
        }
        Ok(Some(text))
    }

    fn head(&mut self, text: &mut String, spec: &SeriesSpec) {
        match self.format {
            Format::Csv => {}
            Format::Json => {
                let quote = json_text;
                let labels: Vec<String> = spec
                    .key
                    .labels()
                    .iter()
                    .map(|(label, value)| format!("{}:{}", quote(label), quote(value)))
                    .collect();
                let _infallible = write!(
                    text,
                    "{{\"series\":{},\"name\":{},\"labels\":{{{}}},\"kind\":\"{}\",\"unit\":{},\"values\":[",
                    quote(&spec.key.to_string()),
                    quote(spec.key.name()),
                    labels.join(","),
                    spec.kind.as_str(),
                    quote(&spec.unit),
                );
            }
            Format::Prometheus | Format::OpenMetrics => {
                let sample = prometheus_name(spec);
                let family = match self.format {
                    Format::OpenMetrics => sample.strip_suffix(TOTAL).map_or(sample.clone(), str::to_owned),
                    _ => sample,
                };
                if self.family.as_deref() != Some(family.as_str()) {
                    let kind = if spec.kind == SeriesKind::Counter { "counter" } else { "gauge" };
                    let _infallible = writeln!(text, "# TYPE {family} {kind}");
                    self.family = Some(family);
                }
            }
        }
    }

    fn line(&self, text: &mut String, spec: &SeriesSpec, at: u64, value: f64, is_followed: bool) {
        let _infallible = match self.format {
            Format::Csv => {
                write!(text, "{},{},{at},{value}\r\n", csv_text(&spec.key.to_string()), csv_text(&spec.unit))
            }
            Format::Json => write!(text, "{}[{at},{value}]", if is_followed { "," } else { "" }),
            Format::Prometheus => {
                writeln!(text, "{}{} {value} {at}", prometheus_name(spec), prometheus_labels(&spec.key))
            }
            Format::OpenMetrics => {
                let seconds = format!("{}.{:03}", at / 1_000, at % 1_000);
                writeln!(text, "{}{} {value} {seconds}", prometheus_name(spec), prometheus_labels(&spec.key))
            }
        };
    }
}

/// One value a step.
#[expect(clippy::cast_precision_loss, reason = "units are within 2^53")]
fn points(spec: &SeriesSpec, steps: &Steps, step_millis: u64) -> Vec<(u64, f64)> {
    match steps {
        Steps::Numbers(steps) if spec.kind == SeriesKind::Counter => {
            steps.iter().map(|(step, all)| (*step, spec.value_of(all.last as f64))).collect()
        }
        Steps::Numbers(steps) => steps.iter().map(|(step, all)| (*step, mean(spec, all))).collect(),
        Steps::Sketches(_) => {
            let means = values(spec, steps, Function::Avg, step_millis);
            means.into_iter().map(|(step, mean, _)| (step, mean)).collect()
        }
    }
}

/// A field of RFC 4180. Spreadsheets run what begins like a formula, so such a text gets an apostrophe.
fn csv_text(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    if is_formula || text.contains([',', '"', '\n', '\r']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn json_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control < ' ' => {
                let _infallible = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The name of a sample: dots and dashes become underscores, and a counter's ends with `_total`, once.
fn prometheus_name(spec: &SeriesSpec) -> String {
    let kept = |character: char| {
        if character.is_ascii_alphanumeric() || character == ':' { character } else { '_' }
    };
    let mut name: String = spec.key.name().chars().map(kept).collect();
    if spec.kind == SeriesKind::Counter && !name.ends_with(TOTAL) {
        name.push_str(TOTAL);
    }
    name
}

fn prometheus_labels(key: &SeriesKey) -> String {
    if key.labels().is_empty() {
        return String::new();
    }
    let value = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> = key
        .labels()
        .iter()
        .map(|(label, text)| format!("{}=\"{}\"", label.replace('.', "_"), value(text)))
        .collect();
    format!("{{{}}}", labels.join(","))
}

const TOTAL: &str = "_total";

const STEPS_AT_ONCE: u64 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{History, HistoryOptions};
    use crate::volume::Memory;

    const START: u64 = 1_700_000_000_000;

    fn exported(format: Format) -> String {
        let mut history = History::open(Memory::new(), HistoryOptions::default(), START).unwrap();
        let mut add = |name: &str, mount: &str, kind| {
            let key = SeriesKey::new(name, [("mount", mount)]).unwrap();
            history.add_series(SeriesSpec { key, kind, unit: "ratio".into(), resolution: 0.5 }).unwrap()
        };
        let ids = [
            add("host.disk.used", "=cmd|'/C calc'!A0\"\n", SeriesKind::Gauge),
            add("host.disk.read", "", SeriesKind::Counter),
        ];
        for (second, values) in [(0, [0.5, 7.0]), (2, [1.0, 9.0])] {
            let now = START + second * 1_000;
            history.append(now, now, &[(ids[0], values[0]), (ids[1], values[1])]);
        }
        let mut export = Export::new(&history.reader(ids), format, START, START + 3_000, 1_000);
        let mut text = String::new();
        while let Some(piece) = export.next_piece().unwrap() {
            text.push_str(&piece);
        }
        text
    }

    #[test]
    fn csv_is_quoted_and_no_formula() {
        let text = exported(Format::Csv);
        assert_eq!(
            text,
            "series,unit,unix_millis,value\r\n\
             host.disk.read,ratio,1700000000000,7\r\nhost.disk.read,ratio,1700000002000,9\r\n\
             \"host.disk.used{mount=\"\"=cmd|'/C calc'!A0\\\"\"\\n\"\"}\",ratio,1700000000000,0.5\r\n\
             \"host.disk.used{mount=\"\"=cmd|'/C calc'!A0\\\"\"\\n\"\"}\",ratio,1700000002000,1\r\n"
        );
        assert_eq!(csv_text("=1+1"), "\"'=1+1\"");
    }

    #[test]
    fn json_escapes_what_it_must() {
        let text = exported(Format::Json);
        assert!(text.starts_with(r#"[{"series":"host.disk.read","name":"host.disk.read","labels":{},"kind":"counter","unit":"ratio","values":[[1700000000000,7],[1700000002000,9]]},"#));
        assert!(text.contains(r#""labels":{"mount":"=cmd|'/C calc'!A0\"\u000a"}"#), "{text}");
        assert!(text.ends_with("]}]\n"));
    }

    #[test]
    fn prometheus_has_families_and_instants_in_milliseconds() {
        assert_eq!(
            exported(Format::Prometheus),
            "# TYPE host_disk_read_total counter\nhost_disk_read_total 7 1700000000000\nhost_disk_read_total 9 1700000002000\n\
             # TYPE host_disk_used gauge\n\
             host_disk_used{mount=\"=cmd|'/C calc'!A0\\\"\\n\"} 0.5 1700000000000\n\
             host_disk_used{mount=\"=cmd|'/C calc'!A0\\\"\\n\"} 1 1700000002000\n"
        );
    }

    #[test]
    fn a_counter_is_called_total_once() {
        let named = |name: &str| {
            let key = SeriesKey::new(name, std::iter::empty::<(&str, &str)>()).unwrap();
            let kind = SeriesKind::Counter;
            prometheus_name(&SeriesSpec { key, kind, unit: "count".into(), resolution: 1.0 })
        };
        assert_eq!(named("host.network.received.total"), "host_network_received_total");
        assert_eq!(named("orders"), "orders_total");
    }

    #[test]
    fn openmetrics_has_instants_in_seconds_and_an_end() {
        let text = exported(Format::OpenMetrics);
        assert_eq!(
            text,
            "# TYPE host_disk_read counter\nhost_disk_read_total 7 1700000000.000\nhost_disk_read_total 9 1700000002.000\n\
             # TYPE host_disk_used gauge\n\
             host_disk_used{mount=\"=cmd|'/C calc'!A0\\\"\\n\"} 0.5 1700000000.000\n\
             host_disk_used{mount=\"=cmd|'/C calc'!A0\\\"\\n\"} 1 1700000002.000\n# EOF\n"
        );
    }
}
