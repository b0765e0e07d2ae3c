//! Which file an author may have meant.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use deno_graph::ModuleSpecifier;
use percent_encoding::percent_decode_str;
use slipway_common::ids::PackagePath;

use crate::pipeline::files::Files;

/// What people leave out or get wrong, in the order in which it is looked for.
const ENDINGS: [&str; 11] = [".ts", ".tsx", ".js", ".jsx", ".mts", ".mjs", ".d.ts", ".json", "/index.ts", "/mod.ts", "/index.js"];

/// Finds neighbours of paths that are not there.
pub(super) struct Neighbours<'a> {
    files: &'a Files,
    /// Made when it is first needed: a package without mistakes has no use for it.
    folded: OnceCell<BTreeMap<String, &'a PackagePath>>,
}

impl<'a> Neighbours<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        Self { files, folded: OnceCell::new() }
    }

    /// A remedy for an import of a file that is not there.
    pub(super) fn hint(&self, specifier: &ModuleSpecifier) -> String {
        let path = percent_decode_str(specifier.path()).decode_utf8_lossy();
        if let Some(found) = self.folded().get(&path.to_ascii_lowercase()) {
            return format!("the package has '{found}': upper and lower case differ");
        }
        let stem = ENDINGS.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(&path).trim_end_matches('/');
        let candidates = ENDINGS.iter().map(|ending| format!("{stem}{ending}"));
        match candidates.into_iter().find(|candidate| self.files.contains(candidate)) {
            Some(found) => format!("did you mean '{found}'?"),
            None => "is the file excluded from publishing?".to_owned(),
        }
    }

    fn folded(&self) -> &BTreeMap<String, &'a PackagePath> {
        self.folded.get_or_init(|| self.files.iter().map(|(path, _)| (path.folded(), path)).collect())
    }
}
