//! The sections of the configuration, one file each.

mod alerts;
mod auth;
mod export;
mod history;
mod log;
mod reports;
mod sampling;
mod server;
mod standby;
mod tls;

pub use self::alerts::{Alerts, ChannelKind, MailEncryption, NotifyChannel};
pub use self::auth::{Auth, Scope, TokenSettings};
pub use self::export::{OtlpExport, RemoteWrite};
pub use self::history::History;
pub(crate) use self::history::KEPT;
pub use self::log::{InvalidLogLevel, Log, LogFormat, LogLevel};
pub use self::reports::{InvalidTimeOfDay, ReportPeriod, Reports, TimeOfDay};
pub use self::sampling::Sampling;
pub use self::server::Server;
pub use self::standby::Standby;
pub use self::tls::Tls;
