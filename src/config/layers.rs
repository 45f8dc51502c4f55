//! Where the texts of settings come from: file, environment, flags.
//!
//! Belongs here: gathering the texts, and telling which names are unknown. Does not belong here: what the texts mean
//! ([`super::value`]).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::value::{Range, Value};
use super::{ConfigError, OPTIONS};
use crate::text;

/// What the names of our environment variables begin with.
pub(super) const PREFIX: &str = "PUNCHCARD_";

/// The variable with the path of the configuration file.
const CONFIG_VARIABLE: &str = "PUNCHCARD_CONFIG";

/// Variables that only the tests read: no reason for a warning.
const TEST_PREFIX: &str = "PUNCHCARD_TEST_";

/// The longest file that a `_FILE` variable may name, in bytes.
const LONGEST_VALUE: u64 = 65_536;

/// Where the value of an option comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Nothing was given.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// The environment variable of this name.
    Variable(String),
    /// The file that the environment variable of this name leads to.
    VariableFile(String, PathBuf),
    /// The flag of this name, with its hyphens.
    Flag(String),
}

impl Source {
    /// The source with the place in it where the option `name` stands.
    pub(super) fn place(&self, name: &str) -> String {
        match self {
            Source::Default => format!("{name}, by default"),
            Source::File(_) => format!("{self}, key {name}"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("the default"),
            Source::File(path) => write!(f, "the file {}", path.display()),
            Source::Variable(name) => write!(f, "the variable {name}"),
            Source::VariableFile(name, path) => {
                write!(
                    f,
                    "the file {} named by the variable {name}",
                    path.display()
                )
            }
            Source::Flag(name) => write!(f, "the flag {name}"),
        }
    }
}

/// What the command line says about settings, as texts. It has no `Debug`, because a text may be a secret.
#[derive(Clone, Default)]
pub struct Flags {
    config: Option<PathBuf>,
    given: Vec<(String, String)>,
}

impl Flags {
    /// The configuration file (`--config`); `None` leaves it to `PUNCHCARD_CONFIG`.
    #[must_use]
    pub fn config(mut self, path: impl Into<Option<PathBuf>>) -> Flags {
        self.config = path.into();
        self
    }

    /// The text of the option `name` (as in [`super::OPTIONS`]); `None` leaves it to the other sources. Given twice,
    /// the later one counts.
    #[must_use]
    pub fn set(mut self, name: &str, text: impl Into<Option<String>>) -> Flags {
        self.given
            .extend(text.into().map(|text| (name.to_owned(), text)));
        self
    }
}

/// All texts that were given, the weakest first.
pub(super) struct Layers {
    given: BTreeMap<&'static str, Vec<(Source, String)>>,
    /// What the operator should know, though it is no error.
    pub(super) warnings: Vec<String>,
}

impl Layers {
    pub(super) fn gather(
        flags: Flags,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Layers, ConfigError> {
        let mut layers = Layers {
            given: BTreeMap::new(),
            warnings: Vec::new(),
        };
        let mut variables: BTreeMap<String, OsString> = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX))
            .collect();
        let named = variables
            .remove(CONFIG_VARIABLE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        if let Some(path) = flags.config.or(named) {
            layers.add_file(&path)?;
        }
        layers.add_variables(variables)?;
        for (name, text) in flags.given {
            let source = Source::Flag(format!("--{}", name.replace('_', "-")));
            let option = known(&name).ok_or_else(|| ConfigError::new(&source, unknown(&name)))?;
            layers.add(option, source, text);
        }
        Ok(layers)
    }

    fn add(&mut self, option: &'static str, source: Source, text: String) {
        self.given.entry(option).or_default().push((source, text));
    }

    fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let source = Source::File(path.to_owned());
        let content = fs::read_to_string(path)
            .map_err(|error| ConfigError::new(&source, format!("it cannot be read: {error}")))?;
        // Not the error's own text, which repeats the line, and with it perhaps a secret.
        let table: toml::Table = content.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .and_then(|span| content.get(..span.start))
                .map(|before| before.split('\n').count());
            let place = line.map_or(source.to_string(), |line| format!("{source}, line {line}"));
            ConfigError::new(place, format!("this is not TOML: {}", error.message()))
        })?;
        for (key, value) in table {
            let option = known(&key).ok_or_else(|| ConfigError::new(&source, unknown(&key)))?;
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                other => {
                    return Err(ConfigError::new(
                        source.place(&key),
                        format!(
                            "the value is of the type {}: give a string, an integer or a boolean",
                            other.type_str()
                        ),
                    ));
                }
            };
            self.add(option, source.clone(), text);
        }
        Ok(())
    }

    fn add_variables(
        &mut self,
        mut variables: BTreeMap<String, OsString>,
    ) -> Result<(), ConfigError> {
        for option in OPTIONS {
            let name = option.variable();
            let file_name = format!("{name}_FILE");
            match (variables.remove(&name), variables.remove(&file_name)) {
                (None, None) => {}
                (Some(_), Some(_)) => {
                    let place = format!("the variables {name} and {file_name}");
                    return Err(ConfigError::new(place, "both are given: give one of them"));
                }
                (Some(value), None) => {
                    let source = Source::Variable(name);
                    let text = value
                        .into_string()
                        .map_err(|_| ConfigError::new(&source, "the value is not UTF-8"))?;
                    self.add(option.name, source, text);
                }
                (None, Some(path)) => {
                    let source = Source::VariableFile(file_name, PathBuf::from(&path));
                    let text =
                        read_value(&path).map_err(|wrong| ConfigError::new(&source, wrong))?;
                    self.add(option.name, source, text);
                }
            }
        }
        for name in variables.keys() {
            let bare = name
                .strip_prefix(PREFIX)
                .unwrap_or(name)
                .to_ascii_lowercase();
            let bare = bare.strip_suffix("_file").unwrap_or(&bare);
            let nearest = nearest(bare).to_ascii_uppercase();
            self.warnings.push(format!(
                "the variable {name} is not known; the nearest one is {PREFIX}{nearest}"
            ));
        }
        Ok(())
    }

    /// The strongest value of an option. All of its texts are read, so that a wrong one is noticed now and not on the
    /// day when the stronger one goes.
    pub(super) fn value<V: Value>(
        &self,
        name: &str,
        default: &str,
        range: Range,
    ) -> Result<V, ConfigError> {
        let read = |source: &Source, text: &str| {
            V::read(text, range).map_err(|right| {
                let shown = V::show_refused(text);
                ConfigError::new(
                    source.place(name),
                    format!("the value \"{shown}\" is wrong: give {right}"),
                )
            })
        };
        let mut value = read(&Source::Default, default)?;
        for (source, text) in self.given.get(name).into_iter().flatten() {
            value = read(source, text)?;
        }
        Ok(value)
    }

    /// Where the strongest value of each option comes from.
    pub(super) fn sources(&self) -> BTreeMap<&'static str, Source> {
        let strongest =
            |given: &Vec<(Source, String)>| given.last().map(|(source, _)| source.clone());
        self.given
            .iter()
            .filter_map(|(name, given)| Some((*name, strongest(given)?)))
            .collect()
    }
}

/// The contents of the file that a `_FILE` variable names, without the line end that editors and `echo` add.
fn read_value(path: &OsStr) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let length = file
        .take(LONGEST_VALUE + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if length as u64 > LONGEST_VALUE {
        return Err(format!("it is longer than {LONGEST_VALUE} bytes"));
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn known(name: &str) -> Option<&'static str> {
    OPTIONS
        .iter()
        .map(|option| option.name)
        .find(|option| *option == name)
}

fn unknown(name: &str) -> String {
    format!(
        "\"{}\" is not a setting; the nearest one is {}",
        text::shown(name),
        nearest(name)
    )
}

/// The option whose name is most like `name`.
fn nearest(name: &str) -> &'static str {
    let alike = |option: &str| strsim::jaro_winkler(name, option);
    let mut best = ("", -1.0);
    for option in OPTIONS {
        let likeness = alike(option.name);
        if likeness > best.1 {
            best = (option.name, likeness);
        }
    }
    best.0
}
