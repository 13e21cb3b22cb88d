//! What the lock files name, installed where it isn't yet.

use std::path::Path;

use anyhow::{Result, bail};

use crate::job::Job;
use crate::tree::Stamp;
use crate::workspace::Workspace;

/// Installs what `dir/package-lock.json` names, unless that was done.
pub(crate) fn install(workspace: &Workspace, dir: &str) -> Result<()> {
    install_by(workspace, dir, &["ci"])
}

/// The same for a lock file that lacks optional packages for other systems, as those of a registry that doesn't have them do:
/// `npm ci` refuses it.
pub(crate) fn install_for_this_system(workspace: &Workspace, dir: &str) -> Result<()> {
    install_by(workspace, dir, &["install", "--no-save"])
}

fn install_by(workspace: &Workspace, dir: &str, command: &[&str]) -> Result<()> {
    let at = workspace.path(dir);
    if !at.join("package-lock.json").is_file() {
        bail!("{dir} has no package-lock.json");
    }
    let stamp = Stamp::new(
        workspace,
        &format!("npm-ci-{}", dir.replace('/', "-")),
        &["package.json", "package-lock.json", ".npmrc"].map(|name| at.join(name)),
        &[],
        &[at.join("node_modules/.package-lock.json")],
    )?;
    stamp.unless_fresh(|| {
        npm(workspace, &format!("npm {} in {dir}", command[0]), &at)
            .args(command)
            .args(["--no-audit", "--no-fund"])
            .check()
    })
}

/// npm, to run in `dir`.
pub(crate) fn npm(workspace: &Workspace, label: &str, dir: &Path) -> Job {
    Job::new(workspace, label, "npm").dir(dir)
}
