//! Mutations of JSON that leave it JSON, so that they reach what lies behind the parser.

use quillwork_core::rng::Rng;
use serde_json::Value;

use crate::mutate::scalar;

/// Changes one value somewhere in a document. What isn't JSON stays as it is.
pub(crate) fn json(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let Ok(mut document) = serde_json::from_slice::<Value>(bytes) else { return };
    let count = count(&document);
    let mut place = rng.index(count);
    let copy = found(&document, &mut rng.index(count)).cloned().unwrap_or_default();
    change(rng, &mut document, &mut place, &copy);
    *bytes = document.to_string().into_bytes();
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// The value of this number, counted from the root.
fn found<'a>(value: &'a Value, place: &mut usize) -> Option<&'a Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(elements) => elements.iter().find_map(|element| found(element, place)),
        Value::Object(fields) => fields.values().find_map(|field| found(field, place)),
        _ => None,
    }
}

/// Changes the value of this number; whether it was found.
fn change(rng: &mut Rng, value: &mut Value, place: &mut usize, copy: &Value) -> bool {
    if *place == 0 {
        mutate(rng, value, copy);
        return true;
    }
    *place -= 1;
    match value {
        Value::Array(elements) => elements.iter_mut().any(|element| change(rng, element, place, copy)),
        Value::Object(fields) => fields.values_mut().any(|field| change(rng, field, place, copy)),
        _ => false,
    }
}

fn mutate(rng: &mut Rng, value: &mut Value, copy: &Value) {
    match (rng.below(8), &mut *value) {
        (0, Value::Array(elements)) if !elements.is_empty() => {
            let element = elements[rng.index(elements.len())].clone();
            elements.extend(std::iter::repeat_n(element, 1 << rng.below(11)));
        }
        (0 | 1, Value::Array(elements)) if !elements.is_empty() => {
            elements.remove(rng.index(elements.len()));
        }
        (0, Value::Object(fields)) if !fields.is_empty() => {
            let name = fields.keys().nth(rng.index(fields.len())).cloned().unwrap_or_default();
            fields.remove(&name);
        }
        (1, Value::Object(fields)) if !fields.is_empty() => {
            let name = fields.keys().nth(rng.index(fields.len())).cloned().unwrap_or_default();
            fields.insert(format!("{name}{}", rng.below(3)), copy.clone());
        }
        (2, _) => *value = copy.clone(),
        (3, _) => *value = Value::Array(vec![value.take()]),
        (4, Value::Number(number)) => {
            let near = number.as_f64().unwrap_or(0.0) * [-1.0, 0.5, 2.0, 1e6, 1e-6][rng.index(5)];
            *value = near.into();
        }
        _ => *value = scalar(rng),
    }
}
