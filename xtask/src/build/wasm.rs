//! The modules that pages and workers load.

use std::path::PathBuf;

use anyhow::Result;

use crate::job::Job;
use crate::setup::Tools;
use crate::tree::Stamp;
use crate::workspace::{WASM_TARGET, Workspace};

/// The module for the page, as the compiler leaves it. The package's build strips it.
pub(super) fn runtime_file(workspace: &Workspace) -> PathBuf {
    workspace.wasm_artifact("wasm", "quillwork_runtime.wasm")
}

/// What wasm-bindgen makes of `wasm/compute`.
pub(super) fn compute_dir(workspace: &Workspace) -> PathBuf {
    workspace.target("xtask/wasm/compute")
}

/// Builds `runtime.wasm`.
pub(super) fn runtime(workspace: &Workspace, tools: &Tools) -> Result<()> {
    cargo(workspace, tools, "quillwork-runtime")
}

/// Builds `compute.wasm` with its JavaScript.
pub(super) fn compute(workspace: &Workspace, tools: &Tools) -> Result<()> {
    cargo(workspace, tools, "quillwork-compute-wasm")?;
    let built = workspace.wasm_artifact("wasm", "quillwork_compute_wasm.wasm");
    let dir = compute_dir(workspace);
    let bindgen = tools.bindgen.join("wasm-bindgen");
    let stamp = Stamp::new(
        workspace,
        "compute-wasm",
        std::slice::from_ref(&built),
        &[&bindgen.to_string_lossy()],
        &[dir.join("quillwork_compute_wasm_bg.wasm")],
    )?;
    stamp.unless_fresh(|| {
        Job::new(workspace, "wasm-bindgen compute.wasm", &bindgen)
            .args(["--target", "web", "--remove-name-section", "--remove-producers-section", "--out-dir"])
            .args([dir.as_path(), built.as_path()])
            .check()
    })
}

/// Builds the module that repeats the native tests' decisions in a browser, and says where it is.
pub(crate) fn test_module(workspace: &Workspace, tools: &Tools) -> Result<PathBuf> {
    cargo(workspace, tools, "quillwork-tests")?;
    Ok(workspace.wasm_artifact("wasm", "quillwork_tests.wasm"))
}

fn cargo(workspace: &Workspace, tools: &Tools, package: &str) -> Result<()> {
    Job::new(workspace, &format!("build {package} for the browser"), "cargo")
        .envs(tools.compiler.wasm_env()?)
        .args([
            "build",
            "--lib",
            "--profile",
            "wasm",
            "--target",
            WASM_TARGET,
            "--package",
            package,
            "--target-dir",
        ])
        .args([workspace.target("wasm")])
        .check()
}
