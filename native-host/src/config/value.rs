//! What an option may hold, and how it is written.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;
use toml::de::DeValue;

use super::sections::{LogLevel, TimeOfDay};
use crate::guard::{HostName, Origin};

/// A value as it was given, and the directory that relative paths in it start from.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    raw: Raw<'a>,
    base: &'a Path,
}

#[derive(Clone, Copy, Debug)]
enum Raw<'a> {
    Toml(&'a DeValue<'a>),
    Text(&'a str),
}

impl<'a> Given<'a> {
    /// From the file. Relative paths start from the directory that the file lies in.
    pub(super) fn toml(value: &'a DeValue<'a>, base: &'a Path) -> Self {
        Self { raw: Raw::Toml(value), base }
    }

    /// From the environment or the command line. Relative paths start from the working directory.
    pub(crate) fn text(text: &'a str) -> Self {
        Self { raw: Raw::Text(text), base: Path::new("") }
    }

    fn string(self) -> Result<Cow<'a, str>, String> {
        match self.raw {
            Raw::Toml(DeValue::String(text)) => Ok(text.clone()),
            Raw::Toml(other) => Err(format!("write a string in quotes, not {}", article(other))),
            Raw::Text(text) => Ok(text.into()),
        }
    }

    fn integer(self) -> Result<i128, String> {
        let read = |text: &str, radix| {
            i128::from_str_radix(text, radix).map_err(|_| format!("{text:?} is no whole number"))
        };
        match self.raw {
            Raw::Toml(DeValue::Integer(number)) => read(number.as_str(), number.radix()),
            Raw::Toml(other) => Err(format!("write a whole number, not {}", article(other))),
            Raw::Text(text) => read(text, 10),
        }
    }

    fn elements(self) -> Result<Vec<Given<'a>>, String> {
        let base = self.base;
        match self.raw {
            Raw::Toml(DeValue::Array(array)) => {
                Ok(array.iter().map(|element| Self::toml(element.get_ref(), base)).collect())
            }
            Raw::Toml(other) => Err(format!("write a list in [brackets], not {}", article(other))),
            Raw::Text(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Ok(parts.map(Given::text).collect())
            }
        }
    }
}

fn article(value: &DeValue<'_>) -> String {
    let name = value.type_str();
    let article = if name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// A type that options can have.
pub trait Value: Sized {
    /// What people read about it in the reference, for instance "whole number".
    fn kind() -> Cow<'static, str>;

    /// Reads it.
    ///
    /// # Errors
    ///
    /// What to write instead.
    fn read(given: Given<'_>) -> Result<Self, String>;

    /// As JSON; null where it isn't set. TOML writes the same values the same way, but for null.
    fn write(&self) -> Json;
}

impl Value for bool {
    fn kind() -> Cow<'static, str> {
        "true or false".into()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        match given.raw {
            Raw::Toml(DeValue::Boolean(value)) => Ok(*value),
            Raw::Text("true" | "1") => Ok(true),
            Raw::Text("false" | "0") => Ok(false),
            Raw::Toml(other) => Err(format!("write true or false, not {}", article(other))),
            Raw::Text(other) => Err(format!("write true or false, not {other:?}")),
        }
    }

    fn write(&self) -> Json {
        (*self).into()
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl Value for $number {
            fn kind() -> Cow<'static, str> {
                "whole number".into()
            }

            fn read(given: Given<'_>) -> Result<Self, String> {
                let number = given.integer()?;
                Self::try_from(number)
                    .map_err(|_| format!("{number} is out of range; write {} to {}", Self::MIN, Self::MAX))
            }

            fn write(&self) -> Json {
                (*self).into()
            }
        }
    )*};
}

whole_numbers!(u16, u32, u64, usize);

impl Value for f64 {
    fn kind() -> Cow<'static, str> {
        "number".into()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        let text: Cow<'_, str> = match given.raw {
            Raw::Toml(DeValue::Float(number)) => number.as_str().into(),
            Raw::Toml(DeValue::Integer(_)) => given.integer()?.to_string().into(),
            Raw::Toml(other) => return Err(format!("write a number, not {}", article(other))),
            Raw::Text(text) => text.into(),
        };
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| format!("{text:?} is no number"))
    }

    fn write(&self) -> Json {
        (*self).into()
    }
}

impl Value for String {
    fn kind() -> Cow<'static, str> {
        "string".into()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        given.string().map(Cow::into_owned)
    }

    fn write(&self) -> Json {
        self.as_str().into()
    }
}

impl Value for PathBuf {
    fn kind() -> Cow<'static, str> {
        "path".into()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        let text = given.string()?;
        if text.is_empty() {
            return Err("write a path; leave the option out where there is none".to_owned());
        }
        Ok(given.base.join(&*text))
    }

    fn write(&self) -> Json {
        self.to_string_lossy().into()
    }
}

impl Value for IpAddr {
    fn kind() -> Cow<'static, str> {
        "IP address".into()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        let text = given.string()?;
        text.parse()
            .map_err(|_| format!("{text:?} is no IP address; write for instance \"127.0.0.1\" or \"::1\""))
    }

    fn write(&self) -> Json {
        self.to_string().into()
    }
}

/// Implements [`Value`] for what is written as a string and says itself what is wrong with it.
macro_rules! texts {
    ($($name:ty = $kind:literal),*) => {$(
        impl Value for $name {
            fn kind() -> Cow<'static, str> {
                $kind.into()
            }

            fn read(given: Given<'_>) -> Result<Self, String> {
                given.string()?.parse::<Self>().map_err(|error| error.to_string())
            }

            fn write(&self) -> Json {
                self.to_string().into()
            }
        }
    )*};
}

texts!(
    Origin = "origin",
    HostName = "name of a host",
    LogLevel = "level",
    TimeOfDay = "time of day, as \"06:00\""
);

impl Value for Duration {
    fn kind() -> Cow<'static, str> {
        "duration, as \"500ms\", \"30s\", \"5m\", \"12h\" or \"7d\"".into()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        let text = given.string()?;
        let wrong = || {
            format!(
                "{text:?} is no duration; write for instance \"500ms\", \"30s\", \"5m\", \"12h\" or \"7d\""
            )
        };
        let (number, unit) = number_and_unit(&text).ok_or_else(wrong)?;
        let (_, millis) = DURATIONS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        number.checked_mul(*millis).map(Self::from_millis).ok_or_else(wrong)
    }

    fn write(&self) -> Json {
        let total = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let (unit, millis) = largest_unit(&DURATIONS, total);
        format!("{}{unit}", total / millis).into()
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl Value for ByteSize {
    fn kind() -> Cow<'static, str> {
        "size, as \"64KiB\", \"10MiB\" or \"2GiB\"".into()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        let text = given.string()?;
        let wrong = || format!("{text:?} is no size; write for instance \"64KiB\", \"10MiB\" or \"2GiB\"");
        let (number, unit) = number_and_unit(&text).ok_or_else(wrong)?;
        let (_, bytes) = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        number.checked_mul(*bytes).map(Self).ok_or_else(wrong)
    }

    fn write(&self) -> Json {
        let (unit, bytes) = largest_unit(&SIZES, self.0);
        format!("{}{unit}", self.0 / bytes).into()
    }
}

/// In milliseconds; the smallest first.
const DURATIONS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// In bytes; the smallest first.
const SIZES: [(&str, u64); 5] =
    [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let at = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    Some((number.parse().ok()?, unit.trim_start()))
}

/// The largest unit of which `total` is a whole number.
fn largest_unit(units: &'static [(&'static str, u64)], total: u64) -> (&'static str, u64) {
    let fits = units.iter().rev().find(|(_, size)| total != 0 && total.is_multiple_of(*size));
    *fits.unwrap_or(&units[0])
}

impl<T: Value> Value for Option<T> {
    fn kind() -> Cow<'static, str> {
        T::kind()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        T::read(given).map(Some)
    }

    fn write(&self) -> Json {
        self.as_ref().map_or(Json::Null, Value::write)
    }
}

impl<T: Value> Value for Vec<T> {
    fn kind() -> Cow<'static, str> {
        format!("list of: {}", T::kind()).into()
    }

    fn read(given: Given<'_>) -> Result<Self, String> {
        given.elements()?.into_iter().map(T::read).collect()
    }

    fn write(&self) -> Json {
        self.iter().map(Value::write).collect()
    }
}

/// Implements [`Value`] for an enum whose variants are written as words.
macro_rules! words {
    ($name:ty { $($word:literal => $variant:path),+ $(,)? }) => {
        impl $crate::config::Value for $name {
            fn kind() -> std::borrow::Cow<'static, str> {
                [$(concat!("\"", $word, "\"")),+].join(" or ").into()
            }

            fn read(given: $crate::config::Given<'_>) -> Result<Self, String> {
                let text = <String as $crate::config::Value>::read(given)?;
                match text.as_str() {
                    $($word => Ok($variant),)+
                    _ => Err(format!("{text:?} isn't known; write {}", <Self as $crate::config::Value>::kind())),
                }
            }

            fn write(&self) -> serde_json::Value {
                match self {
                    $($variant => $word.into(),)+
                }
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Value>(text: &str) -> Result<T, String> {
        T::read(Given::text(text))
    }

    #[test]
    fn durations_and_sizes_are_read_and_written_in_their_largest_unit() {
        for (text, millis, written) in
            [("1500ms", 1_500, "1500ms"), ("60s", 60_000, "1m"), ("24h", 86_400_000, "1d"), ("0s", 0, "0ms")]
        {
            let duration: Duration = read(text).unwrap();
            assert_eq!(duration.as_millis(), millis);
            assert_eq!(duration.write(), written);
        }
        assert_eq!(read::<ByteSize>("10 MiB").unwrap(), ByteSize(10 << 20));
        assert_eq!(ByteSize(1 << 30).write(), "1GiB");
        assert_eq!(ByteSize(1_500).write(), "1500B");
        for wrong in
            ["", "5", "s", "-5s", "1.5s", "5 minutes", "99999999999999999999s", "18446744073709551615d"]
        {
            assert!(read::<Duration>(wrong).is_err(), "{wrong}");
        }
        for wrong in ["10MB", "10", "MiB", "18446744073709551615KiB"] {
            assert!(read::<ByteSize>(wrong).unwrap_err().contains("10MiB"), "{wrong}");
        }
    }

    #[test]
    fn a_number_out_of_range_is_told_the_range() {
        assert_eq!(read::<u16>("70000").unwrap_err(), "70000 is out of range; write 0 to 65535");
        assert!(read::<u16>("-1").is_err() && read::<u64>("1e3").is_err());
        assert!(read::<f64>("NaN").is_err() && read::<f64>("inf").is_err());
    }

    #[test]
    fn lists_are_separated_by_commas_outside_the_file() {
        assert_eq!(read::<Vec<u16>>("1, 2,3").unwrap(), [1, 2, 3]);
        assert!(read::<Vec<u16>>("").unwrap().is_empty());
    }
}
