//! What the packages that are depended on are called in `node_modules`, and with it the `dependencies` of `package.json`.
//!
//! A directory in `node_modules` holds one version, so a package that is wanted in two ranges needs two names. The first range
//! keeps the package's own name; each further one gets an alias, `"lit-3": "npm:lit@3"`, which every npm client understands.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use slipway_common::ids::PackageName;
use slipway_common::model::dependency::{Dependency, DependencyKind};

/// A package in a range: its npm name and the range.
type Wanted = (String, String);

/// The names of all dependencies.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Behind a cell, because a transform can ask for a package that no module names: the JSX runtime of a pragma that the
    /// graph does not read.
    known: RefCell<Known>,
}

#[derive(Debug, Default)]
struct Known {
    directories: BTreeMap<Wanted, String>,
    dependencies: BTreeMap<String, String>,
}

impl Names {
    /// Names for everything that was resolved when `package` was published. An earlier version of the package itself needs an
    /// alias too: by its own name a package finds itself.
    pub(super) fn new(package: &PackageName, dependencies: &[Dependency]) -> Self {
        let wanted: BTreeSet<Wanted> =
            dependencies.iter().map(|dependency| (npm_name(dependency.kind, &dependency.name), dependency.constraint.clone())).collect();
        let mut known = Known::default();
        let mut taken: BTreeSet<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
        let mut previous = Some(package.npm_name());
        for (name, range) in wanted {
            if previous.as_ref() == Some(&name) {
                let alias = alias(&name, &range, &taken);
                taken.insert(alias.clone());
                known.dependencies.insert(alias.clone(), format!("npm:{name}@{range}"));
                known.directories.insert((name, range), alias);
            } else {
                previous = Some(name.clone());
                known.add(name, range);
            }
        }
        Self { known: RefCell::new(known) }
    }

    /// The name under which code finds a package in a range.
    pub(super) fn directory(&self, kind: DependencyKind, name: &str, range: &str) -> String {
        let wanted = (npm_name(kind, name), range.to_owned());
        let mut known = self.known.borrow_mut();
        if let Some(directory) = known.directories.get(&wanted) {
            return directory.clone();
        }
        if !known.dependencies.contains_key(&wanted.0) {
            known.add(wanted.0.clone(), wanted.1);
        }
        wanted.0
    }

    /// `dependencies` of `package.json`, sorted.
    pub(super) fn dependencies(&self) -> BTreeMap<String, String> {
        self.known.borrow().dependencies.clone()
    }
}

impl Known {
    fn add(&mut self, name: String, range: String) {
        self.dependencies.insert(name.clone(), range.clone());
        self.directories.insert((name.clone(), range), name);
    }
}

/// What a package is called on the npm side.
fn npm_name(kind: DependencyKind, name: &str) -> String {
    match (kind, PackageName::try_from(name)) {
        (DependencyKind::Jsr, Ok(package)) => package.npm_name(),
        _ => name.to_owned(),
    }
}

/// `lit-3` for `^3.0.0`-like ranges: the range, reduced to what a package name may hold.
fn alias(name: &str, range: &str, taken: &BTreeSet<String>) -> String {
    /// Longer ranges say nothing more in a name, and npm refuses names above 214 characters.
    const LONGEST: usize = 40;
    let kept: String =
        range.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' }).take(LONGEST).collect();
    let first = format!("{name}-{}", kept.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-"));
    std::iter::once(first.trim_end_matches('-').to_owned())
        .chain((2..=usize::MAX).map(|number| format!("{first}-{number}")))
        .find(|alias| !taken.contains(alias))
        .expect("there are more numbers than names taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(kind: DependencyKind, name: &str, constraint: &str) -> Dependency {
        Dependency { kind, name: name.into(), constraint: constraint.into(), path: String::new() }
    }

    #[test]
    fn two_ranges_get_two_names() {
        use DependencyKind::{Jsr, Npm};
        let mut list = vec![
            dependency(Npm, "lit", "3"),
            dependency(Npm, "lit", "2"),
            dependency(Npm, "lit", "^3.0 || 4"),
            dependency(Npm, "lit-3", "1"),
            dependency(Jsr, "@std/path", "^1.0.0"),
            dependency(Jsr, "@std/path", "^2.0.0"),
            dependency(Jsr, "@scope/own", "^0.9.0"),
        ];
        let own = PackageName::try_from("@scope/own").unwrap();
        let names = Names::new(&own, &list);
        assert_eq!(names.directory(Npm, "lit", "2"), "lit");
        assert_eq!(names.directory(Npm, "lit", "3"), "lit-3-2", "lit-3 is a package of its own");
        assert_eq!(names.directory(Npm, "lit", "^3.0 || 4"), "lit-3.0-4");
        assert_eq!(names.directory(Jsr, "@std/path", "^2.0.0"), "@jsr/std__path-2.0.0");
        let dependencies: Vec<_> = names.dependencies().into_iter().map(|(name, range)| format!("{name}: {range}")).collect();
        assert_eq!(
            dependencies,
            [
                "@jsr/scope__own-0.9.0: npm:@jsr/scope__own@^0.9.0",
                "@jsr/std__path: ^1.0.0",
                "@jsr/std__path-2.0.0: npm:@jsr/std__path@^2.0.0",
                "lit: 2",
                "lit-3: 1",
                "lit-3-2: npm:lit@3",
                "lit-3.0-4: npm:lit@^3.0 || 4",
            ]
        );
        list.reverse();
        assert_eq!(Names::new(&own, &list).dependencies(), names.dependencies(), "the order of the list does not matter");
    }

    #[test]
    fn what_is_not_in_the_list_is_added() {
        let names = Names::new(&PackageName::try_from("@scope/own").unwrap(), &[]);
        assert_eq!(names.directory(DependencyKind::Npm, "preact", "^10"), "preact");
        assert_eq!(names.dependencies()["preact"], "^10");
    }
}
