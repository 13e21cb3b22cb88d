//! The configuration is read again while the host runs.
//!
//! Everything new is prepared first and put in place only when all of it can be used: a file with a fault changes
//! nothing. Options that count only at the start keep the value that they have, and are named.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{Config, ConfigError, Layers};
use crate::guard::{Guard, Rules, TokenFileError, Tokens};
use crate::logging::{LogControl, LogError};
use crate::tls::{Certificate, Encryption, TlsError};

/// What a reload can change.
pub struct Reload {
    layers: Layers,
    config: watch::Sender<Arc<Config>>,
    guard: Arc<Guard>,
    encryption: Option<Encryption>,
    log: Option<LogControl>,
    /// What was wrong with the certificate when it was looked at last, so that it is told once.
    told: Option<String>,
}

impl Reload {
    /// For a host that runs with `config`.
    #[must_use]
    pub fn new(
        layers: Layers,
        config: watch::Sender<Arc<Config>>,
        guard: Arc<Guard>,
        encryption: Option<Encryption>,
        log: Option<LogControl>,
    ) -> Self {
        Self { layers, config, guard, encryption, log, told: None }
    }

    /// Reads everything again and puts it in place. Gives the options whose change needs a restart.
    ///
    /// # Errors
    ///
    /// If anything can't be used; then nothing has changed.
    pub fn reload(&mut self) -> Result<Vec<String>, ReloadError> {
        let running = Arc::clone(&self.config.borrow());
        let (config, waiting) = self.layers.load()?.after_reload(&running)?;
        let rules = rules(&config)?;
        exposed(self.guard.address(), &rules)?;
        let certificate = certificate(&config)?;
        if let Some(log) = &self.log {
            log.reload(&config.log)?;
        }
        if let (Some(encryption), Some(certificate)) = (&self.encryption, certificate) {
            encryption.replace(certificate);
        }
        self.guard.replace(rules);
        self.config.send_replace(Arc::new(config));
        self.told = None;
        Ok(waiting)
    }

    /// Looks whether the certificate's files have changed, as renewing programs do without a word.
    pub fn renew_certificate(&mut self) {
        let config = Arc::clone(&self.config.borrow());
        let Some(encryption) = &self.encryption else { return };
        match certificate(&config) {
            Ok(Some(certificate)) => {
                if encryption.replace(certificate) {
                    tracing::info!("the certificate has changed; new connections get the new one");
                }
                self.told = None;
            }
            Ok(None) => {}
            // Renewing programs write one file after the other: the next look finds both.
            Err(error) => {
                let error = error.to_string();
                if self.told.as_ref() != Some(&error) {
                    tracing::warn!(
                        "the certificate has changed and can't be used, the old one stays: {error}"
                    );
                    self.told = Some(error);
                }
            }
        }
    }
}

/// Who may ask, by this configuration.
///
/// # Errors
///
/// If a token can't be used.
pub fn rules(config: &Config) -> Result<Rules, TokenFileError> {
    Ok(Rules {
        origins: config.server.allowed_origins.clone(),
        names: config.server.names.clone(),
        tokens: Tokens::from_config(config)?,
    })
}

/// Refuses a host that others on the network reach and that asks for no token. The address is the one that is listened on:
/// who handed the socket over may have chosen another than the configuration.
///
/// # Errors
///
/// If it is so.
pub fn exposed(address: SocketAddr, rules: &Rules) -> Result<(), Exposed> {
    if address.ip().is_loopback() || !rules.tokens.is_empty() { Ok(()) } else { Err(Exposed { address }) }
}

/// Others on the network could reach the host, and it would ask for no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("others on the network reach {address}, so the host needs a token: set auth.token_file")]
pub struct Exposed {
    address: SocketAddr,
}

/// The certificate that this configuration names, if it names one.
///
/// # Errors
///
/// If it can't be used.
pub fn certificate(config: &Config) -> Result<Option<Certificate>, TlsError> {
    let files: Option<(&Path, &Path)> =
        config.tls.certificate_file.as_deref().zip(config.tls.key_file.as_deref());
    files.map(|(certificate, key)| Certificate::from_files(certificate, key)).transpose()
}

/// Why nothing was reloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The configuration has faults.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A token can't be used.
    #[error(transparent)]
    Token(#[from] TokenFileError),
    /// There would be no token left.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The log's level can't be understood.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The certificate can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
