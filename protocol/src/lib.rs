//! Messages between page, host and dashboard.
//!
//! Everything on the wire is JSON with `camelCase` names. Units are in the names: `Millis`, `Bytes`, `Ratio` (0 to 1,
//! not per cent), `PerSecond`, `Celsius`. Wall-clock instants are `…UnixMillis`. **Absent is not zero:** a value nobody
//! observed is `null`, and readers must show it as such.
//!
//! # Compatibility
//!
//! [`VERSION`] is sent in the first message of every connection and in every batch. Within a version fields are only
//! added, as optional ones; readers ignore fields they don't know. Anything else is a new version, and a host refuses
//! a version that it doesn't speak with close code [`socket::CLOSE_UNSUPPORTED_VERSION`] or status 400.
//!
//! # Example
//!
//! ```
//! use quillwork_protocol::socket::ClientMessage;
//!
//! let hello = r#"{"type":"hello","version":1,"role":"dashboard"}"#;
//! assert!(matches!(serde_json::from_str(hello), Ok(ClientMessage::Hello(_))));
//! ```

// The schemas' derive macros write std paths and macros.
#![cfg_attr(not(feature = "openapi"), no_std)]

extern crate alloc;

pub mod alert;
pub mod annotation;
pub mod host;
pub mod insights;
pub mod page;
pub mod problem;
pub mod query;
pub mod replication;
pub mod report;
pub mod series;
pub mod signals;
pub mod snapshot;
pub mod socket;
pub mod source;
pub mod topic;

/// Version of these messages.
pub const VERSION: u32 = 1;
