//! Origins of pages.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;

/// The origin of a page: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    authority_start: usize,
}

impl Origin {
    /// Host and, where it isn't the scheme's own, port.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.text[self.authority_start..]
    }

    /// Whether an Origin header names this origin. `null`, the origin of sandboxed frames and files, never does.
    #[must_use]
    pub fn matches(&self, header: &str) -> bool {
        self.text.eq_ignore_ascii_case(header)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin(text.to_owned());
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        let uri: Uri = trimmed.parse().map_err(|_| invalid())?;
        let scheme =
            uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https")).ok_or_else(invalid)?;
        let authority_start = scheme.len() + "://".len();
        let authority = trimmed.get(authority_start..).ok_or_else(invalid)?;
        let plain = !authority.is_empty() && !authority.contains(['/', '@', '?', '#', '*']);
        if plain { Ok(Self { text: trimmed.to_ascii_lowercase(), authority_start }) } else { Err(invalid()) }
    }
}

/// A text that names no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no origin; write scheme, host and port only, for instance http://localhost:5173")]
pub struct InvalidOrigin(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_scheme_host_and_port() {
        let origin: Origin = "http://localhost:5173/".parse().unwrap();
        assert_eq!(origin.authority(), "localhost:5173");
        assert!(origin.matches("http://localhost:5173"));
        assert!(!origin.matches("https://localhost:5173"));
        assert!(!origin.matches("null"));
        for text in [
            "null",
            "*",
            "localhost:5173",
            "http://*.example",
            "http://a/b",
            "ftp://a",
            "http://u@a",
            "http://",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
