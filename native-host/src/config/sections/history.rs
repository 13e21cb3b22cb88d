//! `[history]`

use std::path::PathBuf;

use crate::config::{ByteSize, settings};

settings! {
    /// What is kept, where and for how long.
    pub struct History {
        /// Directory to keep it in. Not set: in memory only, and gone when the host stops.
        data_dir: Option<PathBuf> = None, applies OnRestart;
        /// Bytes that it never exceeds. What is nearest to its end makes room.
        max_bytes: ByteSize = ByteSize(512 << 20), from "1MiB" to "1000000GiB", applies OnRestart;
    }
}
