//! `imports` and `exports` of `package.json`: keys with at most one star, and conditions.

use serde_json::{Map, Value};

use super::MAX_SPECIFIER_BYTES;

/// Conditions that hold for what we publish: it is a module, and Deno and Node run it. Bundlers' `source` and TypeScript's
/// own names for it are welcome, because we publish source.
const CONDITIONS: &[&str] = &["source", "typescript", "ts", "deno", "node", "import", "module-sync", "module", "default"];
/// How deep conditions may be nested. Nobody goes beyond three.
const MAX_DEPTH: usize = 8;
/// Most targets that are handed out for one key.
const MAX_TARGETS: usize = 32;
/// Most stars of a target that are filled in: Node fills in all, and nobody writes more than two.
const MAX_STARS: usize = 4;
/// Most keys that are looked at. Every import with a `#` is held against each of them.
const MAX_KEYS: usize = 1000;

/// What `key` may mean, in the order of the conditions. Node stops at the first; since what is built is often not in the
/// tarball, we go on to one that is.
pub(super) fn targets(map: &Map<String, Value>, key: &str, types: bool) -> Vec<String> {
    let Some((value, star)) = find(map, key) else { return Vec::new() };
    let mut targets = Vec::new();
    gather(value, types, MAX_DEPTH, &mut targets);
    match star {
        Some(star) => targets.into_iter().map(|target| target.replacen('*', star, MAX_STARS)).collect(),
        None => targets.into_iter().map(str::to_owned).collect(),
    }
}

/// What a value means that stands for the package as a whole, without keys.
pub(super) fn conditional(value: &Value, types: bool) -> Vec<String> {
    let mut targets = Vec::new();
    gather(value, types, MAX_DEPTH, &mut targets);
    targets.into_iter().map(str::to_owned).collect()
}

/// The entry for a key: its own, or the pattern with the longest text before its star.
fn find<'a, 'k>(map: &'a Map<String, Value>, key: &'k str) -> Option<(&'a Value, Option<&'k str>)> {
    if let (Some(value), false) = (map.get(key), key.contains('*')) {
        return Some((value, None));
    }
    let mut best: Option<(usize, &Value, &str)> = None;
    for (pattern, value) in map.iter().take(MAX_KEYS) {
        let Some((prefix, suffix)) = pattern.split_once('*') else { continue };
        let Some(star) = key.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)) else { continue };
        if !star.is_empty() && best.is_none_or(|(length, ..)| prefix.len() > length) {
            best = Some((prefix.len(), value, star));
        }
    }
    best.map(|(_, value, star)| (value, Some(star)))
}

fn gather<'a>(value: &'a Value, types: bool, depth: usize, targets: &mut Vec<&'a str>) {
    if depth == 0 || targets.len() >= MAX_TARGETS {
        return;
    }
    match value {
        Value::String(target) if target.len() <= MAX_SPECIFIER_BYTES => targets.push(target),
        Value::Array(alternatives) => alternatives.iter().for_each(|value| gather(value, types, depth - 1, targets)),
        Value::Object(conditions) => {
            for (condition, value) in conditions {
                if CONDITIONS.contains(&condition.as_str()) || (types && condition.starts_with("types")) {
                    gather(value, types, depth - 1, targets);
                }
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_in_their_order_and_patterns() {
        let value = json!({
            "#plain": "./src/plain.js",
            "#color": {"types": "./color.d.ts", "node": {"require": "./color.cjs", "import": "./color-node.js"}, "default": "./color.js"},
            "#dep": {"browser": "./no.js", "default": "dep-node"},
            "#int/*.js": "./src/*.js",
            "#int/deep/*": ["./deep/*.ts", "./deep/*/index.ts"],
            "#off": null,
        });
        let map = value.as_object().unwrap();
        assert_eq!(targets(map, "#plain", false), ["./src/plain.js"]);
        assert_eq!(targets(map, "#color", false), ["./color-node.js", "./color.js"]);
        assert_eq!(targets(map, "#color", true), ["./color.d.ts", "./color-node.js", "./color.js"]);
        assert_eq!(targets(map, "#dep", false), ["dep-node"]);
        assert_eq!(targets(map, "#int/a/b.js", false), ["./src/a/b.js"]);
        assert_eq!(targets(map, "#int/deep/x", false), ["./deep/x.ts", "./deep/x/index.ts"]);
        assert_eq!(targets(map, "#off", false), [""; 0]);
        assert_eq!(targets(map, "#int/*.js", false), ["./src/*.js"]);
        assert_eq!(targets(map, "#unknown", false), [""; 0]);
    }
}
