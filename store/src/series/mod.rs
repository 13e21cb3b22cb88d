//! What a series is: its identity, its kind, its unit, and how finely its values are kept.
//!
//! A series is known by a name and labels, as in Prometheus. The name says what is measured (`host.cpu.core`), the labels
//! which one of several (`core="3"`): whatever varies from machine to machine is a label and never a part of a name. The
//! text form of both is the same everywhere, in queries, rules, exports and logs: `host.cpu.core{core="3"}`.
//!
//! ```
//! use quillwork_store::series::SeriesKey;
//!
//! let key = SeriesKey::new("host.disk.used", [("mount", "/srv/a \"b\"")])?;
//! assert_eq!(key.to_string(), r#"host.disk.used{mount="/srv/a \"b\""}"#);
//! assert_eq!(key.to_string().parse::<SeriesKey>()?, key);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod key;
mod spec;
mod text;

pub(crate) use key::shortened;
pub use key::{
    InvalidKey, MAX_LABEL_NAME_BYTES, MAX_LABEL_VALUE_BYTES, MAX_LABELS, MAX_NAME_BYTES, SeriesKey,
};
pub use spec::{InvalidSpec, SeriesId, SeriesKind, SeriesSpec};
pub use text::MalformedKey;
pub(crate) use text::Reader;
