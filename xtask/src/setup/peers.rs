//! Other programs that measure a machine, which `cargo xtask bench host` runs beside the host. They are kept apart from the system's
//! own: installed as packages they would start by themselves.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{apt, found, install_into};
use crate::job::{Job, ask};
use crate::workspace::Workspace;

/// The newest when the comparison was made.
const GLANCES: &str = "4.5.8";
const EXPORTER: &str = "prometheus-node-exporter";

/// A program and its version.
pub(crate) struct Peer {
    pub(crate) program: PathBuf,
    pub(crate) name: String,
}

/// Prometheus' node_exporter, as Debian has it.
pub(crate) fn node_exporter(workspace: &Workspace, cache: &Path) -> Result<Peer> {
    let dir = cache.join("tools").join(EXPORTER);
    let program = dir.join("usr/bin").join(EXPORTER);
    if !program.is_file() {
        install_into(&dir, |part| {
            apt::candidate(workspace, EXPORTER).context(
                "Debian's package lists name no `prometheus-node-exporter` (or this is no Debian)",
            )?;
            let job = |what: &str, program: &str| {
                Job::new(workspace, &format!("{what} {EXPORTER}"), program).dir(part)
            };
            job("download", "apt-get").args(["download", EXPORTER]).check()?;
            job("unpack", "sh").args(["-c", "dpkg -x *.deb . && rm *.deb"]).check()
        })
        .with_context(|| {
            format!("node_exporter could not be installed. Put it by hand to {}", program.display())
        })?;
    }
    let told = ask(&program, &["--version"]).unwrap_or_default();
    let version = told.split_whitespace().nth(2).context("node_exporter does not say its version")?;
    let name = format!("node_exporter {version}");
    found(&name);
    Ok(Peer { name, program })
}

/// Glances with its web server, in a Python environment of its own.
pub(crate) fn glances(workspace: &Workspace, cache: &Path) -> Result<Peer> {
    let name = format!("Glances {GLANCES}");
    let dir = cache.join("tools").join(format!("glances-{GLANCES}"));
    // An environment knows where it lies and can't be moved: it is complete once this is written.
    let complete = dir.join("complete");
    if !complete.is_file() {
        let wanted = format!("glances[web]=={GLANCES}");
        let install = || -> Result<()> {
            Job::new(workspace, "a Python environment for Glances", "python3")
                .args(["-m", "venv"])
                .args([&dir])
                .check()?;
            Job::new(workspace, &format!("install {name}"), dir.join("bin/pip"))
                .args(["install", "--quiet", &wanted])
                .check()?;
            Ok(std::fs::write(&complete, "")?)
        };
        install().with_context(|| {
            format!("{name} could not be installed; it needs python3 with venv (Debian: python3-venv) and the network")
        })?;
    }
    found(&name);
    Ok(Peer { name, program: dir.join("bin/glances") })
}
