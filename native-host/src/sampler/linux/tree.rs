//! Trees of `/proc` and `/sys` for tests, written from the kernel's documentation.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::sampler::rate::Moment;
use crate::sampler::root::SystemRoot;

/// A directory that stands for `/`.
pub(crate) struct Tree {
    directory: TempDir,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn root(&self) -> SystemRoot {
        SystemRoot::new(self.directory.path())
    }

    /// Writes a file and the directories around it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.root().path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes the files of one directory.
    pub(crate) fn write_all(&self, directory: &str, files: &[(&str, &str)]) -> &Self {
        for (name, content) in files {
            self.write(&format!("{directory}/{name}"), format!("{content}\n"));
        }
        self
    }

    /// Makes a symbolic link, as `/sys/class` is full of them.
    pub(crate) fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.root().path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(Path::new(target), path).unwrap();
        self
    }

    /// A pipe that nobody writes to: who opens it to read hangs, as on a driver that doesn't answer.
    pub(crate) fn hang(&self, path: &str) {
        let path = self.root().path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    }
}

/// A moment so many seconds after an origin that is the same in one test.
pub(crate) fn seconds(seconds: u64) -> Moment {
    thread_local! {
        static ORIGIN: Instant = Instant::now();
    }
    Moment {
        monotonic: ORIGIN.with(|origin| *origin) + Duration::from_secs(seconds),
        unix_millis: 1_800_000_000_000 + seconds * 1_000,
    }
}
