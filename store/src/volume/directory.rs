//! Files in a directory of their own.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::atomic::{Atomic, Disk};
use super::{Volume, VolumeError};

/// A volume in a directory, of which one process at a time may write.
///
/// A file is written beside its place, synced, and renamed into it; then the directory is synced. Files that a history
/// didn't make are left alone.
#[derive(Clone, Debug)]
pub struct Directory {
    atomic: Atomic<Folder>,
    /// `None` where it may only be read.
    lock: Option<Arc<Lock>>,
}

/// Held until the last copy is gone.
#[derive(Debug)]
struct Lock {
    file: OnceLock<File>,
    /// What was there when it was opened without the lock: what is known of other content is worth nothing.
    found: BTreeMap<String, u64>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // To close the file is not enough: a child that another thread has just started holds it, too, until it runs its
        // program.
        if let Some(file) = self.file.get() {
            file.unlock().ok();
        }
    }
}

impl Directory {
    /// Opens a directory to write to, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// [`VolumeError::InUse`] where another process has it open; and where it can't be made or written to.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, VolumeError> {
        let folder = Folder { path: Arc::from(path.into()) };
        fs::create_dir_all(&folder.path).map_err(|error| folder.failed(None, &error))?;
        let lock = Lock { file: OnceLock::from(folder.lock()?), found: BTreeMap::new() };
        Ok(Self { atomic: Atomic::new(folder), lock: Some(Arc::new(lock)) })
    }

    /// Opens a directory that can't be written to now. It is read, and written to from the first [`Volume::put`] or [`Volume::remove`] on that finds
    /// it writable, and its content as it was; until then they fail as [`Directory::open`] does.
    ///
    /// # Errors
    ///
    /// Where there is none, or it can't be read.
    pub fn open_later(path: impl Into<PathBuf>) -> Result<Self, VolumeError> {
        let directory = Self::read_only(path)?;
        let lock = Lock { file: OnceLock::new(), found: directory.list()? };
        Ok(Self { lock: Some(Arc::new(lock)), ..directory })
    }

    /// Opens a directory to read from, whoever writes to it meanwhile.
    ///
    /// # Errors
    ///
    /// Where there is none, or it can't be read.
    pub fn read_only(path: impl Into<PathBuf>) -> Result<Self, VolumeError> {
        let folder = Folder { path: Arc::from(path.into()) };
        fs::read_dir(&folder.path).map_err(|error| folder.failed(None, &error))?;
        Ok(Self { atomic: Atomic::new(folder), lock: None })
    }
}

impl Volume for Directory {
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError> {
        let mut files = self.atomic.list()?;
        files.remove(LOCK);
        Ok(files)
    }

    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError> {
        self.atomic.read(name, from, length)
    }

    fn put(&mut self, name: &str, content: &[u8]) -> Result<(), VolumeError> {
        self.may_write(name)?;
        self.atomic.put(name, content)
    }

    fn remove(&mut self, name: &str) -> Result<(), VolumeError> {
        self.may_write(name)?;
        self.atomic.remove(name)
    }
}

impl Directory {
    fn may_write(&self, name: &str) -> Result<(), VolumeError> {
        let Some(lock) = &self.lock else { return Err(VolumeError::ReadOnly { path: name.to_owned() }) };
        if lock.file.get().is_some() {
            return Ok(());
        }
        let folder = self.atomic.disk();
        let file = folder.lock()?;
        if self.list()? != lock.found {
            return Err(VolumeError::Io {
                path: folder.path.display().to_string(),
                reason: "another process has written to it since it was opened: start this one again"
                    .to_owned(),
            });
        }
        lock.file.set(file).map_err(|_| VolumeError::InUse { path: folder.path.display().to_string() })
    }
}

/// Holds the lock.
const LOCK: &str = "lock";

#[derive(Clone, Debug)]
struct Folder {
    path: Arc<Path>,
}

impl Folder {
    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn lock(&self) -> Result<File, VolumeError> {
        let options = OpenOptions::new().create(true).truncate(false).write(true).open(self.file(LOCK));
        let lock = options.map_err(|error| self.failed(Some(LOCK), &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                Err(VolumeError::InUse { path: self.path.display().to_string() })
            }
            Err(TryLockError::Error(error)) => Err(self.failed(Some(LOCK), &error)),
        }
    }

    fn failed(&self, name: Option<&str>, error: &io::Error) -> VolumeError {
        let path = name.map_or_else(|| self.path.to_path_buf(), |name| self.file(name)).display().to_string();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => VolumeError::NoSpace,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                VolumeError::ReadOnly { path }
            }
            _ => VolumeError::Io { path, reason: error.to_string() },
        }
    }
}

impl Disk for Folder {
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError> {
        let mut files = BTreeMap::new();
        let entries = fs::read_dir(&self.path).map_err(|error| self.failed(None, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| self.failed(None, &error))?;
            // One that has just been removed is no longer there.
            let Ok(metadata) = entry.metadata() else { continue };
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                files.insert(name, metadata.len());
            }
        }
        Ok(files)
    }

    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError> {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(self.file(name))?;
            // How far beyond its end may be looked is the file system's to say.
            file.seek(SeekFrom::Start(from.min(file.metadata()?.len())))?;
            let mut bytes = Vec::new();
            file.take(length as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(Some(name), &error)),
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), VolumeError> {
        let write = || File::create(self.file(name))?.write_all(content);
        write().map_err(|error| self.failed(Some(name), &error))
    }

    fn sync(&self, name: &str) -> Result<(), VolumeError> {
        let sync = || OpenOptions::new().write(true).open(self.file(name))?.sync_all();
        sync().map_err(|error| self.failed(Some(name), &error))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), VolumeError> {
        fs::rename(self.file(from), self.file(to)).map_err(|error| self.failed(Some(to), &error))
    }

    fn remove(&self, name: &str) -> Result<(), VolumeError> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(Some(name), &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    #[cfg(unix)]
    fn sync_directory(&self) -> Result<(), VolumeError> {
        let sync = || File::open(&self.path)?.sync_all();
        sync().map_err(|error| self.failed(None, &error))
    }

    /// Windows writes a directory's changes through with the rename.
    #[cfg(not(unix))]
    fn sync_directory(&self) -> Result<(), VolumeError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_free_when_it_is_dropped_whoever_has_inherited_its_files() {
        let directory = tempfile::tempdir().unwrap();
        let first = Directory::open(directory.path()).unwrap();
        // As a child has them until it runs its program.
        let held = first.lock.as_ref().and_then(|lock| lock.file.get()).unwrap();
        let inherited = held.try_clone().unwrap();
        let copy = first.clone();
        drop(first);
        assert!(
            matches!(Directory::open(directory.path()), Err(VolumeError::InUse { .. })),
            "a copy is left"
        );
        drop(copy);
        Directory::open(directory.path()).unwrap();
        drop(inherited);
    }
}
