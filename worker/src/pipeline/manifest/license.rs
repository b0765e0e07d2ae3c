//! The licence: declared as an SPDX expression, or recognised by the text of a licence file.

use serde_json::Value;
use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Place};
use spdx::{Expression, ParseMode};

use super::exports::cut;
use super::index::FileIndex;
use super::json::Document;
use super::license_text;

/// Where a licence text is looked for, in this order.
const LICENSE_FILES: &[&str] = &[
    "/LICENSE",
    "/LICENSE.md",
    "/LICENSE.txt",
    "/LICENCE",
    "/LICENCE.md",
    "/LICENCE.txt",
    "/COPYING",
    "/COPYING.md",
    "/COPYING.txt",
    "/COPYING.LESSER",
    "/COPYING.LESSER.md",
    "/COPYING.LESSER.txt",
];
/// Longest licence text that is compared. The longest in SPDX's corpus has under 100 KB, and a text that is more than
/// half as long again as a licence is not alike enough to any of them.
const MAX_TEXT_BYTES: usize = 256 * 1024;
/// Longest declared expression. `deno`'s own third-party list, joined by `AND`, would fit.
const MAX_EXPRESSION_BYTES: usize = 1024;
/// Names that more than one licence goes by. A licence is a promise with legal weight, so nobody guesses which is meant.
const AMBIGUOUS: &[(&str, &str)] = &[
    ("bsd", "`BSD-2-Clause` or `BSD-3-Clause`"),
    ("gpl", "`GPL-2.0-only`, `GPL-3.0-or-later` or the like"),
    ("lgpl", "`LGPL-2.1-only`, `LGPL-3.0-or-later` or the like"),
    ("agpl", "`AGPL-3.0-only` or `AGPL-3.0-or-later`"),
    ("mpl", "`MPL-1.1` or `MPL-2.0`"),
];

/// The licence of the package.
///
/// # Errors
/// When there is none, or it is none that SPDX knows.
pub(super) fn read(document: &Document, index: &FileIndex<'_>) -> Result<String, Finding> {
    let Some(value) = declared(document) else {
        return detect_first(index);
    };
    let place = document.place("license");
    let invalid = |finding: Finding| finding.at(place.clone());
    let Value::String(text) = value else {
        return Err(invalid(error("the license in the config file must be a string")));
    };
    let text = text.trim();
    if text == "UNLICENSED" {
        let finding = error("the license is 'UNLICENSED', which gives nobody the right to use the package");
        return Err(invalid(finding.hint("declare the license it is published under")));
    }
    if let Some(file) = text.strip_prefix("SEE LICENSE IN ") {
        return named_file(file.trim(), index).map_err(invalid);
    }
    expression(text).map_err(invalid)
}

/// What the config declares: `license`, or npm's forms of long ago, `{"type": "MIT"}` and `licenses`.
fn declared(document: &Document) -> Option<&Value> {
    let one = document.object.get("license").or_else(|| document.object.get("licenses")?.as_array()?.first())?;
    one.as_object().and_then(|object| object.get("type")).or(Some(one))
}

fn error(message: impl Into<String>) -> Finding {
    Finding::error(FindingCode::InvalidLicense, message)
}

/// An expression as SPDX writes it. Spellings that can only mean one licence are accepted and put right.
fn expression(text: &str) -> Result<String, Finding> {
    let shown = cut(text);
    if text.len() > MAX_EXPRESSION_BYTES {
        return Err(error(format!("the license '{shown}' is longer than {MAX_EXPRESSION_BYTES} bytes")));
    }
    if let Some(id) = spdx::identifiers::LICENSES.iter().find(|license| license.name.eq_ignore_ascii_case(text)) {
        return Ok(id.name.to_owned());
    }
    let strict = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };
    if Expression::parse_mode(text, strict).is_ok() {
        return Ok(text.to_owned());
    }
    let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    if let Some((name, meant)) = AMBIGUOUS.iter().find(|(name, _)| words().any(|word| word.eq_ignore_ascii_case(name))) {
        return Err(error(format!("the license '{shown}' is ambiguous: '{name}' may be {meant}")));
    }
    match Expression::parse_mode(text, ParseMode::LAX) {
        Ok(_) => Ok(Expression::canonicalize(text).ok().flatten().unwrap_or_else(|| text.to_owned())),
        Err(problem) => Err(error(format!("the license '{shown}' is not a valid SPDX expression: {}", problem.reason))
            .hint("use an identifier of https://spdx.org/licenses, or several of them: `MIT OR Apache-2.0`")),
    }
}

/// The file of `SEE LICENSE IN <file>`.
fn named_file(file: &str, index: &FileIndex<'_>) -> Result<String, Finding> {
    let path = super::index::join("/", file).and_then(|path| PackagePath::try_from(path.as_str()).ok());
    let found = path.and_then(|path| index.bytes(&path).map(|bytes| (path, bytes)));
    let (path, bytes) = found.ok_or_else(|| error(format!("the license is said to be in '{}', which is not in the package", cut(file))))?;
    detect(&path, bytes)
}

fn detect_first(index: &FileIndex<'_>) -> Result<String, Finding> {
    let found = LICENSE_FILES.iter().find_map(|path| {
        let path = PackagePath::try_from(*path).expect("the names of licence files are valid paths");
        index.bytes(&path).map(|bytes| (path, bytes))
    });
    let (path, bytes) = found.ok_or_else(|| {
        Finding::error(FindingCode::MissingLicense, "the package declares no license and has no license file")
            .hint("add \"license\": \"MIT\" (or the one you choose) to the config file, or a file `LICENSE` with its text")
    })?;
    detect(&path, bytes)
}

/// The licence whose text this is.
fn detect(path: &PackagePath, bytes: &[u8]) -> Result<String, Finding> {
    let unknown = || {
        error(format!("the license in '{path}' is not one that is known"))
            .at(Place::file(path.as_str()))
            .hint("name it in the config file, as an SPDX expression in \"license\"")
    };
    if bytes.len() > MAX_TEXT_BYTES {
        return Err(unknown());
    }
    license_text::recognise(&String::from_utf8_lossy(bytes)).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::files::Files;

    const MIT: &str = include_str!("../../../../LICENSE");

    #[test]
    fn reads_expressions() {
        for (text, read) in [
            ("MIT", "MIT"),
            ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
            ("(MIT OR CC0-1.0)", "(MIT OR CC0-1.0)"),
            ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
            ("mit", "MIT"),
            ("apache-2.0", "Apache-2.0"),
            ("Apache 2.0", "Apache-2.0"),
            ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
            ("GPL-3.0", "GPL-3.0"),
            ("GPL-3.0+", "GPL-3.0+"),
            ("LGPL-2.1/MIT", "LGPL-2.1-only OR MIT"),
            ("gpl-3.0-or-later", "GPL-3.0-or-later"),
        ] {
            assert_eq!(expression(text).as_deref(), Ok(read), "{text}");
        }
        for bad in ["", "my license", "MIT OR", "(MIT", "MIT Apache-2.0", "BSD", "GPL", "MITx", "ünlicensed", "MIT WITH", "()"] {
            assert_eq!(expression(bad).unwrap_err().code, FindingCode::InvalidLicense, "{bad}");
        }
        assert!(expression("BSD").unwrap_err().message.contains("BSD-3-Clause"));
        assert!(expression(&"(".repeat(100_000)).is_err());
        assert!(expression(&"(".repeat(1000)).is_err());
    }

    #[test]
    fn looks_in_the_files_in_order() {
        let files = |list: &[(&str, &str)]| -> Files {
            list.iter()
                .map(|(path, text)| (PackagePath::try_from(*path).unwrap(), bytes::Bytes::copy_from_slice(text.as_bytes())))
                .collect()
        };
        let first = |list: &[(&str, &str)]| detect_first(&FileIndex::new(&files(list)));
        assert_eq!(first(&[("/COPYING", "nothing known"), ("/LICENSE.md", MIT)]).as_deref(), Ok("MIT"));
        assert_eq!(first(&[("/license", MIT), ("/a/LICENSE", MIT)]).unwrap_err().code, FindingCode::MissingLicense);
        assert_eq!(first(&[("/LICENSE", "ask me"), ("/LICENSE.md", MIT)]).unwrap_err().code, FindingCode::InvalidLicense);
        assert_eq!(named_file("./docs/licence.txt", &FileIndex::new(&files(&[("/docs/licence.txt", MIT)]))).as_deref(), Ok("MIT"));
        assert!(named_file("../x", &FileIndex::new(&files(&[]))).unwrap_err().message.contains("not in the package"));
        assert_eq!(first(&[("/LICENSE", &"a b ".repeat(MAX_TEXT_BYTES))]).unwrap_err().code, FindingCode::InvalidLicense);
    }
}
