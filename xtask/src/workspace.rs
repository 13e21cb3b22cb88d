//! Where things are: the repository, its build directories, and the per-user cache of tools.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

/// The triple of everything that runs in a browser.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Paths of this checkout.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built from.
    pub(crate) fn locate() -> Result<Self> {
        let here = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = here.parent().ok_or_else(|| anyhow!("{} has no parent directory", here.display()))?;
        Ok(Self { root: root.to_path_buf() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root, written with `/`.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path below `target/`. It is not moved by `CARGO_TARGET_DIR`: package.json files name paths in it.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        self.root.join("target").join(relative)
    }

    /// Where a build for the browser leaves its files: apart from the native ones, because the two may come from
    /// different compilers, and two compilers in one directory rebuild everything at every switch.
    pub(crate) fn wasm_artifact(&self, profile: &str, file: &str) -> PathBuf {
        self.target("wasm").join(WASM_TARGET).join(profile).join(file)
    }

    /// The release binary of the host.
    pub(crate) fn host_binary(&self) -> PathBuf {
        self.target("release/quillwork")
    }

    /// The per-user folder that tools are installed to, created if need be.
    pub(crate) fn tool_cache() -> Result<PathBuf> {
        let base = match env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
            Some(cache) => PathBuf::from(cache),
            None => env::home_dir().context("neither XDG_CACHE_HOME nor HOME is set")?.join(".cache"),
        };
        let cache = base.join("quillwork");
        fs::create_dir_all(cache.join("tools"))
            .with_context(|| format!("could not create {}", cache.display()))?;
        Ok(cache)
    }

    /// The version of `package` in Cargo.lock: the single source for tools that must match a crate.
    pub(crate) fn locked_version(&self, package: &str) -> Result<String> {
        let path = self.path("Cargo.lock");
        let lock = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        locked_version(&lock, package).map(str::to_owned).ok_or_else(|| {
            anyhow!("Cargo.lock names no package `{package}`; run `cargo metadata` to update it")
        })
    }

    /// The version that all our crates share.
    pub(crate) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// `path` as shown to people: relative to the root where it is inside.
    pub(crate) fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == name)?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_exactly_the_named_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }
}
