//! A Vulkan loader and driver, for the native tests of the GPU kernels. Mesa's software driver will do.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::{apt, found};
use crate::job::ask;
use crate::workspace::Workspace;

const DRIVER_LISTS: [&str; 2] = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    if !(cfg!(target_os = "linux")) {
        found("Vulkan: not needed here, the system has a GPU interface of its own");
        return Ok(());
    }
    let mut missing = Vec::new();
    if !has_loader() {
        missing.push("libvulkan1");
    }
    if !has_driver() {
        missing.push("mesa-vulkan-drivers");
    }
    if !missing.is_empty() {
        apt::install(workspace, &missing, "The tests of the GPU kernels need a Vulkan loader and driver.")?;
    }
    found("Vulkan loader and driver");
    Ok(())
}

fn has_loader() -> bool {
    ["ldconfig", "/sbin/ldconfig"]
        .into_iter()
        .find_map(|ldconfig| ask(ldconfig, &["-p"]))
        .is_some_and(|list| list.contains("libvulkan.so.1"))
}

fn has_driver() -> bool {
    DRIVER_LISTS
        .into_iter()
        .any(|list| fs::read_dir(Path::new(list)).is_ok_and(|mut entries| entries.next().is_some()))
}
