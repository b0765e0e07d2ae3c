//! What is published: versions that meet each other often, dependencies, and mistakes.

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::json;
use slipway_tests::PackageBuilder;

/// What is wrong with a package, if anything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The export leads nowhere.
    NoFile,
    /// The code is none.
    Syntax,
    /// The config is that of another package.
    OtherName,
    /// It needs what nobody published.
    Dependency,
    /// It is no archive.
    Garbage,
}

const MISTAKES: [Mistake; 5] = [Mistake::NoFile, Mistake::Syntax, Mistake::OtherName, Mistake::Dependency, Mistake::Garbage];

/// A version in a space so small that several actors often come to the same one, and all kinds of order between them.
pub(crate) fn version(dice: &mut StdRng) -> String {
    let (major, minor, patch) = (dice.random_range(0..3), [0, 1, 2, 10].choose(dice).expect("it has some"), dice.random_range(0..2));
    let pre = if dice.random_bool(0.35) { *["-alpha.1", "-beta.2", "-beta.11", "-rc.1"].choose(dice).expect("it has some") } else { "" };
    let build = if dice.random_bool(0.08) { "+build.1" } else { "" };
    format!("{major}.{minor}.{patch}{pre}{build}")
}

/// A package that can be told from every other one by its mark.
pub(crate) struct Draft {
    pub(crate) version: String,
    pub(crate) mark: String,
    pub(crate) mistake: Option<Mistake>,
    /// What it needs, which may be there or not.
    pub(crate) needs: Option<String>,
    pub(crate) package: PackageBuilder,
}

/// Something to publish as `name`, which may need one of `others`.
pub(crate) fn draft(dice: &mut StdRng, name: &str, others: &[String], number: usize) -> Draft {
    let version = version(dice);
    let mark = format!("act_{number}");
    let mistake = dice.random_bool(0.2).then(|| *MISTAKES.choose(dice).expect("there are some"));
    let needs = others.choose(dice).filter(|other| *other != name && dice.random_bool(0.4));
    let needs = needs.map(|other| format!("jsr:{other}@{}", ["^0", "^1", "^2", "~1.2", "0.10"].choose(dice).expect("it has some")));
    let mut code = format!("/** Which one it is. */\nexport const mark: string = \"{mark}\";\n");
    if let Some(needs) = &needs {
        code.push_str(&format!("export {{ mark as needed }} from \"{needs}\";\n"));
    }
    let package = PackageBuilder::empty(name, &version).file("mod.ts", code.clone()).file("README.md", format!("# {mark}\n"));
    let package = match mistake {
        Some(Mistake::NoFile) => package.without("mod.ts"),
        Some(Mistake::Syntax) => package.file("mod.ts", format!("{code}export const = ;\n")),
        Some(Mistake::OtherName) => package.key("name", json!("@acme/else")),
        Some(Mistake::Dependency) => package.file("mod.ts", format!("{code}import \"jsr:@acme/nowhere@^1\";\n")),
        Some(Mistake::Garbage) | None => package,
    };
    Draft { version, mark, mistake, needs, package }
}
