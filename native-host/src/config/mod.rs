//! The configuration: one schema, four places that it comes from.
//!
//! ```text
//! defaults  <  quillwork.toml  <  QUILLWORK_… variables  <  flags
//! ```
//!
//! Each section declares its options once, with type, default, range and description, by `settings!`. Reading,
//! printing, the reference in `docs/guides/configuration.md` and the example file all follow from that. To add an
//! option, add a field to its section; to add a section, add it to [`Config`].
//!
//! Nothing here reads the environment or starts anything: [`Layers`] holds what was given, and [`load`](Layers::load)
//! makes the configuration of it, again for each reload.

mod command;
mod fault;
mod file;
mod layers;
mod reference;
mod section;
mod sections;
mod show;
mod validate;
mod value;

use std::collections::BTreeMap;
use std::path::Path;

pub use self::command::print;
pub use self::fault::{ConfigError, Fault};
pub use self::layers::{Flag, Layers, SetBy};
pub use self::reference::{example, reference};
pub(crate) use self::section::{Applies, Field, Section, paragraph, settings, within};
pub use self::sections::{
    Alerts, Auth, ChannelKind, History, InvalidLogLevel, InvalidTimeOfDay, Log, LogFormat, LogLevel,
    MailEncryption, NotifyChannel, OtlpExport, RemoteWrite, ReportPeriod, Reports, Sampling, Scope, Server,
    Standby, TimeOfDay, Tls, TokenSettings,
};
pub use self::show::{Effective, effective, options};
pub(crate) use self::value::words;
pub use self::value::{ByteSize, Given, Value};
use crate::limits::Limits;

/// Declares [`Config`]: its sections by their name in the file.
macro_rules! config {
    (
        $(#[doc = $doc:literal])+
        pub struct Config {
            sections { $($section:ident: $kind:ty = $name:literal,)* }
            families { $($family:ident: $entry:ty = $family_name:literal,)* }
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Config {
            $(#[doc = concat!("`[", $name, "]`")] pub $section: $kind,)*
            $(#[doc = concat!("`[", $family_name, ".NAME]`")] pub $family: BTreeMap<String, $entry>,)*
            set_by: BTreeMap<String, SetBy>,
        }

        impl Config {
            fn sections(&self) -> Vec<(&'static str, &dyn Section)> {
                vec![$(($name, &self.$section as &dyn Section)),*]
            }

            fn section_mut(&mut self, name: &str) -> Option<&mut dyn Section> {
                match name {
                    $($name => Some(&mut self.$section),)*
                    _ => None,
                }
            }

            fn families(&self) -> Vec<(&'static str, &dyn section::Family)> {
                vec![$(($family_name, &self.$family as &dyn section::Family)),*]
            }

            /// Takes the options that count only at the start from those that the host runs with.
            fn keep(&mut self, running: &Self) {
                $(self.$section.keep(&running.$section);)*
                $(for (name, entry) in &mut self.$family {
                    if let Some(running) = running.$family.get(name) {
                        entry.keep(running);
                    }
                })*
            }

            fn family_mut(&mut self, name: &str) -> Option<&mut dyn section::Family> {
                match name {
                    $($family_name => Some(&mut self.$family),)*
                    _ => None,
                }
            }
        }
    };
}

config! {
    /// Everything that an operator may set.
    pub struct Config {
        sections {
            server: Server = "server",
            auth: Auth = "auth",
            tls: Tls = "tls",
            limits: Limits = "limits",
            sampling: Sampling = "sampling",
            history: History = "history",
            alerts: Alerts = "alerts",
            reports: Reports = "reports",
            standby: Standby = "standby",
            otlp_export: OtlpExport = "export.otlp",
            remote_write: RemoteWrite = "export.remote_write",
            log: Log = "log",
        }
        families {
            tokens: TokenSettings = "auth.tokens",
            notify: NotifyChannel = "notify",
        }
    }
}

impl Config {
    /// Where the option of this key (`section.option`) has its value from.
    #[must_use]
    pub fn set_by(&self, key: &str) -> &SetBy {
        self.set_by.get(key).unwrap_or(&SetBy::Default)
    }

    /// This configuration as it counts for a host that runs with `running`, and the options that wait for a restart.
    ///
    /// # Errors
    ///
    /// If what is new doesn't go together with what stays.
    pub fn after_reload(mut self, running: &Self) -> Result<(Self, Vec<String>), ConfigError> {
        let written: Vec<Effective> = options(&self).collect();
        let tls_stays = self.tls.certificate_file.is_some() == running.tls.certificate_file.is_some();
        if !tls_stays {
            self.tls = running.tls.clone();
        }
        self.keep(running);
        let mut faults = Vec::new();
        validate::validate(&self, &mut faults);
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        let counting = options(&self);
        let waiting =
            written.into_iter().zip(counting).filter(|(written, counts)| written.value != counts.value);
        let waiting = waiting.map(|(written, _)| written.key).collect();
        Ok((self, waiting))
    }
}

/// Reads a file by itself, as `quillwork check` does: neither environment nor flags count.
///
/// # Errors
///
/// All faults that it has, each with its line and what to do.
pub fn check(path: &Path) -> Result<Config, ConfigError> {
    Layers { file: Some(path.to_owned()), ..Layers::default() }.load()
}

#[cfg(test)]
mod tests;
