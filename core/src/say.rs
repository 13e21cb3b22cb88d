//! Words for what was refused, in little code.
//!
//! `core::fmt` can do more than these sentences need, and brings a quarter of the code of a module for a page with it: every way to write a
//! float, padding, alternate forms. So errors of settings are [`Say`], which writes texts, whole numbers, decimals and durations and
//! nothing else; their `Display` says the same. A shell that is small calls [`Say`] itself, and links no formatting.

use core::fmt::{Result, Write};
use core::num::NonZeroU32;

use crate::time::Duration;

/// Says itself in words.
pub trait Say {
    /// Writes the words.
    ///
    /// # Errors
    ///
    /// Where `to` can't take them.
    fn say(&self, to: &mut dyn Write) -> Result;
}

impl<T: Say + ?Sized> Say for &T {
    fn say(&self, to: &mut dyn Write) -> Result {
        (**self).say(to)
    }
}

impl Say for str {
    fn say(&self, to: &mut dyn Write) -> Result {
        to.write_str(self)
    }
}

impl Say for u64 {
    fn say(&self, to: &mut dyn Write) -> Result {
        digits(*self, 1, to)
    }
}

impl Say for u32 {
    fn say(&self, to: &mut dyn Write) -> Result {
        u64::from(*self).say(to)
    }
}

impl Say for u16 {
    fn say(&self, to: &mut dyn Write) -> Result {
        u64::from(*self).say(to)
    }
}

impl Say for u8 {
    fn say(&self, to: &mut dyn Write) -> Result {
        u64::from(*self).say(to)
    }
}

impl Say for usize {
    fn say(&self, to: &mut dyn Write) -> Result {
        (*self as u64).say(to)
    }
}

impl Say for NonZeroU32 {
    fn say(&self, to: &mut dyn Write) -> Result {
        self.get().say(to)
    }
}

/// Up to nine decimals; what is too large for that by its power of ten.
impl Say for f64 {
    fn say(&self, to: &mut dyn Write) -> Result {
        if self.is_nan() {
            return to.write_str("NaN");
        }
        if *self < 0.0 {
            to.write_char('-')?;
        }
        let size = libm::fabs(*self);
        if size == f64::INFINITY {
            return to.write_str("inf");
        }
        if size < LARGE {
            let whole = libm::floor(size);
            let billionths = libm::round((size - whole) * 1e9);
            return if billionths < 1e9 {
                decimal(truncated(whole), truncated(billionths), 9, to)
            } else {
                truncated(whole + 1.0).say(to)
            };
        }
        let (mut mantissa, mut power) = (size, 0_u32);
        while mantissa >= 10.0 {
            mantissa /= 10.0;
            power += 1;
        }
        mantissa.say(to)?;
        to.write_char('e')?;
        power.say(to)
    }
}

/// In the largest unit of which it is at least one, as its `Debug` does.
impl Say for Duration {
    fn say(&self, to: &mut dyn Write) -> Result {
        if *self == Self::MAX {
            return to.write_str("forever");
        }
        let nanos = self.as_nanos();
        let (unit, places, name) = match nanos {
            0..1_000 => (1, 0, "ns"),
            1_000..1_000_000 => (1_000, 3, "µs"),
            1_000_000..1_000_000_000 => (1_000_000, 6, "ms"),
            _ => (1_000_000_000, 9, "s"),
        };
        decimal(nanos / unit, nanos % unit, places, to)?;
        to.write_str(name)
    }
}

/// A whole part, and a fraction of so many places, without the zeros that end it.
fn decimal(whole: u64, mut fraction: u64, mut places: u32, to: &mut dyn Write) -> Result {
    whole.say(to)?;
    if fraction == 0 {
        return Ok(());
    }
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        places -= 1;
    }
    to.write_char('.')?;
    digits(fraction, places, to)
}

/// At least so many digits.
fn digits(number: u64, least: u32, to: &mut dyn Write) -> Result {
    let mut left = number.checked_ilog10().map_or(1, |power| power + 1).max(least);
    while left > 0 {
        left -= 1;
        let digit = number / 10_u64.pow(left) % 10;
        to.write_char(char::from(b'0' + u8::try_from(digit).expect("a digit is below 10")))?;
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is whole, and from 0 to LARGE"
)]
fn truncated(whole: f64) -> u64 {
    whole as u64
}

/// From here on a float has no decimals, and too many digits to read.
const LARGE: f64 = 1e15;

/// Says its arguments one after the other.
macro_rules! say {
    ($to:expr, $($part:expr),+ $(,)?) => {{
        $($crate::say::Say::say(&$part, $to)?;)+
        ::core::fmt::Result::Ok(())
    }};
}

/// `Display` in the same words.
macro_rules! displayed {
    ($($said:ty),+) => {$(
        impl ::core::fmt::Display for $said {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::say::Say::say(self, f)
            }
        }
    )+};
}

pub(crate) use {displayed, say};

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    fn said(what: impl Say) -> String {
        let mut text = String::new();
        what.say(&mut text).expect("a String takes everything");
        text
    }

    proptest! {
        #[test]
        fn whole_numbers_and_durations_read_as_the_standard_ones(number: u64) {
            prop_assert_eq!(said(number), format!("{number}"));
            for nanos in [number, number % 1_000_000_000, number % 1_000_000, number % 1_000] {
                let duration = Duration::from_nanos(nanos);
                prop_assert_eq!(said(duration), format!("{duration:?}"));
            }
        }

        #[test]
        fn settings_read_as_the_standard_floats(thousandths in -1_000_000_000_i32..1_000_000_000) {
            let float = f64::from(thousandths) / 1e3;
            prop_assert_eq!(said(float), format!("{float}"));
        }
    }

    #[test]
    fn the_ends_of_each_range() {
        assert_eq!([0.1, 0.95, 1.0, 0.999_999_999_9].map(said), ["0.1", "0.95", "1", "1"]);
        assert_eq!(
            [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0].map(said),
            ["NaN", "inf", "-inf", "-1"]
        );
        assert_eq!(
            [1e15, 1e300].map(|float| said(float).split_once('e').map(|(_, power)| String::from(power))),
            [Some("15".into()), Some("300".into())]
        );
        assert_eq!([0, u64::MAX].map(said), ["0", "18446744073709551615"]);
        assert_eq!([Duration::ZERO, Duration::MAX].map(said), ["0ns", "forever"]);
    }
}
