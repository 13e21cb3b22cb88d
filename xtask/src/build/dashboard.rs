//! The dashboard.

use std::path::PathBuf;

use anyhow::Result;

use super::npm;
use crate::job::Job;
use crate::setup::Tools;
use crate::tree::Stamp;
use crate::workspace::Workspace;

/// Leptos compiles each view for a type of its own otherwise. The dashboard draws seldom enough for calls through tables.
const FLAGS: [&str; 2] = ["--cfg", "erase_components"];

pub(super) fn output(workspace: &Workspace) -> PathBuf {
    workspace.target("dashboard")
}

/// Builds the dashboard with Trunk.
pub(crate) fn dashboard(workspace: &Workspace, tools: &Tools) -> Result<()> {
    npm::install(workspace, "web")?;
    let inputs = ["index.html", "Trunk.toml", "web", "core", "protocol", "Cargo.toml", "Cargo.lock"]
        .map(|name| workspace.path(name));
    let stamp = Stamp::new(
        workspace,
        "dashboard",
        &inputs,
        &[&tools.compiler.identity(), &FLAGS.join(" ")],
        &[output(workspace).join("index.html")],
    )?;
    stamp.unless_fresh(|| {
        Job::new(workspace, "build the dashboard", tools.trunk.join("trunk"))
            .envs(tools.compiler.wasm_env(&FLAGS)?)
            .env("PATH", tools.path()?)
            .env("CARGO_TARGET_DIR", workspace.target("wasm"))
            // It asks a server for its newest version otherwise.
            .env("TRUNK_SKIP_VERSION_CHECK", "true")
            // Trunk takes only `true` and `false` for what others take any value.
            .env("NO_COLOR", "true")
            .args(["build", "--release", "--dist"])
            .args([output(workspace)])
            .check()
    })
}
