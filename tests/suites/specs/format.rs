//! The format of a spec: a title, what is given, files, and what is expected.

use std::fmt;

use slipway_common::ids::{ExportKey, PackageName, PackagePath, Version};
use slipway_worker::pipeline::PublishedVersion;

/// What comes before an expectation's name.
const EXPECT: &str = "expect ";

/// A spec.
pub(crate) struct Spec {
    /// Everything before the first section, as it is written.
    head: Vec<String>,
    /// The files, by name.
    pub(crate) files: Vec<Section>,
    /// The outcome, in parts.
    pub(crate) expected: Vec<Section>,
    /// What is published.
    pub(crate) package: PackageName,
    pub(crate) version: Version,
    /// The config file of the request.
    pub(crate) config: PackagePath,
    /// What the registry has.
    pub(crate) published: Vec<(PackageName, PublishedVersion)>,
}

/// A named text.
#[derive(Clone)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Spec {
    /// Reads a spec.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut spec = Self {
            head: Vec::new(),
            files: Vec::new(),
            expected: Vec::new(),
            package: name("@acme/pkg")?,
            version: Version::try_from("1.0.0").map_err(|error| error.to_string())?,
            config: PackagePath::try_from("/jsr.json").map_err(|error| error.to_string())?,
            published: Vec::new(),
        };
        let mut sections: Vec<Section> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("== ") {
                sections.push(Section { name: name.to_owned(), text: String::new() });
            } else if let Some(section) = sections.last_mut() {
                section.text.push_str(line);
                section.text.push('\n');
            } else {
                spec.given(line)?;
                spec.head.push(line.to_owned());
            }
        }
        if !spec.head.first().is_some_and(|title| title.starts_with("# ")) {
            return Err("a spec begins with a title: `# What it shows`".into());
        }
        let (expected, files) = sections.into_iter().partition(|section| section.name.starts_with(EXPECT));
        (spec.expected, spec.files) = (expected, files);
        spec.expected.iter_mut().for_each(|section| section.name = section.name[EXPECT.len()..].to_owned());
        Ok(spec)
    }

    /// Reads a line of the head: a word, and what it sets.
    fn given(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [] => {}
            ["#", ..] => {}
            ["package", package, number] => {
                self.package = name(package)?;
                self.version = version(number)?;
            }
            ["config", path] => self.config = PackagePath::try_from(path).map_err(|error| error.to_string())?,
            ["published", package, number, ref rest @ ..] => {
                let yanked = rest.contains(&"yanked");
                let keys =
                    rest.iter().filter(|word| **word != "yanked").map(|key| ExportKey::try_from(*key).map_err(|error| error.to_string()));
                let exports = keys.collect::<Result<_, _>>()?;
                self.published.push((name(package)?, PublishedVersion { version: version(number)?, yanked, exports }));
            }
            _ => return Err(format!("a line that says nothing: {line}")),
        }
        Ok(())
    }

    /// The same spec with another outcome.
    pub(crate) fn with(&self, expected: Vec<Section>) -> Written<'_> {
        Written { spec: self, expected }
    }
}

fn name(text: &str) -> Result<PackageName, String> {
    PackageName::try_from(text).map_err(|error| error.to_string())
}

fn version(text: &str) -> Result<Version, String> {
    Version::try_from(text).map_err(|error| error.to_string())
}

/// A spec as it is written down.
pub(crate) struct Written<'s> {
    spec: &'s Spec,
    expected: Vec<Section>,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.spec.head {
            writeln!(f, "{line}")?;
        }
        for file in &self.spec.files {
            write!(f, "== {}\n{}", file.name, file.text)?;
        }
        for part in &self.expected {
            write!(f, "== {EXPECT}{}\n{}", part.name, part.text)?;
            if !part.text.is_empty() && !part.text.ends_with('\n') {
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
