//! The file: TOML whose tables are sections.

use std::fs;
use std::path::Path;

use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, meant};
use super::layers::SetBy;
use super::value::Given;
use super::{Config, Section};

/// A larger file is something else.
const LONGEST: u64 = 1 << 20;

/// Reads a file into `config`. What is wrong goes to `faults`, and the rest is read all the same.
pub(super) fn read(path: &Path, config: &mut Config, faults: &mut Vec<Fault>) {
    let fault = |line, message| Fault {
        set_by: SetBy::File { path: path.to_owned(), line },
        key: String::new(),
        message,
    };
    let text = match text(path) {
        Ok(text) => text,
        Err(message) => return faults.push(fault(1, message)),
    };
    let (document, errors) = DeTable::parse_recoverable(&text);
    faults.extend(errors.iter().map(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        fault(line, format!("this is no TOML: {}", error.message()))
    }));
    if !errors.is_empty() {
        return;
    }
    let base = path.parent().unwrap_or(Path::new(""));
    let mut reader = Reader { path, base, text: &text, config, faults };
    reader.table("", document.get_ref());
}

fn text(path: &Path) -> Result<String, String> {
    let unreadable = |error| format!("the file can't be read: {error}; name another with --config");
    let length = fs::metadata(path).map_err(unreadable)?.len();
    if length > LONGEST {
        return Err(format!(
            "the file has {length} bytes and can't be a configuration; name another with --config"
        ));
    }
    fs::read_to_string(path).map_err(unreadable)
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

struct Reader<'a> {
    path: &'a Path,
    base: &'a Path,
    text: &'a str,
    config: &'a mut Config,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    /// Reads the table that is called `prefix`: options where it is a section, and tables in it.
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in in_order(table) {
            let name = key.get_ref();
            let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
            let is_option = self.config.section_mut(prefix).is_some_and(|section| has(section, name));
            match value.get_ref() {
                _ if is_option => self.option(prefix, name, value),
                DeValue::Table(inner) if self.config.family_mut(&path).is_some() => self.family(&path, inner),
                DeValue::Table(inner) if self.is_on_the_way(&path) => self.table(&path, inner),
                _ if self.is_on_the_way(&path) || self.config.family_mut(&path).is_some() => {
                    self.fault(value.span().start, "", format!("{path} is a table; write [{path}]"));
                }
                other => self.unknown(key.span().start, prefix, name, matches!(other, DeValue::Table(_))),
            }
        }
    }

    /// Reads a table of named sections.
    fn family(&mut self, family: &str, table: &DeTable<'_>) {
        for (key, value) in in_order(table) {
            let name = key.get_ref();
            let DeValue::Table(inner) = value.get_ref() else {
                let message = format!("the tables in {family} have names; write [{family}.NAME]");
                self.fault(key.span().start, "", message);
                continue;
            };
            if !is_name(name) {
                let message = format!(
                    "{name:?} is no name; use at most {LONGEST_NAME} lower-case letters, digits, - and _"
                );
                self.fault(key.span().start, "", message);
                continue;
            }
            let path = format!("{family}.{name}");
            self.config.family_mut(family).expect("who calls has found it").entry(name);
            let set_by = self.at(key.span().start);
            self.config.set_by.insert(path.clone(), set_by);
            for (key, value) in in_order(inner) {
                let section = self.config.family_mut(family).expect("it was there").entry(name);
                let field = key.get_ref();
                if has(section, field) {
                    let set = section.set(field, Given::toml(value.get_ref(), self.base));
                    self.settle(&format!("{path}.{field}"), value, set);
                } else {
                    let known: Vec<_> = section.fields().iter().map(|field| field.name).collect();
                    let hint = options_hint(field, &known);
                    self.fault(key.span().start, "", format!("[{path}] has no option {field:?}; {hint}"));
                }
            }
        }
    }

    fn option(&mut self, section: &str, field: &str, value: &Spanned<DeValue<'_>>) {
        let target = self.config.section_mut(section).expect("who calls has found it");
        let set = target.set(field, Given::toml(value.get_ref(), self.base));
        self.settle(&format!("{section}.{field}"), value, set);
    }

    fn settle(&mut self, key: &str, value: &Spanned<DeValue<'_>>, set: Result<(), String>) {
        let set_by = self.at(value.span().start);
        match set {
            Ok(()) => drop(self.config.set_by.insert(key.to_owned(), set_by)),
            Err(message) => self.faults.push(Fault { set_by, key: key.to_owned(), message }),
        }
    }

    /// Whether a section or a family is, or lies in, the table of this name.
    fn is_on_the_way(&self, path: &str) -> bool {
        let under =
            |name: &str| name == path || name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.config.sections().iter().any(|(name, _)| under(name))
            || self.config.families().iter().any(|(name, _)| under(name))
    }

    fn unknown(&mut self, at: usize, prefix: &str, name: &str, is_table: bool) {
        let mut known: Vec<&str> = Vec::new();
        let (sections, families) = (self.config.sections(), self.config.families());
        for path in sections.iter().map(|(name, _)| *name).chain(families.iter().map(|(name, _)| *name)) {
            let rest = if prefix.is_empty() {
                Some(path)
            } else {
                path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.'))
            };
            known.extend(rest.and_then(|rest| rest.split('.').next()));
        }
        known.dedup();
        let fields = sections.iter().find(|(name, _)| *name == prefix).map(|(_, section)| section.fields());
        known.extend(fields.iter().flatten().map(|field| field.name));
        let what = if is_table { "section" } else { "option" };
        let place = if prefix.is_empty() { "there is".to_owned() } else { format!("[{prefix}] has") };
        let message = format!("{place} no {what} {name:?}; {}", options_hint(name, &known));
        self.fault(at, "", message);
    }

    fn at(&self, at: usize) -> SetBy {
        SetBy::File { path: self.path.to_owned(), line: line_of(self.text, at) }
    }

    fn fault(&mut self, at: usize, key: &str, message: String) {
        let set_by = self.at(at);
        self.faults.push(Fault { set_by, key: key.to_owned(), message });
    }
}

/// The entries as they stand in the file.
fn in_order<'a, 'i>(
    table: &'a DeTable<'i>,
) -> Vec<(&'a Spanned<std::borrow::Cow<'i, str>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn has(section: &dyn Section, field: &str) -> bool {
    section.fields().iter().any(|known| known.name == field)
}

fn options_hint(unknown: &str, known: &[&str]) -> String {
    match meant(unknown, known.iter().copied()) {
        Some(known) => format!("did you mean {known}?"),
        None if known.is_empty() => "take it out".to_owned(),
        None => format!("there are {}", known.join(", ")),
    }
}

/// Letters of a name of a table.
const LONGEST_NAME: usize = 64;

/// Names go into log lines, labels and messages.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(plain)
}
