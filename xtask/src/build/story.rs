//! The story app, built as a user of the packed package would build it.

use std::path::PathBuf;

use anyhow::Result;

use super::npm::{self, npm};
use super::package;
use crate::tree::{self, Stamp};
use crate::workspace::Workspace;

const DIR: &str = "examples/story-app";

pub(super) fn output(workspace: &Workspace) -> PathBuf {
    workspace.path(DIR).join("dist")
}

/// Installs what the app depends on, the package as it was packed last among it.
pub(crate) fn refresh(workspace: &Workspace) -> Result<()> {
    npm::install(workspace, DIR)?;
    // npm installs a dependency on a directory once, and does not look at it again.
    let packed = package::unpacked(workspace);
    let installed = workspace.path(DIR).join("node_modules/quillwork");
    let stamp = Stamp::new(
        workspace,
        "story-app-quillwork",
        // Of the package only the tarball: `dist` directories count as made, not as inputs.
        &[package::tarball(workspace), workspace.path(DIR).join("node_modules/.package-lock.json")],
        &[],
        std::slice::from_ref(&installed),
    )?;
    stamp.unless_fresh(|| tree::mirror(&packed, &installed))
}

/// Builds the app.
pub(crate) fn story(workspace: &Workspace) -> Result<()> {
    refresh(workspace)?;
    let stamp = Stamp::new(
        workspace,
        "story-app",
        &[workspace.path(DIR), package::tarball(workspace)],
        &[],
        &[output(workspace).join("index.html")],
    )?;
    stamp.unless_fresh(|| {
        npm(workspace, "build the story app", &workspace.path(DIR)).args(["run", "build"]).check()
    })
}
