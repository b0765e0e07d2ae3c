use std::collections::{BTreeMap, BTreeSet};

use slipway_common::ids::Version;
use slipway_common::model::finding::Findings;
use url::Url;

use super::*;
use crate::pipeline::fixture::{Package, lines};
use crate::pipeline::{Facts, PublishedVersion};

fn collected(text: &str) -> (Vec<Needed>, Vec<String>) {
    let (graph, _) = Package::new(&[("/mod.ts", text), ("/a.d.ts", "")]).graph();
    let mut findings = Findings::default();
    let needed = collect(&graph, &mut findings);
    findings.sort();
    (needed, lines(&findings))
}

/// `@aa/bb` in versions `text`, a yanked one marked by `-`, each exporting `.` and `./sub`, except `3.x`, which has no `./sub`.
fn facts(versions: &[&str]) -> Facts {
    let published = versions.iter().map(|text| {
        let version = Version::try_from(text.trim_start_matches('!')).unwrap();
        let sub = (!version.to_string().starts_with('3')).then(|| ExportKey::try_from("./sub").unwrap());
        PublishedVersion { version, yanked: text.starts_with('!'), exports: [ExportKey::root()].into_iter().chain(sub).collect() }
    });
    let packages = BTreeMap::from([(PackageName::try_from("@aa/bb").unwrap(), published.collect())]);
    Facts { public_url: Url::parse("https://registry.example/").unwrap(), packages, hidden: BTreeSet::new(), inferred: None }
}

fn checked(text: &str, versions: &[&str]) -> Vec<String> {
    let (needed, found) = collected(text);
    assert_eq!(found, Vec::<String>::new());
    let mut findings = Findings::default();
    check(&needed, &facts(versions), &mut findings);
    findings.sort();
    lines(&findings)
}

#[test]
fn dependencies_are_collected_once_and_sorted() {
    let text = "import \"npm:chalk@^5/sub/path\";\nimport \"npm:@xx/yy@1\";\nimport \"jsr:@aa/bb@^1/sub\";\nimport \"jsr:/@aa/bb@^1/sub/\";\n\
                import type {} from \"jsr:@aa/bb@^1\";\nawait import(\"jsr:@aa/bb@^1\");\nimport \"npm:/left@~2\";\nimport \"npm:tag@latest\";\n\
                // @ts-types=\"npm:@types/z@1\"\nimport \"npm:z@1\";\nimport \"node:fs\";\n/** @typedef {import(\"npm:js@1\").X} X */\n";
    let (needed, found) = collected(text);
    assert_eq!(found, Vec::<String>::new());
    let shown: Vec<_> = needed
        .iter()
        .map(|needed| {
            let Dependency { kind, name, constraint, path } = &needed.dependency;
            format!("{} {name} {constraint} '{path}' {}", kind.as_str(), needed.place)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "jsr @aa/bb ^1 '' /mod.ts:5:21",
            "jsr @aa/bb ^1 'sub' /mod.ts:3:8",
            "npm @types/z 1 '' /mod.ts:9:14",
            "npm @xx/yy 1 '' /mod.ts:2:8",
            "npm chalk ^5 'sub/path' /mod.ts:1:8",
            "npm left ~2 '' /mod.ts:7:8",
            "npm tag latest '' /mod.ts:8:8",
            "npm z 1 '' /mod.ts:10:8",
        ]
    );
    assert!(uses_npm(&stored(&needed)));
    let packages: Vec<_> = needed.iter().filter_map(Needed::package).map(ToString::to_string).collect();
    assert_eq!(packages, ["@aa/bb", "@aa/bb"]);
}

#[test]
fn names_that_npm_cannot_know() {
    for name in ["a\\0b", "..", "_a", ".a", "A%20B", "@scope", "@a/b/../c", "ä", &"a".repeat(215)] {
        let (needed, found) = collected(&format!("import \"npm:{name}@1\";\n"));
        let (_, of_graph) = Package::new(&[("/mod.ts", &format!("import \"npm:{name}@1\";\n"))]).graph();
        let told = [found, lines(&of_graph)].concat();
        assert!(told.iter().any(|line| line.starts_with("error invalidNpmSpecifier /mod.ts:1:8: ")), "{name}: {told:?} {needed:?}");
    }
    for name in ["Old.Name", "a~b", "@Scope/a_b", "x-", &"a".repeat(214)] {
        let (needed, found) = collected(&format!("import \"npm:{name}@1\";\n"));
        assert_eq!((needed.len(), found.len()), (1, 0), "{name}");
    }
}

#[test]
fn parts_that_no_index_can_hold() {
    let long = "a".repeat(1_025);
    let (needed, found) = collected(&format!("import \"npm:b@1/{long}\";\nimport \"jsr:@aa/bb@1/{long}\";\nimport \"npm:b@{long}\";\n"));
    assert_eq!(needed, []);
    let heads: Vec<_> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        heads,
        ["error invalidNpmSpecifier /mod.ts:1:8", "error invalidNpmSpecifier /mod.ts:3:8", "error invalidJsrSpecifier /mod.ts:2:8"]
    );
}

#[test]
fn specifiers_that_may_not_lead_out() {
    let (needed, found) = collected(
        "import \"http://a/b.ts\";\nexport * from \"https://jsr.io/@aa/bb/1.0.0/mod.ts\";\nimport \"ftp://a/b\";\nimport \"jsr:@aa/bb\";\n\
         import \"npm:chalk\";\nimport \"npm:chalk@*/x\";\nimport \"jsr:foo@1\";\nimport \"jsr:@AA/bb@1\";\nimport \"jsr:@aa/bb@1/a//b\";\n",
    );
    assert!(needed.is_empty());
    assert_eq!(
        found,
        [
            "error missingConstraint /mod.ts:4:8: 'jsr:' specifier 'jsr:@aa/bb' has no version constraint | add one, 'jsr:@aa/bb@^1.0.0', \
             so that a later version cannot break the package",
            "error missingConstraint /mod.ts:5:8: 'npm:' specifier 'npm:chalk' has no version constraint | add one, 'npm:chalk@^1.0.0', \
             so that a later version cannot break the package",
            "error missingConstraint /mod.ts:6:8: 'npm:' specifier 'npm:chalk' has no version constraint | add one, 'npm:chalk@^1.0.0', \
             so that a later version cannot break the package",
            "error invalidExternalImport /mod.ts:1:8: invalid external import 'http://a/b.ts' (http(s) import) | import it from 'jsr:' or \
             'npm:', or put the file into the package",
            "error invalidExternalImport /mod.ts:2:15: invalid external import 'https://jsr.io/@aa/bb/1.0.0/mod.ts' (http(s) import) | import \
             it from 'jsr:' or 'npm:', or put the file into the package",
            "error invalidExternalImport /mod.ts:3:8: invalid external import 'ftp://a/b' (unsupported scheme) | allowed are relative paths \
             and 'jsr:', 'npm:', 'node:', 'data:', 'bun:', 'virtual:' and 'cloudflare:'",
            "error invalidJsrScopedPackageName /mod.ts:7:8: invalid 'jsr:' dependency 'jsr:foo@1': package name 'foo' must look like \
             `@scope/package` | write 'jsr:@scope/package@^1'",
            "error invalidJsrScopedPackageName /mod.ts:8:8: invalid 'jsr:' dependency 'jsr:@AA/bb@1': scope name 'AA' may hold only lower-case \
             letters, digits and hyphens, not 'A' | write 'jsr:@scope/package@^1'",
            "error invalidJsrDependencySubPath /mod.ts:9:8: invalid sub-path in 'jsr:' dependency 'jsr:@aa/bb@1/a//b': export must not hold \
             double slashes, or parts made of dots alone",
        ]
    );
}

#[test]
fn an_unknown_scheme_is_told_once() {
    let (graph, findings) = Package::new(&[("/mod.ts", "import \"ftp://a/b\";")]).graph();
    assert_eq!(lines(&findings), Vec::<String>::new());
    let mut findings = Findings::default();
    collect(&graph, &mut findings);
    assert_eq!(findings.iter().count(), 1);
}

#[test]
fn the_highest_version_that_is_not_yanked_is_taken() {
    // `3.0.0` lacks the sub-path, so whether it is looked at shows.
    let versions = ["1.0.0", "2.0.0", "2.10.0", "2.9.0", "3.0.0", "!3.1.0"];
    assert_eq!(checked("import \"jsr:@aa/bb@2/sub\";", &versions), Vec::<String>::new());
    assert_eq!(checked("import \"jsr:@aa/bb@^3\";", &versions), Vec::<String>::new());
    assert_eq!(
        checked("import \"jsr:@aa/bb@^3/sub\";", &versions),
        [
            "error invalidJsrDependencySubPath /mod.ts:1:8: invalid 'jsr:' dependency sub-path: '@aa/bb@3.0.0' has no export './sub' | it exports ."
        ]
    );
    // The lowest match would do here, and must not be taken.
    assert_eq!(checked("import \"jsr:@aa/bb@1.x/sub\";", &["1.0.0", "1.1.0"]), Vec::<String>::new());
}

#[test]
fn versions_that_do_not_exist() {
    assert_eq!(
        checked("import \"jsr:@aa/bb@^1\";", &["2.0.0", "!1.5.0", "0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0"]),
        ["error unresolvableJsrDependency /mod.ts:1:8: unresolvable 'jsr:' dependency: '@aa/bb@^1', no published version matches the \
          constraint (1.5.0 would, but is yanked); published are 2.0.0, 0.5.0, 0.4.0, 0.3.0, 0.2.0 and 1 more"]
    );
    assert_eq!(
        checked("import \"jsr:@aa/bb@^1\";", &["!1.0.0"]),
        ["error unresolvableJsrDependency /mod.ts:1:8: unresolvable 'jsr:' dependency: '@aa/bb@^1', no published version matches the \
          constraint (1.0.0 would, but is yanked); there is no version that is not yanked"]
    );
    assert_eq!(
        checked("import \"jsr:@aa/nope@^1\";", &["1.0.0"]),
        ["error unresolvableJsrDependency /mod.ts:1:8: unresolvable 'jsr:' dependency: '@aa/nope@^1', the package does not exist in this \
          registry"]
    );
    assert_eq!(checked("import \"jsr:@aa/bb@^1.0.0-rc.1\";", &["1.0.0-rc.2"]), Vec::<String>::new());
    assert_eq!(checked("import \"jsr:@aa/bb@^1\";", &["1.0.0-rc.2"]).len(), 1, "a prerelease is asked for by name");
    assert_eq!(checked("import \"jsr:@aa/bb@1.0.0\";", &["1.0.0"]), Vec::<String>::new());
}

#[test]
fn another_version_of_the_package_itself_is_a_dependency() {
    let (needed, _) = collected("import \"jsr:@own/pkg@^0.1\";\nimport \"jsr:@own/pkg@^1/nope\";\nimport \"jsr:@own/pkg@^1\";\n");
    let names: Vec<_> = needed.iter().map(|needed| format!("{}@{}", needed.dependency.name, needed.dependency.constraint)).collect();
    assert_eq!(names, ["@own/pkg@^0.1"]);
}
