//! What is published: small packages, some of which need another one, and some of which are wrong.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use slipway_common::ids::PackageName;
use slipway_tests::PackageBuilder;

/// Names. Several versions of a package are under way at once, so that its documents have many writers.
pub(crate) const NAMES: [&str; 8] = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen"];

/// One of several publishes that differ in nothing but what the seed says.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    number: usize,
    seed: u64,
    /// Whether it has to be refused.
    pub(crate) is_wrong: bool,
    /// Draws one of the versions that are published by then, to be needed.
    pub(crate) needs: Option<usize>,
}

/// The publishes of a run.
pub(crate) fn orders(seed: u64, count: usize) -> Vec<Order> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut order = |number| Order {
        number,
        seed: random.random(),
        is_wrong: random.random_ratio(1, 6),
        needs: random.random_ratio(1, 3).then(|| random.random_range(0..1_000)),
    };
    (0..count).map(&mut order).collect()
}

impl Order {
    pub(crate) fn name(&self) -> PackageName {
        PackageName::try_from(&*format!("@acme/{}", NAMES[self.number % NAMES.len()])).expect("this is a name")
    }

    pub(crate) fn version(&self) -> String {
        format!("1.{}.0", self.number)
    }

    /// The package. What it needs is given as `@scope/name@version`.
    pub(crate) fn package(&self, needed: Option<&str>) -> PackageBuilder {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut package = PackageBuilder::empty(&self.name().to_string(), &self.version());
        let mut entry = format!("/** Number {0}. */\nexport const number: number = {0};\n", self.number);
        if let Some(needed) = needed {
            entry.push_str(&format!("export {{ number as needed }} from \"jsr:{needed}\";\n"));
        }
        for part in 0..random.random_range(0..4_usize) {
            let lines: String = (0..random.random_range(1..200))
                .map(|line| format!("export const v{line}: string = \"{}\";\n", random.random::<u64>()))
                .collect();
            package = package.file(&format!("parts/p{part}.ts"), lines);
            entry.push_str(&format!("export * as p{part} from \"./parts/p{part}.ts\";\n"));
        }
        if self.is_wrong {
            match random.random_range(0..3) {
                0 => entry.push_str("export const = ;\n"),
                1 => entry.push_str("export * from \"jsr:@acme/ant@77\";\n"),
                _ => package = package.key("exports", json!("./other.ts")),
            }
        }
        package.file("mod.ts", entry)
    }
}
