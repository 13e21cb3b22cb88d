//! Debian's `rustc-web`: a recent compiler with the sources of its std, from which std for the browser is built once.
//!
//! The packages are unpacked into a private folder, since installing them would take the place of rustup's tools.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{apt, found, install_into};
use crate::job::{Job, ask};
use crate::workspace::{WASM_TARGET, Workspace};

const PREFIX: &str = "rust-web-";

/// An unpacked compiler with std for the browser.
pub(crate) struct DebianRust {
    dir: PathBuf,
    linker: PathBuf,
}

impl DebianRust {
    /// The newest one in the cache that is complete.
    pub(crate) fn find(cache: &Path) -> Option<Self> {
        let mut found: Vec<_> = fs::read_dir(cache)
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_named(path) && libraries(path).is_dir() && path.join("usr/bin/rustc").is_file())
            .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
            .collect();
        found.sort();
        let (_, dir) = found.pop()?;
        Some(Self { linker: linker(&dir)?, dir })
    }

    /// What to set for a cargo that uses this compiler.
    pub(crate) fn env(&self) -> Vec<(&'static str, OsString)> {
        let mut env = compiler_env(&self.dir);
        env.push(("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", self.linker.clone().into()));
        env
    }

    pub(crate) fn name(&self) -> String {
        self.dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Downloads and unpacks the compiler and builds std for the browser with it.
pub(crate) fn install(workspace: &Workspace, cache: &Path) -> Result<DebianRust> {
    let Some(version) = apt::candidate(workspace, "rustc-web") else {
        bail!("Debian's package lists name no `rustc-web` (or this is no Debian)");
    };
    let dir = cache.join(format!("{PREFIX}{version}"));
    install_into(&dir, |part| {
        unpack(workspace, &version, part)?;
        build_std(workspace, part)
    })?;
    let Some(debian) = DebianRust::find(cache) else {
        bail!("{} was made, but is not complete", dir.display());
    };
    found(&format!("Rust for {WASM_TARGET} ({})", debian.name()));
    Ok(debian)
}

fn unpack(workspace: &Workspace, version: &str, part: &Path) -> Result<()> {
    let std = format!("libstd-rust-web-{}", line_of(version)?);
    let llvm = llvm_line(&std, version)?;
    let linker = format!("lld-{llvm}");
    let library = format!("libllvm{llvm}");
    let downloads = part.join("packages");
    fs::create_dir_all(&downloads).with_context(|| format!("could not create {}", downloads.display()))?;
    let download = || {
        Job::new(workspace, "download rustc-web", "apt-get")
            .dir(&downloads)
            .args(["download"])
            .args(
                ["rustc-web", &std, "libstd-rust-web-dev", "rust-web-src"]
                    .map(|name| format!("{name}={version}")),
            )
            .check()
    };
    if download().is_err() {
        // Lists so old that they name files which are gone.
        apt::refresh(workspace);
        download()?;
    }
    apt::install(workspace, &[&library, &linker], "Debian's rustc needs its LLVM.")?;
    for package in fs::read_dir(&downloads)? {
        let package = package?.path();
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        let label = format!("unpack {}", name.split('_').next().unwrap_or(&name));
        Job::new(workspace, &label, "dpkg").args(["-x"]).args([&package, part]).check()?;
    }
    fs::remove_dir_all(&downloads).with_context(|| format!("could not remove {}", downloads.display()))
}

/// Builds std for the browser and puts it where the compiler looks for it.
fn build_std(workspace: &Workspace, part: &Path) -> Result<()> {
    let empty = part.join("empty");
    fs::create_dir_all(empty.join("src"))?;
    fs::write(
        empty.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    fs::write(empty.join("src/lib.rs"), "")?;
    // A profile with full LTO needs the bit code of std, too; and panic messages shall not name this folder.
    let mut flags = OsString::from("-Cembed-bitcode=yes\u{1f}--remap-path-prefix=");
    flags.push(part.join("usr/lib/rustlib/src/rust"));
    flags.push("=/rustc");
    Job::new(workspace, &format!("std for {WASM_TARGET} (1 minute)"), "cargo")
        .dir(&empty)
        .envs(compiler_env(part))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .env("CARGO_TARGET_DIR", empty.join("target"))
        .args(["build", "--release", "--target", WASM_TARGET, "-Z", "build-std=std,panic_abort"])
        .check()?;
    let libraries = libraries(part);
    fs::create_dir_all(&libraries)?;
    let built = empty.join("target").join(WASM_TARGET).join("release/deps");
    for entry in fs::read_dir(&built).with_context(|| format!("could not read {}", built.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libempty") {
            fs::copy(&path, libraries.join(name))?;
        }
    }
    fs::remove_dir_all(&empty).with_context(|| format!("could not remove {}", empty.display()))
}

fn compiler_env(dir: &Path) -> Vec<(&'static str, OsString)> {
    let shared = dir.join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
    vec![("RUSTC", dir.join("usr/bin/rustc").into()), ("LD_LIBRARY_PATH", shared.into())]
}

fn libraries(dir: &Path) -> PathBuf {
    dir.join("usr/lib/rustlib").join(WASM_TARGET).join("lib")
}

fn is_named(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(PREFIX) && !name.ends_with(".part")
}

/// `wasm-ld` of the LLVM that the compiler in `dir` was built with.
fn linker(dir: &Path) -> Option<PathBuf> {
    let name = dir.file_name()?.to_string_lossy();
    let version = name.strip_prefix(PREFIX)?;
    let llvm = llvm_line(&format!("libstd-rust-web-{}", line_of(version).ok()?), version).ok();
    let of = |line: &str| PathBuf::from(format!("/usr/lib/llvm-{line}/bin/wasm-ld"));
    llvm.map(|line| of(&line)).filter(|path| path.is_file()).or_else(|| {
        // The package lists have moved on; any installed linker that is new enough will do.
        let mut installed: Vec<_> = fs::read_dir("/usr/lib")
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("llvm-").map(str::to_owned))
            .filter(|line| of(line).is_file())
            .collect();
        installed.sort();
        installed.pop().map(|line| of(&line))
    })
}

/// `1.96` of `1.96.0+dfsg1-1~deb12u2`: the packages of std carry it in their name.
fn line_of(version: &str) -> Result<String> {
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => Ok(format!("{major}.{minor}")),
        _ => bail!("`{version}` is no version of rustc-web"),
    }
}

/// The major version of the LLVM that the package `std` depends on.
fn llvm_line(std: &str, version: &str) -> Result<String> {
    let shown = ask("apt-cache", &["show", &format!("{std}={version}")]).unwrap_or_default();
    llvm_in(&shown)
        .with_context(|| format!("Debian's package {std} {version} does not say which LLVM it needs"))
}

fn llvm_in(shown: &str) -> Option<String> {
    let depends = shown.lines().find(|line| line.starts_with("Depends:"))?;
    let (_, rest) = depends.split_once("libllvm")?;
    let line: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_packages_follow_from_the_version() {
        assert_eq!(line_of("1.96.0+dfsg1-1~deb12u2").unwrap(), "1.96");
        assert!(line_of("none").is_err());
    }

    #[test]
    fn the_llvm_is_read_from_the_dependencies() {
        let shown = "Package: libstd-rust-web-1.96\nDepends: libc6 (>= 2.34), libgcc-s1 (>= 4.2), libllvm22 (>= 1:22)";
        assert_eq!(llvm_in(shown).as_deref(), Some("22"));
        assert_eq!(llvm_in("Depends: libc6"), None);
    }

    #[test]
    fn a_half_made_folder_is_not_taken() {
        assert!(is_named(Path::new("/cache/rust-web-1.96.0")));
        assert!(!is_named(Path::new("/cache/rust-web-1.96.0.part")));
        assert!(!is_named(Path::new("/cache/tools")));
    }
}
