//! `[sampling]`

use crate::config::settings;

settings! {
    /// What of this machine is measured.
    pub struct Sampling {
        /// Whether space of network file systems (NFS, SMB, Ceph, SSHFS and the like) is measured, too. Each is asked on a thread that may wait
        /// for its server without holding anything else up; one that doesn't answer is shown as stuck.
        network_mounts: bool = false, applies OnRestart;
    }
}
