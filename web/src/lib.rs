//! The Quillwork dashboard: what the host and its pages do, live.
//!
//! [`model`] decides what is shown and is plain Rust.

pub mod model;
