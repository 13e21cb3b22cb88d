//! `[sampling]`

use crate::config::settings;

settings! {
    /// What of this machine is measured.
    pub struct Sampling {}
}
