//! The conversation with the host.

pub(crate) mod backfill;
pub(crate) mod driver;
pub(crate) mod http;
mod socket;
