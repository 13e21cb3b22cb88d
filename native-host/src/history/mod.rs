//! `quillwork history`: looks after the history in a data directory.
//!
//! What only reads (verify, backup, export) works beside a running host, whose newest minute is in its memory. What writes (repair, compact, restore) asks that no
//! host uses the directory.

mod args;
mod export;

use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use quillwork_store::history::{self, Checked, History, HistoryOptions, OpenError};
use quillwork_store::volume::{Directory, Volume as _, VolumeError};

pub use self::args::{EXAMPLES, ExportArgs, ExportFormat, HistoryArgs, HistoryCommand};
use crate::clock::unix_millis;
use crate::state::BESIDE;

/// Does what was asked.
///
/// # Errors
///
/// If it can't be done, or damage was found; the message says what to do.
pub fn run(args: &HistoryArgs) -> Result<(), String> {
    let path = args.data_dir.join("history");
    match &args.command {
        HistoryCommand::Verify => verify(&path),
        HistoryCommand::Repair => repair(&path),
        HistoryCommand::Compact => compact(&path),
        HistoryCommand::Backup { to } => backup(&path, to),
        HistoryCommand::Restore { from } => restore(from, &path),
        HistoryCommand::Export(wanted) => export::export(&path, wanted),
    }
}

fn verify(path: &Path) -> Result<(), String> {
    let checked = check(path)?;
    println!(
        "{} files, {} series, {} KiB in all: {}",
        checked.files,
        checked.series,
        checked.bytes / 1_024,
        if checked.is_sound() { "all is well" } else { "damaged" }
    );
    if checked.is_sound() {
        return Ok(());
    }
    Err(format!(
        "{}run `quillwork history repair` while no host uses it; what is sound is kept",
        findings(&checked)
    ))
}

fn repair(path: &Path) -> Result<(), String> {
    let mut volume = writable(path)?;
    let aside = free_name(path, "damaged");
    let mut kept: Option<Directory> = None;
    let checked = history::repair(&mut volume, &HistoryOptions::default(), |name, content| {
        if kept.is_none() {
            kept = Some(Directory::open(&aside)?);
        }
        kept.as_mut().map_or(Ok(()), |kept| kept.put(name, content))
    })
    .map_err(|error| worded(path, &error))?;
    if checked.is_sound() {
        println!("all is well; nothing was changed");
    } else {
        print!("{}", findings(&checked));
        if kept.is_some() {
            println!(
                "mended; the damaged files lie in {} as they were, delete them when you like",
                aside.display()
            );
        } else {
            println!("mended");
        }
    }
    Ok(())
}

fn compact(path: &Path) -> Result<(), String> {
    let volume = writable(path)?;
    let mut history = History::open(volume, HistoryOptions::default().without_bounds(), unix_millis())
        .map_err(|error| worded(path, &error))?;
    let before = history.used_bytes();
    let mut steps: u64 = 0;
    loop {
        history.commit().map_err(|error| error.to_string())?;
        steps += 1;
        if history.is_idle() {
            break;
        }
        progress(|| format!("{steps} steps"));
    }
    end_of_progress();
    println!("{} KiB before, {} KiB now", before / 1_024, history.used_bytes() / 1_024);
    Ok(())
}

fn backup(path: &Path, to: &Path) -> Result<(), String> {
    let volume = readable(path)?;
    let mut copy = empty(to)?;
    let files = history::copy(&volume, &mut copy, |done, all| progress(|| format!("{done} of {all} files")))
        .map_err(|error| error.to_string())?;
    end_of_progress();
    copy_beside(&volume, &mut copy)?;
    let checked = check(to)?;
    if !checked.is_sound() {
        return Err(format!(
            "{}the copy holds it as it is; repair the history and back it up again",
            findings(&checked)
        ));
    }
    println!("{files} files in {}, checked", to.display());
    Ok(())
}

fn restore(from: &Path, path: &Path) -> Result<(), String> {
    if let Err(error) = Directory::read_only(from) {
        return Err(format!("{error}; name a directory that `quillwork history backup` wrote"));
    }
    let checked = check(from)?;
    if checked.files == 0 && checked.series == 0 {
        return Err(format!(
            "{} holds no history; name a directory that `quillwork history backup` wrote",
            from.display()
        ));
    }
    if !checked.is_sound() {
        return Err(format!("{}nothing was restored; repair a copy of it first", findings(&checked)));
    }
    let volume = readable(from)?;
    let mut target = empty(path)?;
    let files =
        history::copy(&volume, &mut target, |done, all| progress(|| format!("{done} of {all} files")))
            .map_err(|error| error.to_string())?;
    end_of_progress();
    copy_beside(&volume, &mut target)?;
    println!("{files} files restored to {}", path.display());
    Ok(())
}

/// What the host keeps beside history, each in a sealed file that is put in place as a whole.
fn copy_beside(from: &Directory, to: &mut Directory) -> Result<(), String> {
    for name in BESIDE {
        let content = from.read(name, 0, usize::MAX).map_err(|error| error.to_string())?;
        if let Some(content) = content {
            to.put(name, &content).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn check(path: &Path) -> Result<Checked, String> {
    let volume = readable(path)?;
    let checked = history::check(&volume, &HistoryOptions::default(), |done, all| {
        progress(|| format!("{done} of {all} files"));
    });
    end_of_progress();
    checked.map_err(|error| worded(path, &error))
}

fn findings(checked: &Checked) -> String {
    let mut text: String = checked.damaged.iter().map(|damaged| format!("{damaged}\n")).collect();
    match checked.catalogues_lost {
        0 => {}
        1 => text.push_str("one of the two copies of the catalogue is damaged\n"),
        _ => text.push_str("both copies of the catalogue are damaged\n"),
    }
    text
}

/// A directory that others may write to meanwhile.
fn readable(path: &Path) -> Result<Directory, String> {
    Directory::read_only(path)
        .map_err(|error| format!("{error}; name the data directory of a host with --data-dir"))
}

fn writable(path: &Path) -> Result<Directory, String> {
    // One that is made by asking for it would be no history.
    readable(path)?;
    Directory::open(path).map_err(|error| match error {
        VolumeError::InUse { .. } => format!("{} is in use by a running host: stop it first", path.display()),
        other => other.to_string(),
    })
}

/// A directory to be filled.
fn empty(path: &Path) -> Result<Directory, String> {
    let directory = Directory::open(path).map_err(|error| error.to_string())?;
    let files = directory.list().map_err(|error| error.to_string())?;
    if files.is_empty() {
        Ok(directory)
    } else {
        Err(format!("{} is not empty; name a new directory, or move it away first", path.display()))
    }
}

fn worded(path: &Path, error: &OpenError) -> String {
    format!("{}: {error}", path.display())
}

fn free_name(path: &Path, what: &str) -> PathBuf {
    let numbered = |number: u32| {
        let mut name = path.to_owned().into_os_string();
        name.push(format!(".{what}-{number}"));
        PathBuf::from(name)
    };
    (1..).map(numbered).find(|name| !name.exists()).unwrap_or_else(|| path.with_extension(what))
}

/// One line that changes, where somebody looks.
fn progress(text: impl FnOnce() -> String) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        // Who can't be told isn't.
        let _told = write!(stderr, "\r{}\x1b[K", text());
    }
}

fn end_of_progress() {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let _told = write!(stderr, "\r\x1b[K");
    }
}
