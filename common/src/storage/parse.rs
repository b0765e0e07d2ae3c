//! From the text of a key back to the key, for who goes through what a store lists.

use crate::ids::{PackageName, PackagePath, ScopeName, Version};
use crate::model::package::Visibility;

use super::key::{
    CATALOGUE, NPM_ATTESTATIONS, NPM_KEYS, PACKAGE_RECORDS, PROVENANCE_RECORDS, PUBLISHERS_RECORDS, QUARANTINE, SCOPE_RECORDS,
    SIGSTORE_ROOT, StorageKey, UPLOADS, USER_RECORDS, VERSION_RECORDS,
};
use super::policy::Store;

impl StorageKey {
    /// Reads a key of a store back. Nothing when the house would not give an object this name.
    #[must_use]
    pub fn parse(store: Store, text: &str) -> Option<Self> {
        let key = match store {
            Store::Private => private(text).or_else(|| hidden(text))?,
            Store::Public => public(text)?,
        };
        // What reads as a key and is written otherwise is not ours.
        (key.store() == store && key.text() == text).then_some(key)
    }

    /// Reads the key of an upload or a plan pack back.
    #[must_use]
    pub fn of_upload(text: &str) -> Option<Self> {
        Self::parse(Store::Private, text).filter(|key| matches!(key, Self::Upload(_) | Self::PlanPack { .. }))
    }
}

fn private(text: &str) -> Option<StorageKey> {
    let below = |directory: &str| text.strip_prefix(directory)?.strip_prefix('/');
    if let Some(name) = below(UPLOADS) {
        return Some(match name.strip_suffix(".plan") {
            Some(name) => {
                let (task, attempt) = name.split_once('.')?;
                StorageKey::PlanPack { task: task.parse().ok()?, attempt: attempt.parse().ok()? }
            }
            None => StorageKey::Upload(name.strip_suffix(".tgz")?.parse().ok()?),
        });
    }
    if let Some(text) = below(QUARANTINE) {
        return public(text).filter(|key| key.version().is_some()).map(|key| key.quarantined());
    }
    if text == CATALOGUE {
        return Some(StorageKey::Catalogue);
    }
    if text == SIGSTORE_ROOT {
        return Some(StorageKey::SigstoreRoot);
    }
    if let Some(name) = below(USER_RECORDS) {
        return Some(StorageKey::UserRecord(name.strip_suffix(".json")?.parse().ok()?));
    }
    if let Some(name) = below(SCOPE_RECORDS) {
        return Some(StorageKey::ScopeRecord(ScopeName::try_from(name.strip_suffix(".json")?).ok()?));
    }
    let package = |scope: &str, name: &str| PackageName::new(ScopeName::try_from(scope).ok()?, name).ok();
    if let Some(name) = below(PACKAGE_RECORDS) {
        let (scope, name) = name.strip_suffix(".json")?.split_once('/')?;
        return Some(StorageKey::PackageRecord(package(scope, name)?));
    }
    if let Some(name) = below(PUBLISHERS_RECORDS) {
        let (scope, name) = name.strip_suffix(".json")?.split_once('/')?;
        return Some(StorageKey::PublishersRecord(package(scope, name)?));
    }
    let version_of = |rest: &str| {
        let [scope, name, version] = rest.strip_suffix(".json")?.splitn(3, '/').collect::<Vec<_>>().try_into().ok()?;
        Some((package(scope, name)?, Version::try_from(version).ok()?))
    };
    if let Some(rest) = below(PROVENANCE_RECORDS) {
        return version_of(rest).map(|(package, version)| StorageKey::ProvenanceRecord { package, version });
    }
    version_of(below(VERSION_RECORDS)?).map(|(package, version)| StorageKey::VersionRecord { package, version })
}

/// What is kept of a private package is called as it would be in the other store.
fn hidden(text: &str) -> Option<StorageKey> {
    public(text).filter(|key| *key != StorageKey::NpmKeys).map(|key| key.seen_by(Visibility::Private))
}

fn public(text: &str) -> Option<StorageKey> {
    if let Some(rest) = text.strip_prefix("npm/@jsr/") {
        return npm(rest);
    }
    if text == NPM_KEYS {
        return Some(StorageKey::NpmKeys);
    }
    if let Some(rest) = text.strip_prefix(NPM_ATTESTATIONS) {
        let (stem, version) = rest.strip_prefix("@jsr/")?.split_once('@')?;
        let (package, version) = (PackageName::from_npm_stem(stem).ok()?, Version::try_from(version).ok()?);
        return Some(StorageKey::NpmAttestations { package, version });
    }
    if let Some(rest) = text.strip_prefix("docs/") {
        let (package, rest) = package_and_rest(rest)?;
        let [version, revision, name] = rest.splitn(3, '/').collect::<Vec<_>>().try_into().ok()?;
        let (version, revision) = (Version::try_from(version).ok()?, revision.parse().ok()?);
        return Some(StorageKey::Docs { package, version, revision, name: name.to_owned() });
    }
    let (package, rest) = package_and_rest(text)?;
    if rest == "meta.json" {
        return Some(StorageKey::PackageMeta(package));
    }
    match rest.split_once('/') {
        None => Some(StorageKey::VersionMeta { package, version: Version::try_from(rest.strip_suffix("_meta.json")?).ok()? }),
        Some((version, _)) => {
            let path = PackagePath::try_from(&rest[version.len()..]).ok()?;
            Some(StorageKey::Module { package, version: Version::try_from(version).ok()?, path })
        }
    }
}

fn npm(rest: &str) -> Option<StorageKey> {
    let (stem, file) = rest.split_once('/')?;
    let package = PackageName::from_npm_stem(stem).ok()?;
    Some(match file {
        "index.json" => StorageKey::Packument(package),
        "abbreviated.json" => StorageKey::PackumentAbbreviated(package),
        _ => {
            let version = file.strip_prefix("-/")?.strip_prefix(stem)?.strip_prefix('-')?.strip_suffix(".tgz")?;
            StorageKey::NpmTarball { package, version: Version::try_from(version).ok()? }
        }
    })
}

/// `@s/p` and what follows it.
fn package_and_rest(text: &str) -> Option<(PackageName, &str)> {
    let slash = text.match_indices('/').nth(1)?.0;
    Some((PackageName::try_from(&text[..slash]).ok()?, &text[slash + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{TaskId, UserId};

    #[test]
    fn one_table_of_keys() {
        let package = PackageName::try_from("@ss/pp").unwrap();
        let version = Version::try_from("1.0.0-rc.1+b").unwrap();
        let path = PackagePath::try_from("/[id]/{x}~$.ts").unwrap();
        let task = TaskId::from(uuid::Uuid::nil());
        let keys = [
            StorageKey::Upload(task),
            StorageKey::PlanPack { task, attempt: 2 },
            StorageKey::Module { package: package.clone(), version: version.clone(), path },
            StorageKey::VersionMeta { package: package.clone(), version: version.clone() },
            StorageKey::PackageMeta(package.clone()),
            StorageKey::NpmTarball { package: package.clone(), version: version.clone() },
            StorageKey::Packument(package.clone()),
            StorageKey::PackumentAbbreviated(package.clone()),
            StorageKey::NpmKeys,
            StorageKey::NpmAttestations { package: package.clone(), version: version.clone() },
            StorageKey::Docs { package: package.clone(), version: version.clone(), revision: 1, name: "index.json".into() },
            StorageKey::UserRecord(UserId::from(uuid::Uuid::nil())),
            StorageKey::ScopeRecord(package.scope().clone()),
            StorageKey::PackageRecord(package.clone()),
            StorageKey::PublishersRecord(package.clone()),
            StorageKey::ProvenanceRecord { package: package.clone(), version: version.clone() },
            StorageKey::VersionRecord { package: package.clone(), version: version.clone() },
            StorageKey::Catalogue,
            StorageKey::SigstoreRoot,
            StorageKey::NpmTarball { package: package.clone(), version: version.clone() }.seen_by(Visibility::Private),
            StorageKey::NpmTarball { package, version }.quarantined(),
        ];
        assert!(keys.iter().all(|key| StorageKey::parse(key.store(), &key.text()).as_ref() == Some(key)));
        let table: Vec<_> =
            keys.iter().map(|key| format!("{:?} {} {} {}", key.store(), key.path(), key.content_type(), key.cache().header())).collect();
        let (year, minute) = ("public, max-age=31536000, immutable", "public, max-age=60, s-maxage=60");
        assert_eq!(
            table,
            [
                "Private uploads/00000000-0000-0000-0000-000000000000.tgz application/gzip private, no-store".to_owned(),
                "Private uploads/00000000-0000-0000-0000-000000000000.2.plan application/zstd private, no-store".to_owned(),
                format!("Public @ss/pp/1.0.0-rc.1+b/[id]/{{x}}~$.ts text/typescript {year}"),
                format!("Public @ss/pp/1.0.0-rc.1+b_meta.json application/json {year}"),
                format!("Public @ss/pp/meta.json application/json {minute}"),
                format!("Public npm/@jsr/ss__pp/-/ss__pp-1.0.0-rc.1+b.tgz application/octet-stream {year}"),
                format!("Public npm/@jsr/ss__pp/index.json application/json {minute}"),
                format!("Public npm/@jsr/ss__pp/abbreviated.json application/json {minute}"),
                format!("Public -/npm/v1/keys application/json {minute}"),
                format!("Public -/npm/v1/attestations/@jsr/ss__pp@1.0.0-rc.1+b application/json {minute}"),
                format!("Public docs/@ss/pp/1.0.0-rc.1+b/1/index.json application/json {year}"),
                "Private registry/users/00000000-0000-0000-0000-000000000000.json application/json private, no-store".to_owned(),
                "Private registry/scopes/ss.json application/json private, no-store".to_owned(),
                "Private registry/packages/ss/pp.json application/json private, no-store".to_owned(),
                "Private registry/publishers/ss/pp.json application/json private, no-store".to_owned(),
                "Private registry/provenances/ss/pp/1.0.0-rc.1+b.json application/json private, no-store".to_owned(),
                "Private registry/versions/ss/pp/1.0.0-rc.1+b.json application/json private, no-store".to_owned(),
                "Private registry/catalogue.json application/json private, no-store".to_owned(),
                "Private registry/sigstore.json application/json private, no-store".to_owned(),
                "Private npm/@jsr/ss__pp/-/ss__pp-1.0.0-rc.1+b.tgz application/octet-stream private, no-store".to_owned(),
                "Private quarantine/npm/@jsr/ss__pp/-/ss__pp-1.0.0-rc.1+b.tgz application/octet-stream private, no-store".to_owned(),
            ]
        );
    }

    #[test]
    fn uploads_and_packs_are_read_back() {
        let task = TaskId::from(uuid::Uuid::from_u128(0xabc));
        for key in [StorageKey::Upload(task), StorageKey::PlanPack { task, attempt: 12 }] {
            assert_eq!(StorageKey::of_upload(&key.text()), Some(key));
        }
        let name = task.to_string();
        for foreign in [
            format!("{name}.tgz"),
            format!("uploads/{}.tgz", name.to_uppercase()),
            format!("uploads/{}.tgz", name.replace('-', "")),
            format!("uploads/{name}.zip"),
            format!("uploads/x/{name}.tgz"),
            format!("uploads/{name}.plan"),
            format!("uploads/{name}.01.plan"),
            format!("uploads/{name}.tgz#1"),
            "uploads/notes.txt".to_owned(),
            "registry/scopes/ss.json".to_owned(),
        ] {
            assert_eq!(StorageKey::of_upload(&foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_is_not_ours_is_no_key() {
        let foreign = [
            "robots.txt",
            "@ss",
            "@ss/pp",
            "@ss/pp/x.json",
            "@ss/pp/1.0.0/",
            "npm/@jsr/ss__pp/-/other-1.0.0.tgz",
            "docs/@ss/pp/1.0.0",
            "-/npm/v1/keys/x",
            "-/npm/v1/attestations/@jsr/ss__pp",
            "-/npm/v1/attestations/ss__pp@1.0.0",
            "",
            "/",
            "@ss/pp/01.0.0/a.ts",
        ];
        for text in foreign {
            assert_eq!(StorageKey::parse(Store::Public, text), None, "{text}");
        }
        for text in ["-/npm/v1/keys", "quarantine/@ss/pp/meta.json", "quarantine/npm/@jsr/ss__pp/index.json", "quarantine/uploads/x.tgz"] {
            assert_eq!(StorageKey::parse(Store::Private, text), None, "{text}");
        }
        assert_eq!(StorageKey::parse(Store::Public, "registry/scopes/ss.json"), None);
    }
}
