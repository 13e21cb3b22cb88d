//! Installs what building and testing need. Every part looks first whether it is there, so a second time costs nothing.

mod apt;
mod bindgen;
mod chromium;
mod debian_rust;
mod firefox;
mod node;
mod peers;
mod python;
mod rust;
mod trunk;
mod vulkan;

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::console::Step;
use crate::tree;
use crate::workspace::Workspace;

pub(crate) use chromium::find as chromium;
pub(crate) use peers::Peer;
pub(crate) use rust::Compiler;

pub(crate) const EXAMPLES: &str = "Examples:\n  cargo xtask setup\n  \
    QUILLWORK_RUST_WEB=debian cargo xtask setup    compile for the browser with Debian's rustc-web, not rustup's std\n  \
    QUILLWORK_CHROMIUM=/opt/chrome/chrome cargo xtask setup\n\n\
    Parts: Rust for wasm32 and for a target without std, wasm-bindgen-cli, Trunk, Node, Chromium, Firefox, a Vulkan driver,\n\
    Python with schemathesis and prometheus_client.\n\
    A part that can't be installed here (not root, not Debian, no network) is named with what to install by hand.";

/// What building needs: compilers and tools, found or installed.
pub(crate) struct Tools {
    pub(crate) compiler: Compiler,
    /// The directory of `wasm-bindgen`.
    pub(crate) bindgen: PathBuf,
    /// The directory of `trunk`.
    pub(crate) trunk: PathBuf,
    /// An interpreter with what judges the host's answers; only tests have one.
    pub(crate) python: Option<PathBuf>,
}

impl Tools {
    /// PATH with the directories of the tools before all others.
    pub(crate) fn path(&self) -> Result<OsString> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let dirs = [self.bindgen.clone(), self.trunk.clone()].into_iter().chain(std::env::split_paths(&path));
        std::env::join_paths(dirs).context("a directory of the tools can't stand on PATH")
    }
}

/// Sets up what `run` and `package` need.
pub(crate) fn for_building(workspace: &Workspace) -> Result<Tools> {
    let cache = Workspace::tool_cache()?;
    let _lock = lock(&cache)?;
    node::check()?;
    Ok(Tools {
        compiler: rust::ensure(workspace, &cache)?,
        bindgen: bindgen::ensure(workspace, &cache)?,
        trunk: trunk::ensure(workspace, &cache)?,
        python: None,
    })
}

/// Sets up what the tests need besides.
pub(crate) fn for_testing(workspace: &Workspace) -> Result<Tools> {
    let tools = for_building(workspace)?;
    let cache = Workspace::tool_cache()?;
    let _lock = lock(&cache)?;
    chromium::ensure(workspace)?;
    firefox::ensure(workspace)?;
    vulkan::ensure(workspace)?;
    Ok(Tools { python: python::ensure(workspace, &cache)?, ..tools })
}

/// Programs that the host is measured beside: node_exporter and Glances.
pub(crate) fn for_measuring(workspace: &Workspace) -> Result<[Peer; 2]> {
    let cache = Workspace::tool_cache()?;
    let _lock = lock(&cache)?;
    Ok([peers::node_exporter(workspace, &cache)?, peers::glances(workspace, &cache)?])
}

/// `cargo xtask setup`.
pub(crate) fn everything(workspace: &Workspace) -> Result<Tools> {
    println!("Set-up");
    let tools = for_testing(workspace)?;
    println!("Everything is set up. Next: cargo xtask run");
    Ok(tools)
}

/// Keeps a second set-up from installing the same tool at the same time. Released when dropped, or when this process ends.
fn lock(cache: &Path) -> Result<File> {
    let path = cache.join("setup.lock");
    let file = File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("could not lock {}", path.display()));
        }
    }
    let step = Step::begin("waiting for another set-up to end");
    file.lock().with_context(|| format!("could not lock {}", path.display()))?;
    step.finish("ok");
    Ok(file)
}

/// Fills `dir` through `install`, which is given a fresh directory beside it: `dir` is complete or absent.
fn install_into(dir: &Path, install: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = dir.with_file_name(name);
    tree::remove(&part)?;
    std::fs::create_dir_all(&part).with_context(|| format!("could not create {}", part.display()))?;
    install(&part)?;
    tree::replace(&part, dir)
}

/// Shows that a part was found.
fn found(what: &str) {
    eprintln!("  ok   {what}");
}
