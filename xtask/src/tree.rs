//! Directory trees: hashing what went into a build, copying what came out of it.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// Directories whose content is made, not written: never an input.
const MADE: [&str; 4] = ["node_modules", "dist", "target", ".git"];

/// Remembers what a step was last built from, so that it is skipped while nothing changed.
///
/// Cargo knows this by itself; this is for the tools that don't. The inputs are hashed when the stamp is made, before
/// the step runs: an edit made meanwhile is seen the next time.
pub(crate) struct Stamp {
    file: PathBuf,
    inputs: String,
    outputs: Vec<PathBuf>,
}

impl Stamp {
    /// `inputs` are files or directories (missing ones count as such), `settings` anything else that shapes the output.
    pub(crate) fn new(
        workspace: &Workspace,
        name: &str,
        inputs: &[PathBuf],
        settings: &[&str],
        outputs: &[PathBuf],
    ) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        settings.hash(&mut hasher);
        for input in inputs {
            hash_tree(input, &mut hasher).with_context(|| format!("could not read {}", input.display()))?;
        }
        Ok(Self {
            file: workspace.target("xtask/stamps").join(name),
            inputs: format!("{:016x}", hasher.finish()),
            outputs: outputs.to_vec(),
        })
    }

    /// Whether the outputs are there and were built from these inputs.
    pub(crate) fn is_fresh(&self) -> bool {
        self.outputs.iter().all(|output| output.exists())
            && fs::read_to_string(&self.file).is_ok_and(|recorded| recorded == self.inputs)
    }

    /// Runs `build` unless that was done for the same inputs.
    pub(crate) fn unless_fresh(&self, build: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.is_fresh() {
            return Ok(());
        }
        // A build that fails half-way must not leave the old stamp beside new files.
        remove(&self.file)?;
        build()?;
        for output in &self.outputs {
            if !output.exists() {
                anyhow::bail!("the build ended without an error, but did not make {}", output.display());
            }
        }
        if let Some(parent) = self.file.parent() {
            fs::create_dir_all(parent).with_context(|| format!("could not create {}", parent.display()))?;
        }
        fs::write(&self.file, &self.inputs)
            .with_context(|| format!("could not write {}", self.file.display()))
    }
}

/// All files below `path` (or itself), in order, but for what was made by tools.
pub(crate) fn files(path: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut pending = vec![path.to_path_buf()];
    while let Some(next) = pending.pop() {
        match fs::metadata(&next) {
            Ok(meta) if meta.is_dir() => {
                for entry in fs::read_dir(&next)? {
                    let entry = entry?;
                    if !MADE.iter().any(|name| entry.file_name() == *name) {
                        pending.push(entry.path());
                    }
                }
            }
            Ok(_) => {
                found.insert(next);
            }
            // Gone between listing and looking, or a dangling link.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn hash_tree(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    for file in files(path)? {
        file.hash(hasher);
        fs::read(&file)?.hash(hasher);
    }
    Ok(())
}

/// Makes `to` an exact copy of the directory `from`. `to` is complete or absent at any time.
pub(crate) fn mirror(from: &Path, to: &Path) -> Result<()> {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = to.with_file_name(name);
    remove(&part)?;
    copy(from, &part).with_context(|| format!("could not copy {} to {}", from.display(), part.display()))?;
    replace(&part, to)
}

/// Renames `part` to `to`, whatever was there before.
pub(crate) fn replace(part: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    fs::rename(part, to).with_context(|| format!("could not rename {} to {}", part.display(), to.display()))
}

/// Removes a file or a directory with all in it, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("could not remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(path: &Path) -> u64 {
        let mut hasher = DefaultHasher::new();
        hash_tree(path, &mut hasher).unwrap();
        hasher.finish()
    }

    #[test]
    fn a_hash_sees_content_and_names_but_not_what_was_made() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "1").unwrap();
        let first = hash(dir.path());
        fs::create_dir(dir.path().join("node_modules")).unwrap();
        fs::write(dir.path().join("node_modules/b"), "2").unwrap();
        assert_eq!(hash(dir.path()), first);
        fs::write(dir.path().join("a"), "2").unwrap();
        let second = hash(dir.path());
        assert_ne!(second, first);
        fs::rename(dir.path().join("a"), dir.path().join("c")).unwrap();
        assert_ne!(hash(dir.path()), second);
    }

    #[test]
    fn a_mirror_has_nothing_of_what_was_there_before() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("sub/new"), "new").unwrap();
        fs::create_dir_all(&to).unwrap();
        fs::write(to.join("old"), "old").unwrap();
        mirror(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("sub/new")).unwrap(), "new");
        assert!(!to.join("old").exists());
    }
}
