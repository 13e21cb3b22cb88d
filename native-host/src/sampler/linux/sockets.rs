//! Sockets in use, from `/proc/net/sockstat` and `/proc/net/sockstat6` (proc(5)).

use quillwork_protocol::host::Sockets;

use super::file::KeptFile;
use super::text::{lines, number, words};
use crate::sampler::root::SystemRoot;

/// Reads sockets.
#[derive(Debug)]
pub(super) struct SocketReader {
    v4: KeptFile,
    v6: KeptFile,
    page_bytes: u64,
}

impl SocketReader {
    pub(super) fn new(root: &SystemRoot) -> Self {
        Self {
            v4: KeptFile::new(root.path("/proc/net/sockstat")),
            v6: KeptFile::new(root.path("/proc/net/sockstat6")),
            page_bytes: u64::try_from(rustix::param::page_size()).expect("a page is small"),
        }
    }

    /// Sockets now; `None` where the kernel doesn't tell.
    pub(super) fn read(&mut self, buffer: &mut Vec<u8>) -> Option<Sockets> {
        let text = self.v4.read(buffer).ok()?;
        let value = |line, key| value(text, line, key);
        let mut sockets = Sockets {
            used: value(b"sockets:", b"used")?,
            tcp_in_use: value(b"TCP:", b"inuse")?,
            tcp_orphans: value(b"TCP:", b"orphan")?,
            tcp_time_wait: value(b"TCP:", b"tw")?,
            tcp_memory_bytes: value(b"TCP:", b"mem")?.saturating_mul(self.page_bytes),
            udp_in_use: value(b"UDP:", b"inuse")?,
        };
        if let Ok(text) = self.v6.read(buffer) {
            let more = |line| self::value(text, line, b"inuse").unwrap_or(0);
            sockets.tcp_in_use = sockets.tcp_in_use.saturating_add(more(b"TCP6:"));
            sockets.udp_in_use = sockets.udp_in_use.saturating_add(more(b"UDP6:"));
        }
        Some(sockets)
    }
}

/// `TCP: inuse 4 orphan 0 tw 1 alloc 6 mem 2`
fn value(text: &[u8], line: &[u8], key: &[u8]) -> Option<u64> {
    let mut words = words(lines(text).find(|text| text.starts_with(line))?);
    words.find(|&word| word == key)?;
    number(words.next()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::linux::tree::Tree;

    #[test]
    fn both_families_count() {
        let tree = Tree::new();
        let mut reader = SocketReader::new(&tree.root());
        assert_eq!(reader.read(&mut Vec::new()), None);
        tree.write(
            "/proc/net/sockstat",
            "sockets: used 300\nTCP: inuse 4 orphan 1 tw 2 alloc 6 mem 3\nUDP: inuse 2 mem 1\n",
        );
        let v4 = reader.read(&mut Vec::new()).unwrap();
        assert_eq!(
            (v4.used, v4.tcp_in_use, v4.tcp_orphans, v4.tcp_time_wait, v4.udp_in_use),
            (300, 4, 1, 2, 2)
        );
        assert_eq!(v4.tcp_memory_bytes, 3 * reader.page_bytes);
        tree.write("/proc/net/sockstat6", "TCP6: inuse 3\nUDP6: inuse 5\n");
        let both = reader.read(&mut Vec::new()).unwrap();
        assert_eq!((both.tcp_in_use, both.udp_in_use), (7, 7));
    }
}
