//! The modules that pages and workers load.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::job::Job;
use crate::setup::Tools;
use crate::tree::Stamp;
use crate::workspace::{WASM_TARGET, Workspace};

/// The module for the page, as the compiler leaves it. The package's build strips it.
pub(super) fn runtime_file(workspace: &Workspace) -> PathBuf {
    workspace.target("xtask/wasm/runtime.wasm")
}

/// The same with all that a pool can do.
pub(super) fn runtime_full_file(workspace: &Workspace) -> PathBuf {
    workspace.target("xtask/wasm/runtime-full.wasm")
}

/// The module of flow control, as the compiler leaves it. The package's build strips and embeds it, as it does the next two.
pub(super) fn flow_file(workspace: &Workspace) -> PathBuf {
    workspace.wasm_artifact("wasm", "quillwork_flow.wasm")
}

/// The module of balancing.
pub(super) fn balance_file(workspace: &Workspace) -> PathBuf {
    workspace.wasm_artifact("wasm", "quillwork_balance.wasm")
}

/// The module of configurations from hardware.
pub(super) fn hardware_file(workspace: &Workspace) -> PathBuf {
    workspace.wasm_artifact("wasm", "quillwork_hardware.wasm")
}

/// What wasm-bindgen makes of `wasm/compute`.
pub(super) fn compute_dir(workspace: &Workspace) -> PathBuf {
    workspace.target("xtask/wasm/compute")
}

/// Builds `runtime.wasm` and `runtime-full.wasm`. The compiler gives both one name, so each is set aside.
pub(super) fn runtime(workspace: &Workspace, tools: &Tools) -> Result<()> {
    let built = workspace.wasm_artifact("wasm", "quillwork_runtime.wasm");
    for (file, features) in
        [(runtime_file(workspace), &["--no-default-features"][..]), (runtime_full_file(workspace), &[])]
    {
        cargo_with(workspace, tools, "quillwork-runtime", features)?;
        fs::create_dir_all(workspace.target("xtask/wasm"))
            .context("could not make a place for the modules")?;
        fs::copy(&built, &file).with_context(|| format!("could not write {}", file.display()))?;
    }
    Ok(())
}

/// Builds `flow.wasm`.
pub(super) fn flow(workspace: &Workspace, tools: &Tools) -> Result<()> {
    cargo(workspace, tools, "quillwork-flow")
}

/// Builds `balance.wasm`.
pub(super) fn balance(workspace: &Workspace, tools: &Tools) -> Result<()> {
    cargo(workspace, tools, "quillwork-balance")
}

/// Builds `hardware.wasm`.
pub(super) fn hardware(workspace: &Workspace, tools: &Tools) -> Result<()> {
    cargo(workspace, tools, "quillwork-hardware")
}

/// Builds `compute.wasm` with its JavaScript, as the package takes it.
pub(super) fn compute(workspace: &Workspace, tools: &Tools) -> Result<()> {
    bind_compute(workspace, tools, &compute_dir(workspace), "quillwork_compute_wasm")
}

/// The same under the name `compute`, for the tests of the module itself. Gives its directory.
pub(crate) fn compute_for_tests(workspace: &Workspace, tools: &Tools) -> Result<PathBuf> {
    let dir = workspace.target("xtask/wasm/compute-tests");
    bind_compute(workspace, tools, &dir, "compute")?;
    Ok(dir)
}

fn bind_compute(workspace: &Workspace, tools: &Tools, dir: &Path, name: &str) -> Result<()> {
    cargo(workspace, tools, "quillwork-compute-wasm")?;
    let built = workspace.wasm_artifact("wasm", "quillwork_compute_wasm.wasm");
    let bindgen = tools.bindgen.join("wasm-bindgen");
    let stamp = Stamp::new(
        workspace,
        &format!("bindgen-{name}"),
        std::slice::from_ref(&built),
        &[&bindgen.to_string_lossy()],
        &[dir.join(format!("{name}_bg.wasm"))],
    )?;
    stamp.unless_fresh(|| {
        Job::new(workspace, &format!("wasm-bindgen {name}"), &bindgen)
            .args(["--target", "web", "--remove-name-section", "--remove-producers-section"])
            .args(["--out-name", name, "--out-dir"])
            .args([dir, built.as_path()])
            .check()
    })
}

/// Builds the module that repeats the native tests' decisions in a browser, and says where it is.
pub(crate) fn test_module(workspace: &Workspace, tools: &Tools) -> Result<PathBuf> {
    cargo(workspace, tools, "quillwork-tests")?;
    Ok(workspace.wasm_artifact("wasm", "quillwork_tests.wasm"))
}

fn cargo(workspace: &Workspace, tools: &Tools, package: &str) -> Result<()> {
    cargo_with(workspace, tools, package, &[])
}

fn cargo_with(workspace: &Workspace, tools: &Tools, package: &str, features: &[&str]) -> Result<()> {
    Job::new(workspace, &format!("build {package} for the browser"), "cargo")
        .envs(tools.compiler.wasm_env(&[])?)
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
        .args(features)
        .check()
}
