//! Numbers as bytes, and the shape of structs and enums as lists of their fields.

use alloc::vec::Vec;

use crate::time::{Duration, Instant};

use super::super::TaskSpec;
use super::RecordingError;

/// Something that can be written and read back.
pub(super) trait Code: Sized {
    fn encode(&self, to: &mut Encoder);

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop>;
}

/// Why decoding can't go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stop {
    /// The bytes are used up.
    NoMore,
    Wrong(RecordingError),
}

/// What later fields are coded as differences to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context {
    pub(super) task: u64,
    pub(super) spec: TaskSpec,
    pub(super) now: u64,
}

/// Appends to bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoder {
    pub(super) bytes: Vec<u8>,
    pub(super) context: Context,
}

impl Encoder {
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// LEB128: seven bits to a byte, the lowest first.
    pub(super) fn varint(&mut self, mut number: u128) {
        while number >= 0x80 {
            self.byte((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.byte((number & 0x7f) as u8);
    }

    /// The time since the last one that was coded here, in whichever direction.
    pub(super) fn time(&mut self, now: Instant) {
        let change = now.as_nanos().wrapping_sub(self.context.now).cast_signed();
        self.context.now = now.as_nanos();
        let unit = UNITS.iter().rposition(|&unit| change % unit == 0).expect("one is a unit");
        self.varint(u128::from(zigzag(change / UNITS[unit])) << 2 | unit as u128);
    }
}

/// Reads from bytes.
#[derive(Clone, Debug)]
pub(super) struct Decoder<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) context: Context,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, context: Context::default() }
    }

    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop::NoMore)?;
        self.at += 1;
        Ok(byte)
    }

    pub(super) fn varint(&mut self) -> Result<u128, Stop> {
        let mut number = 0;
        for shift in (0..126).step_by(7) {
            let byte = self.byte()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.malformed())
    }

    pub(super) fn narrow<T: TryFrom<u128>>(&mut self) -> Result<T, Stop> {
        T::try_from(self.varint()?).map_err(|_| self.malformed())
    }

    pub(super) fn time(&mut self) -> Result<Instant, Stop> {
        let coded = self.varint()?;
        let unit = UNITS[(coded & 3) as usize];
        let in_units = unzigzag(u64::try_from(coded >> 2).map_err(|_| self.malformed())?);
        let change = in_units.checked_mul(unit).ok_or_else(|| self.malformed())?;
        self.context.now = self.context.now.wrapping_add(change.cast_unsigned());
        Ok(Instant::from_nanos(self.context.now))
    }

    pub(super) fn malformed(&self) -> Stop {
        Stop::Wrong(RecordingError::Malformed { at_byte: self.at })
    }

    pub(super) fn unknown(&self, kind: u8) -> Stop {
        Stop::Wrong(RecordingError::UnknownKind { kind, at_byte: self.at - 1 })
    }
}

/// Small numbers of either sign as small numbers.
pub(super) const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

pub(super) const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

/// Nanoseconds of a nanosecond, a microsecond, a millisecond and a second.
const UNITS: [i64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

impl Code for u32 {
    fn encode(&self, to: &mut Encoder) {
        to.varint((*self).into());
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        from.narrow()
    }
}

impl Code for u64 {
    fn encode(&self, to: &mut Encoder) {
        to.varint((*self).into());
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        from.narrow()
    }
}

/// Its bits: also a value without meaning comes back as it was.
impl Code for f64 {
    fn encode(&self, to: &mut Encoder) {
        to.bytes.extend(self.to_bits().to_le_bytes());
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        let mut bits = [0; 8];
        for byte in &mut bits {
            *byte = from.byte()?;
        }
        Ok(Self::from_bits(u64::from_le_bytes(bits)))
    }
}

impl Code for bool {
    fn encode(&self, to: &mut Encoder) {
        to.byte((*self).into());
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(from.malformed()),
        }
    }
}

impl Code for Duration {
    fn encode(&self, to: &mut Encoder) {
        let nanos = self.as_nanos();
        let unit = UNITS
            .iter()
            .rposition(|&unit| nanos.is_multiple_of(unit.cast_unsigned()))
            .expect("one is a unit");
        to.varint(u128::from(nanos / UNITS[unit].cast_unsigned()) << 2 | unit as u128);
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        let coded = from.varint()?;
        let unit = UNITS[(coded & 3) as usize].cast_unsigned();
        let in_units = u64::try_from(coded >> 2).map_err(|_| from.malformed())?;
        in_units.checked_mul(unit).map(Self::from_nanos).ok_or_else(|| from.malformed())
    }
}

impl<T: Code> Code for Option<T> {
    fn encode(&self, to: &mut Encoder) {
        self.is_some().encode(to);
        if let Some(value) = self {
            value.encode(to);
        }
    }

    fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
        Ok(if bool::decode(from)? { Some(T::decode(from)?) } else { None })
    }
}

/// A struct as its fields, in this order.
macro_rules! code_struct {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl Code for $type {
            fn encode(&self, to: &mut Encoder) {
                let Self { $($field),+ } = self;
                $($field.encode(to);)+
            }

            fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
                Ok(Self { $($field: Code::decode(from)?),+ })
            }
        }
    };
}

/// A struct as the fields that differ from the one before, after a set of bits that says which.
macro_rules! code_changes {
    ($type:ident in $context:ident { $($field:ident),+ $(,)? }) => {
        impl Code for $type {
            fn encode(&self, to: &mut Encoder) {
                let Self { $($field),+ } = self;
                let before = core::mem::replace(&mut to.context.$context, *self);
                let mut bit = 1_u128;
                let mut changed = 0;
                $(
                    if *$field != before.$field {
                        changed |= bit;
                    }
                    bit <<= 1;
                )+
                debug_assert!(bit > changed, "a bit for each field");
                to.varint(changed);
                $(
                    if *$field != before.$field {
                        $field.encode(to);
                    }
                )+
            }

            fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
                let mut changed = from.varint()?;
                let mut value = from.context.$context;
                $(
                    if changed & 1 == 1 {
                        value.$field = Code::decode(from)?;
                    }
                    changed >>= 1;
                )+
                if changed != 0 {
                    return Err(from.malformed());
                }
                from.context.$context = value;
                Ok(value)
            }
        }
    };
}

/// An enum as a number and the fields of the variant.
macro_rules! code_enum {
    ($type:ident { $($tag:literal => $variant:ident $({ $($field:ident),+ $(,)? })? $(($inner:ident))?),+ $(,)? }) => {
        impl Code for $type {
            fn encode(&self, to: &mut Encoder) {
                match self {
                    $(Self::$variant $({ $($field),+ })? $(($inner))? => {
                        to.byte($tag);
                        $($($field.encode(to);)+)?
                        $($inner.encode(to);)?
                    })+
                }
            }

            fn decode(from: &mut Decoder<'_>) -> Result<Self, Stop> {
                Ok(match from.byte()? {
                    $($tag => {
                        $($(let $field = Code::decode(from)?;)+)?
                        $(let $inner = Code::decode(from)?;)?
                        Self::$variant $({ $($field),+ })? $(($inner))?
                    })+
                    kind => return Err(from.unknown(kind)),
                })
            }
        }
    };
}

pub(super) use {code_changes, code_enum, code_struct};
