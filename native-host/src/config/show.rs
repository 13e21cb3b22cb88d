//! The effective configuration, for people and for the API.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::Config;
use crate::printable::is_active;

/// An option as it counts. Secrets are no part of it: they lie in files, and options name those.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Effective {
    /// `section.option`
    pub key: String,
    /// Its value; null where it isn't set.
    #[schema(value_type = serde_json::Value)]
    pub value: Json,
    /// Where the value is from: `default`, a line of the file, a variable or a flag.
    pub set_by: String,
}

/// All options, section by section.
pub fn options(config: &Config) -> impl Iterator<Item = Effective> + '_ {
    let plain = config.sections().into_iter().map(|(name, section)| (name.to_owned(), section));
    let named = config.families().into_iter().flat_map(|(family, entries)| {
        entries.entries().into_iter().map(move |(name, section)| (format!("{family}.{name}"), section))
    });
    plain.chain(named).flat_map(move |(section, options)| {
        options.fields().into_iter().map(move |field| {
            let key = format!("{section}.{}", field.name);
            let set_by = config.set_by(&key).to_string();
            Effective { value: options.get(field.name), key, set_by }
        })
    })
}

/// All options with where each is from, as a file that would say the same.
///
/// # Panics
///
/// Never: keys name their section, and a string takes everything.
#[must_use]
pub fn effective(config: &Config) -> String {
    let mut text = String::new();
    let mut current = String::new();
    for option in options(config) {
        let (section, field) = option.key.rsplit_once('.').expect("keys name their section");
        if section != current {
            let gap = if current.is_empty() { "" } else { "\n" };
            writeln!(text, "{gap}[{section}]").expect("a string takes everything");
            section.clone_into(&mut current);
        }
        let line = match toml(&option.value) {
            Some(value) => format!("{field} = {value}"),
            None => format!("# {field} is not set"),
        };
        writeln!(text, "{line:<48}  # {}", option.set_by).expect("a string takes everything");
    }
    text
}

/// A value as TOML writes it; none where it isn't set.
pub(super) fn toml(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(quoted(text)),
        Json::Array(elements) => {
            let elements: Vec<_> = elements.iter().filter_map(toml).collect();
            Some(format!("[{}]", elements.join(", ")))
        }
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => Some(value.to_string()),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if is_active(character) => {
                write!(quoted, "\\U{:08X}", u32::from(character)).expect("a string takes everything");
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
