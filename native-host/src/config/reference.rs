//! The reference and the example file, from the schema.

use std::fmt::Write as _;

use super::layers::variable;
use super::section::{Applies, Field, Section};
use super::{Config, show};

/// All sections with a blank of each, those of named tables as `family.NAME`. Sections without options are left out.
fn with_sections(mut each: impl FnMut(&str, &dyn Section, bool)) {
    let config = Config::default();
    let families = config.families();
    for (name, section) in config.sections() {
        if !section.fields().is_empty() {
            each(name, section, false);
        }
        for (family, entries) in families.iter().filter(|(family, _)| belongs(family, name)) {
            let blank = entries.blank();
            if !blank.fields().is_empty() {
                each(&format!("{family}.NAME"), blank.as_ref(), true);
            }
        }
    }
}

/// After which section a family is told of.
fn belongs(family: &str, section: &str) -> bool {
    match family {
        "notify" => section == "alerts",
        family => family.split('.').next() == Some(section),
    }
}

/// The tables of `docs/guides/configuration.md`.
///
/// # Panics
///
/// Never: a string takes everything.
#[must_use]
pub fn reference() -> String {
    let mut text = String::new();
    with_sections(|name, section, is_named| {
        writeln!(text, "\n### `[{name}]`\n\n{}", section.doc()).expect("a string takes everything");
        for field in section.fields() {
            let Field { name: field_name, doc, kind, range, applies } = &field;
            writeln!(text, "\n#### `{name}.{field_name}`\n\n{doc}\n").expect("a string takes everything");
            let default = show::toml(&section.get(field_name));
            let mut facts = vec![match range {
                Some((least, most)) => format!("{kind}, from {least} to {most}"),
                None => kind.clone(),
            }];
            facts.push(
                default.map_or_else(|| "not set by default".to_owned(), |value| format!("default `{value}`")),
            );
            facts.push(match applies {
                Applies::OnReload => "counts from the next reload".to_owned(),
                Applies::OnRestart => "counts from the next start".to_owned(),
            });
            if !is_named {
                facts.push(format!("`{}`", variable(&format!("{name}.{field_name}"))));
            }
            writeln!(text, "{}", facts.join(" · ")).expect("a string takes everything");
        }
    });
    text
}

/// A `quillwork.toml` with every option, each at its default and commented out.
///
/// # Panics
///
/// Never: a string takes everything.
#[must_use]
pub fn example() -> String {
    let mut text = String::from(
        "# Configuration of `quillwork serve --config quillwork.toml`.\n\
         # Every option is here at its default. `quillwork config --config quillwork.toml` tells what counts, and why.\n",
    );
    with_sections(|name, section, is_named| {
        let mark = if is_named { "# " } else { "" };
        writeln!(text, "\n{}{mark}[{name}]", comment(&section.doc())).expect("a string takes everything");
        for field in section.fields() {
            let value = show::toml(&section.get(field.name)).unwrap_or_else(|| "…".to_owned());
            writeln!(text, "\n{}# {} = {value}", comment(&field.doc), field.name)
                .expect("a string takes everything");
        }
    });
    text
}

/// As comments of at most so many characters a line.
fn comment(text: &str) -> String {
    const WIDTH: usize = 110;
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + word.len() >= WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}
