//! The npm package `quillwork`: built, packed, and unpacked again as a user would get it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::npm::{self, npm};
use super::wasm;
use crate::job::Job;
use crate::setup::Tools;
use crate::tree::{self, Stamp};
use crate::workspace::Workspace;

const DIR: &str = "wasm/npm";

/// The tarball, as it would be published.
pub(crate) fn tarball(workspace: &Workspace) -> PathBuf {
    workspace.target(&format!("quillwork-{}.tgz", workspace.version()))
}

/// What is in the tarball; the story app depends on it.
pub(super) fn unpacked(workspace: &Workspace) -> PathBuf {
    workspace.target("npm/quillwork")
}

/// Builds the modules and the package around them.
pub(crate) fn package(workspace: &Workspace, tools: &Tools) -> Result<()> {
    wasm::flow(workspace, tools)?;
    wasm::balance(workspace, tools)?;
    wasm::hardware(workspace, tools)?;
    wasm::runtime(workspace, tools)?;
    wasm::compute(workspace, tools)?;
    npm::install(workspace, DIR)?;
    let dir = workspace.path(DIR);
    let flow = wasm::flow_file(workspace);
    let balance = wasm::balance_file(workspace);
    let hardware = wasm::hardware_file(workspace);
    let runtime = wasm::runtime_file(workspace);
    let runtime_full = wasm::runtime_full_file(workspace);
    let compute = wasm::compute_dir(workspace);
    let packed = tarball(workspace);
    let sources = [
        "package.json",
        "package-lock.json",
        "tsconfig.json",
        "tsconfig.build.json",
        "src",
        "scripts",
        "README.md",
    ];
    let modules = [&flow, &balance, &hardware, &runtime, &runtime_full, &compute].map(Clone::clone);
    let docs = workspace.path("docs");
    let inputs: Vec<_> =
        sources.map(|name| dir.join(name)).into_iter().chain(modules).chain([docs]).collect();
    let stamp = Stamp::new(workspace, "npm-package", &inputs, &[], &[packed.clone(), unpacked(workspace)])?;
    stamp.unless_fresh(|| {
        npm(workspace, "npm run build", &dir)
            .env("QUILLWORK_FLOW_WASM", &flow)
            .env("QUILLWORK_BALANCE_WASM", &balance)
            .env("QUILLWORK_HARDWARE_WASM", &hardware)
            .env("QUILLWORK_RUNTIME_WASM", &runtime)
            .env("QUILLWORK_RUNTIME_FULL_WASM", &runtime_full)
            .env("QUILLWORK_COMPUTE_DIR", &compute)
            .args(["run", "build"])
            .check()?;
        tree::remove(&packed)?;
        npm(workspace, "npm pack", &dir)
            .args(["pack", "--ignore-scripts", "--pack-destination"])
            .args([workspace.target("")])
            .check()?;
        unpack(workspace)
    })
}

fn unpack(workspace: &Workspace) -> Result<()> {
    let part = workspace.target("npm/unpacking");
    tree::remove(&part)?;
    fs::create_dir_all(&part).with_context(|| format!("could not create {}", part.display()))?;
    Job::new(workspace, "unpack the tarball", "tar")
        .args(["-xzf"])
        .args([tarball(workspace).as_path()])
        .args(["-C"])
        .args([&part])
        .check()?;
    // npm puts everything below `package/`.
    tree::replace(&part.join("package"), &unpacked(workspace))?;
    tree::remove(&part)
}
