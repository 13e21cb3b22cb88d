//! Channels on which alerts are told, and the task that tells.
//!
//! [`state`](crate::state) decides who is told what; a [`Letter`] is its decision in people's words. The courier delivers
//! it, off the driver's task, and reports. Each channel has a queue of its own: one that is slow holds up no other.

mod address;
mod chat;
mod courier;
mod email;
mod letter;
mod program;
mod webhook;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use self::courier::{Courier, Delivery};
pub use self::letter::{Letter, LetterAlert, LetterKind};
use crate::config::{ChannelKind, Config, NotifyChannel};
use crate::http_client::{BadTarget, CallError};
use crate::secret::{self, SecretError};

/// All channels, by the names that rules call them.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    by_name: BTreeMap<String, Arc<Channel>>,
}

/// One channel, ready to be used.
#[derive(Debug)]
struct Channel {
    way: Way,
    timeout: Duration,
}

#[derive(Debug)]
enum Way {
    Webhook(webhook::Webhook),
    Slack(chat::Slack),
    Matrix(chat::Matrix),
    Email(Box<email::Email>),
    Program(program::Program),
    Desktop,
}

impl Channels {
    /// The channels of a configuration; their secrets are read.
    ///
    /// # Errors
    ///
    /// Which channel can't be used, and what to do.
    pub fn from_config(config: &Config) -> Result<Self, ChannelError> {
        let mut by_name = BTreeMap::new();
        for (name, settings) in &config.notify {
            let way = Way::from_settings(settings, config.alerts.allow_exec)
                .map_err(|fault| ChannelError { name: name.clone(), fault })?;
            by_name.insert(name.clone(), Arc::new(Channel { way, timeout: settings.timeout }));
        }
        Ok(Self { by_name })
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }
}

impl Way {
    fn from_settings(settings: &NotifyChannel, allows_exec: bool) -> Result<Self, Fault> {
        Ok(match settings.kind {
            ChannelKind::Webhook => Self::Webhook(webhook::Webhook::new(settings)?),
            ChannelKind::Slack => Self::Slack(chat::Slack::new(settings)?),
            ChannelKind::Matrix => Self::Matrix(chat::Matrix::new(settings)?),
            ChannelKind::Email => Self::Email(Box::new(email::Email::new(settings)?)),
            ChannelKind::Desktop => Self::Desktop,
            ChannelKind::Exec if !allows_exec => return Err(Fault::ExecForbidden),
            ChannelKind::Exec => Self::Program(program::Program::new(settings)?),
        })
    }
}

impl Channel {
    async fn deliver(&self, letter: &Letter) -> Result<(), Undelivered> {
        match &self.way {
            Way::Webhook(webhook) => webhook.deliver(letter, self.timeout).await,
            Way::Slack(slack) => slack.deliver(letter, self.timeout).await,
            Way::Matrix(matrix) => matrix.deliver(letter, self.timeout).await,
            Way::Email(email) => email.deliver(letter, self.timeout).await,
            Way::Program(program) => program.deliver(letter, self.timeout).await,
            Way::Desktop => program::show_on_desktop(letter, self.timeout).await,
        }
    }
}

/// A letter that has not arrived.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Undelivered {
    reason: String,
    /// Whether it may arrive if it is sent again.
    may_pass: bool,
    /// How long the receiver wants to be left alone.
    retry_after: Option<Duration>,
}

impl Undelivered {
    fn for_good(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), may_pass: false, retry_after: None }
    }

    fn for_now(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), may_pass: true, retry_after: None }
    }
}

impl From<CallError> for Undelivered {
    fn from(error: CallError) -> Self {
        Self { may_pass: error.may_pass(), reason: error.to_string(), retry_after: None }
    }
}

/// A channel that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("notify.{name}: {fault}")]
pub struct ChannelError {
    name: String,
    #[source]
    fault: Fault,
}

/// What is wrong with a channel.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("it needs `{0}`")]
    Missing(&'static str),
    #[error("give `url` or `url_file`, not both")]
    TwoAddresses,
    #[error("its address: {0}")]
    Address(#[from] BadTarget),
    #[error("{0}")]
    Secret(#[from] SecretError),
    #[error("`ca_file`: {0}")]
    Authorities(#[from] crate::authorities::AuthoritiesError),
    #[error("programs are run only where `alerts.allow_exec = true`")]
    ExecForbidden,
    #[error("{} is no program that can be run by its full path", .0.display())]
    NoProgram(PathBuf),
    #[error("{0:?} is no e-mail address")]
    Mailbox(String),
    #[error("{0}")]
    Mail(String),
    #[error("a token or an address in a file must be one line of printable characters")]
    Unprintable,
}

/// A secret of one line.
fn one_line(path: &std::path::Path) -> Result<String, Fault> {
    let text = secret::read(path)?;
    let line = text.trim();
    let is_sound = !line.is_empty() && line.chars().all(|letter| letter.is_ascii_graphic());
    if is_sound { Ok(line.to_owned()) } else { Err(Fault::Unprintable) }
}
