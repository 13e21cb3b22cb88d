//! Files that hold secrets.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Reads a file that only its owner may read: a token, a key, a password. Secrets come from files only; arguments and
/// the environment are seen by others.
///
/// # Errors
///
/// If it can't be read, is larger than a secret can be, or other users of the machine may read it.
pub fn read(path: &Path) -> Result<String, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if readable_by_others(&metadata) {
        return Err(SecretError::Exposed { path: path.to_owned() });
    }
    if metadata.len() > LONGEST {
        return Err(SecretError::TooLong { path: path.to_owned() });
    }
    fs::read_to_string(path).map_err(unreadable)
}

/// Bytes; a private key of 16,384 bits fits.
const LONGEST: u64 = 64 << 10;

#[cfg(unix)]
fn readable_by_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_metadata: &fs::Metadata) -> bool {
    false
}

/// A file of a secret that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Other users of the machine can read it.
    #[error("{} is open to other users; run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{} has more than {LONGEST} bytes and can't be a secret; name another file", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}
