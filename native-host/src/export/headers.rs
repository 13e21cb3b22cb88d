//! Headers that go with each request, from a file: they are secrets, as a rule.

use std::path::{Path, PathBuf};

use axum::http::{HeaderName, HeaderValue, header};

use crate::secret::{self, SecretError};

/// Reads `Name: value` from each line that isn't empty and doesn't begin with `#`.
pub(super) fn read(path: &Path) -> Result<Vec<(HeaderName, HeaderValue)>, HeadersError> {
    let text = secret::read(path)?;
    parse(&text).map_err(|line| HeadersError::Line { path: path.to_owned(), line })
}

/// The number of the line that is no header, where one isn't.
fn parse(text: &str) -> Result<Vec<(HeaderName, HeaderValue)>, usize> {
    let lines = (1..).zip(text.lines().map(str::trim));
    let headers =
        lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(number, line)| {
            let (name, value) = line.split_once(':').ok_or(number)?;
            let name: HeaderName = name.trim().parse().map_err(|_| number)?;
            if OURS.contains(&name) {
                return Err(number);
            }
            let mut value: HeaderValue = value.trim().parse().map_err(|_| number)?;
            value.set_sensitive(true);
            Ok((name, value))
        });
    headers.collect()
}

/// What the request itself says.
const OURS: [HeaderName; 6] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
];

/// A file of headers that can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum HeadersError {
    #[error("{0}")]
    Secret(#[from] SecretError),
    #[error(
        "{} line {line} is no header; write `Name: value`, one on a line, without those that say how the body is sent",
        path.display()
    )]
    Line { path: PathBuf, line: usize },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_header_and_what_isnt_is_named_by_its_number() {
        let headers = parse("# of the vendor\n\nAuthorization: Bearer a:b\nX-Scope-OrgID:shop \n").unwrap();
        let shown: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(shown, [("authorization", "Bearer a:b"), ("x-scope-orgid", "shop")]);
        assert!(!format!("{headers:?}").contains("a:b"));
        for (wrong, line) in
            [("a: b\nno header", 2), ("a b: c", 1), ("\nContent-Type: text/plain", 2), ("a: \u{7}", 1)]
        {
            assert_eq!(parse(wrong), Err(line), "{wrong}");
        }
    }
}
