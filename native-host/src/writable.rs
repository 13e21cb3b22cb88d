//! Whether a place can be written to: found out without making anything, as the ways in which the host makes and opens it would say.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a directory and those that it lies in, where there are none.
///
/// # Errors
///
/// If it can't be made; [`io::ErrorKind::NotADirectory`] where something else has its name.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path).map_err(in_the_way)
}

/// Systems have several words for a file, or a link to nothing, that stands where a directory should.
fn in_the_way(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => io::ErrorKind::NotADirectory.into(),
        _ => error,
    }
}

/// Whether [`make_directory`] would make the directory, and files could be made in it.
///
/// # Errors
///
/// Why not.
pub(crate) fn directory(path: &Path) -> io::Result<()> {
    let path = or_here(path);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => takes_files(path),
        Ok(_) => Err(io::ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            path.parent().map_or(Err(error), directory)
        }
        Err(error) => Err(in_the_way(error)),
    }
}

/// Whether the file could be opened to append to it, or be made.
///
/// # Errors
///
/// Why not.
pub(crate) fn file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().map_or(path, or_here);
            // A link to nothing is a file elsewhere that could be made.
            if let Ok(target) = fs::read_link(path) {
                return file(&parent.join(target));
            }
            if fs::metadata(parent)?.is_dir() { takes_files(parent) } else { Err(error) }
        }
        Err(error) => Err(error),
    }
}

/// What lies around a name that is given alone has no name itself.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

#[cfg(unix)]
fn takes_files(directory: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};

    Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Elsewhere only an attempt would tell.
#[cfg(not(unix))]
fn takes_files(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_made_is_found_out_without_making_it() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("file"), "kept").unwrap();
        for path in [root.path().to_owned(), at("new"), at("new/below/it")] {
            directory(&path).unwrap();
        }
        for path in [at("file"), at("new.log")] {
            file(&path).unwrap();
        }
        let kind = |outcome: io::Result<()>| outcome.unwrap_err().kind();
        assert_eq!(kind(directory(&at("file"))), io::ErrorKind::NotADirectory);
        assert_eq!(
            kind(file(root.path())),
            kind(OpenOptions::new().append(true).open(root.path()).map(drop))
        );
        assert_eq!(kind(file(&at("new/below.log"))), io::ErrorKind::NotFound);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(at("file")).unwrap(), "kept");
    }

    #[cfg(unix)]
    #[test]
    fn what_stands_in_the_way_is_the_same_for_both() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::write(at("file"), "").unwrap();
        std::os::unix::fs::symlink(at("nothing"), at("link")).unwrap();
        for name in ["file", "file/below", "file/far/below", "link"] {
            assert!(directory(&at(name)).is_err() && make_directory(&at(name)).is_err(), "{name}");
        }
        let said = |outcome: io::Result<()>| outcome.unwrap_err().to_string();
        for name in ["file", "file/", "file/below", "link", "link/below"] {
            assert_eq!(said(directory(&at(name))), said(make_directory(&at(name))), "{name}");
        }
        file(&at("link")).unwrap();
        std::os::unix::fs::symlink("missing/log", at("far")).unwrap();
        assert_eq!(file(&at("far")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
