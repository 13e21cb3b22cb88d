//! The browser that the tests drive.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::{apt, found};
use crate::job::on_path;
use crate::workspace::Workspace;

/// Names it goes by on PATH.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if find()?.is_none() {
        apt::install(
            workspace,
            &["chromium"],
            "The tests drive Chromium, which is not on PATH (or name it in QUILLWORK_CHROMIUM).",
        )?;
    }
    match find()? {
        Some(path) => found(&format!("Chromium ({})", path.display())),
        None => bail!("Chromium was installed but is not on PATH; name it in QUILLWORK_CHROMIUM."),
    }
    Ok(())
}

/// The browser named by `QUILLWORK_CHROMIUM`, or the one on PATH.
pub(crate) fn find() -> Result<Option<PathBuf>> {
    match std::env::var_os("QUILLWORK_CHROMIUM").filter(|value| !value.is_empty()) {
        Some(named) => {
            let path = PathBuf::from(named);
            if !path.is_file() {
                bail!("QUILLWORK_CHROMIUM names {}, which is no file.", path.display());
            }
            Ok(Some(path))
        }
        None => Ok(NAMES.into_iter().find_map(on_path)),
    }
}
