//! Ranges of `package.json` as specifiers can hold them.
//!
//! A specifier takes `^1.2`, `~1.2`, `1.2` and `1.2.3`, and nothing with a space or a comparison in it, while `package.json`
//! takes `>=16 || ^18`. What a specifier cannot hold is narrowed to a part of it that it can: whatever is chosen from the
//! part is in the whole as well.

use deno_semver::{RangeBound, VersionBoundKind, VersionRange, VersionReq};

/// Longest range that is read, in bytes.
const MAX_RANGE_BYTES: usize = 256;

/// A range that can stand in a specifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// Its text.
    pub(super) text: String,
    /// Whether it admits less than what was asked for.
    pub(super) is_narrowed: bool,
}

/// Why a range is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It names no lowest version, or a tag that moves.
    Open,
    /// It cannot be read, or admits nothing.
    Unreadable,
}

/// `range` as it can be written. `preferred` is another range of the same package, the one the author tests with, and is
/// taken where it fits into one that has to be narrowed.
pub(super) fn write(range: &str, preferred: Option<&str>) -> Result<Written, Unusable> {
    let range = range.trim();
    if range.len() > MAX_RANGE_BYTES {
        return Err(Unusable::Unreadable);
    }
    let wanted = VersionReq::parse_from_npm(range).map_err(|_| Unusable::Unreadable)?;
    let Some(ranges) = wanted.range() else { return Err(Unusable::Open) };
    if ranges.0.is_empty() {
        return Err(Unusable::Unreadable);
    }
    if ranges.0.iter().any(|range| matches!((&range.start, &range.end), (RangeBound::Unbounded, RangeBound::Unbounded))) {
        return Err(Unusable::Open);
    }
    if is_writable(range) {
        return Ok(Written { text: range.to_owned(), is_narrowed: false });
    }
    let preferred = preferred.map(str::trim).filter(|text| is_writable(text)).and_then(|text| Some((text, parse(text)?)));
    if let Some((text, preferred)) = preferred
        && ranges.0.iter().any(|range| starts_within(&preferred.start, &range.start) && ends_within(&preferred.end, &range.end))
    {
        return Ok(Written { text: text.to_owned(), is_narrowed: true });
    }
    let highest = ranges.0.iter().filter_map(|range| Some((lowest(range)?, range))).max_by(|(a, _), (b, _)| a.cmp(b));
    let (version, range) = highest.ok_or(Unusable::Open)?;
    let text = [format!("^{version}"), format!("~{version}")]
        .into_iter()
        .find(|text| parse(text).is_some_and(|narrowed| ends_within(&narrowed.end, &range.end)))
        .unwrap_or_else(|| version.to_string());
    let is_whole = ranges.0.len() == 1 && parse(&text).as_ref() == Some(range);
    Ok(Written { text, is_narrowed: !is_whole })
}

/// Whether a specifier can hold this text and means the same by it.
fn is_writable(text: &str) -> bool {
    VersionReq::parse_from_specifier(text).is_ok_and(|read| read.tag().is_none())
}

fn parse(text: &str) -> Option<VersionRange> {
    match VersionReq::parse_from_specifier(text).ok()?.range()?.0.as_slice() {
        [range] => Some(range.clone()),
        _ => None,
    }
}

/// The lowest version in a range that names one.
fn lowest(range: &VersionRange) -> Option<deno_semver::Version> {
    let RangeBound::Version(start) = &range.start else { return None };
    let mut version = start.version.clone();
    if start.kind == VersionBoundKind::Exclusive {
        if version.pre.is_empty() {
            version.patch = version.patch.checked_add(1)?;
        } else {
            version.pre.clear();
        }
    }
    version.build.clear();
    (version != deno_semver::Version::default()).then_some(version)
}

fn starts_within(start: &RangeBound, limit: &RangeBound) -> bool {
    match (start, limit) {
        (_, RangeBound::Unbounded) => true,
        (RangeBound::Unbounded, RangeBound::Version(_)) => false,
        (RangeBound::Version(start), RangeBound::Version(limit)) => {
            start.version > limit.version
                || (start.version == limit.version && (limit.kind == VersionBoundKind::Inclusive || start.kind == limit.kind))
        }
    }
}

fn ends_within(end: &RangeBound, limit: &RangeBound) -> bool {
    match (end, limit) {
        (_, RangeBound::Unbounded) => true,
        (RangeBound::Unbounded, RangeBound::Version(_)) => false,
        (RangeBound::Version(end), RangeBound::Version(limit)) => {
            end.version < limit.version
                || (end.version == limit.version && (limit.kind == VersionBoundKind::Inclusive || end.kind == limit.kind))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_specifiers_hold_is_kept() {
        for range in ["^5", "^5.1.0", "~1.2", "1.2.3", "5", "5.x", "1.2.x", "^0.0.3", "^1.0.0-beta.1", "1.0.0-rc.1"] {
            assert_eq!(write(range, None), Ok(Written { text: range.into(), is_narrowed: false }), "{range}");
        }
        assert_eq!(write(" ^5 ", None).unwrap().text, "^5");
    }

    #[test]
    fn what_they_do_not_hold_is_narrowed() {
        for (range, text, is_narrowed) in [
            (">=5.2.0 <6.0.0", "^5.2.0", false),
            (">=5.2.0 <5.3.0", "~5.2.0", false),
            ("=1.2.3", "1.2.3", false),
            ("v1.2.3", "1.2.3", false),
            (">=16.8", "^16.8.0", true),
            (">1.2.3", "^1.2.4", true),
            ("^16 || ^17 || ^18", "^18.0.0", true),
            ("^18 || ^17", "^18.0.0", true),
            ("1.2 - 2.3.4", "^1.2.0", true),
            (">=1.2.3 <=1.2.4", "1.2.3", true),
        ] {
            let written = write(range, None).unwrap();
            assert_eq!((written.text.as_str(), written.is_narrowed), (text, is_narrowed), "{range}");
            assert!(is_writable(&written.text), "{range}");
        }
    }

    #[test]
    fn what_the_author_tests_with_is_preferred() {
        assert_eq!(write(">=16", Some("^18.2.0")).unwrap().text, "^18.2.0");
        assert_eq!(write("^17 || ^18", Some("~17.1.0")).unwrap().text, "~17.1.0");
        assert_eq!(write(">=16 <18", Some("^18.2.0")).unwrap().text, "^16.0.0");
        assert_eq!(write("^16", Some("^16.5.0")).unwrap().text, "^16");
        assert_eq!(write(">=16", Some("latest")).unwrap().text, "^16.0.0");
    }

    #[test]
    fn nothing_to_go_by() {
        for range in ["", "*", "x", "latest", "next", ">=1 || *", "<2", "<=2.1 || <1"] {
            assert_eq!(write(range, None), Err(Unusable::Open), "{range}");
        }
        for range in ["user/repo", "not a range", &"1".repeat(300)] {
            assert_eq!(write(range, None), Err(Unusable::Unreadable), "{range}");
        }
    }
}
