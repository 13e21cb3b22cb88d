//! The places that options come from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::fault::{ConfigError, Fault, meant};
use super::value::Given;
use super::{Config, file, validate};

/// What was given, before anything is made of it.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The file, read again for each load.
    pub file: Option<PathBuf>,
    /// The environment; only what begins with `QUILLWORK_` and names a section counts.
    pub environment: Vec<(String, String)>,
    /// What the command line says.
    pub flags: Vec<Flag>,
}

/// An option that the command line sets.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The flag, for instance `--port`.
    pub flag: String,
    /// The option, as `section.option`.
    pub key: String,
    /// What it is set to.
    pub text: String,
}

/// Where an option has its value from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// Nobody set it.
    Default,
    /// The file.
    File {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for SetBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

impl Layers {
    /// Makes the configuration of them; the later place counts.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, each with its place and what to do.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        let mut faults = Vec::new();
        if let Some(path) = &self.file {
            file::read(path, &mut config, &mut faults);
        }
        let variables = variables(&config);
        for (name, text) in &self.environment {
            match variables.get(name) {
                Some(key) => set(&mut config, key, text, SetBy::Environment(name.clone()), &mut faults),
                None => faults.extend(misnamed(name, &variables, &config)),
            }
        }
        for Flag { flag, key, text } in &self.flags {
            set(&mut config, key, text, SetBy::Flag(flag.clone()), &mut faults);
        }
        validate::validate(&config, &mut faults);
        if faults.is_empty() { Ok(config) } else { Err(ConfigError(faults)) }
    }
}

/// Sets one option by its whole key.
fn set(config: &mut Config, key: &str, text: &str, set_by: SetBy, faults: &mut Vec<Fault>) {
    let target = key.rsplit_once('.').and_then(|(section, field)| {
        let known = config
            .sections()
            .iter()
            .any(|(name, part)| *name == section && part.fields().iter().any(|known| known.name == field));
        known.then_some((section, field))
    });
    let Some((section, field)) = target else {
        let keys: Vec<String> = variables(config).into_values().collect();
        let hint =
            meant(key, keys.iter().map(String::as_str)).map(|known| format!("; did you mean {known}?"));
        let message = format!(
            "there is no option {key:?}{}",
            hint.unwrap_or_else(|| "; `quillwork config` lists all".to_owned())
        );
        return faults.push(Fault { set_by, key: String::new(), message });
    };
    let section = config.section_mut(section).expect("it has just been found");
    match section.set(field, Given::text(text)) {
        Ok(()) => drop(config.set_by.insert(key.to_owned(), set_by)),
        Err(message) => faults.push(Fault { set_by, key: key.to_owned(), message }),
    }
}

/// The options by the variable that sets them. Those of named tables have none: their names can't be told from the rest.
fn variables(config: &Config) -> BTreeMap<String, String> {
    let of_section = |(section, part): &(&'static str, &dyn super::Section)| {
        let keys = part.fields().into_iter().map(|field| format!("{section}.{}", field.name));
        keys.map(|key| (variable(&key), key)).collect::<Vec<_>>()
    };
    config.sections().iter().flat_map(of_section).collect()
}

/// The variable that sets an option.
pub(super) fn variable(key: &str) -> String {
    format!("QUILLWORK_{}", key.replace('.', "_").to_uppercase())
}

/// What is wrong with a variable that looks as if it were meant for the host. Others may begin with `QUILLWORK_`, too.
fn misnamed(name: &str, variables: &BTreeMap<String, String>, config: &Config) -> Option<Fault> {
    let of_section = |(section, _): &(&str, _)| name.starts_with(&format!("{}_", variable(section)));
    if !config.sections().iter().any(of_section) {
        return None;
    }
    let hint = meant(name, variables.keys().map(String::as_str));
    let message = match hint {
        Some(known) => format!("no option is set by this variable; did you mean {known}?"),
        None => "no option is set by this variable; unset it".to_owned(),
    };
    Some(Fault { set_by: SetBy::Environment(name.to_owned()), key: String::new(), message })
}
