//! Where settings come from, and which source wins.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::ConfigError;
use super::settings::SETTINGS;

/// The sources of a configuration, weakest first.
#[derive(Debug, Default)]
pub struct Layers {
    /// What `--data DIR` implies.
    pub preset: Vec<(&'static str, String)>,
    /// The TOML file.
    pub file: Option<PathBuf>,
    /// Variables of the environment, by name.
    pub environment: BTreeMap<String, String>,
    /// Flags of the command line.
    pub flags: Vec<(&'static str, String)>,
}

/// Tables of the file that are not single values and are read by the rooms they belong to.
const TABLES: &[&str] = &["mail", "telemetry"];

/// Variables that are no settings: the command `publish` reads them.
const OTHER_VARIABLES: &[&str] = &["SLIPWAY_REGISTRY", "SLIPWAY_TOKEN"];

impl Layers {
    /// Reads the variables of this process.
    #[expect(clippy::disallowed_methods, reason = "this room is the one reader of the environment")]
    #[must_use]
    pub fn with_environment(mut self) -> Self {
        self.environment = std::env::vars().filter(|(name, _)| name.starts_with("SLIPWAY_")).collect();
        self
    }

    /// What is odd about the sources and no reason to refuse them: variables that look like ours and are not. Another program may
    /// have set them, so they are no errors, as unknown keys of the file are.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let known: Vec<String> =
            SETTINGS.iter().map(super::Setting::variable).chain(OTHER_VARIABLES.iter().map(ToString::to_string)).collect();
        let unknown = self.environment.keys().filter(|name| name.starts_with("SLIPWAY_") && !known.contains(name));
        let warning = |name: &String| {
            let nearest = nearest(name, known.iter().map(String::as_str));
            format!("the environment variable `{name}` means nothing here, did you mean `{nearest}`?")
        };
        unknown.map(warning).collect()
    }

    /// Lays the sources over one another.
    pub(super) fn values(&self) -> Result<Values, ConfigError> {
        let mut values: BTreeMap<&'static str, String> =
            SETTINGS.iter().filter_map(|setting| Some((setting.key, setting.default?.to_owned()))).collect();
        values.extend(self.preset.iter().cloned());
        if let Some(file) = &self.file {
            let text = std::fs::read_to_string(file)
                .map_err(|error| ConfigError(format!("cannot read the configuration file `{}`: {error}", file.display())))?;
            let table: toml::Table = toml::from_str(&text)
                .map_err(|error| ConfigError(format!("the configuration file `{}` is not valid TOML: {error}", file.display())))?;
            flatten("", &table, &mut values)?;
        }
        for setting in SETTINGS {
            if let Some(value) = self.environment.get(&setting.variable()) {
                values.insert(setting.key, value.clone());
            }
        }
        values.extend(self.flags.iter().cloned());
        Ok(Values(values))
    }
}

fn flatten(prefix: &str, table: &toml::Table, values: &mut BTreeMap<&'static str, String>) -> Result<(), ConfigError> {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        let text = match value {
            toml::Value::Table(inner) if SETTINGS.iter().any(|setting| setting.key.starts_with(&format!("{key}."))) => {
                flatten(&format!("{key}."), inner, values)?;
                continue;
            }
            _ if TABLES.contains(&key.as_str()) => continue,
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(rows) if key == "ci_issuer" => lines(rows, super::ci::entry)?,
            toml::Value::Array(rows) if key == "identity_provider" => lines(rows, super::identity::entry)?,
            toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
            other => plain(other),
        };
        let setting = SETTINGS.iter().find(|setting| setting.key == key).ok_or_else(|| unknown(&key))?;
        values.insert(setting.key, text);
    }
    Ok(())
}

/// A list of tables: it becomes the text that the environment has for it.
fn lines(rows: &[toml::Value], of_table: fn(&toml::Table) -> Result<String, ConfigError>) -> Result<String, ConfigError> {
    let entry = |row: &toml::Value| match row {
        toml::Value::Table(table) => of_table(table),
        other => Ok(plain(other)),
    };
    Ok(rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?.join(","))
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn unknown(key: &str) -> ConfigError {
    let nearest = nearest(key, SETTINGS.iter().map(|setting| setting.key).chain(TABLES.iter().copied()));
    ConfigError(format!("unknown setting `{key}`, did you mean `{nearest}`?"))
}

/// The one that looks most like `name`.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> &'a str {
    known.max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name))).unwrap_or_default()
}

/// What the layers come to.
#[derive(Debug)]
pub struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// A setting, if any source has it. An empty text is no value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&self, key: &str) -> Result<String, ConfigError> {
        self.get(key).map(ToOwned::to_owned).ok_or_else(|| {
            let variable = SETTINGS.iter().find(|setting| setting.key == key).map(super::Setting::variable).unwrap_or_default();
            ConfigError(format!("`{key}` is not set: give `--data DIR`, or set it in the configuration file or as {variable}"))
        })
    }

    pub(super) fn parse<T: FromStr>(&self, key: &str) -> Result<T, ConfigError>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.required(key)?;
        text.parse().map_err(|error| ConfigError(format!("`{key}` cannot be `{text}`: {error}")))
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        self.get(key)
            .into_iter()
            .flat_map(|text| text.split(','))
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_sources_win_and_unknown_keys_name_the_nearest() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("slipway.toml");
        std::fs::write(&file, "listen = \"1.1.1.1:1\"\nreserved_names = [\"a\", \"b\"]\n[limits]\nentries = 5\n[mail]\nx = 1\n").unwrap();
        let mut layers = Layers { file: Some(file.clone()), ..Layers::default() };
        layers.environment.insert("SLIPWAY_LIMITS_ENTRIES".into(), "6".into());
        let values = layers.values().unwrap();
        assert_eq!((values.get("listen"), values.get("limits.entries")), (Some("1.1.1.1:1"), Some("6")));
        assert_eq!(values.list("reserved_names"), ["a", "b"]);
        layers.flags.push(("limits.entries", "7".into()));
        assert_eq!(layers.values().unwrap().get("limits.entries"), Some("7"));
        std::fs::write(&file, "[limits]\nentires = 5\n").unwrap();
        assert_eq!(layers.values().unwrap_err().to_string(), "unknown setting `limits.entires`, did you mean `limits.entries`?");
    }

    #[test]
    fn unknown_variables_are_warned_of() {
        let mut layers = Layers::default();
        for name in ["SLIPWAY_LIMITS_ENTIRES", "SLIPWAY_LISTEN", "SLIPWAY_TOKEN", "PATH", "SLIPWAY_PUBLICURL"] {
            layers.environment.insert(name.to_owned(), "x".to_owned());
        }
        assert_eq!(
            layers.warnings(),
            [
                "the environment variable `SLIPWAY_LIMITS_ENTIRES` means nothing here, did you mean `SLIPWAY_LIMITS_ENTRIES`?",
                "the environment variable `SLIPWAY_PUBLICURL` means nothing here, did you mean `SLIPWAY_PUBLIC_URL`?",
            ]
        );
    }
}
