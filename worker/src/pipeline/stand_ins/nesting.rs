//! Stands in for the nesting counter.

use slipway_common::ids::PackagePath;
use slipway_common::model::finding::{Finding, FindingCode, Place};

/// Brackets that may be open at once.
const MAX_DEPTH: usize = 500;

/// Counts brackets, and reports the place where there are too many.
pub(in crate::pipeline) fn check(path: &PackagePath, text: &str) -> Option<Finding> {
    let mut depth = 0_usize;
    let (mut line, mut column) = (1, 0);
    for character in text.chars() {
        column += 1;
        match character {
            '\n' => (line, column) = (line + 1, 0),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let message = format!("the file nests deeper than {MAX_DEPTH} levels");
            return Some(Finding::error(FindingCode::NestingTooDeep, message).at(Place::at(path.to_string(), line, column)));
        }
    }
    None
}
