//! Debian's package tools.

use anyhow::{Result, bail};

use crate::job::{Job, ask, on_path};
use crate::workspace::Workspace;

/// How this user may install Debian packages.
enum Rights {
    Root,
    Sudo,
}

/// Installs packages. `reason` says what for; it stands in the message when that is not possible.
pub(crate) fn install(workspace: &Workspace, packages: &[&str], reason: &str) -> Result<()> {
    let by_hand = format!("{reason} Install by hand: {}", packages.join(", "));
    if on_path("apt-get").is_none() {
        bail!("{by_hand} (this is no Debian, so it was not tried).");
    }
    let Some(rights) = rights() else {
        bail!("{by_hand}, with `sudo apt-get install {}` (this user is not root).", packages.join(" "));
    };
    let install = || {
        apt(workspace, &rights, &format!("apt-get install {}", packages.join(" ")))
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages)
            .check()
    };
    if known(packages) && install().is_ok() {
        return Ok(());
    }
    // The lists are missing, or so old that they name files which are gone.
    let updated = apt(workspace, &rights, "apt-get update").args(["update", "--quiet"]).check();
    match updated.and_then(|()| install()) {
        Ok(()) => Ok(()),
        Err(error) => bail!("{by_hand}.\n{error:#}"),
    }
}

/// The version of `package` that apt would take, after fetching the package lists if they don't name it.
pub(crate) fn candidate(workspace: &Workspace, package: &str) -> Option<String> {
    on_path("apt-get")?;
    read_candidate(package).or_else(|| {
        refresh(workspace);
        read_candidate(package)
    })
}

/// Fetches the package lists if this user may.
pub(crate) fn refresh(workspace: &Workspace) {
    if let Some(rights) = rights() {
        // What could not be fetched shows at once, when the package is still unknown.
        let _ = apt(workspace, &rights, "apt-get update").args(["update", "--quiet"]).check();
    }
}

fn read_candidate(package: &str) -> Option<String> {
    let policy = ask("apt-cache", &["policy", package])?;
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

fn known(packages: &[&str]) -> bool {
    packages.iter().all(|package| read_candidate(package).is_some())
}

fn rights() -> Option<Rights> {
    if rustix::process::geteuid().is_root() {
        return Some(Rights::Root);
    }
    ask("sudo", &["-n", "true"]).map(|_| Rights::Sudo)
}

fn apt(workspace: &Workspace, rights: &Rights, label: &str) -> Job {
    let job = match rights {
        Rights::Root => Job::new(workspace, label, "apt-get"),
        Rights::Sudo => {
            Job::new(workspace, label, "sudo").args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"])
        }
    };
    job.env("DEBIAN_FRONTEND", "noninteractive")
}
