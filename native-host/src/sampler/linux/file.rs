//! Files of the kernel, read without opening them anew.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::text;
use crate::sampler::fault::Fault;

/// A file of `/proc` that is read again and again: the kernel makes its text anew for each read from its start.
#[derive(Debug)]
pub(super) struct KeptFile {
    path: PathBuf,
    file: Option<File>,
}

impl KeptFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Its text now, in `buffer`, which is kept as long as it has grown.
    pub(super) fn read<'b>(&mut self, buffer: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path)?),
        };
        match read_at_start(file, buffer) {
            Ok(length) => Ok(&buffer[..length]),
            Err(error) => {
                // The device may have gone and come back: another handle shows the new one.
                self.file = None;
                Err(error)
            }
        }
    }

    /// As [`read`](Self::read), of a file that must be there.
    pub(super) fn require<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Fault> {
        match self.read(buffer) {
            Ok(text) => Ok(text),
            Err(error) => Err(Fault::unreadable(&self.path, &error)),
        }
    }
}

fn read_at_start(file: &File, buffer: &mut Vec<u8>) -> io::Result<usize> {
    if buffer.len() < LEAST {
        buffer.resize(LEAST, 0);
    }
    let mut length = 0;
    loop {
        let offset = u64::try_from(length).expect("a length fits");
        match file.read_at(&mut buffer[length..], offset) {
            Ok(0) => return Ok(length),
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if length == buffer.len() {
            if length >= MOST {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 8 MiB"));
            }
            buffer.resize(length * 2, 0);
        }
    }
}

/// Room for most files of `/proc` at once.
const LEAST: usize = 8 << 10;

/// No file is longer: interrupts of thousands of processors take some MiB.
const MOST: usize = 8 << 20;

/// The text of a small file, without the white space around it; `None` where there is none or it can't be read.
pub(super) fn attribute(path: &Path) -> Option<Vec<u8>> {
    const MOST_OF_AN_ATTRIBUTE: usize = 4_096;
    let mut buffer = [0; MOST_OF_AN_ATTRIBUTE];
    let file = File::open(path).ok()?;
    let mut length = 0;
    while length < buffer.len() {
        match io::Read::read(&mut &file, &mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(buffer[..length].trim_ascii().to_vec())
}

/// The whole number that a small file holds.
pub(super) fn number(path: &Path) -> Option<u64> {
    text::number(&attribute(path)?)
}

/// The number in thousandths that a small file holds, in units.
pub(super) fn milli(path: &Path) -> Option<f64> {
    Some(signed(path)? / 1_000.0)
}

/// The number in millionths that a small file holds, in units.
pub(super) fn micro(path: &Path) -> Option<f64> {
    Some(signed(path)? / 1_000_000.0)
}

fn signed(path: &Path) -> Option<f64> {
    text::float(&attribute(path)?)
}

/// The text of a small file, if it holds any, printable.
pub(super) fn label(path: &Path) -> Option<String> {
    attribute(path).filter(|text| !text.is_empty()).map(|text| crate::sampler::names::printable(&text))
}

/// Names in a directory, sorted, so that devices keep their order. Names that aren't UTF-8 are no device's.
pub(super) fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).take(MOST_NAMES).collect();
    names.sort_unstable();
    names
}

/// No machine has as many devices of one class.
const MOST_NAMES: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_shows_what_is_new_and_grows() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stat");
        let mut file = KeptFile::new(path.clone());
        let mut buffer = Vec::new();
        assert!(file.require(&mut buffer).unwrap_err().to_string().contains("stat can't be read"));
        fs::write(&path, "1").unwrap();
        assert_eq!(file.read(&mut buffer).unwrap(), b"1");
        let long = "x".repeat(100_000);
        fs::write(&path, &long).unwrap();
        assert_eq!(file.read(&mut buffer).unwrap(), long.as_bytes());
        fs::write(&path, "2").unwrap();
        assert_eq!(file.read(&mut buffer).unwrap(), b"2");
    }
}
