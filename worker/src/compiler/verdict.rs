//! What can be believed of what a compiler said.
//!
//! A type that was derived from something the compiler could not find is `any` without a word. So the declarations of a module
//! are used only if the compiler had no complaint about it, nor about any module that it imports, directly or not; and where
//! something in a dependency was not found, none that imports from outside.

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::{Imports, Unsaid};

/// Where the package lies in the directory of a run.
pub(super) const PACKAGE: &str = "package";

/// Complaints about declarations of dependencies that leave a type unknown. Others are quarrels between versions.
const NOT_FOUND: [u32; 21] =
    [2304, 2305, 2306, 2307, 2318, 2503, 2552, 2580, 2582, 2583, 2584, 2591, 2614, 2688, 2694, 2724, 2792, 2834, 2835, 6053, 7016];

/// Longest complaint that is passed on, in bytes.
const MAX_MESSAGE: usize = 200;

/// What the compiler complained of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Complaints {
    /// The first about each file of the package.
    files: BTreeMap<String, String>,
    /// The first about a dependency.
    dependency: Option<String>,
    /// The first about nothing in particular.
    everything: Option<String>,
}

impl Complaints {
    /// Reads what was printed: `path(line,column): error TS1234: words`, or the same without a place.
    pub(super) fn read(printed: &str) -> Self {
        let mut complaints = Self::default();
        for line in printed.lines() {
            let Some((place, code, message)) = complaint(line) else { continue };
            let said = || {
                let text = format!("TS{code}: {message}");
                text[..text.floor_char_boundary(MAX_MESSAGE)].to_owned()
            };
            match place {
                Some(file) => match file.strip_prefix(PACKAGE).filter(|path| path.starts_with('/')) {
                    Some(path) => _ = complaints.files.entry(path.to_owned()).or_insert_with(said),
                    None if NOT_FOUND.contains(&code) => _ = complaints.dependency.get_or_insert_with(said),
                    None => {}
                },
                None => _ = complaints.everything.get_or_insert_with(said),
            }
        }
        complaints
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why a module's declarations cannot be believed, if they cannot.
    pub(super) fn against(&self, unsaid: &Unsaid) -> BTreeMap<String, String> {
        let wanted = unsaid.wanted.iter().map(|path| path.as_str().to_owned());
        if let Some(why) = &self.everything {
            return wanted.map(|path| (path, why.clone())).collect();
        }
        wanted.filter_map(|path| Some((self.of_reached(unsaid, &path)?, path))).map(|(why, path)| (path, why)).collect()
    }

    /// The first complaint about anything that a module reaches.
    fn of_reached(&self, unsaid: &Unsaid, from: &str) -> Option<String> {
        let mut seen = BTreeSet::from([from]);
        let mut open = vec![from];
        while let Some(path) = open.pop() {
            if let Some(why) = self.files.get(path) {
                return Some(if path == from { why.clone() } else { format!("{why} (in {path})") });
            }
            let Some(Imports { local, is_foreign }) = unsaid.imports.get(path) else { continue };
            if *is_foreign && let Some(why) = &self.dependency {
                return Some(format!("{why} (in a dependency)"));
            }
            open.extend(local.iter().map(String::as_str).filter(|path| seen.insert(path)));
        }
        None
    }
}

/// One line: the file, the number and the words.
fn complaint(line: &str) -> Option<(Option<&str>, u32, &str)> {
    let (place, rest) = if let Some(rest) = line.strip_prefix("error TS") {
        (None, rest)
    } else {
        let (place, rest) = line.split_once("): error TS")?;
        (Some(&place[..place.rfind('(')?]), rest)
    };
    let (code, message) = rest.split_once(": ")?;
    Some((place, code.parse().ok()?, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_common::ids::PackagePath;

    fn unsaid(edges: &[(&str, &[&str], bool)]) -> Unsaid {
        let imports = edges.iter().map(|(from, to, is_foreign)| {
            let local = to.iter().map(|path| (*path).to_owned()).collect();
            ((*from).to_owned(), Imports { local, is_foreign: *is_foreign })
        });
        let wanted = edges.iter().map(|(path, ..)| PackagePath::try_from(*path).unwrap()).collect();
        Unsaid { imports: imports.collect(), wanted, ..Unsaid::default() }
    }

    fn against(printed: &str) -> Vec<String> {
        let graph = unsaid(&[
            ("/a.ts", &["/b.ts"], false),
            ("/b.ts", &["/c.ts"], false),
            ("/c.ts", &["/a.ts"], false),
            ("/d.ts", &[], true),
            ("/e.ts", &[], false),
        ]);
        Complaints::read(printed).against(&graph).into_iter().map(|(path, why)| format!("{path}: {why}")).collect()
    }

    #[test]
    fn a_complaint_spoils_whatever_leads_to_it() {
        let why = "TS2307: Cannot find module 'x'";
        let printed = format!("package/c.ts(1,2): error {why}\n  more words\n");
        assert_eq!(against(&printed), [format!("/a.ts: {why} (in /c.ts)"), format!("/b.ts: {why} (in /c.ts)"), format!("/c.ts: {why}")]);
    }

    #[test]
    fn what_a_dependency_misses_spoils_those_that_have_dependencies() {
        assert_eq!(against("node_modules/lit/index.d.ts(1,1): error TS7016: no types\n"), ["/d.ts: TS7016: no types (in a dependency)"]);
        assert_eq!(against("node_modules/lit/index.d.ts(1,1): error TS2430: quarrel\n"), [""; 0]);
    }

    #[test]
    fn a_complaint_about_everything_spoils_everything() {
        assert_eq!(against("error TS5023: Unknown option\n").len(), 5);
        assert_eq!(against("nothing to say\nerror TSx: y\nerror TS12\n"), [""; 0]);
        assert!(Complaints::read("").is_empty());
    }
}
