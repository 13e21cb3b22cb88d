//! A record's frame: version, length and checksum around what is kept.

use std::fmt;

/// Seals what is to be kept: puts a frame around a payload. Version (1 byte), length (4), payload, checksum (4), numbers with the low byte first.
///
/// The checksum is CRC-32C over key, version, length and payload. With the key in it a value that was moved to another
/// key is found out too.
///
/// # Panics
///
/// Where the payload has 4 GiB or more.
#[must_use]
pub fn frame(key: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("records are far smaller than 4 GiB");
    let mut framed = Vec::with_capacity(payload.len() + OVERHEAD);
    framed.push(VERSION);
    framed.extend_from_slice(&length.to_le_bytes());
    framed.extend_from_slice(payload);
    framed.extend_from_slice(&checksum(key, &framed).to_le_bytes());
    framed
}

/// Takes the frame off.
///
/// # Errors
///
/// Where anything in it is not as it was written under this key.
pub fn unframe<'a>(key: &[u8], framed: &'a [u8]) -> Result<&'a [u8], DamagedRecord> {
    let damaged = |damage| DamagedRecord { key: key.to_vec(), damage };
    let (body, written) = framed.split_last_chunk::<4>().ok_or_else(|| damaged(Damage::Truncated))?;
    if body.len() < OVERHEAD - 4 {
        return Err(damaged(Damage::Truncated));
    }
    if checksum(key, body) != u32::from_le_bytes(*written) {
        return Err(damaged(Damage::Checksum));
    }
    // What follows was written like this: another version's, or a fault of ours.
    let (version, rest) = body.split_first().ok_or_else(|| damaged(Damage::Truncated))?;
    if *version != VERSION {
        return Err(damaged(Damage::Version(*version)));
    }
    let (length, payload) = rest.split_first_chunk::<4>().ok_or_else(|| damaged(Damage::Truncated))?;
    if usize::try_from(u32::from_le_bytes(*length)) != Ok(payload.len()) {
        return Err(damaged(Damage::Length));
    }
    Ok(payload)
}

fn checksum(key: &[u8], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), body)
}

/// A record that can't be trusted, and why. Its content is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {} is damaged: {damage}", Readable(key))]
pub struct DamagedRecord {
    /// Which record.
    pub key: Vec<u8>,
    /// What is wrong.
    pub damage: Damage,
}

/// What can be wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It is too short for a record.
    #[error("it is too short")]
    Truncated,
    /// Its checksum does not fit its key and content.
    #[error("its checksum does not fit")]
    Checksum,
    /// It was written in a format that this version doesn't know.
    #[error("its format {0} is unknown to this version")]
    Version(u8),
    /// Its length is not what it says.
    #[error("its length is not what it says")]
    Length,
    /// The frame is sound, and what is in it is not what belongs under this key.
    #[error("its content makes no sense")]
    Content,
}

/// A key as text where it is, other bytes escaped.
struct Readable<'a>(&'a [u8]);

impl fmt::Display for Readable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

const VERSION: u8 = 1;
/// Version, length and checksum.
const OVERHEAD: usize = 1 + 4 + 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_found() {
        let framed = frame(b"key", b"some payload of a record");
        assert_eq!(unframe(b"key", &framed).unwrap(), b"some payload of a record");
        for bit in 0..framed.len() * 8 {
            let mut flipped = framed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unframe(b"key", &flipped).unwrap_err().damage, Damage::Checksum, "bit {bit}");
        }
    }

    #[test]
    fn every_truncation_is_found() {
        let framed = frame(b"key", b"payload");
        for length in 0..framed.len() {
            assert!(unframe(b"key", &framed[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_value_under_another_key_is_found() {
        assert_eq!(unframe(b"other", &frame(b"key", b"payload")).unwrap_err().damage, Damage::Checksum);
    }

    #[test]
    fn an_unknown_version_is_named() {
        let mut framed = frame(b"key", b"payload");
        framed[0] = 9;
        let body = framed.len() - 4;
        let fitting = checksum(b"key", &framed[..body]).to_le_bytes();
        framed[body..].copy_from_slice(&fitting);
        let error = unframe(b"key", &framed).unwrap_err();
        assert_eq!(error.damage, Damage::Version(9));
        assert_eq!(error.to_string(), "record \"key\" is damaged: its format 9 is unknown to this version");
    }
}
