//! Writes metric families.

use std::fmt::Write as _;

use super::negotiation::Format;

/// Writes one exposition, family by family: all samples of a family stand together below its metadata, which is
/// written once. A family without samples leaves no trace.
#[derive(Debug)]
pub(crate) struct Exposition {
    format: Format,
    text: String,
}

/// What kind of number a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// May go up and down.
    Gauge,
    /// Only grows. Its samples' names end in `_total`, the family's name does not.
    Counter,
}

impl Exposition {
    /// Nothing yet.
    pub(crate) fn new(format: Format) -> Self {
        Self { format, text: String::new() }
    }

    /// Writes a family. Samples without a value are left out: absent is not zero.
    pub(crate) fn family<'a>(
        &mut self,
        name: &str,
        kind: Kind,
        help: &str,
        samples: impl IntoIterator<Item = Sample<'a>>,
    ) {
        let sample_name = match kind {
            Kind::Gauge => name.to_owned(),
            Kind::Counter => format!("{name}_total"),
        };
        let mut is_first = true;
        for Sample { labels, value } in samples {
            let Some(value) = value else { continue };
            if std::mem::take(&mut is_first) {
                self.metadata(name, &sample_name, kind, help);
            }
            self.text.push_str(&sample_name);
            for (index, (label, value)) in labels.iter().enumerate() {
                self.text.push(if index == 0 { '{' } else { ',' });
                self.text.push_str(label);
                self.text.push_str("=\"");
                escape(&mut self.text, value, true);
                self.text.push('"');
            }
            if !labels.is_empty() {
                self.text.push('}');
            }
            // Rust prints neither exponents nor locale, which both formats read.
            writeln!(self.text, " {value}").expect("writing to a string can't fail");
        }
    }

    /// The text.
    pub(crate) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn metadata(&mut self, name: &str, sample_name: &str, kind: Kind, help: &str) {
        // The older format names a counter's family as its samples.
        let family = if self.format == Format::OpenMetrics { name } else { sample_name };
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        write!(self.text, "# HELP {family} ").expect("writing to a string can't fail");
        let quotes = self.format == Format::OpenMetrics;
        escape(&mut self.text, help, quotes);
        writeln!(self.text, "\n# TYPE {family} {kind}").expect("writing to a string can't fail");
    }
}

/// One sample of a family.
#[derive(Clone, Debug)]
pub(crate) struct Sample<'a> {
    /// Names and values of its labels.
    pub(crate) labels: Vec<(&'static str, &'a str)>,
    /// Its value, if there is one. Infinite and undefined ones are never made.
    pub(crate) value: Option<f64>,
}

impl<'a> Sample<'a> {
    /// A sample with labels.
    pub(crate) fn new(
        labels: impl Into<Vec<(&'static str, &'a str)>>,
        value: impl Into<Option<f64>>,
    ) -> Self {
        Self { labels: labels.into(), value: value.into() }
    }

    /// The only sample of its family.
    pub(crate) fn only(value: impl Into<Option<f64>>) -> [Self; 1] {
        [Self { labels: Vec::new(), value: value.into() }]
    }
}

fn escape(text: &mut String, value: &str, quotes: bool) {
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_absent_values_left_out() {
        let mut exposition = Exposition::new(Format::Prometheus);
        let samples = [Sample::new([("name", "a\\b\"c\nd")], 1.5), Sample::new([("name", "e")], None)];
        exposition.family("x", Kind::Gauge, "One \"line\"", samples);
        exposition.family("empty", Kind::Gauge, "Nothing", Sample::only(None));
        assert_eq!(
            exposition.finish(),
            "# HELP x One \"line\"\n# TYPE x gauge\nx{name=\"a\\\\b\\\"c\\nd\"} 1.5\n"
        );
    }

    #[test]
    fn a_counter_is_named_as_each_format_wants_it() {
        let text = |format| {
            let mut exposition = Exposition::new(format);
            exposition.family("x", Kind::Counter, "Help", Sample::only(3.0));
            exposition.finish()
        };
        assert_eq!(text(Format::Prometheus), "# HELP x_total Help\n# TYPE x_total counter\nx_total 3\n");
        assert_eq!(text(Format::OpenMetrics), "# HELP x Help\n# TYPE x counter\nx_total 3\n# EOF\n");
    }
}
