//! The text form of a series: `name{label="value",…}`, escaped as in Prometheus' exposition format.

use std::fmt;
use std::str::FromStr;

use super::key::{InvalidKey, SeriesKey, is_label_byte, is_name_byte};

/// The one text of a series: labels sorted, no spaces, `\`, `"` and line feeds in values escaped; other control characters
/// stay as they are.
impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        for (number, (label, value)) in self.labels().iter().enumerate() {
            f.write_str(if number == 0 { "{" } else { "," })?;
            write!(f, "{label}=\"{}\"", Escaped(value))?;
        }
        if self.labels().is_empty() { Ok(()) } else { f.write_str("}") }
    }
}

/// Takes every text that [`Display`](fmt::Display) gives, and besides spaces between the parts, labels in any order, and a comma after the last.
impl FromStr for SeriesKey {
    type Err = MalformedKey;

    fn from_str(text: &str) -> Result<Self, MalformedKey> {
        let mut reader = Reader::new(text);
        let name = reader.name()?;
        let mut labels = Vec::new();
        if reader.takes("{") {
            while !reader.takes("}") {
                let label = reader.label()?;
                reader.expect("=")?;
                labels.push((label.to_owned(), reader.quoted()?));
                if !reader.takes(",") {
                    reader.expect("}")?;
                    break;
                }
            }
        }
        reader.end()?;
        Ok(Self::new(name, labels)?)
    }
}

/// A text that is no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedKey {
    /// It isn't of the form.
    #[error("at byte {at}: {expected} is missing; a series is written name{{label=\"value\",…}}")]
    Form {
        /// Where it departs from the form.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// It is of the form, and no series can be called so.
    #[error(transparent)]
    Invalid(#[from] InvalidKey),
}

/// Reads a text from its beginning. Nothing is repeated and nothing recurses: the work is as long as the text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Where it is.
    pub(crate) fn missing(&self, expected: &'static str) -> MalformedKey {
        MalformedKey::Form { at: self.at, expected }
    }

    /// Takes this sign if it comes next.
    pub(crate) fn takes(&mut self, sign: &str) -> bool {
        self.skip_spaces();
        let comes = self.rest().starts_with(sign);
        self.at += if comes { sign.len() } else { 0 };
        comes
    }

    pub(crate) fn expect(&mut self, sign: &'static str) -> Result<(), MalformedKey> {
        if self.takes(sign) { Ok(()) } else { Err(self.missing(sign)) }
    }

    pub(crate) fn name(&mut self) -> Result<&'a str, MalformedKey> {
        self.word(is_name_byte).ok_or_else(|| self.missing("a name"))
    }

    pub(crate) fn label(&mut self) -> Result<&'a str, MalformedKey> {
        self.word(is_label_byte).ok_or_else(|| self.missing("a label"))
    }

    /// A text in quotes.
    pub(crate) fn quoted(&mut self) -> Result<String, MalformedKey> {
        self.expect("\"")?;
        let mut value = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(['"', '\\']).ok_or_else(|| self.missing("a closing \""))?;
            value.push_str(&rest[..plain]);
            self.at += plain + 1;
            if rest.as_bytes()[plain] == b'"' {
                return Ok(value);
            }
            value.push(match self.rest().as_bytes().first() {
                Some(b'\\') => '\\',
                Some(b'"') => '"',
                Some(b'n') => '\n',
                _ => return Err(self.missing("one of \\ \" n after \\")),
            });
            self.at += 1;
        }
    }

    pub(crate) fn end(&mut self) -> Result<(), MalformedKey> {
        self.skip_spaces();
        if self.rest().is_empty() { Ok(()) } else { Err(self.missing("the end")) }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    fn word(&mut self, is_part: fn(u8) -> bool) -> Option<&'a str> {
        self.skip_spaces();
        let rest = self.rest();
        let length = rest.bytes().take_while(|&byte| is_part(byte)).count();
        self.at += length;
        (length > 0).then(|| &rest[..length])
    }
}

/// A label's value as it stands between quotes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['\\', '"', '\n']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'\n' => "\\n",
                b'"' => "\\\"",
                _ => "\\\\",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str, labels: &[(&str, &str)]) -> SeriesKey {
        SeriesKey::new(name, labels.iter().copied()).unwrap()
    }

    #[test]
    fn the_text_is_what_prometheus_writes() {
        assert_eq!(key("host.cpu.total", &[]).to_string(), "host.cpu.total");
        let disk = key("host.disk.used", &[("mount", "C:\\ \"x\"\n"), ("device", "sda")]);
        assert_eq!(disk.to_string(), r#"host.disk.used{device="sda",mount="C:\\ \"x\"\n"}"#);
    }

    #[test]
    fn people_may_write_it_with_spaces() {
        for text in [r#" a.b { y = "2" , x="1" , } "#, r#"a.b{x="1",y="2"}"#] {
            assert_eq!(text.parse(), Ok(key("a.b", &[("x", "1"), ("y", "2")])), "{text}");
        }
        assert_eq!("a{}".parse(), Ok(key("a", &[])));
    }

    #[test]
    fn what_is_malformed_is_said_with_its_place() {
        for (text, message) in [
            ("", "at byte 0: a name"),
            ("a{", "at byte 2: a label"),
            ("a{b", "at byte 3: ="),
            ("a{b=", "at byte 4: \""),
            ("a{b=\"c", "at byte 5: a closing \""),
            ("a{b=\"c\\x\"}", "at byte 7: one of"),
            ("a{b=\"c\" d=\"e\"}", "at byte 8: }"),
            ("a{b=\"c\"} x", "at byte 9: the end"),
            ("a b", "at byte 2: the end"),
            ("9a", "is no name of a series"),
        ] {
            let error = text.parse::<SeriesKey>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_key_comes_back(
            name in "[a-zA-Z_][a-zA-Z0-9_.:/-]{0,30}",
            labels in prop::collection::btree_map("[a-zA-Z_][a-zA-Z0-9_.]{0,9}", "(.|[\"\\\\\n]){0,12}", 0..5),
        ) {
            let key = SeriesKey::new(name, labels).unwrap();
            prop_assert_eq!(key.to_string().parse::<SeriesKey>(), Ok(key));
        }

        #[test]
        fn any_text_is_safe(text in "[a-z{}=,\"\\\\n ä]{0,40}") {
            if let Ok(key) = text.parse::<SeriesKey>() {
                prop_assert_eq!(key.to_string().parse::<SeriesKey>(), Ok(key));
            }
        }
    }
}
