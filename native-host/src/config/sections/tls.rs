//! `[tls]`

use std::path::PathBuf;
use std::time::Duration;

use crate::config::settings;

settings! {
    /// Encryption. With both files the host speaks HTTPS (TLS 1.2 and 1.3), and nothing else. Whether it does is decided
    /// when it starts.
    pub struct Tls {
        /// Certificate and the chain above it, in PEM.
        certificate_file: Option<PathBuf> = None, applies OnReload;
        /// Private key of the certificate, in PEM; readable by its owner only (mode 0600).
        key_file: Option<PathBuf> = None, applies OnReload;
        /// How often both files are looked at; a new certificate counts for connections from then on.
        look_interval: Duration = Duration::from_secs(60), from "10ms" to "1d", applies OnRestart;
    }
}
