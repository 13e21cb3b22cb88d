//! What strangers chose, made harmless to look at.
//!
//! Names of pages, task types, processes, mounts and labels, and what other servers answer, may hold characters that steer a terminal, begin
//! a line of a log, hide, or turn the direction of the text around them. Whatever is shown as text goes through here.

use std::fmt::Write as _;
use std::io::{self, Write as _};

/// Whether a character does something instead of being seen: control characters, ends of lines and paragraphs, changes of direction, and others that
/// format and have no form of their own (Unicode's categories Cc, Zl, Zp, and of Cf what is invisible).
pub(crate) fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A name in a sentence: what would act is shown as `?`.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|character| if is_active(character) { '?' } else { character }).collect()
}

/// A text of which nothing is to be lost: what would act is written as `\n` or `\u{202e}`.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_active(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// A text whose lines are meant and of which nothing is to be lost: what else would act is written as `\r` or `\u{202e}`.
#[must_use]
pub fn escaped_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(escaped).collect();
    lines.join("\n")
}

/// JSON text of which nothing acts: strings let through what a terminal or an editor acts on, and mean the same when it is escaped.
pub(crate) fn json(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    for character in text.chars() {
        // Between its values line breaks are meant; within strings there are none.
        if is_active(character) && character != '\n' {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(json, "\\u{unit:04x}").expect("a string takes everything");
            }
        } else {
            json.push(character);
        }
    }
    json
}

/// A message that quotes what somebody gave, which may be as long as they like: of a long one the middle is left out, since what is wrong begins it
/// and what to do ends it.
pub(crate) fn shortened(message: String) -> String {
    const LONGEST: usize = 1_500;
    const ENDS: usize = 700;
    if message.len() <= LONGEST {
        return message;
    }
    let (begin, end) = (message.floor_char_boundary(ENDS), message.ceil_char_boundary(message.len() - ENDS));
    format!("{} … {}", &message[..begin], &message[end..])
}

/// Prints lines. A reader that has seen enough closes the pipe: no fault.
pub(crate) fn print(text: &str) -> Result<(), String> {
    match io::stdout().lock().write_all(escaped_lines(text).as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_and_what_is_seen_stays() {
        let seen = "Ärger, 日本語, עברית, العربية, naïve, 😀 — {}\"";
        let acts = [
            "\u{1b}",
            "\n",
            "\u{7f}",
            "\u{9b}",
            "\u{ad}",
            "\u{61c}",
            "\u{200b}",
            "\u{200d}",
            "\u{200f}",
            "\u{2028}",
            "\u{202e}",
            "\u{2066}",
            "\u{2069}",
            "\u{206f}",
            "\u{feff}",
            "\u{fffb}",
            "\u{e0041}",
        ];
        assert_eq!((printable(seen), escaped(seen)), (seen.to_owned(), seen.to_owned()));
        for active in acts {
            assert_eq!(printable(&format!("a{active}b")), "a?b");
            let escaped = escaped(&format!("a{active}b"));
            assert!(escaped.starts_with("a\\") && !escaped.chars().any(is_active), "{escaped:?}");
        }
        let value = serde_json::json!({ "a\u{202e}": "\u{e0041}\u{9b}\n" });
        let written = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!written.chars().any(|character| is_active(character) && character != '\n'), "{written:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), value);
        assert_eq!(escaped_lines("one\ntw\u{202e}o\r\n"), "one\ntw\\u{202e}o\\r\n");
    }
}
