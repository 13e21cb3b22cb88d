//! What a host and its standby say to each other.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// What a host is to others that hold the same history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It measures, takes what pages send, and tells of alerts.
    Primary,
    /// It follows another host and takes nothing.
    Standby,
    /// Another host took over from it: it is silent until it follows.
    Fenced,
}

/// Who a host is, and in which epoch it became what it is. Of two hosts that both say to be primary the one of the larger epoch is; in the same epoch that of
/// the larger `node`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The host's own random number, sixteen hexadecimal digits.
    pub node: String,
    /// That of the history: a copy has that of what it is a copy of.
    pub lineage: String,
    /// How often a standby has taken over in this lineage.
    pub epoch: u64,
    /// What the host is.
    pub role: Role,
    /// Where it can be reached; `null` where it doesn't know.
    pub url: Option<String>,
}

/// What a host is, and how far behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// Who it is.
    pub claim: Claim,
    /// Of a standby the host that it follows, of a fenced host the one that took over; `null` otherwise.
    pub primary: Option<String>,
    /// Of a standby how long ago it had all that the primary had; `null` of others, and where it never had.
    pub behind_millis: Option<u64>,
    /// Of a standby what is left to fetch; `null` of others, and where it isn't known.
    pub missing_bytes: Option<u64>,
    /// Of a standby why it can't follow just now, `null` where it can; of a fenced host what to do to have it follow.
    pub failure: Option<String>,
    /// Hosts that follow this one.
    pub followers: Vec<Follower>,
}

/// A host that follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Follower {
    /// Its own random number.
    pub node: String,
    /// Where it can be reached, where it says so.
    pub url: Option<String>,
    /// How long ago it asked last.
    pub asked_millis_ago: u64,
    /// How long before that it had all that there was; `null` where it never had.
    pub behind_millis: Option<u64>,
}

/// A file of a history as it is: two of the same name and checksum have the same content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FileVersion {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// CRC-32C, of a file of values that of its directory, which holds those of its parts.
    pub checksum: u32,
}

/// What there is to follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplicationState {
    /// Who answers.
    pub claim: Claim,
    /// Names the state of the files of values: while it is the same, so are they.
    pub edition: String,
    /// The files of values; `null` where the edition is the one that was asked with.
    pub files: Option<Vec<FileVersion>>,
    /// What lies beside them: the catalogue of series, the state of alerts.
    pub others: Vec<FileVersion>,
    /// The newest values, which are in memory only, in base64.
    pub tail: String,
}

/// That a standby shall take over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// Even where it never had all that the primary has, or the host was fenced: what is missing is lost to it.
    #[serde(default)]
    pub force: bool,
}
