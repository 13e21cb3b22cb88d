//! A file that never grows beyond its bound, with a few older ones beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// `quillwork.log`, and `quillwork.log.1` (the newest) to `.N` beside it.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    most_bytes: u64,
    keep: u32,
    file: File,
    bytes: u64,
}

impl RotatingFile {
    /// Goes on with the file, or begins one.
    pub(super) fn open(path: &Path, most_bytes: u64, keep: u32) -> io::Result<Self> {
        let file = append_to(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), most_bytes, keep, file, bytes })
    }

    /// Opens the path again, which may be another file by now.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        *self = Self::open(&self.path, self.most_bytes, self.keep)?;
        Ok(())
    }

    /// Writes a line, in a new file where it would grow beyond its bound. A line that can't be written is lost; the file
    /// is not made larger instead.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.bytes > 0 && self.bytes.saturating_add(length) > self.most_bytes {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.bytes += length;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.keep).rev() {
            // There are fewer in the beginning.
            if let Err(error) = fs::rename(self.numbered(number), self.numbered(number + 1))
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        match fs::rename(&self.path, self.numbered(1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.reopen()
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o640);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_its_bound_and_keeps_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut file = RotatingFile::open(&path, 20, 2).unwrap();
        for number in 0..10 {
            file.write(format!("line {number}\n").as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!(read("log"), "line 8\nline 9\n");
        assert_eq!((read("log.1"), read("log.2")), ("line 6\nline 7\n".into(), "line 4\nline 5\n".into()));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);

        drop(file);
        let mut again = RotatingFile::open(&path, 20, 2).unwrap();
        again.write(b"more\n").unwrap();
        assert_eq!(read("log"), "line 8\nline 9\nmore\n", "what an earlier run wrote counts");
        again.write(&[b'x'; 100]).unwrap();
        assert_eq!(read("log").len(), 100, "a line is never cut in two");
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew_when_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut file = RotatingFile::open(&path, 1_000, 2).unwrap();
        file.write(b"old\n").unwrap();
        fs::rename(&path, directory.path().join("moved")).unwrap();
        file.reopen().unwrap();
        file.write(b"new\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new\n");
    }
}
