//! `[history]`

use std::path::PathBuf;

use crate::config::settings;

settings! {
    /// What is kept, where and for how long.
    pub struct History {
        /// Directory to keep it in. Not set: in memory only, and gone when the host stops.
        data_dir: Option<PathBuf> = None, applies OnRestart;
    }
}
