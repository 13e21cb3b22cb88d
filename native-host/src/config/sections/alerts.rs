//! `[alerts]` and `[notify.NAME]`

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{settings, words};

settings! {
    /// What is watched.
    pub struct Alerts {
        /// File with rules, routes and maintenance windows, besides the rules that ship: `docs/guides/alert-rules.md`.
        /// It is read again when it changes; `quillwork check` says what is wrong with it.
        rules: Option<PathBuf> = None, applies OnReload;
        /// Whether channels of the kind `exec` may run programs of this machine.
        allow_exec: bool = false, applies OnReload;
    }
}

settings! {
    /// A channel on which alerts are told, by the name that rules call it. Which options count depends on its kind.
    pub struct NotifyChannel {
        /// How it tells: by POST of JSON (`"webhook"`, as the Alertmanager's version 4), in a chat (`"slack"`, `"matrix"`),
        /// by e-mail, on this machine's desktop (`notify-send`), or by a program that reads the JSON (`"exec"`).
        kind: ChannelKind = ChannelKind::Webhook, applies OnReload;
        /// Address for `webhook` and `slack`, and of the home server for `matrix`.
        url: Option<String> = None, applies OnReload;
        /// File that holds the address, where the address itself is a secret, as Slack's are (mode 0600).
        url_file: Option<PathBuf> = None, applies OnReload;
        /// File with the secret that `webhook` signs with (mode 0600): the header `Quillwork-Signature` is
        /// `t=SECONDS,v1=HEX`, the HMAC-SHA256 of `SECONDS.BODY`.
        secret_file: Option<PathBuf> = None, applies OnReload;
        /// File with the bearer token of `webhook` and `matrix` (mode 0600).
        token_file: Option<PathBuf> = None, applies OnReload;
        /// Room of `matrix`, for instance `"!abc:example.org"`.
        room: Option<String> = None, applies OnReload;
        /// Certificates in PEM of authorities that vouch for the server besides the system's: a studio's own.
        ca_file: Option<PathBuf> = None, applies OnReload;
        /// Mail server of `email`.
        server: Option<String> = None, applies OnReload;
        /// Port of the mail server. Not set: 587, 465 or 25, as the encryption has it.
        port: Option<u16> = None, applies OnReload;
        /// How the mail server is spoken to; a password is never sent without TLS.
        encryption: MailEncryption = MailEncryption::StartTls, applies OnReload;
        /// Name that the mail server knows.
        username: Option<String> = None, applies OnReload;
        /// File with its password (mode 0600).
        password_file: Option<PathBuf> = None, applies OnReload;
        /// Who the mail is from, for instance `"Quillwork <alerts@example.org>"`.
        from: Option<String> = None, applies OnReload;
        /// Who it is for.
        to: Vec<String> = Vec::new(), applies OnReload;
        /// Program of `exec`, by its full path. It reads the JSON of a webhook from its standard input.
        program: Option<PathBuf> = None, applies OnReload;
        /// Its arguments. No shell is between.
        arguments: Vec<String> = Vec::new(), applies OnReload;
        /// Whether addresses of the local link (169.254.0.0/16, fe80::/10) are told, too. Clouds keep credentials there.
        allow_link_local: bool = false, applies OnReload;
        /// Time for one attempt.
        timeout: Duration = Duration::from_secs(10), from "1s" to "60s", applies OnReload;
    }
}

/// How a channel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// JSON by POST.
    Webhook,
    /// Slack's incoming webhooks, and what speaks like them.
    Slack,
    /// A Matrix room.
    Matrix,
    /// E-mail.
    Email,
    /// The desktop of this machine.
    Desktop,
    /// A program.
    Exec,
}

words!(ChannelKind {
    "webhook" => ChannelKind::Webhook,
    "slack" => ChannelKind::Slack,
    "matrix" => ChannelKind::Matrix,
    "email" => ChannelKind::Email,
    "desktop" => ChannelKind::Desktop,
    "exec" => ChannelKind::Exec,
});

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEncryption {
    /// In the clear first, encrypted before anything is said.
    StartTls,
    /// Encrypted from the start.
    Tls,
    /// In the clear.
    None,
}

words!(MailEncryption {
    "starttls" => MailEncryption::StartTls,
    "tls" => MailEncryption::Tls,
    "none" => MailEncryption::None,
});
