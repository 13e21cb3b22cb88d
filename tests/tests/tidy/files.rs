//! The files that people wrote.

use std::fs;
use std::path::{Path, PathBuf};

/// Directories of what tools made.
const MADE: [&str; 6] = ["target", "node_modules", "dist", ".git", "proptest-regressions", "test-results"];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a directory of the workspace")
}

/// All files with one of these extensions (`""` for none), in order.
pub(crate) fn sources(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![root().to_path_buf()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
            let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            let path = entry.path();
            // `Path::is_dir` would follow links out of the repository.
            let kind = entry.file_type().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            if kind.is_dir() {
                if !MADE.iter().any(|name| entry.file_name() == *name) {
                    pending.push(path);
                }
            } else if kind.is_file() && extensions.contains(&extension(&path)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or("")
}

pub(crate) fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .into_owned()
}

/// `path` below the root, with `/` on every system.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
