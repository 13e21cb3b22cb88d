//! The host's JSON.
//!
//! Derived readers are compiled anew for every type, with ways to read each that the host never uses and an exit at every
//! field. Here text becomes a tree once, and `types.rs` says what is read from it: a tenth of the code, which
//! every visitor loads. What the dashboard doesn't show is not read.

#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;

use quillwork_protocol::socket::ServerMessage;
use serde_json::Value;

/// Reads a value.
///
/// # Errors
///
/// What keeps the text from being JSON, or the JSON from being a `T`.
pub fn read<T: Json>(text: &str) -> Result<T, String> {
    let tree = tree_of(text)?;
    let mut faults = Faults::default();
    let value = T::read(&tree, &mut faults);
    faults.none(value)
}

/// Reads a message of the socket.
///
/// # Errors
///
/// As [`read`], and where the message is of no known type.
pub fn read_message(text: &str) -> Result<ServerMessage, String> {
    let tree = tree_of(text)?;
    let mut faults = Faults::default();
    let message = match tree.get("type").and_then(Value::as_str) {
        Some("tick") => ServerMessage::Tick(Json::read(&tree, &mut faults)),
        Some("welcome") => ServerMessage::Welcome(Json::read(&tree, &mut faults)),
        Some("ack") => ServerMessage::Ack(Json::read(&tree, &mut faults)),
        Some(other) => return Err(format!("no message is of type `{other}`")),
        None => return Err("a message without a type".to_owned()),
    };
    faults.none(message)
}

fn tree_of(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// What can be read from a tree.
pub trait Json {
    /// Reads it. Where that can't be, it notes the fault and gives anything, which is dropped in the end.
    fn read(tree: &Value, faults: &mut Faults) -> Self;
}

/// What went wrong while reading.
#[derive(Default)]
pub struct Faults {
    /// The field that is being read.
    place: &'static str,
    first: Option<String>,
}

impl Faults {
    fn none<T>(self, value: T) -> Result<T, String> {
        self.first.map_or(Ok(value), Err)
    }

    #[cold]
    fn note(&mut self, expected: &str) {
        let place = camel_case(self.place);
        self.first.get_or_insert_with(|| format!("`{place}` is not {expected}"));
    }
}

/// The fields of an object.
struct Fields<'a> {
    tree: &'a Value,
    faults: &'a mut Faults,
}

impl<'a> Fields<'a> {
    fn of(tree: &'a Value, faults: &'a mut Faults) -> Self {
        if !tree.is_object() {
            faults.note("an object");
        }
        Self { tree, faults }
    }

    /// A field that the host always sends, though perhaps as null.
    fn take<T: Json>(&mut self, name: &'static str) -> T {
        T::read(self.find(name).unwrap_or(&Value::Null), self.faults)
    }

    /// A field that the host may leave out.
    fn take_or_default<T: Json + Default>(&mut self, name: &'static str) -> T {
        self.find(name).map_or_else(T::default, |value| T::read(value, self.faults))
    }

    fn find(&mut self, name: &'static str) -> Option<&'a Value> {
        self.faults.place = name;
        self.tree.get(camel_case(name))
    }
}

/// A field's name on the wire.
fn camel_case(name: &str) -> String {
    let mut words = name.trim_start_matches("r#").split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        camel.extend(word.chars().take(1).map(|first| first.to_ascii_uppercase()));
        camel.extend(word.chars().skip(1));
    }
    camel
}

/// Whether a word on the wire means this variant.
fn means(word: &str, variant: &str) -> bool {
    word.get(1..) == variant.get(1..)
        && word.get(..1).is_some_and(|first| variant[..1].eq_ignore_ascii_case(first))
}

impl Json for bool {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        tree.as_bool().unwrap_or_else(|| {
            faults.note("true or false");
            false
        })
    }
}

impl Json for f64 {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        tree.as_f64().unwrap_or_else(|| {
            faults.note("a number");
            0.0
        })
    }
}

impl Json for u64 {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        tree.as_u64().unwrap_or_else(|| {
            faults.note("a whole number");
            0
        })
    }
}

impl Json for u32 {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        u64::read(tree, faults).try_into().unwrap_or_else(|_| {
            faults.note("a number below 2^32");
            0
        })
    }
}

impl Json for u16 {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        u64::read(tree, faults).try_into().unwrap_or_else(|_| {
            faults.note("a number below 65536");
            0
        })
    }
}

impl Json for String {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        tree.as_str().map(Self::from).unwrap_or_else(|| {
            faults.note("a text");
            Self::new()
        })
    }
}

impl<T: Json> Json for Option<T> {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        (!tree.is_null()).then(|| T::read(tree, faults))
    }
}

impl<T: Json> Json for Vec<T> {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        items(tree, faults).iter().map(|item| T::read(item, faults)).collect()
    }
}

impl<T: Json + Copy + Default, const N: usize> Json for [T; N] {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        Vec::read(tree, faults).try_into().unwrap_or_else(|_| {
            faults.note("as long as it should be");
            [T::default(); N]
        })
    }
}

impl<A: Json, B: Json> Json for (A, B) {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        let items = items(tree, faults);
        if items.len() != 2 {
            faults.note("a pair");
        }
        let item = |place: usize| items.get(place).unwrap_or(&Value::Null);
        (A::read(item(0), faults), B::read(item(1), faults))
    }
}

impl Json for BTreeMap<String, String> {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        let Value::Object(fields) = tree else {
            faults.note("an object");
            return Self::new();
        };
        fields.iter().map(|(name, value)| (name.clone(), String::read(value, faults))).collect()
    }
}

fn items<'a>(tree: &'a Value, faults: &mut Faults) -> &'a [Value] {
    let Value::Array(items) = tree else {
        faults.note("a list");
        return &[];
    };
    items
}
