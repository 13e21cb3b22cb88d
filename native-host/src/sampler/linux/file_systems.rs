//! File systems that hold data of their own, and how full they are.
//!
//! `statvfs` on a dead mount blocks in the kernel for as long as the mount is dead, and nothing can end it. So a thread
//! of its own asks; where it gets no answer it is left with that mount, which counts as stuck until the thread comes
//! back, and another one asks about the others. No mount is ever asked about twice at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use quillwork_protocol::host::Disk;
use rustix::fs::StatVfsMountFlags;

use super::file::KeptFile;
use super::mounts::{self, Mount};
use crate::sampler::fault::Fault;
use crate::sampler::names::{make_unique, printable};
use crate::sampler::probe::STACK_BYTES;
use crate::sampler::root::SystemRoot;

/// A file system and the numbers of its device.
#[derive(Clone, Debug)]
pub(super) struct FileSystem {
    pub(super) disk: Disk,
    pub(super) device: (u64, u64),
}

/// Asks how full the file system at a path is.
pub(super) type Ask = Arc<dyn Fn(&Path) -> io::Result<Space> + Send + Sync>;

/// How full a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    total_bytes: u64,
    available_bytes: u64,
    free_bytes: u64,
    inodes_total: u64,
    inodes_free: u64,
    is_read_only: bool,
}

/// Reads file systems. Runs in a probe.
pub(super) struct FileSystemReader {
    root: SystemRoot,
    table: KeptFile,
    buffer: Vec<u8>,
    asker: Asker,
    with_network: bool,
    /// What was last known of each mount.
    known: BTreeMap<PathBuf, Space>,
}

impl FileSystemReader {
    /// With file systems of other machines, or without.
    pub(super) fn new(root: &SystemRoot, with_network: bool) -> Self {
        Self::asking(root, with_network, Arc::new(statvfs))
    }

    fn asking(root: &SystemRoot, with_network: bool, ask: Ask) -> Self {
        Self {
            root: root.clone(),
            table: KeptFile::new(root.path("/proc/self/mountinfo")),
            buffer: Vec::new(),
            asker: Asker { ask, free: None, stuck: BTreeMap::new() },
            with_network,
            known: BTreeMap::new(),
        }
    }

    /// All file systems now, by mount point.
    pub(super) fn read(&mut self) -> Result<Vec<FileSystem>, Fault> {
        let mounts = worth_asking(mounts::parse(self.table.require(&mut self.buffer)?), self.with_network);
        let mut file_systems = Vec::with_capacity(mounts.len());
        for mount in &mounts {
            let answer = self.asker.ask(&self.root.path(&mount.point));
            let space = match answer {
                Answer::Space(space) => {
                    self.known.insert(mount.point.clone(), space);
                    Some(space)
                }
                // Without the right to look, or gone since the table was read.
                Answer::Refused => continue,
                Answer::Stuck => self.known.get(&mount.point).copied(),
            };
            let is_stuck = matches!(answer, Answer::Stuck);
            if is_stuck || space.is_some_and(|space| space.total_bytes > 0) {
                file_systems.push(FileSystem { disk: disk(mount, space, is_stuck), device: mount.device });
            }
        }
        self.known.retain(|point, _| mounts.iter().any(|mount| mount.point == *point));
        file_systems.sort_by(|a, b| a.disk.mount.cmp(&b.disk.mount));
        make_unique(&mut file_systems, |file_system| &mut file_system.disk.mount);
        Ok(file_systems)
    }
}

fn disk(mount: &Mount, space: Option<Space>, is_stuck: bool) -> Disk {
    let path = |path: &Path| printable(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()));
    Disk {
        mount: path(&mount.point),
        name: printable(&mount.source),
        file_system: printable(&mount.file_system),
        total_bytes: space.map_or(0, |space| space.total_bytes),
        available_bytes: space.map_or(0, |space| space.available_bytes.min(space.total_bytes)),
        free_bytes: space.map(|space| space.free_bytes),
        // btrfs and others make inodes as they are needed, and answer zero.
        inodes_total: space.map(|space| space.inodes_total).filter(|&total| total > 0),
        inodes_free: space.filter(|space| space.inodes_total > 0).map(|space| space.inodes_free),
        is_read_only: space.is_some_and(|space| space.is_read_only),
        is_stuck,
        ..Disk::default()
    }
}

/// File systems that hold data, each at its shortest mount point: bind mounts and sub-volumes show the same one.
fn worth_asking(table: Vec<Mount>, with_network: bool) -> Vec<Mount> {
    let mut at_point = BTreeMap::new();
    for mount in table {
        // What is mounted last at a point hides what was before.
        at_point.insert(mount.point.clone(), mount);
    }
    let is_wanted = |mount: &Mount| holds_data(mount) || with_network && is_of_network(mount);
    let mut mounts: Vec<Mount> = at_point.into_values().filter(is_wanted).collect();
    mounts.sort_by_key(|mount| mount.point.as_os_str().len());
    let (mut devices, mut sources) = (BTreeSet::new(), BTreeSet::new());
    mounts.retain(|mount| {
        let is_new = devices.insert(mount.device);
        // Sub-volumes may have numbers of their own on one device, so its name decides where there is one.
        let is_new_source = !mount.source.starts_with(b"/dev/") || sources.insert(mount.source.clone());
        is_new && is_new_source
    });
    mounts.truncate(MOST_MOUNTS);
    mounts
}

/// More than a person looks at. A machine that makes mounts by the thousand must not cost as many questions.
const MOST_MOUNTS: usize = 64;

/// What is known to be on disks of this machine. Anything else is made up by the kernel, kept in memory, an image that is
/// always full (squashfs, ISO 9660), or on another machine, whose death would show here as a mount that hangs.
fn holds_data(mount: &Mount) -> bool {
    const ON_DISK: [&[u8]; 21] = [
        b"ext2",
        b"ext3",
        b"ext4",
        b"xfs",
        b"btrfs",
        b"zfs",
        b"bcachefs",
        b"f2fs",
        b"vfat",
        b"exfat",
        b"ntfs",
        b"ntfs3",
        b"fuseblk",
        b"jfs",
        b"reiserfs",
        b"nilfs2",
        b"ubifs",
        b"jffs2",
        b"hfsplus",
        b"ufs",
        b"msdos",
    ];
    // A container's root is an overlay, or comes from outside of its machine; every other overlay repeats some
    // container's root.
    let is_root = mount.point == Path::new("/");
    let of_a_container: [&[u8]; 3] = [b"overlay", b"9p", b"virtiofs"];
    ON_DISK.contains(&&*mount.file_system) || is_root && of_a_container.contains(&&*mount.file_system)
}

/// What lies on other machines. Two mounts of one share have one device number, or one source.
fn is_of_network(mount: &Mount) -> bool {
    const OF_NETWORK: [&[u8]; 17] = [
        b"nfs",
        b"nfs4",
        b"cifs",
        b"smb3",
        b"smbfs",
        b"ceph",
        b"fuse.ceph",
        b"fuse.glusterfs",
        b"fuse.sshfs",
        b"fuse.s3fs",
        b"fuse.rclone",
        b"lustre",
        b"beegfs",
        b"afs",
        b"ocfs2",
        b"gfs2",
        b"gpfs",
    ];
    OF_NETWORK.contains(&&*mount.file_system)
}

/// Asks on a thread of its own.
struct Asker {
    ask: Ask,
    free: Option<Thread>,
    /// Threads that got no answer, with the mount that they are left with.
    stuck: BTreeMap<PathBuf, Receiver<io::Result<Space>>>,
}

struct Thread {
    questions: Sender<PathBuf>,
    answers: Receiver<io::Result<Space>>,
}

#[derive(Debug)]
enum Answer {
    Space(Space),
    Refused,
    Stuck,
}

impl Asker {
    fn ask(&mut self, mount: &Path) -> Answer {
        if let Some(answers) = self.stuck.get(mount) {
            match answers.try_recv() {
                Err(TryRecvError::Empty) => return Answer::Stuck,
                // The thread ends by itself: nobody asks it any more.
                Ok(_) | Err(TryRecvError::Disconnected) => {
                    self.stuck.remove(mount);
                    tracing::info!("the mount {} answers again", mount.display());
                }
            }
        }
        if self.stuck.len() >= MOST_STUCK {
            self.stuck.retain(|_, answers| matches!(answers.try_recv(), Err(TryRecvError::Empty)));
            if self.stuck.len() >= MOST_STUCK {
                return Answer::Stuck;
            }
        }
        let Some(thread) = self.thread() else { return Answer::Refused };
        if thread.questions.send(mount.to_owned()).is_err() {
            return Answer::Refused;
        }
        match in_time(|part| thread.answers.recv_timeout(part)) {
            Ok(Ok(space)) => {
                self.free = Some(thread);
                Answer::Space(space)
            }
            Ok(Err(_)) => {
                self.free = Some(thread);
                Answer::Refused
            }
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!(
                    "the mount {} does not answer; it is left alone until it does",
                    mount.display()
                );
                self.stuck.insert(mount.to_owned(), thread.answers);
                Answer::Stuck
            }
            Err(RecvTimeoutError::Disconnected) => Answer::Refused,
        }
    }

    fn thread(&mut self) -> Option<Thread> {
        if let Some(thread) = self.free.take() {
            return Some(thread);
        }
        let (questions, asked) = channel::<PathBuf>();
        let (answer, answers) = channel();
        let ask = Arc::clone(&self.ask);
        let run = move || {
            for mount in asked {
                if answer.send(ask(&mount)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("mounts".to_owned()).stack_size(STACK_BYTES).spawn(run).ok()?;
        Some(Thread { questions, answers })
    }
}

/// What comes in time. It is waited for in parts: where this process was held up itself, as with its machine, one of them is over at
/// once, and who is asked has the others.
fn in_time<T>(mut wait: impl FnMut(Duration) -> Result<T, RecvTimeoutError>) -> Result<T, RecvTimeoutError> {
    for _ in 1..PARTS {
        match wait(PATIENCE / PARTS) {
            Err(RecvTimeoutError::Timeout) => {}
            outcome => return outcome,
        }
    }
    wait(PATIENCE / PARTS)
}

const PARTS: u32 = 4;

/// A disk that sleeps takes some seconds to wake; a file system in memory of the kernel answers at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// Threads that may be left with dead mounts. Further mounts count as stuck without being asked about.
const MOST_STUCK: usize = 8;

fn statvfs(path: &Path) -> io::Result<Space> {
    let space = rustix::fs::statvfs(path)?;
    let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
    Ok(Space {
        total_bytes: bytes(space.f_blocks),
        available_bytes: bytes(space.f_bavail),
        free_bytes: bytes(space.f_bfree),
        inodes_total: space.f_files,
        inodes_free: space.f_ffree,
        is_read_only: space.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::sampler::linux::tree::Tree;

    fn line(device: &str, of: &str, point: &str, kind: &str, source: &str) -> String {
        format!("36 35 {device} {of} {point} rw - {kind} {source} rw\n")
    }

    fn shown(table: &[String]) -> Vec<String> {
        points(table, false)
    }

    fn points(table: &[String], with_network: bool) -> Vec<String> {
        let mounts = worth_asking(mounts::parse(table.concat().as_bytes()), with_network);
        let mut points: Vec<_> = mounts.iter().map(|mount| mount.point.display().to_string()).collect();
        points.sort();
        points
    }

    #[test]
    fn only_data_of_this_machine_is_shown_and_only_once() {
        let table = [
            line("8:1", "/etc/hosts", "/etc/hosts", "ext4", "/dev/sda1"),
            line("8:1", "/", "/", "ext4", "/dev/sda1"),
            line("8:1", "/docker", "/var/lib/docker", "ext4", "/dev/sda1"),
            line("8:17", "/", "/data", "xfs", "/dev/sdb1"),
            line("0:40", "/@home", "/home", "btrfs", "/dev/sdc1"),
            line("0:41", "/@var", "/var", "btrfs", "/dev/sdc1"),
            line("0:50", "/", "/var/lib/docker/overlay2/x/merged", "overlay", "overlay"),
            line("0:51", "/", "/dev/shm", "tmpfs", "tmpfs"),
            line("0:52", "/", "/mnt/share", "nfs4", "server:/share"),
            line("0:53", "/", "/net", "autofs", "systemd-1"),
            line("7:0", "/", "/snap/x", "squashfs", "/dev/loop0"),
            line("0:54", "/", "/pool", "zfs", "pool"),
        ];
        assert_eq!(shown(&table), ["/", "/data", "/pool", "/var"]);
        let again = line("0:52", "/", "/mnt/share2", "nfs4", "server:/share");
        let table = [&table[..], &[again]].concat();
        assert_eq!(points(&table, true), ["/", "/data", "/mnt/share", "/pool", "/var"]);
    }

    #[test]
    fn a_container_s_root_is_its_disk_and_a_mount_hides_what_is_below() {
        assert_eq!(shown(&[line("0:9", "/", "/", "overlay", "overlay")]), ["/"]);
        let hidden = [line("8:1", "/", "/x", "ext4", "/dev/sda1"), line("0:9", "/", "/x", "tmpfs", "tmpfs")];
        assert_eq!(shown(&hidden), [""; 0]);
    }

    const SPACE: Space = Space {
        total_bytes: 100,
        available_bytes: 40,
        free_bytes: 45,
        inodes_total: 10,
        inodes_free: 9,
        is_read_only: false,
    };

    /// A mount that hangs holds up one thread and nobody else; it is not asked about again until it answers.
    #[test]
    fn a_hung_mount_is_stuck_alone() {
        let tree = Tree::new();
        let table =
            [line("8:1", "/", "/", "ext4", "/dev/sda1"), line("8:2", "/", "/dead", "ext4", "/dev/sdb1")];
        tree.write("/proc/self/mountinfo", table.concat());
        let (release, released) = channel::<()>();
        let (released, asked) = (Mutex::new(released), Arc::new(AtomicU32::new(0)));
        let count = Arc::clone(&asked);
        let ask = move |path: &Path| {
            if path.ends_with("dead") {
                count.fetch_add(1, Ordering::SeqCst);
                released.lock().unwrap().recv().ok();
            }
            Ok(SPACE)
        };
        let mut reader = FileSystemReader::asking(&tree.root(), false, Arc::new(ask));
        for _ in 0..3 {
            let disks = reader.read().unwrap();
            let states: Vec<_> = disks
                .iter()
                .map(|found| (&*found.disk.mount, found.disk.is_stuck, found.disk.total_bytes))
                .collect();
            assert_eq!(states, [("/", false, 100), ("/dead", true, 0)]);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);

        drop(release);
        let recovered = loop {
            let disks = reader.read().unwrap();
            if !disks[1].disk.is_stuck {
                break disks;
            }
            thread::yield_now();
        };
        assert_eq!((recovered[1].disk.total_bytes, recovered[1].disk.available_bytes), (100, 40));
    }

    #[test]
    fn who_was_held_up_while_it_waited_waits_on() {
        let outcomes = |outcomes: Vec<Result<u8, RecvTimeoutError>>| {
            let mut outcomes = outcomes.into_iter();
            let mut waited = Duration::ZERO;
            let outcome = in_time(|part| {
                waited += part;
                outcomes.next().unwrap()
            });
            (outcome, waited)
        };
        let (late, gone) = (Err(RecvTimeoutError::Timeout), Err(RecvTimeoutError::Disconnected));
        assert_eq!(outcomes(vec![late, Ok(7)]), (Ok(7), PATIENCE / 2), "however long the first part took");
        assert_eq!(outcomes(vec![gone]).0, gone);
        assert_eq!(outcomes(vec![late; 4]), (late, PATIENCE));
    }

    #[test]
    fn a_read_of_this_machine_has_sizes() {
        let space = statvfs(Path::new("/")).unwrap();
        assert!(space.total_bytes >= space.free_bytes && space.free_bytes >= space.available_bytes);
    }
}
