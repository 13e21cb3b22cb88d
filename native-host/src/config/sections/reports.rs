//! `[reports]`

use crate::config::settings;

settings! {
    /// Reports on a schedule.
    pub struct Reports {}
}
