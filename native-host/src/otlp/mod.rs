//! OpenTelemetry metrics over HTTP (OTLP 1.x), in protobuf or JSON.
//!
//! [`message`] has the part of the protocol's messages that is used, for both encodings and both directions. [`points`] turns a
//! request into readings of series: a pure function of bytes that somebody sent, bounded in all it makes.

pub(crate) mod message;
mod number;
pub(crate) mod points;
pub(crate) mod size;
pub(crate) mod spread;
