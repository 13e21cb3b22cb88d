//! What options can't be together.

use std::time::Duration;

use super::sections::KEPT;
use super::{Config, Fault, ReportPeriod, Value};
use crate::report;

/// Adds a fault for each combination that can't work. Files are not opened here: whether they can be used is told by
/// who uses them.
pub(super) fn validate(config: &Config, faults: &mut Vec<Fault>) {
    let mut fault = |key: &str, message: String| {
        faults.push(Fault { set_by: config.set_by(key).clone(), key: key.to_owned(), message });
    };
    if !config.server.bind.is_loopback() && config.auth.token_file.is_none() && config.tokens.is_empty() {
        fault(
            "server.bind",
            format!(
                "{} lets others on the network reach this host, so it needs a token: set auth.token_file or \
                 --token-file FILE; make one with `(umask 077; openssl rand -hex 32 > FILE)`",
                config.server.bind
            ),
        );
    }
    if let Some((tier, least)) = config.history.options().kept_too_short() {
        let least = Value::write(&Duration::from_millis(least));
        fault(
            KEPT[tier],
            format!(
                "must be at least {}, as the others are: finer values are there until coarser ones are made of them",
                least.as_str().unwrap_or_default()
            ),
        );
    }
    let tls = &config.tls;
    for (given, other, key, missing) in [
        (&tls.certificate_file, &tls.key_file, "tls.certificate_file", "tls.key_file"),
        (&tls.key_file, &tls.certificate_file, "tls.key_file", "tls.certificate_file"),
    ] {
        if given.is_some() && other.is_none() {
            fault(key, format!("a certificate and its key go together; set {missing}, too"));
        }
    }
    if config.reports.every != ReportPeriod::Never && report::directory(config).is_none() {
        let message = "there is nowhere to write reports to: set reports.directory or history.data_dir";
        fault("reports.every", message.to_owned());
    }
    for (name, token) in &config.tokens {
        let key = format!("auth.tokens.{name}");
        if token.file.is_none() {
            fault(&key, "the token has no `file`; name the file that it lies in".to_owned());
        }
        if token.scopes.is_empty() {
            fault(&key, "the token is good for nothing; give it `scopes`".to_owned());
        }
    }
}
