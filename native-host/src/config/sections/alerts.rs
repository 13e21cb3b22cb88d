//! `[alerts]` and `[notify.NAME]`

use crate::config::settings;

settings! {
    /// What is watched.
    pub struct Alerts {}
}

settings! {
    /// A channel on which alerts are told, by the name that rules call it.
    pub struct NotifyChannel {}
}
