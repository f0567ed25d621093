//! Puts the four layers together and says, for each value and each fault, which layer it came from.

use super::{Flags, Settings};
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};
use std::path::{Path, PathBuf};

/// Begins the name of every setting in the environment.
const PREFIX: &str = "DOORSTEP_";

/// Beginnings of names under [`PREFIX`] that belong to other commands: the path of the settings file, what a phone in the terminal or an
/// administrator's command takes from the environment, and what `tests/run` tells the tests, which start servers.
const NOT_SETTINGS: &[&str] = &["config", "phone_", "admin_", "demo_", "sim_", "power_cuts", "kills", "damage", "fuzz_"];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// The settings file.
    File(PathBuf),
    /// The environment, under this name.
    Environment(String),
    /// The command line, as this flag.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// Why the settings cannot be used. Names the setting and the layer, and the rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is no TOML.
    #[error("the settings file {path} is not TOML: {reason}", path = path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Line and column, and what was expected.
        reason: String,
    },
    /// There is no setting of that name.
    #[error("{origin}: there is no setting `{setting}`; `doorstep serve --help` lists them")]
    Unknown {
        /// The name that was given.
        setting: String,
        /// Where.
        origin: Origin,
    },
    /// A value breaks a rule.
    #[error("{origin}: setting `{setting}` {rule}")]
    Invalid {
        /// The setting.
        setting: String,
        /// Where its value comes from.
        origin: Origin,
        /// The rule, to be read after the setting's name.
        rule: String,
    },
}

impl SettingsError {
    /// The code of this error, a promise to scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "settings.unreadable",
            Self::NotToml { .. } => "settings.not_toml",
            Self::Unknown { .. } => "settings.unknown",
            Self::Invalid { .. } => "settings.invalid",
        }
    }
}

/// Settings, and where each of them came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub settings: Settings,
    origins: Vec<(&'static str, String, Origin)>,
}

impl Loaded {
    /// Reads the layers: defaults, `file` if there is one, the environment, `flags`. Reads one small file.
    ///
    /// # Errors
    /// The first fault, with the setting and its layer.
    pub fn read(file: Option<&Path>, flags: &Flags) -> Result<Self, SettingsError> {
        Self::read_with(file, environment(), flags)
    }

    /// As [`Loaded::read`], with an environment of the caller's.
    pub(super) fn read_with(file: Option<&Path>, environment: impl Provider, flags: &Flags) -> Result<Self, SettingsError> {
        let mut figment = Figment::from(Layer::new("default", &Settings::default()));
        if let Some(path) = file {
            check_toml(path)?;
            figment = figment.merge(Toml::file_exact(path));
        }
        let figment = figment.merge(environment).merge(Layer::new("flag", flags));
        let settings: Settings = figment.extract().map_err(|error| explain(&figment, error))?;
        settings.check().map_err(|(setting, rule)| SettingsError::Invalid {
            origin: origin(figment.find_metadata(setting), setting),
            setting: setting.to_owned(),
            rule,
        })?;
        let origins = Settings::NAMES.iter().map(|name| (*name, shown(&figment, name), origin(figment.find_metadata(name), name)));
        Ok(Self { origins: origins.collect(), settings })
    }

    /// Every setting's name, its value as text, and where that came from, in the order of the table.
    pub fn origins(&self) -> impl Iterator<Item = (&'static str, &str, &Origin)> {
        self.origins.iter().map(|(name, value, origin)| (*name, value.as_str(), origin))
    }
}

/// The environment's layer.
pub(super) fn environment() -> Env {
    Env::prefixed(PREFIX).filter(|key| !NOT_SETTINGS.iter().any(|start| key.as_str().to_ascii_lowercase().starts_with(start)))
}

/// A layer made from a value of ours, under a name that [`origin`] knows again.
struct Layer {
    name: &'static str,
    data: Result<Map<Profile, Dict>, figment::Error>,
}

impl Layer {
    fn new(name: &'static str, values: &impl serde::Serialize) -> Self {
        Self { name, data: Serialized::defaults(values).data() }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        self.data.clone()
    }
}

/// Tells a file that is missing from one that is no TOML; figment says both in one kind of message.
fn check_toml(path: &Path) -> Result<(), SettingsError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| SettingsError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
    match Toml::string(&text).data() {
        Ok(_) => Ok(()),
        Err(error) => Err(SettingsError::NotToml { path: path.to_owned(), reason: error.to_string() }),
    }
}

fn origin(metadata: Option<&Metadata>, setting: &str) -> Origin {
    match metadata {
        Some(Metadata { source: Some(Source::File(path)), .. }) => Origin::File(path.clone()),
        Some(metadata) if metadata.name == "default" => Origin::Default,
        Some(metadata) if metadata.name == "flag" => Origin::Flag(format!("--{}", setting.replace('_', "-"))),
        Some(_) => Origin::Environment(format!("{PREFIX}{}", setting.to_ascii_uppercase())),
        None => Origin::Default,
    }
}

fn explain(figment: &Figment, error: figment::Error) -> SettingsError {
    use figment::error::Kind;
    let setting = error.path.join(".");
    let metadata = error.metadata.as_ref().or_else(|| figment.find_metadata(&setting));
    let rule = match error.kind {
        Kind::UnknownField(setting, _) => {
            let origin = origin(figment.find_metadata(&setting), &setting);
            return SettingsError::Unknown { setting, origin };
        }
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("is not {expected}"),
        Kind::UnknownVariant(_, known) => format!("is none of: {}", known.join(", ")),
        Kind::Message(rule) => rule,
        other => other.to_string(),
    };
    SettingsError::Invalid { origin: origin(metadata, &setting), setting, rule }
}

fn shown(figment: &Figment, name: &str) -> String {
    match figment.find_value(name) {
        Ok(Value::String(_, text)) => text,
        Ok(Value::Num(_, number)) => {
            let whole = number.to_u128().map(|whole| whole.to_string()).or_else(|| number.to_i128().map(|whole| whole.to_string()));
            whole.or_else(|| number.to_f64().map(|real| real.to_string())).unwrap_or_default()
        }
        _ => String::new(),
    }
}
