//! Errors of the REST API: RFC 9457 `application/problem+json`.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// A problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Stable URI reference of the kind of problem, for instance `/problems/not-found`.
    pub r#type: String,
    /// The same for every problem of this kind.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What went wrong this time and what to do about it.
    pub detail: String,
}
