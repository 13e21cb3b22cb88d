//! Mutations of bytes that know nothing of what they mean.

use quillwork_core::rng::Rng;

/// Numbers at which parsers err, as text.
const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "-1",
    "1e999",
    "-1e999",
    "1e-400",
    "1e308",
    "NaN",
    "Infinity",
    "255",
    "256",
    "65536",
    "2147483647",
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.1",
    "00000000000000000000000000000000001",
];

/// The same as bytes, in as many as a length may have.
const EDGES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    i64::MAX.cast_unsigned(),
    u64::MAX,
];

/// Pieces that mean something to some parser, and characters that mean something to a terminal, a page or a sheet.
const PIECES: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b":",
    b"=",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x1b[2J",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    b"null",
    b"true",
    b"=cmd|' /C calc'!A0",
    b"<script>",
    b"%00",
    b"\\u0000",
];

/// What may be nested without end.
const BRACKETS: [(&[u8], &[u8]); 5] =
    [(b"[", b"]"), (b"{\"a\":", b"}"), (b"(", b")"), (b"{a=", b"}"), (b"\"", b"\"")];

/// Changes `bytes` in one place.
pub(crate) fn bytes(rng: &mut Rng, bytes: &mut Vec<u8>, others: &[Vec<u8>], words: &[&str]) {
    let at = rng.index(bytes.len() + 1);
    match rng.below(14) {
        0 if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        1 if at < bytes.len() => bytes[at] = rng.next_u64().to_le_bytes()[0],
        2 => drop(bytes.drain(stretch(rng, bytes.len()))),
        3 => bytes.truncate(at),
        4 => {
            let again = bytes[stretch(rng, bytes.len())].to_vec();
            bytes.splice(at..at, again);
        }
        5 => {
            let piece = bytes[stretch(rng, bytes.len().min(64))].to_vec();
            let times = 1 << rng.below(12);
            bytes.splice(at..at, piece.repeat(times));
        }
        6 if !others.is_empty() => {
            let other = &others[rng.index(others.len())];
            let taken = stretch(rng, other.len());
            bytes.splice(at..at, other[taken].iter().copied());
        }
        7 => number(rng, bytes, at),
        8 => edge(rng, bytes, at),
        9 => nested(rng, bytes),
        10 | 11 if !words.is_empty() => {
            let word = words[rng.index(words.len())].as_bytes();
            let end = if rng.chance(0.5) { at } else { stretch(rng, bytes.len() - at).end + at };
            bytes.splice(at..end, word.iter().copied());
        }
        12 => {
            let fill = PIECES[rng.index(PIECES.len())];
            bytes.splice(at..at, fill.repeat(1 << rng.below(10)));
        }
        _ => drop(bytes.splice(at..at, PIECES[rng.index(PIECES.len())].iter().copied())),
    }
}

/// A part of something of this length; short ones are the more likely.
fn stretch(rng: &mut Rng, length: usize) -> std::ops::Range<usize> {
    let from = rng.index(length + 1);
    let longest = (length - from).min(1 << rng.below(12));
    from..from + rng.index(longest + 1)
}

/// Puts an edge in place of the first decimal number from here on.
fn number(rng: &mut Rng, bytes: &mut Vec<u8>, from: usize) {
    let Some(begin) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let length = bytes[begin..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let edge = NUMBERS[rng.index(NUMBERS.len())];
    bytes.splice(begin..begin + length, edge.bytes());
}

/// Lets a length or a number lie: one, two, four or eight bytes of either order, or seven bits to a byte.
fn edge(rng: &mut Rng, bytes: &mut Vec<u8>, at: usize) {
    let edge = EDGES[rng.index(EDGES.len())];
    let width = 1 << rng.below(4);
    let lie = match rng.below(3) {
        0 => edge.to_le_bytes()[..width].to_vec(),
        1 => edge.to_be_bytes()[8 - width..].to_vec(),
        _ => crate::protobuf::varint(edge),
    };
    let end = (at + lie.len()).min(bytes.len());
    bytes.splice(at..end, lie);
}

fn nested(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let (open, close) = BRACKETS[rng.index(BRACKETS.len())];
    let depth = 1 << rng.below(14);
    let within = stretch(rng, bytes.len());
    bytes.splice(within.end..within.end, close.repeat(depth));
    bytes.splice(within.start..within.start, open.repeat(depth));
}

/// A JSON number, text or word for another value to become.
pub(crate) fn scalar(rng: &mut Rng) -> serde_json::Value {
    match rng.below(6) {
        0 => serde_json::Value::Null,
        1 => rng.chance(0.5).into(),
        2 => String::from_utf8_lossy(PIECES[rng.index(PIECES.len())]).repeat(1 << rng.below(8)).into(),
        _ => {
            let number = NUMBERS[rng.index(NUMBERS.len())];
            serde_json::from_str(number).unwrap_or_else(|_| number.into())
        }
    }
}
