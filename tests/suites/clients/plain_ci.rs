//! `slipway publish` in a job of a CI system, without a token.

use std::path::{Path, PathBuf};

use serde_json::json;
use slipway_tests::issuer::Issuer;
use slipway_tests::sigstore::{Sigstore, Temper};

use crate::bench::Bench;
use crate::deno_ci::{came_from_the_job, certifying, employ, in_job, settings, trust};
use crate::run::Run;
use crate::stock::BASE;

struct Shop {
    issuer: Issuer,
    sigstore: Sigstore,
    bench: Bench,
    base: PathBuf,
}

/// A registry that believes a CI system and trusts its job with a package.
fn shop() -> Option<Shop> {
    let (issuer, sigstore) = (Issuer::start(), Sigstore::start());
    let bench = Bench::set_up_with(|_| settings(&issuer, &sigstore))?;
    bench.registry.open("@acme/base");
    trust(&bench, bench.registry.token(), "base");
    employ(&issuer, "refs/heads/main");
    let base = bench.project("base", BASE);
    Some(Shop { issuer, sigstore, bench, base })
}

impl Shop {
    /// `slipway publish` as the job runs it.
    fn job(&self, directory: &Path) -> Run {
        let run = self.bench.slipway(directory).args(["publish", "--registry", self.bench.registry.url()]);
        certifying(in_job(run, &self.issuer), &self.sigstore)
    }

    fn provenance(&self) -> u16 {
        self.bench.registry.get("api/scopes/acme/packages/base/versions/1.0.0/provenance").status
    }
}

#[test]
fn a_job_publishes_and_says_where_the_package_came_from() {
    let Some(shop) = shop() else { return };
    shop.job(&shop.base).ok().says("published @acme/base@1.0.0").says("signed where it came from");
    came_from_the_job(&shop.bench, "base", "1.0.0");
    assert_eq!((shop.issuer.given(), shop.sigstore.entries()), (3, 1), "two tokens for the registry, and one for the authority");
    let version = shop.bench.registry.get("api/scopes/acme/packages/base/versions/1.0.0").body;
    assert_eq!(version["ci"]["repository"], json!("acme/widgets"), "{version}");
    shop.job(&shop.base).ok().says("@acme/base@1.0.0 is published already");
    assert_eq!(shop.sigstore.entries(), 1);
    shop.bench.close();
}

#[test]
fn a_job_that_is_not_trusted_is_told_why_by_slipway() {
    let Some(shop) = shop() else { return };
    employ(&shop.issuer, "refs/heads/evil");
    shop.job(&shop.base).fails().says("`ref` is `refs/heads/evil`, expected `refs/heads/main`");
    assert_eq!(shop.sigstore.entries(), 0);
    shop.bench.close();
}

#[test]
fn what_is_published_is_published_without_a_word_of_where_it_came_from() {
    let Some(shop) = shop() else { return };
    shop.sigstore.turn(Temper::Silent);
    let said = shop.job(&shop.base).ok();
    said.says("published @acme/base@1.0.0").says("warning: nobody can tell where it came from").says("503");
    assert_eq!(shop.provenance(), 404);
    shop.sigstore.turn(Temper::Fair);
    shop.sigstore.go_down(true);
    shop.job(&shop.base).ok().says("@acme/base@1.0.0 is published already").says("the transparency log does not answer");
    assert_eq!(shop.provenance(), 404);
    // What was published before is signed by the job that is run again, and only if it is what the job has.
    shop.sigstore.go_down(false);
    let other = shop.bench.project("other", &[BASE[0], ("mod.ts", "export const other: number = 1;\n")]);
    shop.job(&other).ok().says("other files than those that were sent");
    assert_eq!((shop.provenance(), shop.sigstore.entries()), (404, 0));
    let said = shop.job(&shop.base).env("GITHUB_SHA", "0123456789012345678901234567890123456789").ok();
    assert!(!said.says("@acme/base@1.0.0 is published already").all.contains("where it came from"), "{}", said.all);
    shop.job(&shop.base).ok().says("@acme/base@1.0.0 is published already").says("signed where it came from");
    came_from_the_job(&shop.bench, "base", "1.0.0");
    // Whoever does not want it says so.
    let config = BASE[0].1.replace("1.0.0", "1.1.0");
    let next = shop.bench.project("next", &[("deno.json", &config), BASE[1]]);
    let said = shop.job(&next).args(["--no-provenance"]).ok();
    assert!(!said.says("published @acme/base@1.1.0").all.contains("where it came from"), "{}", said.all);
    shop.job(&next).env("DISABLE_JSR_PROVENANCE", "1").ok();
    // Whoever has a token is somebody else than the job.
    let config = BASE[0].1.replace("1.0.0", "1.2.0");
    let last = shop.bench.project("last", &[("deno.json", &config), BASE[1]]);
    let given = shop.issuer.given();
    shop.job(&last).args(["--token", shop.bench.registry.token()]).ok().says("published @acme/base@1.2.0");
    assert_eq!((shop.sigstore.entries(), shop.issuer.given()), (1, given));
    shop.bench.close();
}

#[test]
fn nothing_of_a_private_package_is_in_a_log() {
    let Some(shop) = shop() else { return };
    let hidden = shop.bench.registry.call("PATCH", "scopes/acme/packages/base", Some(&json!({ "visibility": "private" })));
    assert_eq!(hidden.status, 200, "{hidden:?}");
    let said = shop.job(&shop.base).ok();
    said.says("published @acme/base@1.0.0").says("it is private, so where it came from is entered in no log");
    shop.job(&shop.base).args(["--private"]).ok().says("is published already");
    assert_eq!((shop.sigstore.entries(), shop.issuer.given()), (0, 2), "nobody but the registry is told");
    shop.bench.close();
}
