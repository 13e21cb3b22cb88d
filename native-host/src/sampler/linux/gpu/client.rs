//! How busy a graphics processor is, from what drivers tell of each client in `/proc/<pid>/fdinfo`
//! (Documentation/gpu/drm-usage-stats.rst). It is what i915 and xe tell to everybody. Only the clients are seen that
//! this process has the right to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use super::super::file::attribute;
use super::super::text::{lines, number, words};
use crate::sampler::rate::{Kept, Moment, Stopwatch, float};
use crate::sampler::root::SystemRoot;

/// Reads clients between two readings.
#[derive(Debug)]
pub(super) struct ClientReader {
    proc: PathBuf,
    stopwatch: Stopwatch,
    before: Kept<Spent>,
    /// Files of `/proc/<pid>/fdinfo` that belong to graphics devices.
    files: Vec<PathBuf>,
    until_search: u32,
}

/// What one client spent on one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spent {
    Nanos(u64),
    /// Cycles of the client's, and of the engine's own clock.
    Cycles {
        spent: u64,
        of: u64,
    },
}

/// What one file says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Client {
    device: String,
    id: u64,
    engines: BTreeMap<String, Spent>,
    /// Engines of one kind that work side by side.
    capacities: BTreeMap<String, u64>,
}

impl ClientReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self {
            proc: root.path("/proc"),
            stopwatch: Stopwatch::new(period),
            before: Kept::new(),
            files: Vec::new(),
            until_search: 0,
        }
    }

    /// Busy share by the devices' addresses: that of the busiest engine of each.
    pub(super) fn read(&mut self, now: Moment) -> BTreeMap<String, f64> {
        if self.until_search == 0 {
            self.files = search(&self.proc);
            self.until_search = SEARCH_EVERY;
        }
        self.until_search -= 1;
        let lap = self.stopwatch.lap(now);
        self.before.begin();
        let mut engines = BTreeMap::<(String, String), f64>::new();
        // A client has as many files as it was handed on to.
        let mut counted = BTreeSet::new();
        for client in self.files.iter().filter_map(|file| parse(&attribute(file)?)) {
            if !counted.insert((client.device.clone(), client.id)) {
                continue;
            }
            for (engine, &spent) in &client.engines {
                let before = self.before.replace(&format!("{} {} {engine}", client.device, client.id), spent);
                let share = match (lap.zip(before), spent) {
                    (Some((lap, Spent::Nanos(before))), Spent::Nanos(now)) => {
                        lap.per_second(before, now).map(|nanos| nanos / 1e9)
                    }
                    (Some((_, Spent::Cycles { spent: before, of: from })), Spent::Cycles { spent, of }) => {
                        let of = of.checked_sub(from).filter(|&of| of > 0);
                        of.zip(spent.checked_sub(before)).map(|(of, spent)| float(spent) / float(of))
                    }
                    _ => None,
                };
                let Some(share) = share else { continue };
                let capacity = client.capacities.get(engine).copied().filter(|&count| count > 0).unwrap_or(1);
                *engines.entry((client.device.clone(), engine.clone())).or_default() +=
                    share / float(capacity);
            }
        }
        let mut busy = BTreeMap::new();
        for ((device, _), share) in engines {
            let most = busy.entry(device).or_insert(0.0_f64);
            *most = most.max(share.min(1.0));
        }
        busy
    }
}

/// Readings between two searches: a search looks at every open file of every process.
const SEARCH_EVERY: u32 = 10;

/// Clients looked at.
const MOST_FILES: usize = 256;

fn search(proc: &PathBuf) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(processes) = fs::read_dir(proc) else { return files };
    let is_process = |name: &[u8]| number(name).is_some();
    for process in processes.flatten().filter(|entry| is_process(entry.file_name().as_bytes())) {
        let Ok(open) = fs::read_dir(process.path().join("fd")) else { continue };
        for file in open.flatten() {
            let is_graphics = fs::read_link(file.path())
                .is_ok_and(|target| target.as_os_str().as_bytes().starts_with(b"/dev/dri/"));
            if is_graphics {
                files.push(process.path().join("fdinfo").join(file.file_name()));
                if files.len() == MOST_FILES {
                    return files;
                }
            }
        }
    }
    files
}

fn parse(text: &[u8]) -> Option<Client> {
    let mut client = Client::default();
    let mut id = None;
    let mut totals = BTreeMap::new();
    for line in lines(text) {
        let mut words = words(line);
        let Some(key) = words.next().and_then(|key| key.strip_suffix(b":")) else { continue };
        let Some(value) = words.next() else { continue };
        let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        if key == b"drm-pdev" {
            client.device = name(value);
        } else if key == b"drm-client-id" {
            id = number(value);
        } else if let Some(engine) = key.strip_prefix(b"drm-engine-capacity-") {
            client.capacities.insert(name(engine), number(value)?);
        } else if let Some(engine) = key.strip_prefix(b"drm-engine-") {
            client.engines.insert(name(engine), Spent::Nanos(number(value)?));
        } else if let Some(engine) = key.strip_prefix(b"drm-total-cycles-") {
            totals.insert(name(engine), number(value)?);
        } else if let Some(engine) = key.strip_prefix(b"drm-cycles-") {
            client.engines.insert(name(engine), Spent::Cycles { spent: number(value)?, of: 0 });
        }
    }
    for (engine, spent) in &mut client.engines {
        if let Spent::Cycles { of, .. } = spent {
            *of = totals.get(engine).copied()?;
        }
    }
    client.id = id?;
    (!client.device.is_empty()).then_some(client)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    fn open(tree: &Tree, pid: u32, text: &str) {
        if !tree.root().path(format!("/proc/{pid}/fd/5")).is_symlink() {
            tree.link(&format!("/proc/{pid}/fd/5"), "/dev/dri/renderD128");
        }
        tree.write(&format!("/proc/{pid}/fdinfo/5"), format!("pos:\t0\nflags:\t02\n{text}"));
    }

    #[test]
    fn i915_s_clients_add_up_and_one_that_is_shared_counts_once() {
        let tree = Tree::new();
        let mut reader = ClientReader::new(&tree.root(), Duration::from_secs(2));
        let text = |id: u64, render: u64, video: u64| {
            format!(
                "drm-driver:\ti915\ndrm-client-id:\t{id}\ndrm-pdev:\t0000:00:02.0\n\
                 drm-engine-render:\t{render} ns\ndrm-engine-video:\t{video} ns\ndrm-engine-capacity-video:\t2\n"
            )
        };
        open(&tree, 10, &text(1, 0, 0));
        open(&tree, 11, &text(1, 0, 0));
        open(&tree, 12, &text(2, 500, 0));
        assert!(reader.read(seconds(0)).is_empty(), "a first reading is no data");
        open(&tree, 10, &text(1, 500_000_000, 2_000_000_000));
        open(&tree, 11, &text(1, 500_000_000, 2_000_000_000));
        open(&tree, 12, &text(2, 300_000_500, 0));
        let busy = reader.read(seconds(2));
        assert_eq!(busy.get("0000:00:02.0").copied(), Some(0.5), "two engines for video, one of them busy");
    }

    #[test]
    fn xe_counts_cycles() {
        let tree = Tree::new();
        let mut reader = ClientReader::new(&tree.root(), Duration::from_secs(2));
        let text = |spent: u64, total: u64| {
            format!(
                "drm-client-id: 7\ndrm-pdev: 0000:03:00.0\ndrm-cycles-rcs: {spent}\ndrm-total-cycles-rcs: {total}\n"
            )
        };
        open(&tree, 10, &text(100, 1_000));
        reader.read(seconds(0));
        open(&tree, 10, &text(350, 2_000));
        assert_eq!(reader.read(seconds(2)).get("0000:03:00.0").copied(), Some(0.25));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64)) {
            parse(&bytes);
            parse(&[b"drm-client-id: 1\ndrm-pdev: x\ndrm-cycles-a: ", &bytes[..]].concat());
        }
    }
}
