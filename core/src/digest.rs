//! A digest of decisions, to compare runs with.
//!
//! Two runs that were given the same inputs, one native and one in WASM, or one recorded and one replayed, must decide
//! the same. [`Digest`] folds what they decided into 64 bits (FNV-1a), byte for byte the same on every machine. It finds
//! accidental differences; it is no protection against made ones.
//!
//! ```
//! use quillwork_core::digest::Digest;
//!
//! let mut digest = Digest::new();
//! digest.write_u64(7);
//! assert_ne!(digest.value(), Digest::new().value());
//! ```

/// A running FNV-1a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Folds one byte in.
    pub const fn write_u8(&mut self, byte: u8) {
        self.0 = (self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
    }

    /// Folds four bytes in, least significant first.
    pub fn write_u32(&mut self, number: u32) {
        number.to_le_bytes().into_iter().for_each(|byte| self.write_u8(byte));
    }

    /// Folds eight bytes in, least significant first.
    pub fn write_u64(&mut self, number: u64) {
        number.to_le_bytes().into_iter().for_each(|byte| self.write_u8(byte));
    }

    /// The digest so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a's published value for "foobar".
    #[test]
    fn matches_its_reference() {
        let mut digest = Digest::new();
        b"foobar".iter().for_each(|&byte| digest.write_u8(byte));
        assert_eq!(digest.value(), 0x8594_4171_f739_67e8);
    }
}
