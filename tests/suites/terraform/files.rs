//! The files, parsed once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hcl::expr::{Expression, ObjectKey};
use hcl::structure::{Attribute, Block, Body};

/// Where the files are.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a room of the house").join("terraform")
}

/// The text of a file below the directory.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(directory().join(path)).unwrap_or_else(|error| panic!("terraform/{path} cannot be read: {error}"))
}

/// Every `*.tf` file with its blocks, in the order of their names.
pub(crate) fn files() -> &'static [(String, Body)] {
    static FILES: LazyLock<Vec<(String, Body)>> = LazyLock::new(|| {
        let entries = fs::read_dir(directory()).expect("terraform/ can be listed");
        let names = entries.map(|entry| entry.expect("an entry can be read").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".tf")).collect();
        names.sort();
        assert!(!names.is_empty(), "terraform/ has no files");
        let parse = |name: String| {
            let body = hcl::from_str(&read(&name)).unwrap_or_else(|error| panic!("terraform/{name} is not HCL: {error}"));
            (name, body)
        };
        names.into_iter().map(parse).collect()
    });
    &FILES
}

/// Every block of a kind at the top of a file: `resource`, `variable`, `output`, `locals` …
pub(crate) fn all(kind: &str) -> impl Iterator<Item = &'static Block> {
    files().iter().flat_map(|(_, body)| body.blocks()).filter(move |block| block.identifier() == kind)
}

/// Every resource of a type.
pub(crate) fn resources(of: &str) -> impl Iterator<Item = &'static Block> {
    all("resource").filter(move |block| label(block, 0) == of)
}

/// One resource.
pub(crate) fn resource(of: &str, name: &str) -> &'static Block {
    resources(of).find(|block| label(block, 1) == name).unwrap_or_else(|| panic!("there is no {of}.{name}"))
}

/// A label of a block.
pub(crate) fn label(block: &Block, at: usize) -> &str {
    block.labels().get(at).map_or("", |label| label.as_str())
}

/// The value of an attribute of a block.
pub(crate) fn value<'a>(body: &'a Body, key: &str) -> Option<&'a Expression> {
    body.attributes().find(|attribute| attribute.key() == key).map(Attribute::expr)
}

/// The blocks of a name inside a block, however deep.
pub(crate) fn inside<'a>(body: &'a Body, name: &str) -> Vec<&'a Block> {
    let below = |block: &'a Block| {
        let own = (block.identifier() == name).then_some(block);
        own.into_iter().chain(inside(block.body(), name))
    };
    body.blocks().flat_map(below).collect()
}

/// The value of a local.
pub(crate) fn local(name: &str) -> &'static Expression {
    all("locals").find_map(|block| value(block.body(), name)).unwrap_or_else(|| panic!("there is no local.{name}"))
}

/// A key of an object as text.
pub(crate) fn key(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Identifier(name) => name.to_string(),
        ObjectKey::Expression(Expression::String(text)) => text.clone(),
        other => panic!("a key that has to be worked out: {other:?}"),
    }
}
