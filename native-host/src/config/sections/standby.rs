//! `[standby]`

use crate::config::settings;

settings! {
    /// A second host that follows this one.
    pub struct Standby {}
}
