//! Records in a file, through redb: one B-tree, transactions with two-phase commit.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, TableDefinition};

use super::{Backend, BackendError, Changes, SetAside};

/// A back end in one file.
///
/// A commit is on the disk when it returns. A killed process or a cut of power loses what was not committed and nothing
/// else, and the file opens without a long repair.
///
/// redb does not notice every flipped bit, and some make it panic. Both are contained: records carry checksums
/// ([`Records`](crate::Records)), and where redb panics or finds its file corrupt the file is set aside (renamed to
/// `<name>.broken-<n>`), a new one opened, and the caller told by [`BackendError::SetAside`]. A flipped bit
/// in a key or an inner page can make a record unfindable; [`verify`](Self::verify) finds such damage.
///
/// After an error of the disk the file is closed, and opened again at the next use.
#[derive(Debug)]
pub struct FileBackend {
    path: PathBuf,
    /// `None` after an error, until the next use.
    database: Option<Database>,
}

/// A file that was opened.
#[derive(Debug)]
pub struct OpenedFile {
    /// What can be used now.
    pub backend: FileBackend,
    /// The file of that name was broken and is here now.
    pub set_aside: Option<SetAside>,
}

impl FileBackend {
    /// Opens a file, or makes it where there is none. A broken one is set aside.
    ///
    /// # Errors
    ///
    /// Where the file is in use, was written by another version, or can't be read or made.
    pub fn open(path: impl Into<PathBuf>) -> Result<OpenedFile, BackendError> {
        let mut backend = Self { path: path.into(), database: None };
        match backend.database() {
            Ok(_) => Ok(OpenedFile { backend, set_aside: None }),
            Err(BackendError::SetAside(set_aside)) => {
                backend.database()?;
                Ok(OpenedFile { backend, set_aside: Some(set_aside) })
            }
            Err(error) => Err(error),
        }
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole file and checks that all of it hangs together. Takes time in proportion to its size.
    ///
    /// # Errors
    ///
    /// [`BackendError::SetAside`] where it does not; and where the disk fails.
    pub fn verify(&mut self) -> Result<(), BackendError> {
        let database = self.database()?;
        let outcome =
            catch_unwind(AssertUnwindSafe(|| database.check_integrity().map_err(redb::Error::from)));
        self.settle(outcome.map(|checked| match checked {
            Ok(true) => Ok(()),
            Ok(false) => Err(redb::Error::Corrupted("its structure was damaged".into())),
            Err(error) => Err(error),
        }))
    }

    fn database(&mut self) -> Result<&mut Database, BackendError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => {
                let opened = catch_unwind(|| open(&self.path));
                self.settle(opened)?
            }
        };
        Ok(self.database.insert(database))
    }

    /// Runs something that redb does, and deals with all the ways in which it can fail.
    fn guarded<T>(
        &mut self,
        act: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, BackendError> {
        let database = self.database()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| act(database)));
        self.settle(outcome)
    }

    fn settle<T>(&mut self, outcome: std::thread::Result<Result<T, redb::Error>>) -> Result<T, BackendError> {
        let error = match outcome {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(panic) => return Err(self.set_aside(reason_of(panic.as_ref()))),
        };
        Err(match error {
            redb::Error::Corrupted(reason) => self.set_aside(reason),
            redb::Error::TableTypeMismatch { .. } | redb::Error::TypeDefinitionChanged { .. } => {
                self.set_aside(error.to_string())
            }
            // What is not a database at all is reported this way.
            redb::Error::Io(io) if io.kind() == std::io::ErrorKind::InvalidData => {
                self.set_aside(io.to_string())
            }
            redb::Error::Io(io) => {
                self.close();
                match io.kind() {
                    std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                        BackendError::NoSpace
                    }
                    _ => BackendError::Io(format!("{}: {io}", self.path.display())),
                }
            }
            redb::Error::DatabaseAlreadyOpen => BackendError::InUse { path: self.path.clone() },
            redb::Error::UpgradeRequired(version) => BackendError::Unsupported {
                path: self.path.clone(),
                reason: format!("its format {version} is too old"),
            },
            other => {
                self.close();
                BackendError::Io(format!("{}: {other}", self.path.display()))
            }
        })
    }

    fn set_aside(&mut self, reason: String) -> BackendError {
        self.close();
        let mut aside = (1..=MAX_SET_ASIDE).map(|number| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".broken-{number}"));
            PathBuf::from(name)
        });
        let Some(aside) = aside.find(|aside| !aside.exists()) else {
            return BackendError::Unsupported {
                path: self.path.clone(),
                reason: format!(
                    "it is broken ({reason}) and {MAX_SET_ASIDE} broken ones lie beside it: remove those"
                ),
            };
        };
        match fs::rename(&self.path, &aside) {
            Ok(()) => BackendError::SetAside(SetAside { path: aside, reason }),
            Err(error) => BackendError::Unsupported {
                path: self.path.clone(),
                reason: format!("it is broken ({reason}) and can't be set aside: {error}"),
            },
        }
    }

    fn close(&mut self) {
        let database = self.database.take();
        // Closing writes, which in a broken file may panic once more; there is nothing left to save.
        let _panicked = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }
}

impl Drop for FileBackend {
    fn drop(&mut self) {
        self.close();
    }
}

impl Backend for FileBackend {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.guarded(|database| {
            let table = database.begin_read()?.open_table(RECORDS)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        })
    }

    fn scan(&mut self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), BackendError> {
        // Page by page, and shown outside the guard: a panic of `visit` is not redb's, and memory stays bounded.
        let mut from = prefix.to_vec();
        loop {
            let page = self.guarded(|database| {
                let table = database.begin_read()?.open_table(RECORDS)?;
                let mut page: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
                for record in table.range(from.as_slice()..)?.take(SCAN_PAGE) {
                    let (key, value) = record?;
                    let in_order = page.last().map_or(&from, |(last, _)| last).as_slice() <= key.value();
                    if !in_order {
                        return Err(redb::Error::Corrupted("its keys are out of order".into()));
                    }
                    page.push((key.value().to_vec(), value.value().to_vec()));
                }
                Ok(page)
            })?;
            for (key, value) in &page {
                if !key.starts_with(prefix) {
                    return Ok(());
                }
                visit(key, value);
            }
            let Some((last, _)) = page.last().filter(|_| page.len() == SCAN_PAGE) else { return Ok(()) };
            // The smallest key after the last.
            from.clone_from(last);
            from.push(0);
        }
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), BackendError> {
        self.guarded(|database| {
            let transaction = begin_write(database)?;
            {
                let mut table = transaction.open_table(RECORDS)?;
                for (key, value) in changes.iter() {
                    match value {
                        Some(value) => table.insert(key, value)?,
                        None => table.remove(key)?,
                    };
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }
}

fn open(path: &Path) -> Result<Database, redb::Error> {
    let database = Database::create(path)?;
    let exists = match database.begin_read()?.open_table(RECORDS) {
        Ok(_) => true,
        Err(redb::TableError::TableDoesNotExist(_)) => false,
        Err(error) => return Err(error.into()),
    };
    if !exists {
        let transaction = begin_write(&database)?;
        transaction.open_table(RECORDS)?;
        transaction.commit()?;
    }
    Ok(database)
}

fn begin_write(database: &Database) -> Result<redb::WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    // A process that is killed needs no long repair at its next start.
    transaction.set_quick_repair(true);
    Ok(transaction)
}

fn reason_of(panic: &(dyn std::any::Any + Send)) -> String {
    let message =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("redb panicked: {}", message.unwrap_or("without a message"))
}

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
/// Records read in one transaction of a scan.
const SCAN_PAGE: usize = 256;
/// A file that breaks again and again must not fill the disk.
const MAX_SET_ASIDE: u32 = 100;
