//! Trunk builds the dashboard.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::bindgen::cargo_install;
use super::{found, install_into};
use crate::workspace::Workspace;

/// The newest that compiles with the oldest rustc supported here.
const VERSION: &str = "0.21.14";

/// The directory of the command, installed if need be.
pub(crate) fn ensure(workspace: &Workspace, cache: &Path) -> Result<PathBuf> {
    let dir = cache.join("tools").join(format!("trunk-{VERSION}"));
    let bin = dir.join("bin");
    if !bin.join("trunk").is_file() {
        install_into(&dir, |part| {
            // Without `--locked` it does not compile.
            let options = ["--version", VERSION, "--locked", "--no-default-features", "--features", "rustls", "trunk"];
            cargo_install(workspace, part, &format!("trunk {VERSION} (5 minutes)"), &options)
        })
        .with_context(|| {
            format!(
                "Trunk could not be installed. Install it by hand, so that {} is there: \
                 cargo install trunk --version {VERSION} --locked --no-default-features --features rustls --root {}",
                bin.join("trunk").display(),
                dir.display()
            )
        })?;
    }
    found(&format!("trunk {VERSION}"));
    Ok(bin)
}
