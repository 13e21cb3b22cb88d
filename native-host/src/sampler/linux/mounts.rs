//! The table of mounts, from `/proc/self/mountinfo` (proc(5)).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::text::{lines, number, words};

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Major and minor number of the device. Equal numbers are one file system.
    pub(super) device: (u64, u64),
    /// What directory of the file system is mounted.
    pub(super) of: Vec<u8>,
    /// Where.
    pub(super) point: PathBuf,
    pub(super) file_system: Vec<u8>,
    pub(super) source: Vec<u8>,
    /// Options of the file system, among them the controllers of a control group hierarchy.
    pub(super) options: Vec<u8>,
}

/// All mounts, in the order of mounting. Lines that can't be read are left out.
pub(super) fn parse(text: &[u8]) -> Vec<Mount> {
    lines(text).filter_map(parse_line).collect()
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut words = words(line).skip(2);
    let device = words.next()?;
    let colon = device.iter().position(|&byte| byte == b':')?;
    let of = unescaped(words.next()?);
    let point = PathBuf::from(OsString::from_vec(unescaped(words.next()?)));
    let mut rest = words.skip_while(|&word| word != b"-").skip(1);
    Some(Mount {
        device: (number(&device[..colon])?, number(&device[colon + 1..])?),
        of,
        point,
        file_system: rest.next()?.to_vec(),
        source: unescaped(rest.next()?),
        options: rest.next().unwrap_or_default().to_vec(),
    })
}

/// White space and backslashes are written as three octal digits.
fn unescaped(word: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'\\').then(|| after.get(..3).and_then(octal)).flatten();
        result.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    result
}

fn octal(digits: &[u8]) -> Option<u8> {
    let value = digits.iter().try_fold(0_u32, |value, digit| {
        (b'0'..=b'7').contains(digit).then(|| value * 8 + u32::from(digit - b'0'))
    })?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_read_with_any_number_of_optional_fields() {
        let text =
            b"36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n\
                     37 35 0:5 / /x rw - tmpfs a\\134b rw\nbroken\n";
        let mounts = parse(text);
        assert_eq!(mounts.len(), 2);
        assert_eq!((mounts[0].device, mounts[0].of.as_slice()), ((98, 0), &b"/mnt1"[..]));
        assert_eq!(mounts[0].point, PathBuf::from("/mnt 2"));
        assert_eq!(mounts[0].options, b"rw,errors=continue");
        assert_eq!(mounts[1].source, b"a\\b");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..128), word in "[\\\\0-9]{0,12}") {
            parse(&bytes);
            unescaped(word.as_bytes());
        }
    }
}
