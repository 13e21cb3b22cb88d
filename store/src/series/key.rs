//! Name and labels of a series.

/// The identity of a series: a name, and labels sorted by theirs.
///
/// * The name starts with a letter or `_`; letters, digits and `_ . : - /` follow. These are the names of OpenTelemetry's
///   instruments and of Prometheus' metrics.
/// * A label's name starts with a letter or `_`; letters, digits, `_` and `.` follow. A label's value is any text but an
///   empty one, which would say the same as no label.
///
/// Text from outside (mount points, interfaces, names of processes) belongs into label values only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    name: String,
    /// By name, each once.
    labels: Vec<(String, String)>,
}

impl SeriesKey {
    /// The series of this name and these labels, whose order means nothing. Labels with an empty value are left out.
    ///
    /// # Errors
    ///
    /// Where a name isn't one, something is too long, there are too many labels, or a label is given twice.
    pub fn new<N: Into<String>, V: Into<String>>(
        name: impl Into<String>,
        labels: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, InvalidKey> {
        let name = name.into();
        check_name(&name)?;
        let mut sorted: Vec<(String, String)> = Vec::new();
        for (label, value) in labels {
            let (label, value) = (label.into(), value.into());
            check_label(&label, &value)?;
            let Err(place) = sorted.binary_search_by(|(other, _)| other.cmp(&label)) else {
                return Err(InvalidKey::Twice { label });
            };
            sorted.insert(place, (label, value));
            if sorted.len() > MAX_LABELS {
                return Err(InvalidKey::TooManyLabels);
            }
        }
        sorted.retain(|(_, value)| !value.is_empty());
        Ok(Self { name, labels: sorted })
    }

    /// The series of this name that has no labels.
    ///
    /// # Errors
    ///
    /// Where it isn't a name.
    pub fn plain(name: impl Into<String>) -> Result<Self, InvalidKey> {
        Self::new::<String, String>(name, [])
    }

    /// What is measured.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which one of several: labels and their values, sorted by label.
    #[must_use]
    pub fn labels(&self) -> &[(String, String)] {
        &self.labels
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, label: &str) -> Option<&str> {
        let place = self.labels.binary_search_by(|(other, _)| other.as_str().cmp(label)).ok()?;
        Some(&self.labels[place].1)
    }
}

/// Bytes of a name.
pub const MAX_NAME_BYTES: usize = 255;
/// Labels of a series.
pub const MAX_LABELS: usize = 16;
/// Bytes of a label's name.
pub const MAX_LABEL_NAME_BYTES: usize = 128;
/// Bytes of a label's value.
pub const MAX_LABEL_VALUE_BYTES: usize = 512;

/// A name or labels that no series can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// It isn't a series' name.
    #[error(
        "{name:?} is no name of a series: up to 255 letters, digits and _ . : - /, beginning with a letter or _"
    )]
    Name {
        /// What it is.
        name: String,
    },
    /// It isn't a label's name.
    #[error(
        "{label:?} is no name of a label: up to 128 letters, digits, _ and ., beginning with a letter or _"
    )]
    Label {
        /// What it is.
        label: String,
    },
    /// A label's value is too long.
    #[error("the value of label {label} has {bytes} bytes, and may have {MAX_LABEL_VALUE_BYTES}")]
    Value {
        /// The label.
        label: String,
        /// Bytes of its value.
        bytes: usize,
    },
    /// A label is given twice.
    #[error("label {label} is given twice")]
    Twice {
        /// The label.
        label: String,
    },
    /// There are too many labels.
    #[error("a series may have {MAX_LABELS} labels, and not more")]
    TooManyLabels,
}

/// Whether this byte may stand in a series' name; digits and punctuation not at its beginning.
pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-' | b'/')
}

/// Whether this byte may stand in a label's name.
pub(super) const fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}

fn is_word(word: &str, most: usize, is_part: fn(u8) -> bool) -> bool {
    let begins = word.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    begins && word.len() <= most && word.bytes().all(is_part)
}

fn check_name(name: &str) -> Result<(), InvalidKey> {
    let is_name = is_word(name, MAX_NAME_BYTES, is_name_byte);
    if is_name { Ok(()) } else { Err(InvalidKey::Name { name: shortened(name) }) }
}

fn check_label(label: &str, value: &str) -> Result<(), InvalidKey> {
    if !is_word(label, MAX_LABEL_NAME_BYTES, is_label_byte) {
        return Err(InvalidKey::Label { label: shortened(label) });
    }
    if value.len() > MAX_LABEL_VALUE_BYTES {
        return Err(InvalidKey::Value { label: label.to_owned(), bytes: value.len() });
    }
    Ok(())
}

/// Enough of a text to know it by: it may be as long as its sender likes.
pub(crate) fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 64;
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_labels_means_nothing_and_an_empty_one_is_none() {
        let key = SeriesKey::new("disk.used", [("mount", "/"), ("device", "sda"), ("note", "")]).unwrap();
        assert_eq!(key, SeriesKey::new("disk.used", [("device", "sda"), ("mount", "/")]).unwrap());
        assert_eq!((key.label("mount"), key.label("note"), key.labels().len()), (Some("/"), None, 2));
    }

    #[test]
    fn what_can_be_no_series_is_refused_by_name() {
        let refused = |name: &str, labels: &[(&str, &str)]| {
            SeriesKey::new(name, labels.iter().copied()).unwrap_err().to_string()
        };
        for name in ["", "9lives", ".a", "a b", "a{", "ä", "-a"] {
            assert!(refused(name, &[]).contains(&format!("{name:?}")), "{name}");
        }
        assert!(refused(&"x".repeat(256), &[]).len() < 200, "a long name is not repeated in full");
        assert!(refused("a", &[("b c", "d")]).contains("\"b c\""));
        assert!(refused("a", &[("b", &"x".repeat(513))]).contains("513 bytes"));
        assert!(refused("a", &[("b", "1"), ("b", "1")]).contains("twice"));
        let many: Vec<String> = (0..17).map(|number| format!("l{number}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|label| (label.as_str(), "v")).collect();
        assert!(refused("a", &many).contains("16"));
        assert!(SeriesKey::new("a", many[..16].iter().copied()).is_ok());
    }
}
