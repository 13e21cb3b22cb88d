//! Python's judges of what the host says, in an environment of their own. Without them the tests that ask them skip, and say so.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{apt, found, install_into};
use crate::job::{Job, ask};
use crate::workspace::Workspace;

/// Tries an API by its description.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// Reads OpenMetrics.
const PROMETHEUS_CLIENT: &str = "prometheus_client==0.26.0";
/// Names the environment; to be raised with what is in it.
const EDITION: &str = "python-1";

/// The interpreter that has them.
pub(crate) fn ensure(workspace: &Workspace, cache: &Path) -> Result<Option<PathBuf>> {
    let dir = cache.join("tools").join(EDITION);
    let python = dir.join("bin/python");
    if !python.is_file()
        && let Err(error) = install(workspace, &dir)
    {
        eprintln!(
            "  --   {error:#}\n       Tests that ask {SCHEMATHESIS} and {PROMETHEUS_CLIENT} are skipped without; they may be in {}.",
            dir.display()
        );
        return Ok(None);
    }
    found(&format!("{SCHEMATHESIS}, {PROMETHEUS_CLIENT}"));
    Ok(Some(python))
}

fn install(workspace: &Workspace, dir: &Path) -> Result<()> {
    if ask("python3", &["-c", "import ensurepip, venv"]).is_none() {
        apt::install(workspace, &["python3-venv"], "Two tests ask judges that are written in Python.")?;
    }
    install_into(dir, |part| {
        let environment = ["-m", "venv", "--copies"];
        Job::new(workspace, "python3 -m venv", "python3").args(environment).args([part]).check()?;
        let packages = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            SCHEMATHESIS,
            PROMETHEUS_CLIENT,
        ];
        Job::new(workspace, "pip install", part.join("bin/python")).args(packages).check()?;
        if !part.join("bin/python").is_file() {
            bail!("python3 -m venv made no bin/python");
        }
        Ok(())
    })
}
