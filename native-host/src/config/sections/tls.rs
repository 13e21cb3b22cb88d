//! `[tls]`

use std::path::PathBuf;

use crate::config::settings;

settings! {
    /// Encryption. With both files the host speaks HTTPS, and nothing else.
    pub struct Tls {
        /// Certificate and the chain above it, in PEM.
        certificate_file: Option<PathBuf> = None, applies OnRestart;
        /// Private key of the certificate, in PEM; readable by its owner only (mode 0600).
        key_file: Option<PathBuf> = None, applies OnRestart;
    }
}
