//! JSON merge patches (RFC 7396).

use serde_json::{Map, Value};

/// Removes what is `null`, at any depth of objects: in a patch `null` removes. Elements of arrays keep their places.
pub(super) fn without_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, field| !field.is_null());
        fields.values_mut().for_each(without_nulls);
    }
}

/// What to merge into `old` to get `new`; none if they are equal. Neither has a `null` in an object.
pub(super) fn difference(old: &Map<String, Value>, new: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut patch = Map::new();
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in new {
        match (old.get(name), value) {
            (Some(Value::Object(before)), Value::Object(after)) => {
                if let Some(inner) = difference(before, after) {
                    patch.insert(name.clone(), Value::Object(inner));
                }
            }
            (Some(before), after) if before == after => {}
            _ => drop(patch.insert(name.clone(), value.clone())),
        }
    }
    (!patch.is_empty()).then_some(patch)
}

#[cfg(test)]
mod tests {
    use quillwork_core::rng::Rng;
    use serde_json::json;

    use super::*;

    /// As RFC 7396 section 2 writes it.
    fn merge(target: Value, patch: &Value) -> Value {
        let Value::Object(changes) = patch else { return patch.clone() };
        let mut fields = match target {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        for (name, change) in changes {
            if change.is_null() {
                fields.remove(name);
            } else {
                let merged = merge(fields.remove(name).unwrap_or(Value::Null), change);
                fields.insert(name.clone(), merged);
            }
        }
        Value::Object(fields)
    }

    fn any_value(rng: &mut Rng, depth: u64) -> Value {
        match rng.below(if depth == 0 { 3 } else { 5 }) {
            0 => json!(rng.below(3)),
            1 => json!("text"),
            2 => json!([rng.below(2), null]),
            _ => Value::Object(any_object(rng, depth - 1)),
        }
    }

    fn any_object(rng: &mut Rng, depth: u64) -> Map<String, Value> {
        let mut object = Map::new();
        for name in ["a", "b", "c"] {
            if rng.below(3) > 0 {
                object.insert(name.to_owned(), any_value(rng, depth));
            }
        }
        object
    }

    #[test]
    fn a_difference_merged_gives_the_new_state() {
        let mut rng = Rng::from_seed(7);
        for _ in 0..20_000 {
            let (old, new) = (any_object(&mut rng, 3), any_object(&mut rng, 3));
            match difference(&old, &new) {
                Some(patch) => {
                    assert_eq!(merge(Value::Object(old), &Value::Object(patch)), Value::Object(new));
                }
                None => assert_eq!(old, new),
            }
        }
    }

    #[test]
    fn only_what_changed_is_in_it() {
        let object = |value: Value| value.as_object().unwrap().clone();
        let old = object(json!({"a": {"b": 1, "c": 2}, "d": [1, 2], "e": "same"}));
        let new = object(json!({"a": {"b": 3, "c": 2}, "d": [1, 2, 3], "e": "same"}));
        assert_eq!(difference(&old, &new), Some(object(json!({"a": {"b": 3}, "d": [1, 2, 3]}))));
        assert_eq!(difference(&new, &new), None);
    }

    #[test]
    fn what_is_absent_has_no_field() {
        let mut value = json!({"a": null, "b": {"c": null, "d": [null, {"e": null}]}});
        without_nulls(&mut value);
        assert_eq!(value, json!({"b": {"d": [null, {"e": null}]}}));
    }
}
