//! Sections of options, each declared once: type, default, range and description.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::value::{Given, Value};

/// A table of options.
pub(crate) trait Section {
    /// What it is for.
    fn doc(&self) -> String;

    /// Its options, in the order of the reference.
    fn fields(&self) -> Vec<Field>;

    /// Sets the option of this name.
    ///
    /// # Errors
    ///
    /// What to write instead.
    fn set(&mut self, field: &str, given: Given<'_>) -> Result<(), String>;

    /// The option of this name; null where it isn't set.
    fn get(&self, field: &str) -> Json;
}

/// A table of sections, each under a name that the operator chooses.
pub(crate) trait Family {
    /// A section as it is before anything is set.
    fn blank(&self) -> Box<dyn Section>;

    /// The section of this name, made if there is none.
    fn entry(&mut self, name: &str) -> &mut dyn Section;

    /// All, by name.
    fn entries(&self) -> Vec<(&str, &dyn Section)>;
}

impl<T: Section + Default + 'static> Family for BTreeMap<String, T> {
    fn blank(&self) -> Box<dyn Section> {
        Box::<T>::default()
    }

    fn entry(&mut self, name: &str) -> &mut dyn Section {
        BTreeMap::entry(self, name.to_owned()).or_default()
    }

    fn entries(&self) -> Vec<(&str, &dyn Section)> {
        self.iter().map(|(name, section)| (name.as_str(), section as &dyn Section)).collect()
    }
}

/// An option of a section.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its name in the section.
    pub name: &'static str,
    /// What it does, in Markdown.
    pub doc: String,
    /// What may be written.
    pub kind: String,
    /// The smallest and the largest value, where there are such.
    pub range: Option<(&'static str, &'static str)>,
    /// When a change of it counts.
    pub applies: Applies,
}

/// When a change of an option counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applies {
    /// When the configuration is read again (SIGHUP).
    OnReload,
    /// When the host starts.
    OnRestart,
}

/// Declares a section: a struct with public fields, its defaults, and how it is read and written.
///
/// ```text
/// settings! {
///     /// What the section is for.
///     pub struct Server {
///         /// What the option does.
///         port: u16 = 9_470, applies OnRestart;
///         /// What this one does.
///         workers: usize = 2, from "1" to "64", applies OnRestart;
///     }
/// }
/// ```
macro_rules! settings {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $field_doc:literal])+
                $field:ident: $kind:ty = $default:expr, $(from $least:literal to $most:literal,)? applies $applies:ident;
            )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $(
                $(#[doc = $field_doc])+
                pub $field: $kind,
            )*
        }

        impl $name {
            /// Takes the options that count only at the start from those that the host runs with.
            pub(crate) fn keep(&mut self, running: &Self) {
                $(if matches!($crate::config::Applies::$applies, $crate::config::Applies::OnRestart) {
                    self.$field.clone_from(&running.$field);
                })*
                let _ = running;
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::config::Section for $name {
            fn doc(&self) -> String {
                $crate::config::paragraph(&[$($doc),+])
            }

            fn fields(&self) -> Vec<$crate::config::Field> {
                vec![$($crate::config::Field {
                    name: stringify!($field),
                    doc: $crate::config::paragraph(&[$($field_doc),+]),
                    kind: <$kind as $crate::config::Value>::kind().into_owned(),
                    range: $crate::config::settings!(@range $($least $most)?),
                    applies: $crate::config::Applies::$applies,
                },)*]
            }

            fn set(&mut self, field: &str, _given: $crate::config::Given<'_>) -> Result<(), String> {
                match field {
                    $(stringify!($field) => {
                        let value = <$kind as $crate::config::Value>::read(_given)?;
                        $($crate::config::within(&value, $least, $most)?;)?
                        self.$field = value;
                        Ok(())
                    })*
                    _ => Err(format!("there is no option {field}")),
                }
            }

            fn get(&self, field: &str) -> serde_json::Value {
                match field {
                    $(stringify!($field) => $crate::config::Value::write(&self.$field),)*
                    _ => serde_json::Value::Null,
                }
            }
        }
    };
    (@range) => { None };
    (@range $least:literal $most:literal) => { Some(($least, $most)) };
}
pub(crate) use settings;

/// Refuses a value that lies outside of its range.
pub(crate) fn within<T: Value + PartialOrd>(value: &T, least: &str, most: &str) -> Result<(), String> {
    let bound = |text| T::read(Given::text(text)).expect("ranges are written as values are");
    if *value < bound(least) || *value > bound(most) {
        let written = value.write();
        let written = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
        return Err(format!("{written} is out of range; write {least} to {most}"));
    }
    Ok(())
}

/// The text of a doc comment, as one paragraph for each that it has.
pub(crate) fn paragraph(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines.iter().map(|line| line.trim()) {
        match (line.is_empty(), text.is_empty() || text.ends_with('\n')) {
            (true, _) => text.push_str("\n\n"),
            (false, true) => text.push_str(line),
            (false, false) => {
                text.push(' ');
                text.push_str(line);
            }
        }
    }
    text
}
