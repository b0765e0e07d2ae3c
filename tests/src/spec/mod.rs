//! A spec: a title, what is given, files, what an installer has beside them, and what is expected.
//!
//! Two suites read them: one compares the outcome with what the file says, the other gives the npm packages to TypeScript.

mod planned;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use slipway_common::ids::{ExportKey, PackageName, PackagePath, Version};
use slipway_worker::pipeline::PublishedVersion;

pub use planned::{NpmFile, npm_files};

/// What comes before an expectation's name.
const EXPECT: &str = "expect ";
/// What comes before the name of a file of the project that installs the package.
const USE: &str = "use ";

/// A spec.
pub struct Spec {
    /// Everything before the first section, as it is written.
    head: Vec<String>,
    /// The files, by name.
    pub files: Vec<Section>,
    /// The files of a project that installs the package, by name: programs, and packages it finds in `node_modules`.
    pub uses: Vec<Section>,
    /// The outcome, in parts.
    pub expected: Vec<Section>,
    /// What is published.
    pub package: PackageName,
    /// Its version.
    pub version: Version,
    /// The config file of the request.
    pub config: PackagePath,
    /// Whether Node can load the npm package. `unloadable` and a reason say that it cannot.
    pub loads: bool,
    /// What the registry has.
    pub published: Vec<(PackageName, PublishedVersion)>,
}

/// What stands behind the name of a file that is not text.
const BASE64: &str = " base64";

/// A named text.
#[derive(Clone)]
pub struct Section {
    /// The name, without what says which kind of section it is.
    pub name: String,
    /// The lines below it.
    pub text: String,
}

impl Section {
    /// The path of a file, without the word that says how it is written down.
    #[must_use]
    pub fn path(&self) -> &str {
        self.name.strip_suffix(BASE64).unwrap_or(&self.name)
    }

    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        if self.name.ends_with(BASE64) {
            STANDARD.decode(self.text.trim()).expect("a file that is called base64 is base64")
        } else {
            self.text.clone().into_bytes()
        }
    }
}

impl Spec {
    /// Reads a spec.
    ///
    /// # Errors
    /// A sentence about the line that cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut spec = Self {
            head: Vec::new(),
            files: Vec::new(),
            uses: Vec::new(),
            expected: Vec::new(),
            package: name("@acme/pkg")?,
            version: Version::try_from("1.0.0").map_err(|error| error.to_string())?,
            config: PackagePath::try_from("/jsr.json").map_err(|error| error.to_string())?,
            loads: true,
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
        for section in sections {
            let named = |name: &str| Section { name: name.to_owned(), text: section.text.clone() };
            if let Some(name) = section.name.strip_prefix(EXPECT) {
                spec.expected.push(named(name));
            } else if let Some(name) = section.name.strip_prefix(USE) {
                spec.uses.push(named(name));
            } else {
                spec.files.push(section);
            }
        }
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
            ["unloadable", _, ..] => self.loads = false,
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
    pub fn with(&self, expected: Vec<Section>) -> Written<'_> {
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
pub struct Written<'s> {
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
        for file in &self.spec.uses {
            write!(f, "== {USE}{}\n{}", file.name, file.text)?;
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
