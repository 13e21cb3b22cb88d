//! Rust for targets that are not this machine: the browser (`wasm32-unknown-unknown`) and bare metal (to prove that
//! `core` needs no std).
//!
//! rustup's ready-made std is taken where it can be had. Where it can't, Debian's compiler builds one (see
//! [`super::debian_rust`]).

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::debian_rust::{self, DebianRust};
use super::found;
use crate::job::{Job, ask, on_path};
use crate::workspace::{WASM_TARGET, Workspace};

/// A target with `core` and `alloc` only.
pub(crate) const BARE_TARGET: &str = "x86_64-unknown-none";
/// Long enough for 40 MB over a slow line; a network that drops packets must not hold the set-up for ever.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(300);

/// Where code for the browser and for bare metal is compiled with.
pub(crate) enum Compiler {
    /// The default tool chain, with std for both targets.
    Rustup,
    /// Debian's, in a folder of its own.
    Debian(DebianRust),
}

impl Compiler {
    /// What to set for a cargo that builds for the browser. `flags` are the compiler's, beside those that all such builds
    /// have.
    pub(crate) fn wasm_env(&self, flags: &[&str]) -> Result<Vec<(&'static str, OsString)>> {
        let mut envs = match self {
            Self::Rustup => Vec::new(),
            Self::Debian(debian) => debian.env(),
        };
        let mut all = remapped_paths()?;
        for flag in flags {
            all.push("\u{1f}");
            all.push(flag);
        }
        envs.push(("CARGO_ENCODED_RUSTFLAGS", all));
        Ok(envs)
    }

    /// `cargo clippy` for the browser, as far as this compiler has it: Debian's comes without, so there rustc's own lints
    /// must do.
    pub(crate) fn wasm_lint(&self, job: Job) -> Result<Job> {
        let args = ["--target", WASM_TARGET];
        Ok(match self {
            Self::Rustup => job.envs(self.wasm_env(&[])?).args(["clippy"]).args(args),
            Self::Debian(debian) => {
                let mut flags = remapped_paths()?;
                flags.push("\u{1f}-Dwarnings");
                job.envs(debian.env()).env("CARGO_ENCODED_RUSTFLAGS", flags).args(["check"]).args(args)
            }
        })
    }

    /// What follows `--` for [`Compiler::wasm_lint`].
    pub(crate) fn wasm_lint_flags(&self) -> &'static [&'static str] {
        match self {
            Self::Rustup => &["--", "-D", "warnings"],
            Self::Debian(_) => &[],
        }
    }

    /// Adds what makes `job`, a `cargo build`, build for bare metal from `core` and `alloc` alone.
    pub(crate) fn for_bare_metal(&self, job: Job) -> Job {
        let job = job.args(["--target", BARE_TARGET]);
        match self {
            Self::Rustup => job,
            Self::Debian(debian) => {
                job.envs(debian.env()).env("RUSTC_BOOTSTRAP", "1").args(["-Z", "build-std=core,alloc"])
            }
        }
    }

    /// Tells this compiler's builds from another's.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Rustup => ask("rustc", &["--version"]).unwrap_or_default(),
            Self::Debian(debian) => debian.name(),
        }
    }
}

/// Finds or installs a compiler for the browser.
pub(crate) fn ensure(workspace: &Workspace, cache: &Path) -> Result<Compiler> {
    let wanted = env::var("QUILLWORK_RUST_WEB").unwrap_or_default();
    let (try_rustup, try_debian) = match wanted.as_str() {
        "" => (true, true),
        "rustup" => (true, false),
        "debian" => (false, true),
        other => bail!("QUILLWORK_RUST_WEB is `{other}`; it may be `rustup` or `debian`."),
    };
    if try_rustup && has_std() {
        found(&format!("Rust for {WASM_TARGET} (rustup)"));
        return Ok(Compiler::Rustup);
    }
    if try_debian && let Some(debian) = DebianRust::find(cache) {
        found(&format!("Rust for {WASM_TARGET} ({})", debian.name()));
        return Ok(Compiler::Debian(debian));
    }
    if try_rustup && on_path("rustup").is_some() {
        let added = Job::new(workspace, "rustup target add", "rustup")
            .args(["target", "add", WASM_TARGET, BARE_TARGET])
            .limit(DOWNLOAD_LIMIT)
            .run(|_| ())?;
        if added.success && has_std() {
            return Ok(Compiler::Rustup);
        }
    }
    if !try_debian {
        bail!(
            "std for {WASM_TARGET} could not be downloaded. Install it by hand: rustup target add {WASM_TARGET} {BARE_TARGET}"
        );
    }
    debian_rust::install(workspace, cache).map(Compiler::Debian).with_context(|| {
        format!(
            "neither rustup nor Debian's packages gave a std for {WASM_TARGET}. \
             Install it by hand: rustup target add {WASM_TARGET} {BARE_TARGET}"
        )
    })
}

/// Whether the default tool chain has std for both targets.
fn has_std() -> bool {
    ask("rustc", &["--print", "sysroot"]).is_some_and(|sysroot| {
        let libraries = Path::new(&sysroot).join("lib/rustlib");
        [WASM_TARGET, BARE_TARGET].iter().all(|target| libraries.join(target).join("lib").is_dir())
    })
}

/// Flags that keep this machine's paths out of what is published: panic messages name source files of dependencies.
fn remapped_paths() -> Result<OsString> {
    let cargo_home = match env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => env::home_dir().context("neither CARGO_HOME nor HOME is set")?.join(".cargo"),
    };
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(cargo_home.join("registry/src"));
    flags.push("=");
    Ok(flags)
}
