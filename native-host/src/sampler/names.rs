//! Names that others chose.

use std::collections::BTreeSet;

use crate::printable::is_active;

/// A name as it may be shown and logged: whoever starts a process or mounts a disk chooses its name, line breaks,
/// terminal escapes and marks that turn the direction of writing included. What isn't UTF-8 is replaced.
pub(crate) fn printable(name: &[u8]) -> String {
    const MOST: usize = 512;
    String::from_utf8_lossy(name).chars().map(plain).take(MOST).collect()
}

/// A character of such a name.
pub(crate) fn plain(c: char) -> char {
    if is_active(c) { '\u{fffd}' } else { c }
}

/// Makes names unique: the second of two equal ones becomes `name 2`. Two different names can be equal once they are
/// printable, and one series must not have two values at a time.
pub(crate) fn make_unique<T>(items: &mut [T], name: impl Fn(&mut T) -> &mut String) {
    let mut taken = BTreeSet::new();
    for item in items {
        let name = name(item);
        if taken.contains(name.as_str()) {
            let next = (2..).map(|number: u32| format!("{name} {number}"));
            *name = next.into_iter().find(|name| !taken.contains(name)).expect("numbers don't end");
        }
        taken.insert(name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_not_break_a_terminal() {
        assert_eq!(printable(b"a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(printable("a\u{202e}b".as_bytes()), "a\u{fffd}b");
        assert_eq!(printable(b"\xff"), "\u{fffd}");
        assert_eq!(printable(&[b'x'; 10_000]).len(), 512);
    }

    #[test]
    fn equal_names_are_numbered() {
        let mut names = ["Core", "Core", "Core 2", "tz"].map(str::to_owned);
        make_unique(&mut names, |name| name);
        assert_eq!(names, ["Core", "Core 2", "Core 2 2", "tz"]);
    }
}
