//! The second browser of the end-to-end tests. Without it they skip what is Firefox's, and say so.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::{apt, found};
use crate::job::on_path;
use crate::workspace::Workspace;

/// Names it goes by on PATH.
const NAMES: [&str; 2] = ["firefox-esr", "firefox"];

pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if find()?.is_none() {
        let why = "One test drives Firefox, which is not on PATH (or name it in QUILLWORK_FIREFOX); it is skipped without.";
        if let Err(error) = apt::install(workspace, &["firefox-esr"], why) {
            eprintln!("  --   {error:#}");
        }
    }
    if let Some(path) = find()? {
        found(&format!("Firefox ({})", path.display()));
    }
    Ok(())
}

/// The browser named by `QUILLWORK_FIREFOX`, or the one on PATH.
fn find() -> Result<Option<PathBuf>> {
    match std::env::var_os("QUILLWORK_FIREFOX").filter(|value| !value.is_empty()) {
        Some(named) => {
            let path = PathBuf::from(named);
            if !path.is_file() {
                bail!("QUILLWORK_FIREFOX names {}, which is no file.", path.display());
            }
            Ok(Some(path))
        }
        None => Ok(NAMES.into_iter().find_map(on_path)),
    }
}
