//! Who reports to the host.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::snapshot::PageLink;

/// Something that reports to the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Its id, which is the label `source` of its series; the machine's series have none.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Whether it reports still; `null` for programs, of which the host can't tell.
    pub link: Option<PageLink>,
    /// When the host last heard from it, on the host's clock; `null` before the first time.
    pub last_heard_unix_millis: Option<u64>,
    /// How far its clock is behind the host's, below zero where it is ahead; `null` where it isn't known.
    pub clock_offset_millis: Option<f64>,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum SourceKind {
    /// The machine that the host runs on.
    Host,
    /// A page.
    Page,
    /// A program that sends OpenTelemetry metrics.
    Program,
}

/// A page of the list of sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SourceList {
    /// The host's clock when it answered.
    pub server_unix_millis: u64,
    /// By id.
    pub sources: Vec<Source>,
    /// What to ask for the next page with; `null` on the last.
    pub next_cursor: Option<String>,
}
