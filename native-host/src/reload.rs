//! The configuration is read again while the host runs.
//!
//! Everything new is prepared first and put in place only when all of it can be used: a file with a fault changes
//! nothing. Options that count only at the start keep the value that they have, and are named.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{Config, ConfigError, Layers};
use crate::driver::Driver;
use crate::guard::{Guard, Rules, TokenFileError, Tokens};
use crate::logging::{LogControl, LogError};
use crate::notify::{ChannelError, Channels, Courier};
use crate::rules::{RuleSet, RulesError};
use crate::tls::{Certificate, Encryption, TlsError};

/// What a reload can change.
pub struct Reload {
    layers: Layers,
    config: watch::Sender<Arc<Config>>,
    guard: Arc<Guard>,
    encryption: Option<Encryption>,
    log: Option<LogControl>,
    /// Who watches, and who tells.
    watching: (Driver, Courier),
    /// What was wrong with the certificate when it was looked at last, so that it is told once.
    told: Option<String>,
    /// The same of the rules.
    rules_told: Option<String>,
    /// The rules that are watched.
    rules: RuleSet,
    /// Rules of a file that has changed, or what is wrong with it, found once.
    rules_found: Option<Result<RuleSet, String>>,
}

/// What is watched, and the channels on which it is told.
#[derive(Debug)]
pub struct Watched {
    /// The rules, and who is told.
    pub rules: RuleSet,
    /// The channels.
    pub channels: Channels,
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
        watching: (Driver, Courier),
    ) -> Self {
        let rules = alerts(&config.borrow()).map(|watched| watched.rules).unwrap_or_default();
        Self {
            layers,
            config,
            guard,
            encryption,
            log,
            watching,
            told: None,
            rules_told: None,
            rules,
            rules_found: None,
        }
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
        let watched = alerts(&config)?;
        if let Some(log) = &self.log {
            log.reload(&config.log)?;
        }
        if let (Some(encryption), Some(certificate)) = (&self.encryption, certificate) {
            encryption.replace(certificate);
        }
        self.guard.replace(rules);
        self.watch(watched);
        self.config.send_replace(Arc::new(config));
        self.told = None;
        Ok(waiting)
    }

    fn watch(&mut self, Watched { rules, channels }: Watched) {
        self.watching.1.replace(&channels);
        self.rules.clone_from(&rules);
        self.rules_told = None;
        self.rules_found = None;
        self.watching.0.set_rules(rules);
    }

    /// Looks whether the rules file has changed. A file with a fault changes nothing, and is told of once. What is new counts once it is
    /// found twice in a row, for whoever writes the file may not be done. Gives whether to look again soon.
    pub fn renew_rules(&mut self) -> bool {
        let config = Arc::clone(&self.config.borrow());
        let watched = alerts(&config);
        let found = match &watched {
            Ok(watched) => Ok(watched.rules.clone()),
            Err(error) => Err(error.to_string()),
        };
        let is_known = match &found {
            Ok(rules) => *rules == self.rules,
            Err(error) => self.rules_told.as_ref() == Some(error),
        };
        if is_known {
            if found.is_ok() {
                self.rules_told = None;
            }
            self.rules_found = None;
            return false;
        }
        if self.rules_found.as_ref() != Some(&found) {
            self.rules_found = Some(found);
            return true;
        }
        self.rules_found = None;
        match watched {
            Ok(watched) => {
                self.watch(watched);
                tracing::info!("the alert rules have changed and count from now on");
            }
            Err(error) => {
                tracing::warn!("the alert rules have changed and can't be used, the old ones stay: {error}");
                self.rules_told = Some(error.to_string());
            }
        }
        false
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

/// What is watched and who is told, by this configuration.
///
/// # Errors
///
/// If the rules file or a channel can't be used.
pub fn alerts(config: &Config) -> Result<Watched, AlertsError> {
    let channels = Channels::from_config(config)?;
    let rules = RuleSet::load(config.alerts.rules.as_deref(), &channels.names())?;
    Ok(Watched { rules, channels })
}

/// Rules or channels that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertsError {
    /// The rules can't.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A channel can't.
    #[error(transparent)]
    Channel(#[from] ChannelError),
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
    /// The rules or channels of alerts can't be used.
    #[error(transparent)]
    Alerts(#[from] AlertsError),
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
