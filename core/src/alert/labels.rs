//! What samples are about: labels, and what selects by them.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use crate::digest::Digest;

/// Labels of a series or an alert, sorted by key, each key once.
///
/// ```
/// use quillwork_core::alert::Labels;
///
/// let disk = Labels::new([("mount", "/"), ("device", "sda1")]);
/// assert_eq!(disk.value_of("mount"), Some("/"));
/// assert_eq!(disk.to_string(), r#"{device="sda1",mount="/"}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// From pairs in any order; of two with one key the last counts.
    pub fn new<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut labels = Self::default();
        for (key, value) in pairs {
            labels.set(key.into(), value.into());
        }
        labels
    }

    /// No labels.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Sets the value of a key.
    pub fn set(&mut self, key: String, value: String) {
        match self.0.binary_search_by(|(known, _)| known.as_str().cmp(&key)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn value_of(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// All pairs, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Only these keys; those that are missing stay missing.
    #[must_use]
    pub fn restricted_to(&self, keys: &[String]) -> Self {
        Self(self.0.iter().filter(|(key, _)| keys.contains(key)).cloned().collect())
    }

    /// Whether both have the same values of these keys.
    pub(super) fn agree_on(&self, keys: &[String], other: &Self) -> bool {
        keys.iter().all(|key| self.value_of(key) == other.value_of(key))
    }

    pub(super) fn compare<K: AsRef<str>, V: AsRef<str>>(&self, other: &[(K, V)]) -> Ordering {
        let ours = self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        ours.cmp(other.iter().map(|(key, value)| (key.as_ref(), value.as_ref())))
    }
}

impl fmt::Display for Labels {
    /// As Prometheus writes labels; nothing where there are none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        for (at, (key, value)) in self.0.iter().enumerate() {
            write!(f, "{}{key}=\"", if at == 0 { "{" } else { "," })?;
            for letter in value.chars() {
                match letter {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    letter => write!(f, "{letter}")?,
                }
            }
            f.write_str("\"")?;
        }
        f.write_str("}")
    }
}

/// Identity of an alert over its lives, restarts and reloads: of its rule's name and its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of a rule on the series, or group of series, with these labels.
    #[must_use]
    pub fn new(rule: &str, labels: &Labels) -> Self {
        let mut digest = Digest::new();
        let mut text = |text: &str| {
            text.bytes().for_each(|byte| digest.write_u8(byte));
            // No text holds this byte: two texts are never one longer one.
            digest.write_u8(0xff);
        };
        text(rule);
        for (key, value) in labels.iter() {
            text(key);
            text(value);
        }
        Self(digest.value())
    }

    /// From its number.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    /// Sixteen hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// Which label. One that is missing counts as empty.
    pub label: String,
    /// How its value is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: String,
}

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same text.
    Is,
    /// Another text.
    IsNot,
    /// The text fits a pattern in which `*` stands for any number of characters.
    Like,
    /// The text doesn't fit the pattern.
    NotLike,
}

impl Matcher {
    /// The label has this value.
    #[must_use]
    pub fn is(label: &str, value: &str) -> Self {
        Self { label: label.into(), comparison: Comparison::Is, value: value.into() }
    }

    /// The label fits a pattern with `*`.
    #[must_use]
    pub fn like(label: &str, pattern: &str) -> Self {
        Self { label: label.into(), comparison: Comparison::Like, value: pattern.into() }
    }

    /// Whether a label's value satisfies it.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        match self.comparison {
            Comparison::Is => value == self.value,
            Comparison::IsNot => value != self.value,
            Comparison::Like => is_like(value.as_bytes(), self.value.as_bytes()),
            Comparison::NotLike => !is_like(value.as_bytes(), self.value.as_bytes()),
        }
    }

    /// Whether labels satisfy it.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.accepts(labels.value_of(&self.label).unwrap_or(""))
    }
}

/// Greedy matching with one way back: linear in practice, and never worse than the product of the lengths.
fn is_like(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        if pattern.get(place) == Some(&b'*') {
            retry = Some((place, at));
            place += 1;
        } else if pattern.get(place) == Some(&text[at]) {
            (at, place) = (at + 1, place + 1);
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            (at, place) = (from + 1, star + 1);
        } else {
            return false;
        }
    }
    pattern[place..].iter().all(|&byte| byte == b'*')
}

/// Series by name and labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The series' name, for instance `page.fps`.
    pub name: String,
    /// All must be satisfied.
    pub matchers: Vec<Matcher>,
}

impl Selector {
    /// All series of a name.
    #[must_use]
    pub fn all(name: &str) -> Self {
        Self { name: name.into(), matchers: Vec::new() }
    }

    /// Whether a series is selected.
    #[must_use]
    pub fn selects(&self, name: &str, labels: &Labels) -> bool {
        self.name == name && self.matchers.iter().all(|matcher| matcher.matches(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn the_order_of_labels_is_of_no_account() {
        let one = Labels::new([("a", "1"), ("b", "2")]);
        let other = Labels::new([("b", "2"), ("a", "0"), ("a", "1")]);
        assert_eq!(one, other);
        assert_eq!(Fingerprint::new("rule", &one), Fingerprint::new("rule", &other));
        assert_ne!(Fingerprint::new("rule", &one), Fingerprint::new("rule2", &one));
        assert_ne!(
            Fingerprint::new("r", &Labels::new([("a", "bc")])),
            Fingerprint::new("r", &Labels::new([("ab", "c")]))
        );
    }

    #[test]
    fn hostile_values_stay_within_their_quotes() {
        let labels = Labels::new([("process", "a\"} 1\n\\")]);
        assert_eq!(labels.to_string(), r#"{process="a\"} 1\n\\"}"#);
        assert_eq!(Labels::none().to_string(), "");
    }

    #[test]
    fn a_label_that_is_missing_counts_as_empty() {
        let labels = Labels::new([("mount", "/var/log")]);
        assert!(Matcher::is("device", "").matches(&labels));
        assert!(Matcher::like("mount", "/var*").matches(&labels));
        assert!(!Matcher::like("mount", "/var").matches(&labels));
        let not =
            |comparison, value: &str| Matcher { label: "mount".into(), comparison, value: value.into() };
        assert!(not(Comparison::IsNot, "/").matches(&labels));
        assert!(!not(Comparison::NotLike, "*log").matches(&labels));
    }

    /// The naive meaning of a pattern.
    fn naive(text: &[u8], pattern: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skipped| naive(&text[skipped..], rest)),
            Some((first, rest)) => text.first() == Some(first) && naive(&text[1..], rest),
        }
    }

    proptest! {
        #[test]
        fn patterns_mean_what_the_naive_reading_says(text in "[ab]{0,8}", pattern in "[ab*]{0,6}") {
            prop_assert_eq!(is_like(text.as_bytes(), pattern.as_bytes()), naive(text.as_bytes(), pattern.as_bytes()));
        }
    }
}
