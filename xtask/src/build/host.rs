//! The binary `quillwork`.

use anyhow::Result;

use crate::job::Job;
use crate::workspace::Workspace;

/// Builds the host as it is released.
pub(crate) fn host(workspace: &Workspace) -> Result<()> {
    Job::new(workspace, "build the host", "cargo")
        .args(["build", "--release", "--package", "quillwork", "--bin", "quillwork", "--target-dir"])
        .args([workspace.target("")])
        .check()
}
