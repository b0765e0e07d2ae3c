//! What the rows say, read past the house.

use std::collections::{BTreeMap, BTreeSet};

use slipway_common::ids::{PackageName, Version};
use slipway_common::model::version::ArtefactRecord;
use slipway_tests::TestDatabase;
use slipway_tests::engines::Connection;

/// A package with its versions.
#[derive(Debug)]
pub(crate) struct PackageRow {
    pub(crate) description: String,
    pub(crate) generation: i64,
    pub(crate) announced: i64,
    pub(crate) versions: BTreeMap<Version, VersionRow>,
}

/// A version.
#[derive(Debug)]
pub(crate) struct VersionRow {
    pub(crate) is_yanked: bool,
    pub(crate) artefacts: Vec<ArtefactRecord>,
}

/// Reads the packages.
pub(crate) async fn packages(database: &TestDatabase) -> BTreeMap<PackageName, PackageRow> {
    const PACKAGES: &str = "SELECT '@' || scope || '/' || name || '|' || CAST(generation AS TEXT) || '|' || CAST(announced AS TEXT)
                                   || '|' || description FROM packages";
    const VERSIONS: &str = "SELECT '@' || scope || '/' || name || '|' || version || '|' || CASE WHEN is_yanked THEN 'yanked' ELSE '' END
                                   || '|' || CAST(artefacts AS TEXT) FROM versions";
    let mut connection = database.connect().await;
    let mut packages = BTreeMap::new();
    for line in connection.texts(PACKAGES).await.into_iter().flatten() {
        let [name, generation, announced, description] = parts(&line);
        let [generation, announced] = [generation, announced].map(|number| number.parse().expect("it is a number"));
        let row = PackageRow { description: description.to_owned(), generation, announced, versions: BTreeMap::new() };
        packages.insert(package(name), row);
    }
    for line in connection.texts(VERSIONS).await.into_iter().flatten() {
        let [name, version, yanked, artefacts] = parts(&line);
        let mut list: serde_json::Value = serde_json::from_str(artefacts).expect("it is JSON");
        let artefacts = serde_json::from_value(list["list"].take()).expect("these are artefacts");
        let version = Version::try_from(version).expect("it is a version");
        let row = packages.get_mut(&package(name)).expect("a version has a package");
        row.versions.insert(version, VersionRow { is_yanked: yanked == "yanked", artefacts });
    }
    packages
}

fn parts(line: &str) -> [&str; 4] {
    line.splitn(4, '|').collect::<Vec<_>>().try_into().expect("four of them were joined")
}

fn package(name: &str) -> PackageName {
    PackageName::try_from(name).expect("it is a name")
}

/// Rows that must not be there when all is quiet, each with the rule that it breaks.
pub(crate) async fn offences(database: &TestDatabase) -> Vec<String> {
    const RULES: [(&str, &str); 9] = [
        (
            "every publish has ended",
            "SELECT scope || '/' || name || ' ' || version || ' ' || state FROM publishes
             WHERE state NOT IN ('published', 'rejected', 'failed', 'cancelled')",
        ),
        ("no publish failed, for nothing did", "SELECT scope || '/' || name || ' ' || version FROM publishes WHERE state = 'failed'"),
        (
            "a version comes from the publish that made it",
            "SELECT scope || '/' || name || ' ' || version FROM versions AS v WHERE NOT EXISTS
             (SELECT 1 FROM publishes AS p WHERE p.id = v.task_id AND p.state = 'published'
              AND p.scope = v.scope AND p.name = v.name AND p.version = v.version)",
        ),
        (
            "a publish that succeeded made a version",
            "SELECT scope || '/' || name || ' ' || version FROM publishes AS p WHERE state = 'published'
             AND NOT EXISTS (SELECT 1 FROM versions AS v WHERE v.task_id = p.id)",
        ),
        (
            "readers can see every version",
            "SELECT v.scope || '/' || v.name || ' ' || v.version FROM versions AS v JOIN packages AS p
             ON p.scope = v.scope AND p.name = v.name WHERE v.stored_generation IS NULL OR v.stored_generation > p.announced",
        ),
        (
            "whoever publishes stands in the log",
            "SELECT p.scope || '/' || p.name || ' ' || p.version FROM publishes AS p
             WHERE (SELECT COUNT(*) FROM audit AS a WHERE a.act = 'publish.accept'
                    AND a.scope = p.scope AND a.name = p.name AND a.version = p.version)
                 < (SELECT COUNT(*) FROM publishes AS q WHERE q.scope = p.scope AND q.name = p.name AND q.version = p.version)",
        ),
        (
            "whoever made a package stands in the log",
            "SELECT scope || '/' || name FROM packages AS p
             WHERE NOT EXISTS (SELECT 1 FROM audit AS a WHERE a.act = 'package.create' AND a.scope = p.scope AND a.name = p.name)",
        ),
        (
            "a version is yanked as the last act about that says",
            "SELECT v.scope || '/' || v.name || ' ' || v.version FROM versions AS v
             WHERE v.is_yanked <> COALESCE((SELECT a.act = 'version.yank' FROM audit AS a WHERE a.act IN ('version.yank', 'version.unyank')
                                            AND a.scope = v.scope AND a.name = v.name AND a.version = v.version
                                            ORDER BY a.id DESC LIMIT 1), FALSE)",
        ),
        (
            "jobs are done",
            "SELECT kind || ' ' || dedup_key || ' ' || state || ' ' || COALESCE(last_fault, '') FROM jobs WHERE state <> 'done'",
        ),
    ];
    let mut connection = database.connect().await;
    let mut found = Vec::new();
    for (rule, query) in RULES {
        found.extend(connection.texts(query).await.into_iter().flatten().map(|row| format!("{rule}: {row}")));
    }
    found
}

/// The uploads that rows refer to, as hexadecimal digits: of publishes in these states.
pub(crate) async fn uploads(database: &TestDatabase, states: &[&str]) -> BTreeSet<String> {
    let mut connection = database.connect().await;
    let digits = match &connection {
        Connection::Sqlite(_) => "LOWER(HEX(upload_id))",
        Connection::Postgres(_) => "REPLACE(CAST(upload_id AS TEXT), '-', '')",
    };
    let query = format!("SELECT {digits} FROM publishes WHERE state IN ('{}')", states.join("', '"));
    connection.texts(&query).await.into_iter().flatten().collect()
}
