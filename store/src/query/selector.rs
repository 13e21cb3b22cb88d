//! Which series: a name and conditions on labels.

use std::fmt;
use std::str::FromStr;

use regex_lite::{Regex, RegexBuilder};

use crate::series::{MalformedKey, Reader, SeriesKey, shortened};

/// Which series are meant, as in Prometheus: `host.disk.used{mount=~"/srv/.*",device!="sda"}`. A series matches that has the name, if one is given,
/// and fulfils every condition. A label that a series doesn't have counts as empty.
#[derive(Clone, Debug)]
pub struct Selector {
    name: Option<String>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
struct Condition {
    label: String,
    wanted: Wanted,
    /// Whether it is fulfilled where the label is *not* what is wanted.
    is_negated: bool,
}

#[derive(Clone, Debug)]
enum Wanted {
    Text(String),
    Pattern(Regex),
}

impl Selector {
    /// Whether a series is meant.
    #[must_use]
    pub fn matches(&self, key: &SeriesKey) -> bool {
        self.name.as_ref().is_none_or(|name| name == key.name())
            && self.conditions.iter().all(|condition| {
                let value = key.label(&condition.label).unwrap_or("");
                let is_wanted = match &condition.wanted {
                    Wanted::Text(text) => text == value,
                    Wanted::Pattern(pattern) => pattern.is_match(value),
                };
                is_wanted != condition.is_negated
            })
    }
}

impl FromStr for Selector {
    type Err = InvalidSelector;

    fn from_str(text: &str) -> Result<Self, InvalidSelector> {
        if text.len() > MAX_BYTES {
            return Err(InvalidSelector::TooLong { bytes: text.len() });
        }
        let mut reader = Reader::new(text);
        let mut opened = reader.takes("{");
        let name = if opened { None } else { Some(reader.name()?.to_owned()) };
        opened |= reader.takes("{");
        let mut conditions = Vec::new();
        if opened {
            while !reader.takes("}") {
                if conditions.len() == MAX_CONDITIONS {
                    return Err(InvalidSelector::TooMany);
                }
                conditions.push(condition(&mut reader)?);
                if !reader.takes(",") {
                    reader.expect("}")?;
                    break;
                }
            }
        }
        reader.end()?;
        if name.is_none() && conditions.is_empty() {
            return Err(InvalidSelector::Empty);
        }
        Ok(Self { name, conditions })
    }
}

fn condition(reader: &mut Reader<'_>) -> Result<Condition, InvalidSelector> {
    let label = reader.label()?.to_owned();
    // The longer signs first: `=` begins one of them.
    let signs = [("!=", true, false), ("=~", false, true), ("!~", true, true), ("=", false, false)];
    let sign = signs.into_iter().find(|(sign, ..)| reader.takes(sign));
    let (_, is_negated, is_pattern) = sign.ok_or_else(|| reader.missing("one of = != =~ !~"))?;
    let text = reader.quoted()?;
    let wanted = if is_pattern { Wanted::Pattern(pattern(&text)?) } else { Wanted::Text(text) };
    Ok(Condition { label, wanted, is_negated })
}

/// Patterns match the whole value. They are matched in time that is linear in it.
fn pattern(text: &str) -> Result<Regex, InvalidSelector> {
    if text.len() > MAX_PATTERN_BYTES {
        let reason = format!("it may have {MAX_PATTERN_BYTES} bytes");
        return Err(InvalidSelector::Pattern { pattern: shortened(text), reason });
    }
    let invalid = |reason: String| InvalidSelector::Pattern { pattern: text.to_owned(), reason };
    let build = |text: &str| {
        RegexBuilder::new(text)
            .size_limit(MAX_PROGRAM_BYTES)
            .build()
            .map_err(|error| invalid(error.to_string()))
    };
    // A pattern that closes what it has not opened would leave the frame around it.
    build(text)?;
    build(&format!("^(?:{text})$"))
}

/// A text that says of no series whether it is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSelector {
    /// It isn't of the form.
    #[error(
        "{0}; a selector is written name{{label=\"text\",label!=\"text\",label=~\"pattern\",label!~\"pattern\"}}"
    )]
    Form(#[from] MalformedKey),
    /// It is too long.
    #[error("a selector may have {MAX_BYTES} bytes, not {bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It has too many conditions.
    #[error("a selector may have {MAX_CONDITIONS} conditions")]
    TooMany,
    /// It says nothing.
    #[error("a selector names a series, or at least one condition: {{source=\"…\"}}")]
    Empty,
    /// A pattern is none, or matching it would take too much.
    #[error("{pattern:?} is no pattern that can be used: {reason}")]
    Pattern {
        /// What was given: its beginning, where it is too long.
        pattern: String,
        /// Why not.
        reason: String,
    },
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_deref().unwrap_or(""))?;
        if !self.conditions.is_empty() {
            write!(f, "{{{} conditions}}", self.conditions.len())?;
        }
        Ok(())
    }
}

const MAX_BYTES: usize = 4 << 10;
const MAX_CONDITIONS: usize = 16;
const MAX_PATTERN_BYTES: usize = 256;
const MAX_PROGRAM_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_meant(selector: &str, labels: &[(&str, &str)]) -> bool {
        let key = SeriesKey::new("host.disk.used", labels.iter().copied()).unwrap();
        selector.parse::<Selector>().unwrap().matches(&key)
    }

    #[test]
    fn all_four_conditions_mean_what_they_mean_in_prometheus() {
        let root = [("mount", "/"), ("device", "sda")];
        for selector in [
            "host.disk.used",
            "host.disk.used{}",
            r#"{mount="/"}"#,
            r#"host.disk.used{mount="/",device!="sdb"}"#,
            r#"{device=~"sd[a-c]"}"#,
            r#"{device!~"s"}"#,
            r#"{device=~"sda|x"}"#,
            r#"{fstype=""}"#,
            r#"{fstype!="ext4"}"#,
        ] {
            assert!(is_meant(selector, &root), "{selector}");
        }
        for selector in
            ["host.disk", r#"{mount="/srv"}"#, r#"{device=~"sd"}"#, r#"{device!~"sd."}"#, r#"{fstype!=""}"#]
        {
            assert!(!is_meant(selector, &root), "{selector}");
        }
    }

    #[test]
    fn what_is_no_selector_is_said() {
        let refused = |text: &str| text.parse::<Selector>().unwrap_err().to_string();
        assert!(refused("{}").contains("names a series"));
        assert!(refused("a{b>\"c\"}").contains("at byte 3: one of = != =~ !~"));
        assert!(refused("a{b=~\"(\"}").contains("no pattern"));
        // Within `^(?:…)$` it would be sound, and mean values that only begin with x.
        assert!(refused("a{b=~\"x)|(?:y\"}").contains("no pattern"));
        assert!(refused(&format!("a{{b=~\"{}\"}}", "x".repeat(257))).contains("256 bytes"));
        assert!(refused("a{b=~\"((x{500}){500}){500}\"}").contains("no pattern"));
        assert!(refused(&"a".repeat(5_000)).contains("4096"));
    }

    #[test]
    fn a_refusal_quotes_no_more_of_a_pattern_than_it_takes_to_know_it() {
        let refused = |text: &str| text.parse::<Selector>().unwrap_err().to_string();
        // Each of them is written in six characters.
        let long = refused(&format!("a{{b=~\"{}\"}}", "\u{14}".repeat(4_000)));
        assert!(long.len() < 1_000, "{long}");
        assert!(long.contains("256 bytes"), "{long}");
        let wrong = refused(&format!("a{{b=~\"{}(\"}}", "x".repeat(255)));
        assert!(wrong.contains(&"x".repeat(255)), "what may be mended is shown whole: {wrong}");
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in "[a-z{}=~!,\"\\\\(*+|\\[ ä]{0,40}") {
            let _selector = text.parse::<Selector>();
        }
    }
}
