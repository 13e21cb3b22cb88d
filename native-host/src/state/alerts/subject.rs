//! What an alert is about: as its identity, and as people say it.

use quillwork_core::alert::{Labels, Rule};

use super::{HOST, SOURCE};

/// The machine, a page, or what sets it apart from others of its rule.
pub(super) fn subject(rule: &Rule, labels: &Labels) -> String {
    match labels.value_of(SOURCE) {
        Some(source) if labels.len() == 1 => source.to_owned(),
        _ if !labels.is_empty() => labels.to_string(),
        _ if rule.condition.is_of_all() => "all".to_owned(),
        _ => HOST.to_owned(),
    }
}

/// The same in few words: one label besides the source is told by its value, the source by what a person calls it.
pub(super) fn name(rule: &Rule, labels: &Labels, person_name: impl Fn(&str) -> Option<String>) -> String {
    let mut others = labels.iter().filter(|(label, _)| *label != SOURCE);
    let thing = match (others.next(), others.next()) {
        (None, _) => None,
        // A number alone says nothing.
        (Some((label, value)), None) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("{label} {value}"))
        }
        (Some((_, value)), None) => Some(value.to_owned()),
        (Some(_), Some(_)) => return subject(rule, labels),
    };
    let source = labels.value_of(SOURCE).map(|source| {
        person_name(source).filter(|name| !name.is_empty()).unwrap_or_else(|| source.to_owned())
    });
    match (thing, source) {
        (Some(thing), Some(source)) => format!("{thing} of {source}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => subject(rule, labels),
    }
}

#[cfg(test)]
mod tests {
    use quillwork_core::alert::default_rules;

    use super::*;

    #[test]
    fn one_label_is_told_by_its_value() {
        let rule = &default_rules()[0];
        let named = |pairs: &[(&str, &str)]| {
            let labels = Labels::new(pairs.iter().copied());
            name(rule, &labels, |id| (id == "p1").then(|| "Story".to_owned()))
        };
        assert_eq!(named(&[]), "host");
        assert_eq!(named(&[("mount", "/")]), "/");
        assert_eq!(named(&[("core", "3")]), "core 3");
        assert_eq!(named(&[("source", "p1")]), "Story");
        assert_eq!(named(&[("source", "p2")]), "p2");
        assert_eq!(named(&[("bound_millis", "50"), ("source", "p1")]), "bound_millis 50 of Story");
        assert_eq!(named(&[("device", "sda"), ("mount", "/")]), "{device=\"sda\",mount=\"/\"}");
    }
}
