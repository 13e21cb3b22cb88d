//! The `wasm-bindgen` command: must be the very version of the crate, so it is read from Cargo.lock.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{found, install_into};
use crate::job::Job;
use crate::tree;
use crate::workspace::Workspace;

/// The directory of the command, installed if need be.
pub(crate) fn ensure(workspace: &Workspace, cache: &Path) -> Result<PathBuf> {
    let version = workspace.locked_version("wasm-bindgen")?;
    let dir = cache.join("tools").join(format!("wasm-bindgen-{version}"));
    let bin = dir.join("bin");
    if !bin.join("wasm-bindgen").is_file() {
        install_into(&dir, |part| {
            // Without `--locked`: the lock file in that crate names a dependency that is not there.
            let label = format!("wasm-bindgen-cli {version} (4 minutes)");
            cargo_install(workspace, part, &label, &["wasm-bindgen-cli", "--version", &version])
        })
        .with_context(|| {
            format!(
                "wasm-bindgen-cli could not be installed. Install it by hand, so that {} is there: \
                 cargo install wasm-bindgen-cli --version {version} --root {}",
                bin.join("wasm-bindgen").display(),
                dir.display()
            )
        })?;
    }
    found(&format!("wasm-bindgen {version}"));
    Ok(bin)
}

/// `cargo install` into `part`, without optimisation: these tools run for seconds, but optimising them takes minutes.
pub(super) fn cargo_install(workspace: &Workspace, part: &Path, label: &str, args: &[&str]) -> Result<()> {
    let build = part.join("build");
    Job::new(workspace, label, "cargo")
        // Outside the workspace, whose settings are not meant for tools.
        .dir(part)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_TARGET_DIR", &build)
        .args(["install", "--debug", "--root"])
        .args([part])
        .args(args)
        .check()?;
    tree::remove(&build)
}
