//! Numbers as the JSON mapping of protobuf writes them: 64-bit integers as text or as numbers, floats also as words.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
}

pub(super) mod unsigned {
    use super::*;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        u64_of(Written::deserialize(from)?).ok_or_else(|| D::Error::custom("not a 64-bit unsigned integer"))
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(crate) fn serialize<S: Serializer>(value: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }
}

pub(super) mod unsigned_list {
    use super::*;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u64>, D::Error> {
        let written = Vec::<Written>::deserialize(from)?;
        let numbers: Option<Vec<u64>> = written.into_iter().map(u64_of).collect();
        numbers.ok_or_else(|| D::Error::custom("not a list of 64-bit unsigned integers"))
    }
}

pub(super) mod signed_option {
    use super::*;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
        match Option::<Written>::deserialize(from)? {
            None => Ok(None),
            Some(Written::Signed(number)) => Ok(Some(number)),
            Some(Written::Unsigned(number)) => i64::try_from(number).map(Some).map_err(D::Error::custom),
            Some(Written::Text(text)) => text.parse().map(Some).map_err(D::Error::custom),
            Some(Written::Float(_)) => Err(D::Error::custom("not a 64-bit integer")),
        }
    }
}

pub(super) mod float_option {
    use super::*;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        #[expect(clippy::cast_precision_loss, reason = "the field is a double")]
        match Option::<Written>::deserialize(from)? {
            None => Ok(None),
            Some(Written::Float(number)) => Ok(Some(number)),
            Some(Written::Signed(number)) => Ok(Some(number as f64)),
            Some(Written::Unsigned(number)) => Ok(Some(number as f64)),
            // "NaN", "Infinity" and "-Infinity" are what Rust reads as well.
            Some(Written::Text(text)) => text.parse().map(Some).map_err(D::Error::custom),
        }
    }
}

fn u64_of(written: Written) -> Option<u64> {
    match written {
        Written::Unsigned(number) => Some(number),
        Written::Text(text) => text.parse().ok(),
        Written::Signed(_) | Written::Float(_) => None,
    }
}
