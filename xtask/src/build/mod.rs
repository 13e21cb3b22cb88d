//! Builds the parts, each from what it is made of, and only what changed.
//!
//! ```text
//! core, wasm/flow       -> flow.wasm    --\
//! core, wasm/balance    -> balance.wasm --+
//! core, wasm/hardware   -> hardware.wasm -+
//! core, wasm/runtime    -> runtime.wasm --+   (and runtime-full.wasm)
//! compute, wasm/compute -> compute.wasm --+-> npm package -> story app --\
//! web, protocol ------------------------------> dashboard ---------------+-> target/release/
//! native-host ---------------------------------> quillwork --------------/
//! ```

mod dashboard;
mod host;
mod npm;
mod package;
mod story;
mod wasm;

use anyhow::Result;

use crate::setup::Tools;
use crate::tree;
use crate::workspace::Workspace;

pub(crate) use dashboard::dashboard;
pub(crate) use host::host;
pub(crate) use npm::{install as npm_install, install_for_this_system as npm_install_for_this_system};
pub(crate) use package::{package, tarball};
pub(crate) use story::{refresh as story_dependencies, story};
pub(crate) use wasm::{compute_for_tests, test_module};

/// Builds the whole system: the binary, and beside it the dashboard and the story app that it serves.
pub(crate) fn system(workspace: &Workspace, tools: &Tools) -> Result<()> {
    package(workspace, tools)?;
    story(workspace)?;
    dashboard(workspace, tools)?;
    host(workspace)?;
    assemble(workspace)
}

/// Puts dashboard and story app where the release binary looks for them.
pub(crate) fn assemble(workspace: &Workspace) -> Result<()> {
    for (from, name) in [(dashboard::output(workspace), "dashboard"), (story::output(workspace), "story")] {
        let to = workspace.target("release").join(name);
        let stamp = tree::Stamp::new(
            workspace,
            &format!("assemble-{name}"),
            std::slice::from_ref(&from),
            &[],
            std::slice::from_ref(&to),
        )?;
        stamp.unless_fresh(|| tree::mirror(&from, &to))?;
    }
    Ok(())
}
