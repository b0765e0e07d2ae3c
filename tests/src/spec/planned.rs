//! What the pipeline makes of a spec's package.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use flate2::read::GzDecoder;
use slipway_common::model::artefact::ArtefactKind;
use slipway_common::model::finding::Findings;
use slipway_common::model::limits::UploadLimits;
use slipway_worker::pipeline::{Facts, Plan, Upload, examine};

use super::Spec;
use crate::PackageBuilder;

impl Spec {
    /// Publishes the package, as far as the pipeline goes.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn plan(&self) -> Result<Plan, Findings> {
        let name = self.package.to_string();
        let empty = PackageBuilder::empty(&name, &self.version.to_string()).without_config();
        let package = self.files.iter().fold(empty, |package, file| package.file(file.path(), file.bytes()));
        let upload = Upload {
            package: self.package.clone(),
            version: self.version.clone(),
            config: self.config.clone(),
            tarball: package.tarball(),
            limits: UploadLimits::default(),
        };
        let mut facts = Facts {
            public_url: "http://registry.test/".parse().expect("it is a URL"),
            packages: BTreeMap::new(),
            hidden: BTreeSet::new(),
            inferred: None,
        };
        for (package, version) in &self.published {
            facts.packages.entry(package.clone()).or_default().push(version.clone());
        }
        examine(&upload)?.plan_whole(&facts)
    }
}

/// A file of an npm tarball.
pub struct NpmFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its permissions.
    pub mode: u32,
}

/// The files of the npm tarball, by their path in the package.
#[must_use]
pub fn npm_files(plan: &Plan) -> BTreeMap<String, NpmFile> {
    let artefact = plan.artefacts.iter().find(|artefact| artefact.kind == ArtefactKind::NpmTarball).expect("a plan has an npm tarball");
    let mut archive = tar::Archive::new(GzDecoder::new(&artefact.bytes[..]));
    let mut files = BTreeMap::new();
    for entry in archive.entries().expect("it is a tar") {
        let mut entry = entry.expect("it is a tar");
        let path = entry.path().expect("its names are text").display().to_string();
        let path = path.strip_prefix("package/").expect("npm wants it so").to_owned();
        let mode = entry.header().mode().expect("it has permissions");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("it is whole");
        files.insert(path, NpmFile { bytes, mode });
    }
    files
}
