//! What the registry attests of an npm tarball: from which upload it was built, and by what.
//!
//! The statement is one of in-toto, with the predicate of SLSA about builds. It follows from the rows of a version and of its publish, so the
//! same version gives the same bytes whoever makes it and whenever, and it can be made later for a version that was published before
//! there were any. How others read it is in the README of the project, which is part of [`BUILD_TYPE`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::SecondsFormat;
use serde_json::{Value, json};
use slipway_common::clock::Instant;
use slipway_common::config::Attestation;
use slipway_common::db::{DbResult, ReadTx};
use slipway_common::formats::npm_keys::NpmKeys;
use slipway_common::formats::packument::PREDICATE_TYPE;
use slipway_common::formats::record;
use slipway_common::ids::{PackageName, Sha512, Version};
use slipway_common::model::package::Visibility;
use slipway_common::model::provenance::Provenance;
use slipway_common::model::publish::Publish;
use slipway_common::model::version::{PackageVersion, is_verified_by_npm};
use slipway_common::storage::StorageKey;
use url::Url;

/// What kind of build it is: what its parameters and dependencies mean. Another meaning gets another number.
const BUILD_TYPE: &str = "urn:slipway:npm-build:1";

/// Everything that is attested of a version.
#[derive(Debug)]
pub(crate) struct Attested {
    pub(crate) package: PackageName,
    pub(crate) version: Version,
    /// What the registry attests itself, as a bundle.
    pub(crate) own: Option<Value>,
    /// The same as a log has it.
    pub(crate) logged: Option<Value>,
    /// What a CI job signed.
    pub(crate) provenance: Option<Provenance>,
}

impl Attested {
    /// Reads all of a version.
    pub(crate) async fn of(tx: &mut ReadTx, package: &PackageName, version: &Version) -> DbResult<Self> {
        let content = tx.version(package, version).await?.map(|row| row.content);
        let (own, logged) = content.map(|content| (content.attestation, content.logged)).unwrap_or_default();
        let provenance = tx.provenance(package, version).await?;
        Ok(Self { package: package.clone(), version: version.clone(), own, logged, provenance })
    }

    /// The document that npm clients know, with its key. Nothing when there is nothing to say. Where npm documents lead to it, only what is
    /// about the npm tarball is in it: npm takes every statement that it finds there for one.
    pub(crate) fn document(&self, visibility: Visibility, settings: &Attestation) -> Option<(StorageKey, Vec<u8>)> {
        let is_named = settings.is_shown_to_npm && self.logged.as_ref().is_some_and(is_verified_by_npm);
        let own = self.logged.iter().chain(self.own.iter().filter(|_| self.logged.is_none()));
        let own = own.map(|bundle| json!({ "predicateType": PREDICATE_TYPE, "bundle": bundle }));
        let others = self
            .provenance
            .iter()
            .filter(|_| !is_named)
            .map(|known| json!({ "predicateType": known.predicate_type, "bundle": known.bundle }));
        let attestations: Vec<Value> = own.chain(others).collect();
        let key = StorageKey::NpmAttestations { package: self.package.clone(), version: self.version.clone() };
        (!attestations.is_empty()).then(|| (key.seen_by(visibility), record::to_bytes(&json!({ "attestations": attestations }))))
    }
}

/// What is stated of a version. `public_url` is what the registry was called when it was published. Nothing when its npm manifest does
/// not say what the tarball is.
pub(crate) fn statement(version: &PackageVersion, publish: &Publish, public_url: &Url) -> Option<Vec<u8>> {
    let (package, number, content) = (&version.package, &version.version, &version.content);
    let address = format!("{public_url}api/scopes/{}/packages/{}/versions/{number}/tarball", package.scope(), package.name());
    let mut builder = json!({ "id": public_url, "version": { "emit": content.npm_revision.to_string() } });
    if let Some(compiler) = content.compiler() {
        builder["version"]["compiler"] = compiler.into();
    }
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": npm_purl(package, number), "digest": { "sha512": tarball(version)?.hex() } }],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": { "package": package, "version": number, "config": publish.config },
                "resolvedDependencies": [
                    { "name": "upload", "uri": address, "digest": { "sha256": publish.upload.hex() } },
                    { "name": "manifest", "uri": jsr_purl(package, number), "digest": { "sha256": content.meta.hex() } },
                ],
            },
            "runDetails": {
                "builder": builder,
                "metadata": { "startedOn": time(publish.created_at), "finishedOn": time(version.created_at) },
            },
        },
    });
    Some(record::to_bytes(&statement))
}

/// Whether a statement is about the tarball of a version, and the upload and manifest that it was built from.
pub(crate) fn is_about(statement: &Value, version: &PackageVersion, publish: Option<&Publish>) -> bool {
    let text = |pointer: &str| statement.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let dependency = |index: usize| text(&format!("/predicate/buildDefinition/resolvedDependencies/{index}/digest/sha256")).to_owned();
    text("/subject/0/name") == npm_purl(&version.package, &version.version)
        && tarball(version).is_some_and(|digest| text("/subject/0/digest/sha512") == digest.hex())
        && publish.is_none_or(|publish| dependency(0) == publish.upload.hex())
        && dependency(1) == version.content.meta.hex()
}

/// What a bundle states, as it was signed: in Base64.
pub(crate) fn payload(bundle: &Value) -> Option<&str> {
    bundle.pointer("/dsseEnvelope/payload")?.as_str()
}

/// The key that a bundle names, of those that are listed: in DER.
pub(crate) fn key_of(keys: &NpmKeys, bundle: &Value) -> Option<Vec<u8>> {
    let id = bundle.pointer("/verificationMaterial/publicKey/hint")?.as_str()?;
    STANDARD.decode(keys.keys.iter().find(|key| key.id() == id)?.spki()).ok()
}

/// The digest of the npm tarball, as npm was told.
pub(crate) fn tarball(version: &PackageVersion) -> Option<Sha512> {
    let integrity = version.content.npm_manifest.pointer("/dist/integrity")?.as_str()?;
    Sha512::from_bytes(&STANDARD.decode(integrity.strip_prefix("sha512-")?).ok()?).ok()
}

/// What npm calls a version where tools agree on names: it compares to the letter.
fn npm_purl(package: &PackageName, version: &Version) -> String {
    format!("pkg:npm/{}@{version}", package.npm_name().replacen('@', "%40", 1))
}

/// What JSR calls it, and what CI jobs sign.
fn jsr_purl(package: &PackageName, version: &Version) -> String {
    format!("pkg:jsr/{package}@{version}")
}

fn time(instant: Instant) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}
