//! Conditions: the tree under a key of `exports` as a flat list of targets, each with what its conditions say about it.

use serde_json::Value;

/// Conditions that name declarations.
fn is_types(condition: &str) -> bool {
    condition == "types" || condition == "typings" || condition.starts_with("types@")
}

/// Conditions by which authors name their own sources: `@zod/source`, `source`, `my-monorepo-src`, `typescript`.
fn is_source(condition: &str) -> bool {
    let last = condition.rsplit(['/', ':', '-', '_']).next().unwrap_or(condition);
    matches!(last, "source" | "sources" | "src" | "ts" | "typescript")
}

/// How well a target that is reached through a condition fits a package that runs anywhere: lower is better. A file for one
/// environment may lack what the others need, and `CommonJS` cannot be published at all.
fn distance(condition: &str) -> u8 {
    match condition {
        "import" | "module" | "module-sync" | "esm" | "esnext" | "es2015" | "es2020" | "deno" | "jsr" | "bun" => 1,
        "default" => 2,
        "node" | "development" | "production" => 4,
        "browser" | "worker" | "workerd" | "edge-light" | "netlify" | "electron" | "react-native" | "react-server" | "node-addons"
        | "script" => 5,
        "require" | "commonjs" | "cjs" => 6,
        // A name of the author's own.
        _ => 3,
    }
}

/// From this distance on a target is for one environment only.
const ONE_ENVIRONMENT: u8 = 5;

/// Most targets under one key. Under a key with a wildcard each is tried for every file; real packages have ten.
pub(super) const MAX_TARGETS: usize = 64;

/// One target with what its conditions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf<'a> {
    /// The path as written; may hold stars.
    pub(super) target: &'a str,
    /// Reached through a `types` condition.
    pub(super) types: bool,
    /// Reached through a condition that says it is the source.
    pub(super) source: bool,
    /// The greatest [`distance`] of its conditions.
    pub(super) distance: u8,
}

impl<'a> Leaf<'a> {
    /// A target without conditions.
    pub(super) fn plain(target: &'a str) -> Self {
        Self { target, types: false, source: false, distance: 0 }
    }

    /// Whether the target is for one environment only.
    pub(super) fn is_special(&self) -> bool {
        self.distance >= ONE_ENVIRONMENT
    }

    fn under(self, condition: &str) -> Self {
        if is_types(condition) {
            return Self { types: true, ..self };
        }
        if is_source(condition) {
            return Self { source: true, ..self };
        }
        Self { distance: self.distance.max(distance(condition)), ..self }
    }
}

/// What an entry of `exports` holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Targets<'a> {
    /// Every target, in the order they are written.
    pub(super) leaves: Vec<Leaf<'a>>,
    /// Something in it is neither text, nor conditions, nor null.
    pub(super) malformed: Option<&'a Value>,
}

impl<'a> Targets<'a> {
    /// Flattens a value. It was parsed with a limit on its depth, which bounds the recursion.
    pub(super) fn of(value: &'a Value) -> Self {
        let mut targets = Self::default();
        targets.add(value, Leaf::plain(""));
        targets
    }

    fn add(&mut self, value: &'a Value, above: Leaf<'a>) {
        match value {
            Value::String(target) => self.leaves.push(Leaf { target, ..above }),
            Value::Object(conditions) => {
                for (condition, value) in conditions {
                    self.add(value, above.under(condition));
                }
            }
            // Alternatives, of which a resolver takes the first that it understands.
            Value::Array(alternatives) => {
                for value in alternatives {
                    self.add(value, above);
                }
            }
            // Withdraws what a pattern would offer.
            Value::Null => {}
            other => self.malformed = Some(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flattens() {
        let value = serde_json::json!({
            "@zod/source": "./src/index.ts",
            "import": { "types": "./index.d.ts", "default": "./index.js" },
            "browser": ["./browser.js", null],
            "require": { "types": "./index.d.cts", "node": "./index.cjs" }
        });
        let targets = Targets::of(&value);
        let shown: Vec<_> = targets.leaves.iter().map(|leaf| (leaf.target, leaf.types, leaf.source, leaf.distance)).collect();
        assert_eq!(
            shown,
            [
                ("./src/index.ts", false, true, 0),
                ("./index.d.ts", true, false, 1),
                ("./index.js", false, false, 2),
                ("./browser.js", false, false, 5),
                ("./index.d.cts", true, false, 6),
                ("./index.cjs", false, false, 6),
            ]
        );
        assert_eq!(Targets::of(&serde_json::json!({ "import": 1 })).malformed, Some(&serde_json::json!(1)));
        assert!(Targets::of(&Value::Null).leaves.is_empty());
    }
}
