//! Where to, what and how often.

use std::path::PathBuf;
use std::time::Duration;

use quillwork_store::query::Selector;

use super::headers::{self, HeadersError};
use crate::authorities::{Authorities, AuthoritiesError};
use crate::config::Config;
use crate::http_client::{BadTarget, Target};

/// A destination, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// In which form.
    pub(super) form: Form,
    pub(super) target: Target,
    pub(super) headers_file: Option<PathBuf>,
    /// Whole seconds.
    pub(super) interval: Duration,
    /// Those that any of these means; all where there is none.
    pub(super) select: Vec<Selector>,
    pub(super) prefix: String,
    pub(super) queue_bytes: usize,
    pub(super) timeout: Duration,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// OTLP over HTTP.
    Otlp,
    /// Prometheus' remote write, version 1.
    RemoteWrite,
}

impl Form {
    /// What the destination is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::RemoteWrite => "remote_write",
        }
    }
}

/// What a section of the configuration says. Both have the same options, with defaults and descriptions of their own.
macro_rules! given {
    ($form:ident, $section:expr) => {
        Given {
            form: Form::$form,
            url: $section.url.clone(),
            headers_file: $section.headers_file.clone(),
            ca_file: $section.ca_file.clone(),
            interval: $section.interval,
            select: $section.select.clone(),
            prefix: $section.prefix.clone(),
            queue_bytes: $section.queue_bytes.0,
            timeout: $section.timeout,
            allow_link_local: $section.allow_link_local,
        }
    };
}

impl Settings {
    /// All destinations that the configuration names.
    pub(crate) fn from_config(config: &Config) -> Result<Vec<Self>, ExportError> {
        let otlp = given!(Otlp, config.otlp_export);
        let remote_write = given!(RemoteWrite, config.remote_write);
        [otlp, remote_write].into_iter().filter_map(|given| given.checked().transpose()).collect()
    }
}

/// A section as it was written.
struct Given {
    form: Form,
    url: Option<String>,
    headers_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    interval: Duration,
    select: Vec<String>,
    prefix: String,
    queue_bytes: u64,
    timeout: Duration,
    allow_link_local: bool,
}

impl Given {
    fn checked(self) -> Result<Option<Settings>, ExportError> {
        let Some(url) = &self.url else { return Ok(None) };
        let section = self.form.name();
        let fault = |fault: Fault| ExportError { section, fault };
        let authorities = self.ca_file.as_deref().map(Authorities::from_file).transpose();
        let target = Target::parse(url, self.allow_link_local).map_err(|bad| fault(bad.into()))?;
        let target = target.trusting(authorities.map_err(|error| fault(error.into()))?);
        if self.interval.subsec_nanos() != 0 {
            return Err(fault(Fault::Interval));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if !self.prefix.chars().all(plain) || self.prefix.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(fault(Fault::Prefix(self.prefix)));
        }
        let select = self.select.iter().map(|text| {
            text.parse().map_err(|error| fault(Fault::Selector(text.clone(), format!("{error}"))))
        });
        let select = select.collect::<Result<_, _>>()?;
        if let Some(file) = &self.headers_file {
            headers::read(file).map_err(|error| fault(error.into()))?;
        }
        Ok(Some(Settings {
            form: self.form,
            target,
            headers_file: self.headers_file,
            interval: self.interval,
            select,
            prefix: self.prefix,
            queue_bytes: usize::try_from(self.queue_bytes).unwrap_or(usize::MAX),
            timeout: self.timeout,
        }))
    }
}

/// A destination that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("export.{section}: {fault}")]
pub struct ExportError {
    section: &'static str,
    #[source]
    fault: Fault,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("its url: {0}")]
    Address(#[from] BadTarget),
    #[error("its interval must be whole seconds, for instance \"15s\"")]
    Interval,
    #[error("its prefix {0:?} may have letters, digits, dots and underscores, and begins with no digit")]
    Prefix(String),
    #[error("select {0:?}: {1}")]
    Selector(String, String),
    #[error("ca_file: {0}")]
    Authorities(#[from] AuthoritiesError),
    #[error("headers_file: {0}")]
    Headers(#[from] HeadersError),
}
