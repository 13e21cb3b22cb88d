//! A bearer token.

use std::fmt;
use std::path::{Path, PathBuf};

use subtle::ConstantTimeEq;

use crate::secret::{self, SecretError};

/// A secret that clients must show.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Reads the token from a file; white space around it is no part of it.
    ///
    /// # Errors
    ///
    /// If the file can't be read, is open to other users of the machine, or holds no token worth the name.
    pub fn from_file(path: &Path) -> Result<Self, TokenFileError> {
        let text = secret::read(path)?;
        let token = text.trim();
        let plain = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.len() < SHORTEST || !plain {
            return Err(TokenFileError::Weak { path: path.to_owned() });
        }
        Ok(Self(token.to_owned()))
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn matches_token(&self, other: &Self) -> bool {
        self.matches(&other.0)
    }

    /// Compares in a time that doesn't tell where the texts differ.
    #[must_use]
    pub fn matches(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// 128 bits in hexadecimal.
const SHORTEST: usize = 32;

/// A token file that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFileError {
    /// It can't be read, or by too many.
    #[error("the token file {0}; make one with `(umask 077; openssl rand -hex 32 > FILE)`")]
    Secret(#[from] SecretError),
    /// Too short to be a secret.
    #[error(
        "the token file {} must hold one line of at least 32 printable characters without spaces; \
         make one with `(umask 077; openssl rand -hex 32 > {})`",
        path.display(),
        path.display()
    )]
    Weak {
        /// The file.
        path: PathBuf,
    },
    /// Who shows it would be two.
    #[error("the tokens {one:?} and {other:?} are the same; give each a secret of its own")]
    Twice {
        /// A token's name.
        one: String,
        /// The other's.
        other: String,
    },
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_the_whole_token_matches() {
        let token = Token("0123456789abcdef0123456789abcdef".to_owned());
        assert!(token.matches("0123456789abcdef0123456789abcdef"));
        assert!(!token.matches("0123456789abcdef0123456789abcdeF"));
        assert!(!token.matches("0123456789abcdef"));
        assert!(!token.matches(""));
        assert!(!format!("{token:?}").contains("0123"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_open_to_others_or_too_short_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let write = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Token::from_file(&path)
        };
        assert!(matches!(
            write("0123456789abcdef0123456789abcdef\n", 0o644),
            Err(TokenFileError::Secret(SecretError::Exposed { .. }))
        ));
        assert!(matches!(write("secret\n", 0o600), Err(TokenFileError::Weak { .. })));
        assert!(write("0123456789abcdef0123456789abcdef\n", 0o600).is_ok());
        fs::remove_file(&path).unwrap();
        assert!(matches!(
            Token::from_file(&path),
            Err(TokenFileError::Secret(SecretError::Unreadable { .. }))
        ));
    }
}
