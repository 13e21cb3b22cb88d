//! Annotations: what people and scripts did, on the time line of what was measured.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Something that happened at an instant, or went on for a while: a deployment, a load test, a change by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Annotation {
    /// To delete it by.
    pub id: u64,
    /// When it was, or began: milliseconds since 1970.
    pub at: u64,
    /// When it ended; absent where it was an instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// What people read. Written by strangers: never trust it as markup.
    pub text: String,
    /// To find it and its like by.
    pub tags: Vec<String>,
    /// What it is about: a page's source id, a machine, a service; absent where it is about everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// An annotation to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAnnotation {
    /// When it was, or began, in milliseconds since 1970; now if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// When it ended, after `at`; left out where it was an instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// What people read: 1 to 1000 characters. Control characters but line feeds are replaced.
    pub text: String,
    /// At most 16 of 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it is about, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A page of the list of annotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AnnotationList {
    /// The host's clock when it answered.
    pub server_unix_millis: u64,
    /// The newest first.
    pub annotations: Vec<Annotation>,
    /// What to ask for the next page with; `null` on the last.
    pub next_cursor: Option<String>,
}
